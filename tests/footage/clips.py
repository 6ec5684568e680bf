"""Clips as the recorder writes them, from streams as ffmpeg really makes them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.ffmpeg import Form
from custom_components.doorstep.footage.files import ClipFiles, new_clip_id
from custom_components.doorstep.footage.fragments import parse_init
from custom_components.doorstep.footage.ring import Received
from custom_components.doorstep.footage.writer import ClipWriter

from .synthetic import EPOCH, parsed, stream

type Fragmented = Callable[..., bytes]

SOUND = Form(audio=True)
SILENT = Form()
QUICKTIME = Form("mov", audio=True)


def take(fragmented: Fragmented, name: str, form: Form, at: float = 0) -> list[Received]:
    """Four seconds of a stream that begins `at` seconds after `EPOCH`."""
    init, fragments = parsed(fragmented(name, form))
    # once more, as the writer compares init segments by their bytes
    one = stream(parse_init(init.data), at=EPOCH + timedelta(seconds=at))
    return [Received(fragment, one) for fragment in fragments]


def seal(library: Path, items: Sequence[Received], *, at: datetime | None = None) -> Clip:
    """Write and close a clip of these fragments, in the order of their ends."""
    when = at or items[0].start
    files = ClipFiles.place(library, "door", new_clip_id(when))
    writer = ClipWriter(files, "door", "ring", when, items[0])
    for item in items:
        writer.write(item)
    clip = writer.close("post-roll")
    assert clip is not None
    return clip
