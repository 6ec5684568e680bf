"""One ordinary film of several clips, judged by what players are made of."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
import subprocess

import av
import pytest

from custom_components.doorstep.errors import CameraError, DoorstepError, StorageError
from custom_components.doorstep.footage import copies
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.export import Exported, export
from custom_components.doorstep.footage.ffmpeg import Form
from custom_components.doorstep.footage.folder import Space
from tests.simulators.waiting import until

from .clips import QUICKTIME, SILENT, SOUND, Fragmented, seal, take
from .synthetic import EPOCH

SECOND = timedelta(seconds=1)
START, END = EPOCH - SECOND, EPOCH + 60 * SECOND


def after(seconds: float) -> datetime:
    return EPOCH + seconds * SECOND


def ignore(_share: float) -> None:
    """Nobody looks."""


def boxes(data: bytes) -> list[bytes]:
    """Names of the boxes of a file."""
    found, at = [], 0
    while at < len(data):
        found.append(data[at + 4 : at + 8])
        at += int.from_bytes(data[at : at + 4])
    return found


def packets(path: Path, kind: str) -> list[tuple[bytes, float, float]]:
    """Bytes, decode time and time of showing of each packet of a track, in seconds."""
    with av.open(str(path)) as film:
        (track,) = (one for one in film.streams if one.type == kind)
        return [
            (bytes(one), float(one.dts * one.time_base), float((one.pts or 0) * one.time_base))
            for one in film.demux(track)
            if one.dts is not None and one.time_base is not None
        ]


def judge(ffmpeg: str, path: Path, done: Exported) -> None:
    """Judge it by ffmpeg: it decodes whole, time only goes on, and it is ready to stream."""
    played = subprocess.run(
        [ffmpeg, "-v", "warning", "-xerror", "-i", path, "-f", "null", "-"],
        capture_output=True,
        check=True,
    )
    assert played.stderr == b""
    data = path.read_bytes()
    assert done.size == len(data)
    names = boxes(data)
    assert names[0] == b"ftyp"
    assert names.index(b"moov") < names.index(b"mdat")
    assert b"moof" not in names
    with av.open(str(path)) as film:
        kinds = [one.type for one in film.streams]
        # B-frames: the last pictures are shown some time after they are decoded
        assert (film.duration or 0) / 1e6 == pytest.approx(done.seconds, abs=0.41)
    for kind in kinds:
        times = [dts for _, dts, _ in packets(path, kind)]
        assert all(a < b for a, b in pairwise(times))


CASES = [
    ("plain", SOUND, "avc1"),
    ("bframes", SOUND, "avc1"),
    ("hevc", SILENT, "hvc1"),
    ("intra", SILENT, "avc1"),
    ("g711", QUICKTIME, "avc1"),
]


@pytest.mark.parametrize(("name", "form", "tag"), CASES)
async def test_one_film_of_three_clips(
    ffmpeg: str, fragmented: Fragmented, tmp_path: Path, name: str, form: Form, tag: str
) -> None:
    """Two clips share frames; another comes ten seconds later."""
    items = take(fragmented, name, form)
    half = next(n for n, item in enumerate(items) if item.decodable and item.start >= after(1.9))
    clips = [seal(tmp_path, items), seal(tmp_path, items[half:])]
    clips.append(seal(tmp_path, take(fragmented, name, form, 14)))
    target = tmp_path / "film.mp4"
    told: list[float] = []
    done = await export(ffmpeg, clips[::-1], START, END, target, told.append)
    judge(ffmpeg, target, done)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["film.mp4"]
    assert (done.start, done.end) == (EPOCH, clips[2].end)
    assert done.gaps == ((clips[1].end, clips[2].start),)
    assert done.seconds == pytest.approx(8, abs=0.7)
    assert all(b - a > 0.0099 for a, b in pairwise([0, *told]))
    assert len(told) > 5
    assert told[-2:] == [pytest.approx(0.99), 1]
    sound = form.audio
    with av.open(str(target)) as film:
        assert [one.type for one in film.streams] == ["video", "audio"][: 1 + sound]
        assert film.streams.video[0].codec_context.codec_tag == tag
        assert film.metadata["creation_time"].startswith("2026-11-23T20:00:00")
        assert film.metadata["major_brand"] == ("qt  " if name == "g711" else "isom")
    frames = [data for data, _, _ in packets(target, "video")]
    assert len(frames) == 80
    assert frames[:40] == frames[40:]
    assert set(frames) == {data for data, _, _ in packets(clips[0].video, "video")}
    in_step(target, clips[0], sound=sound and name != "g711")


def in_step(path: Path, clip: Clip, *, sound: bool) -> None:
    """The film shows the clip twice, each time with sound as far from the pictures as there."""
    away: list[set[float]] = [set(), set()]
    for kind in ("video", "audio")[: 1 + sound]:
        source = {data: shown for data, _, shown in packets(clip.video, kind)}
        seen: set[bytes] = set()
        for data, _, shown in packets(path, kind):
            if list(source).count(data) == 1:
                away[data in seen].add(shown - source[data])
                seen.add(data)
        assert len(seen) > 25
    for moved in away:
        assert max(moved) - min(moved) < 0.02


async def test_sound_that_only_some_clips_have_is_left_out(
    ffmpeg: str, fragmented: Fragmented, tmp_path: Path
) -> None:
    clips = [
        seal(tmp_path, take(fragmented, "plain", form, at))
        for at, form in ((0, SOUND), (10, SILENT), (20, SOUND))
    ]
    target = tmp_path / "film.mp4"
    done = await export(ffmpeg, clips, START, END, target, ignore)
    judge(ffmpeg, target, done)
    with av.open(str(target)) as film:
        assert [one.type for one in film.streams] == ["video"]
    assert len(packets(target, "video")) == 120
    # QuickTime's flavour is for its sound only
    mixed = [
        seal(tmp_path / "two", take(fragmented, name, form, at))
        for at, name, form in ((0, "g711", QUICKTIME), (10, "g711", SILENT))
    ]
    done = await export(ffmpeg, mixed, START, END, target, ignore)
    judge(ffmpeg, target, done)
    assert target.read_bytes()[8:12] == b"isom"


async def test_a_camera_that_came_back_within_a_clip(
    ffmpeg: str, fragmented: Fragmented, tmp_path: Path
) -> None:
    items = take(fragmented, "plain", SOUND)[:5] + take(fragmented, "plain", SOUND, 30)
    clip = seal(tmp_path, items)
    target = tmp_path / "film.mp4"
    done = await export(ffmpeg, [clip], START, END, target, ignore)
    judge(ffmpeg, target, done)
    assert done.seconds < 8 < clip.seconds
    ((gone, back),) = done.gaps
    assert gone < after(3)
    assert back == after(30)


# --- what goes wrong


@pytest.fixture
def clip(fragmented: Fragmented, tmp_path: Path) -> Clip:
    return seal(tmp_path / "library", take(fragmented, "plain", SOUND))


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """Make a stand-in for ffmpeg: a shell script; `$out` is the file that it is to write."""

    def make(body: str) -> str:
        path = tmp_path / "ffmpeg"
        path.write_text(
            f'#!/bin/sh\ncd "{tmp_path}"\nfor out; do :; done\nout=${{out#file:}}\n{body}\n'
        )
        path.chmod(0o755)
        return str(path)

    return make


async def failure(ffmpeg: str, clip: Clip, target: Path) -> DoorstepError:
    """Say why there is no film; neither is there a part of one."""
    told: list[float] = []
    with pytest.raises(DoorstepError) as caught:
        await export(ffmpeg, [clip], START, END, target, told.append)
    assert [path for path in target.parent.iterdir() if path.name.startswith("film")] == []
    assert 1 not in told
    return caught.value


async def test_without_ffmpeg(clip: Clip, tmp_path: Path) -> None:
    error = await failure(str(tmp_path / "none"), clip, tmp_path / "film.mp4")
    assert isinstance(error, CameraError)
    assert (error.key, error.placeholders) == (
        "ffmpeg_missing",
        {"error": "No such file or directory"},
    )


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ("cat > $out; exit 1", "export_failed"),
        ("exit 1", "export_failed"),
        ("cat > $out; echo 'Error writing trailer of x: Input/output error' >&2", "export_failed"),
        (
            "cat > $out; echo 'av_interleaved_write_frame(): No space left on device' >&2; exit 1",
            "disk_full",
        ),
        ("cat > $out; echo 'Error writing trailer of x: Disk quota exceeded' >&2", "disk_full"),
        ("cat > $out; echo 'Quota exceeded' >&2; exit 228", "disk_full"),
        ("head -c 99999 /dev/zero >&2; cat > $out; echo 'File too large' >&2", "disk_full"),
        ("cat > $out; kill -9 $$", "export_failed"),
        ("cat > $out; rm $out", "disk_failed"),
    ],
)
async def test_ffmpeg_that_fails(
    program: Callable[[str], str], clip: Clip, tmp_path: Path, body: str, key: str
) -> None:
    error = await failure(program(body), clip, tmp_path / "film.mp4")
    assert error.key == key


@pytest.mark.parametrize("blocks", [16, 160])
async def test_a_disk_that_fills_up(
    program: Callable[[str], str],
    ffmpeg: str,
    clip: Clip,
    tmp_path: Path,
    blocks: int,
) -> None:
    """The real ffmpeg, which may write no file beyond so many half kilobytes."""
    limited = program(f"trap '' XFSZ\nulimit -f {blocks}\nexec {ffmpeg} \"$@\"")
    assert clip.size > blocks * 512
    error = await failure(limited, clip, tmp_path / "film.mp4")
    assert (type(error), error.key) == (StorageError, "disk_full")


async def test_a_disk_without_room(
    ffmpeg: str, clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "space", lambda _: Space(64 << 20, 10**12))
    error = await failure(str(tmp_path / "none"), clip, tmp_path / "film.mp4")
    assert error.key == "disk_full"


async def test_no_folder(ffmpeg: str, clip: Clip, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="disk_failed"):
        await export(ffmpeg, [clip], START, END, tmp_path / "none" / "film.mp4", ignore)


async def test_a_name_that_is_taken_by_a_folder(
    program: Callable[[str], str], clip: Clip, tmp_path: Path
) -> None:
    target = tmp_path / "film.mp4"
    target.mkdir()
    with pytest.raises(StorageError, match="disk_failed"):
        await export(program("cat > $out"), [clip], START, END, target, ignore)
    assert not target.with_name("film.mp4.partial").exists()


async def test_an_older_film_is_replaced(
    program: Callable[[str], str], clip: Clip, tmp_path: Path
) -> None:
    target = tmp_path / "film.mp4"
    target.write_bytes(b"older")
    done = await export(program("cat > $out"), [clip], START, END, target, ignore)
    assert done.size == target.stat().st_size == clip.size


async def test_a_clip_that_is_not_as_sealed(
    program: Callable[[str], str], fragmented: Fragmented, tmp_path: Path
) -> None:
    """It is found on the way, when ffmpeg has read what no pipe holds; ffmpeg is ended."""
    library, target = tmp_path / "library", tmp_path / "film.mp4"
    clips = [seal(library, take(fragmented, "plain", SOUND, 9 * n)) for n in range(4)]
    data = bytearray(clips[3].video.read_bytes())
    data[-1] ^= 1
    clips[3].video.write_bytes(data)
    ffmpeg = program("echo $$ > pid\nexec cat > $out")
    with pytest.raises(StorageError) as caught:
        await export(ffmpeg, clips, START, END, target, ignore)
    assert caught.value.key == "clip_unreadable"
    assert caught.value.placeholders == {"clip": clips[3].id}
    assert not runs(tmp_path / "pid")
    assert not target.with_name("film.mp4.partial").exists()


@pytest.mark.parametrize("body", ["touch $out; exec sleep 60", "cat > $out; exec sleep 60"])
async def test_cancelling_ends_ffmpeg_and_leaves_no_file(
    program: Callable[[str], str], clip: Clip, tmp_path: Path, body: str
) -> None:
    """While it takes nothing more, and while it finishes."""
    target = tmp_path / "film.mp4"
    ffmpeg = program(f"echo $$ > pid\n{body}")
    task = asyncio.create_task(export(ffmpeg, [clip], START, END, target, ignore))
    waits = tmp_path / "film.mp4.partial"
    await until(waits.exists)
    if "cat" in body:
        await until(lambda: waits.stat().st_size == clip.size)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not runs(tmp_path / "pid")
    assert not waits.exists()
    assert not target.exists()


def runs(pid: Path) -> bool:
    """Whether the process whose number is in a file is still there."""
    return Path("/proc", pid.read_text().strip()).exists()


async def test_what_ffmpeg_is_told(
    program: Callable[[str], str], clip: Clip, tmp_path: Path
) -> None:
    target = tmp_path / "-odd: name.mp4"
    done = await export(
        program('for one; do echo "$one" >> told; done; cat > "$out"'),
        [clip],
        START,
        END,
        target,
        ignore,
    )
    told = (tmp_path / "told").read_text().splitlines()
    assert told[-1] == f"file:{target}.partial"
    assert told[told.index("-map_metadata") + 1] == "-1"
    assert done.size == target.stat().st_size
