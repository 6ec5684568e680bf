"""Every kind of stream that cameras send, through the real ffmpeg into a clip that plays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
import json
from pathlib import Path
import subprocess
from typing import Final

import av
import pytest

from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.ffmpeg import Form, segmented
from custom_components.doorstep.footage.files import ClipFiles
from custom_components.doorstep.footage.fragments import Fragment, InitSegment
from custom_components.doorstep.footage.ring import Received
from custom_components.doorstep.footage.writer import ClipWriter

from .conftest import run
from .synthetic import EPOCH, parsed, stream

ID: Final = "20261123T200000Z-0123abcd"
H264: Final = ("-c:v", "libx264", "-preset", "ultrafast")
HEVC: Final = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params")
SILENT: Final = ("-an",)
PLAIN: Final = Form()


@dataclass(frozen=True)
class Kind:
    """What the camera sends: its encoder's options, how long (s), and how it is asked for."""

    video: tuple[str, ...]
    sound: tuple[str, ...] = SILENT
    seconds: int = 3
    form: Form = PLAIN
    missing: int = 0  # gaps of missing frames that the clip tells of


KINDS: Final = {
    "groups of half a second": Kind((*H264, "-g", "5")),
    "AAC": Kind((*H264, "-g", "10"), ("-c:a", "aac"), form=Form(audio=True)),
    "mu-law": Kind((*H264, "-g", "10"), ("-c:a", "pcm_mulaw"), form=Form("mov", audio=True)),
    "A-law": Kind((*H264, "-g", "10"), ("-c:a", "pcm_alaw"), form=Form("mov", audio=True)),
    "sound that is left out": Kind((*H264, "-g", "10"), ("-c:a", "aac")),
    "B-frames": Kind(("-c:v", "libx264", "-preset", "veryfast", "-g", "10", "-bf", "3")),
    "groups of ten seconds": Kind((*H264, "-g", "100"), seconds=11),
    "key frames only": Kind((*H264, "-g", "1"), form=Form(sparse=True)),
    "key frames only, each alone": Kind((*H264, "-g", "1")),
    "variable frame rate": Kind(
        (*H264, "-g", "8", "-vf", "select=lt(n\\,10)+not(mod(n\\,4))", "-fps_mode", "vfr")
    ),
    "lost packets": Kind(
        (*H264, "-g", "10", "-bsf:v", "noise=drop=between(n\\,13\\,39)"), seconds=5, missing=1
    ),
    "H.265": Kind((*HEVC, "keyint=10:open-gop=0:log-level=none")),
    "H.265 and AAC": Kind(
        (*HEVC, "keyint=10:bframes=2:open-gop=0:log-level=none"),
        ("-c:a", "aac"),
        form=Form(audio=True),
    ),
    "H.265 key frames only": Kind((*HEVC, "keyint=1:log-level=none"), form=Form(sparse=True)),
}


def encode(ffmpeg: str, kind: Kind, size: str = "64x48", form: str = "nut") -> bytes:
    picture = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=10")
    sound = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=8000")
    length = ("-t", str(kind.seconds), "-pix_fmt", "yuv420p", "-threads", "1")
    return run(ffmpeg, *picture, *sound, *length, *kind.video, *kind.sound, "-f", form, "-")


def copied(ffmpeg: str, data: bytes, form: Form, *how: str) -> list[Received]:
    """Fragments as the recorder's own command gives them."""
    arguments = form.arguments()
    copy = arguments[arguments.index("-map") :]
    init, fragments = parsed(run(ffmpeg, *how, "-i", "-", *copy, stdin=data))
    return streamed(init, fragments)


def streamed(init: InitSegment, fragments: Sequence[Fragment], later: float = 0) -> list[Received]:
    """Take fragments as one stream, whose time 0 is so many seconds after `EPOCH`."""
    one = stream(init, at=EPOCH + timedelta(seconds=later))
    return [Received(fragment, one) for fragment in fragments]


def write(library: Path, items: Sequence[Received]) -> Clip:
    writer = ClipWriter(ClipFiles.place(library, "door", ID), "door", "ring", EPOCH, items[0])
    for item in items:
        writer.write(item)
    clip = writer.close("post-roll")
    assert clip is not None
    return clip


def gaps(clip: Clip) -> list[str]:
    lines = [json.loads(line) for line in clip.lines.read_bytes().splitlines()]
    return [line["reason"] for line in lines if "gap" in line]


def check(ffmpeg: str, clip: Clip, frames: int) -> None:
    """Decode it whole, any warning an error; it begins at zero and has its own length."""
    command = [ffmpeg, "-v", "warning", "-xerror", "-i", str(clip.video), "-f", "null", "-"]
    assert subprocess.run(command, capture_output=True, check=True).stderr == b""
    with av.open(str(clip.video)) as film:
        (video,) = film.streams.video
        packets = [packet for packet in film.demux(video) if packet.dts is not None]
        assert packets[0].dts == 0
        times = [packet.dts for packet in packets if packet.dts is not None]
        assert times == sorted(set(times))
        assert sum(len(packet.decode()) for packet in packets) + len(video.decode(None)) == frames
        assert film.duration is not None
        # a film with B-frames ends as much later as its first frame is shown
        assert film.duration / 1e6 == pytest.approx(clip.seconds, abs=0.35)


@pytest.mark.parametrize("name", KINDS)
def test_a_clip_from_the_middle_of_it_plays(ffmpeg: str, tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    items = copied(ffmpeg, encode(ffmpeg, kind), kind.form)
    keys = [n for n, item in enumerate(items) if item.decodable]
    # one long group has but one place to begin
    items = items[keys[1 if kind.seconds < 10 else 0] :]
    clip = write(tmp_path, items)
    video = [item.fragment for item in items if item.video]
    check(ffmpeg, clip, sum(fragment.samples for fragment in video))
    assert clip.seconds == pytest.approx(kind.seconds - video[0].start_seconds, abs=0.25)
    assert clip.end - clip.start == pytest.approx(
        timedelta(seconds=clip.seconds), abs=timedelta(milliseconds=2)
    )
    assert gaps(clip) == ["missing"] * kind.missing
    with av.open(str(clip.video)) as film:
        assert len(film.streams.audio) == kind.form.audio
        for sound in film.streams.audio:
            times = [packet.pts for packet in film.demux(sound) if packet.pts is not None]
            assert float(times[-1] * sound.time_base) == pytest.approx(clip.seconds, abs=0.6)
    if not kind.form.sparse:
        assert max(fragment.duration_seconds for fragment in video) <= 0.9 + 2.8 * kind.missing
    else:
        assert min(fragment.duration_seconds for fragment in video[:-1]) >= 0.4


def test_timestamps_that_begin_anew(ffmpeg: str, tmp_path: Path) -> None:
    kind = KINDS["AAC"]
    first = copied(ffmpeg, encode(ffmpeg, kind), kind.form)
    fragments = [item.fragment for item in first]
    again = streamed(first[0].stream.init, fragments, later=4)
    clip = write(tmp_path, [*first, *again])
    check(ffmpeg, clip, 60)
    assert clip.seconds == pytest.approx(7, abs=0.3)
    assert gaps(clip) == ["restart", "restart"]


def test_another_resolution_in_the_same_stream(ffmpeg: str, tmp_path: Path) -> None:
    kind = Kind((*H264, "-g", "10"), seconds=2)
    data = b"".join(encode(ffmpeg, kind, size, "h264") for size in ("64x48", "96x64"))
    items = copied(ffmpeg, data, kind.form, "-f", "h264", "-framerate", "10")
    clip = write(tmp_path, items)
    check(ffmpeg, clip, 40)
    assert clip.seconds == pytest.approx(4, abs=0.11)
    with av.open(str(clip.video)) as film:
        sizes = {(frame.width, frame.height) for frame in film.decode(video=0)}
    assert sizes == {(64, 48), (96, 64)}


def test_another_resolution_after_a_new_connection_is_another_clip(
    ffmpeg: str, tmp_path: Path
) -> None:
    kind = Kind((*H264, "-g", "10"), seconds=1)
    small, large = (
        copied(ffmpeg, encode(ffmpeg, kind, size), kind.form) for size in ("64x48", "96x64")
    )
    files = ClipFiles.place(tmp_path, "door", ID)
    writer = ClipWriter(files, "door", "ring", EPOCH, small[0])
    assert writer.accepts(small[-1])
    assert not writer.accepts(large[0])
    assert writer.close("stream-lost") is None


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("http://door/live.m3u8", True),
        ("https://user:pass@door/live/INDEX.M3U8?token=a.b", True),
        ("http://door/list.m3u", True),
        ("http://door/live.mp4?next=a.m3u8", False),
        ("rtsp://door/live.m3u8", False),
        ("rtsp://door/stream1", False),
    ],
)
def test_what_comes_in_segments(source: str, told: bool) -> None:
    assert segmented(source) is told
