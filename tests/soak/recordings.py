"""The recorder is killed at any line or byte, also while it repairs what the last one left."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import BinaryIO

from custom_components.doorstep.footage import clip as clips, writer
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.event import OpenClip, RecorderSettings
from custom_components.doorstep.footage.files import append, storage, write_atomically
from custom_components.doorstep.footage.ring import Received, Stream
from tests.footage.synthetic import EPOCH, INIT, INIT_AV, a_fragment, stream

from .death import Death, Way, run
from .judge import Notes, judge, open_library, tidy

_LATEST: dict[Way, int] = {"line": 25_000, "byte": 40_000, "time": 150_000}
DOORBELLS = ("front", "back")
_NOW = EPOCH + timedelta(days=2)


def play(dice: Random, folder: Path) -> Counter[str]:
    """Record, die, record again; then all there is has to be whole."""
    library, notes = folder / "library", Notes(folder / "notes")
    deaths = 0
    for _ in range(dice.randint(2, 6)):
        death, plan = Death.drawn(dice, _LATEST), dice.getrandbits(32)
        deaths += not run(lambda: _record(Random(plan), library, notes), death)  # noqa: B023 - run at once
        if dice.random() < 0.4:
            death = Death.drawn(dice, {"line": 3_000, "time": 20_000})
            deaths += not run(lambda: open_library(library, notes, _NOW).close(), death)
    found = judge(library, notes, now=_NOW)
    assert found == judge(library, notes, now=_NOW), "a second start changes something"
    return Counter(deaths=deaths, clips=len(found))


def _record(dice: Random, folder: Path, notes: Notes) -> None:
    """A recorder's life: clips, pictures, and what becomes of clips in people's hands."""
    vars(clips)["append"] = vars(writer)["append"] = _in_portions(dice)
    notes.of_fragments()
    library = open_library(folder, notes, _NOW)
    for _ in range(dice.randint(1, 5)):
        clip = record(dice, folder)
        if clip is None:
            continue
        library.add(clip)
        notes.say("kept", clip.id, clip.root)
        if dice.random() < 0.5:
            tidy(dice, library, notes)


def record(dice: Random, folder: Path) -> Clip | None:
    """Record a clip of frames that nobody decodes; None where nothing came of it."""
    sound = dice.random() < 0.5
    at = EPOCH + timedelta(seconds=dice.randint(0, 86_000))
    settings = RecorderSettings(post_roll=600, audio=sound)
    one = OpenClip(folder, dice.choice(DOORBELLS), ("ring", at), settings, lambda: at)
    made = stream(INIT_AV if sound else INIT, at=at)
    for n in range(dice.randint(0, 12)):
        if dice.random() < 0.1:  # the camera comes back
            made = stream(made.init, at=at + timedelta(seconds=3))
        for item in _items(dice, made, n * 500 + 3000 * (dice.random() < 0.1)):
            one.feed(item)
    one.stop()
    clip = asyncio.run(one.run()).clip
    if clip is not None and dice.random() < 0.5:
        with storage():
            write_atomically(clip.picture, dice.randbytes(dice.randint(1, 5000)))
    return clip


def _items(dice: Random, made: Stream, start: int) -> list[Received]:
    key, size = dice.random() < 0.6, dice.randint(1, 400)
    tracks = (1, 2) if made.init is INIT_AV else (1,)
    return [
        Received(a_fragment(start, init=made.init, track=track, key=key, size=size), made)
        for track in tracks
    ]


def _in_portions(dice: Random) -> Callable[[BinaryIO, bytes], None]:
    def portions(file: BinaryIO, data: bytes) -> None:
        """Let the kill come between any two bytes, too."""
        at = dice.randint(0, len(data))
        for part in (data[:at], data[at:]):
            append(file, part)

    return portions
