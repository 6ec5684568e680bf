"""A clip as it is written: rewritten to begin at zero, hashed, described, gaps explained."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
import json
from pathlib import Path
import resource
from typing import Any

import av
import pytest

from custom_components.doorstep.encoding import canonical_json, parse_time
from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.footage.clip import Clip, load
from custom_components.doorstep.footage.ffmpeg import Form
from custom_components.doorstep.footage.files import ClipFiles
from custom_components.doorstep.footage.lines import RECORDER, Ending
from custom_components.doorstep.footage.ring import Received, Stream
from custom_components.doorstep.footage.writer import ClipWriter
from custom_components.doorstep.ledger.merkle import leaf_hash, root_hash

from .synthetic import (
    AUDIO,
    EPOCH,
    INIT_AV,
    TrackSpec,
    a_fragment,
    init_segment,
    parsed,
    received,
    stream,
)

ID = "20261123T200000Z-0123abcd"
SECOND = timedelta(seconds=1)


def write(library: Path, items: Sequence[Received], ending: Ending = "post-roll") -> Clip | None:
    files = ClipFiles.place(library, "door", ID)
    writer = ClipWriter(files, "door", "ring", EPOCH, items[0])
    for item in items:
        writer.write(item)
    return writer.close(ending)


def written(library: Path, items: Sequence[Received]) -> tuple[Clip, list[dict[str, Any]]]:
    clip = write(library, items)
    assert clip is not None
    return clip, [json.loads(line) for line in clip.lines.read_bytes().splitlines()]


def later(items: Sequence[Received], **how: float) -> Stream:
    """Make a stream whose media time 0 is so much after the end of another."""
    return stream(items[0].stream.init, at=items[-1].end + timedelta(**how))


def both(one: Stream, starts: Sequence[int]) -> list[Received]:
    found = []
    for start in starts:
        found += [Received(a_fragment(start, init=INIT_AV, track=n), one) for n in (1, 2)]
    return found


def test_lines(tmp_path: Path) -> None:
    items = received(stream(), [7000, 7500, 8000], keys=[7000, 8000])
    clip, lines = written(tmp_path, items)
    video = clip.video.read_bytes()
    init = items[0].stream.init.data
    assert lines[0] == {
        "v": 1,
        "clip": ID,
        "doorbell": sha256(f"{ID}:door".encode()).hexdigest(),
        "event": "ring",
        "event_at": "2026-11-23T20:00:00Z",
        "tracks": [{"id": 1, "kind": "video", "codec": "avc1.64001f", "timescale": 1000}],
        "init": {"sha256": sha256(init).hexdigest(), "length": len(init)},
        "camera_clock_offset": None,
        "camera_clock_measured": None,
        "host_ntp": lines[0]["host_ntp"],
        "recorder": RECORDER,
    }
    assert lines[4] == {"end": "post-roll", "fragments": 3}
    offset = len(init)
    for n, line in enumerate(lines[1:4]):
        data = video[offset : offset + line["length"]]
        assert line == {
            "i": n,
            "track": 1,
            "utc": f"2026-11-23T20:00:0{7 + n // 2}{'.500Z' if n % 2 else 'Z'}",
            "how": "arrival",
            "start": 500 * n,
            "duration": 500,
            "key": n != 1,
            "offset": offset,
            "length": len(items[n].fragment.data),
            "sha256": sha256(data).hexdigest(),
        }
        offset += line["length"]
    assert offset == len(video) == clip.size


def test_the_file_begins_at_zero_and_is_otherwise_as_it_came(tmp_path: Path) -> None:
    items = received(stream(), [7000, 7500])
    clip, _ = written(tmp_path, items)
    again = parsed(clip.video.read_bytes())[1]
    assert [one.start for one in again] == [0, 500]
    assert [one.data[20:24] for one in again] == [b"\0\0\0\1", b"\0\0\0\2"]
    assert [one.data[-100:] for one in again] == [item.fragment.data[-100:] for item in items]


def test_the_value(tmp_path: Path) -> None:
    clip, lines = written(tmp_path, received(stream(), [7000, 7500]))
    assert clip == Clip(
        id=ID,
        doorbell="door",
        event="ring",
        event_at=EPOCH,
        start=EPOCH + 7 * SECOND,
        end=EPOCH + 8 * SECOND,
        seconds=1.0,
        size=clip.video.stat().st_size,
        root=root_hash([leaf_hash(canonical_json(line)) for line in lines]).hex(),
        folder=tmp_path / "door" / "2026-11-23",
    )
    assert clip == load(clip.files)
    assert clip.picture == clip.folder / f"{ID}.jpg"
    assert sorted(path.name for path in clip.folder.iterdir()) == [f"{ID}.jsonl", f"{ID}.mp4"]


def test_recorder_version_is_that_of_the_integration() -> None:
    manifest = Path(__file__).parents[2] / "custom_components" / "doorstep" / "manifest.json"
    assert json.loads(manifest.read_text())["version"] == RECORDER


def test_nothing_before_the_first_key_frame(tmp_path: Path) -> None:
    one = stream(INIT_AV)
    items = both(one, [1000, 1500])
    early = Received(a_fragment(900, init=INIT_AV, track=2), one)
    blind = Received(a_fragment(500, init=INIT_AV, key=False), one)
    _, lines = written(tmp_path, [blind, early, items[0], early, *items[1:]])
    assert [(line["track"], line["start"]) for line in lines[1:-1]] == [
        (1, 0),
        (2, 0),
        (1, 500),
        (2, 500),
    ]


def test_time_scales_keep_in_step(tmp_path: Path) -> None:
    init, _ = parsed(init_segment(TrackSpec(timescale=90000), replace(AUDIO, timescale=44100)))
    one = stream(init)
    items = [
        Received(a_fragment(90000 * 5 + 1, 45000, init=init), one),
        Received(a_fragment(44100 * 5 + 441, 22050, init=init, track=2), one),
    ]
    _, lines = written(tmp_path, items)
    assert [line["start"] for line in lines[1:3]] == [0, 441]


def test_missing_frames(tmp_path: Path) -> None:
    items = received(stream(), [0, 500, 1501, 2501])
    _, lines = written(tmp_path, items)
    assert [line for line in lines if "gap" in line] == [
        {
            "gap": True,
            "track": 1,
            "from": "2026-11-23T20:00:01Z",
            "to": "2026-11-23T20:00:01.501Z",
            "reason": "missing",
        }
    ]
    assert [line["start"] for line in lines if "i" in line] == [0, 500, 1501, 2501]
    assert "gap" in lines[3]


@pytest.mark.parametrize(("last", "told"), [(2001, True), (2000, False)])
def test_a_frozen_frame_is_a_gap(tmp_path: Path, last: int, told: bool) -> None:
    one = stream()
    items = [Received(a_fragment(0, last, samples=1), one), *received(one, [last])]
    _, lines = written(tmp_path, items)
    assert lines[2:-2] == told * [
        {
            "gap": True,
            "track": 1,
            "from": "2026-11-23T20:00:00Z",
            "to": "2026-11-23T20:00:02.001Z",
            "reason": "missing",
        }
    ]


@pytest.mark.parametrize(
    ("step", "told"),
    # by half a second, the second fragment would begin before the first
    [(1.2, True), (-1.2, True), (0.9, False), (-0.5, False), (-0.501, True)],
)
def test_a_jump_of_the_clock_is_told(tmp_path: Path, step: float, told: bool) -> None:
    one = stream()
    first, second = received(one, [0, 500])
    files = ClipFiles.place(tmp_path, "door", ID)
    writer = ClipWriter(files, "door", "ring", EPOCH, first)
    writer.write(first)
    one.clock.observe(0, 0, EPOCH.timestamp() + step)
    writer.write(second)
    clip = writer.close("post-roll")
    assert clip is not None
    gaps = [json.loads(line) for line in clip.lines.read_bytes().splitlines() if b"gap" in line]
    assert [gap["reason"] for gap in gaps] == ["clock-jump"] * told
    for gap in gaps:
        assert parse_time(gap["from"]) == EPOCH + SECOND / 2
        assert parse_time(gap["to"]) == EPOCH + SECOND / 2 + step * SECOND


def test_a_restart_continues_as_much_later_as_it_was(tmp_path: Path) -> None:
    first = both(stream(INIT_AV), [3000, 3500])
    other = later(first, seconds=2.25)
    late = Received(a_fragment(100, init=INIT_AV, track=2), other)
    blind = Received(a_fragment(0, init=INIT_AV, key=False), other)
    second = [blind, late, *both(other, [1000, 1500])]
    clip, lines = written(tmp_path, [*first, *second])
    gap = {"gap": True, "from": "2026-11-23T20:00:04Z", "to": "2026-11-23T20:00:07.250Z"}
    assert [line for line in lines if "gap" in line] == [
        {**gap, "track": 1, "reason": "restart"},
        {**gap, "track": 2, "reason": "restart"},
    ]
    starts = [(line["track"], line["start"]) for line in lines if "i" in line]
    assert starts == [(n, at) for at in (0, 500, 4250, 4750) for n in (1, 2)]
    assert clip.seconds == 5.25
    assert clip.end - clip.start == 5.25 * SECOND


def test_a_restart_never_goes_back(tmp_path: Path) -> None:
    first = received(stream(), [0, 500])
    clip, lines = written(tmp_path, [*first, *received(later(first, seconds=-9), [0])])
    assert [line["start"] for line in lines if "i" in line] == [0, 500, 1000]
    assert [line["reason"] for line in lines if "gap" in line] == ["restart"]
    assert clip.seconds == 1.5


def test_sound_that_only_the_restarted_stream_has(tmp_path: Path) -> None:
    first = received(stream(INIT_AV), [0])
    _, lines = written(tmp_path, [*first, *both(later(first, seconds=1), [0])])
    assert [line["track"] for line in lines if "gap" in line] == [1]


def test_other_codecs_are_not_accepted(tmp_path: Path) -> None:
    items = received(stream(), [0])
    writer = ClipWriter(ClipFiles.place(tmp_path, "door", ID), "door", "ring", EPOCH, items[0])
    assert writer.accepts(received(stream(), [0])[0])
    assert not writer.accepts(received(stream(INIT_AV), [0])[0])
    assert writer.close("stream-lost") is None
    assert list((tmp_path / "door" / "2026-11-23").iterdir()) == []


def test_without_a_video_fragment_there_is_no_clip(tmp_path: Path) -> None:
    one = stream(INIT_AV)
    assert write(tmp_path, [Received(a_fragment(0, init=INIT_AV, track=2), one)]) is None
    assert list((tmp_path / "door" / "2026-11-23").iterdir()) == []


@pytest.mark.parametrize(
    ("doorbell", "clip"),
    [("../door", ID), ("", ID), ("a/b", ID), ("door", "x"), ("door", f"{ID}/")],
)
def test_names_that_lead_elsewhere(tmp_path: Path, doorbell: str, clip: str) -> None:
    with pytest.raises(StorageError, match="clip_name"):
        ClipFiles.place(tmp_path, doorbell, clip)


@pytest.fixture
def small_files() -> Iterator[Callable[[int], None]]:
    """Let no file grow beyond a size: to the writer, a disk that is full."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def fill(library: Path, items: Sequence[Received]) -> Clip | None:
    """Write until the disk is full, then close."""
    files = ClipFiles.place(library, "door", ID)
    writer = ClipWriter(files, "door", "ring", EPOCH, items[0])
    written = 0
    try:
        for item in items:
            writer.write(item)
            written += 1
    except StorageError as error:
        assert error.key == "disk_full"  # noqa: PT017 - which fragment it is isn't given
    assert written < len(items)
    return writer.close("disk-full")


def test_a_full_disk_keeps_what_fits(tmp_path: Path, small_files: Callable[[int], None]) -> None:
    items = received(stream(), range(0, 5000, 500), size=1000)
    small_files(len(items[0].stream.init.data) + 3 * len(items[0].fragment.data) + 17)
    clip = fill(tmp_path, items)
    assert clip is not None
    assert clip.seconds == 1.5
    assert clip == load(clip.files)
    assert clip.lines.read_bytes().endswith(b'{"end":"disk-full","fragments":3}\n')


def test_without_room_for_the_last_line_a_fragment_gives_way(
    tmp_path: Path, small_files: Callable[[int], None]
) -> None:
    items = received(stream(), range(0, 5000, 500), size=1)
    first, _ = written(tmp_path, items[:4])
    lines = first.lines.read_bytes()
    first.files.discard()
    small_files(len(lines) - 1)
    clip = fill(tmp_path, items)
    assert clip is not None
    assert clip.lines.read_bytes().endswith(b'{"end":"disk-full","fragments":3}\n')
    assert clip.size == clip.video.stat().st_size
    assert clip == load(clip.files)


def test_a_disk_too_full_for_a_clip(tmp_path: Path, small_files: Callable[[int], None]) -> None:
    items = received(stream(), [0, 500])
    small_files(len(items[0].stream.init.data) + 5)
    assert fill(tmp_path, items) is None
    assert list((tmp_path / "door" / "2026-11-23").iterdir()) == []
    small_files(10)
    with pytest.raises(StorageError, match="disk_full"):
        write(tmp_path, items)


def test_a_disk_that_fails_at_closing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_path: Path, _length: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.truncate", fail)
    with pytest.raises(StorageError, match="disk_failed: error=Input/output error"):
        write(tmp_path, received(stream(), [0]))


@pytest.mark.parametrize("name", ["plain", "bframes", "hevc", "intra"])
def test_players_see_an_ordinary_film(
    tmp_path: Path, fragmented: Callable[..., bytes], name: str
) -> None:
    sound = name in {"plain", "bframes"}
    init, fragments = parsed(fragmented(name, Form(audio=sound)))
    one = stream(init)
    items = [Received(item, one) for item in fragments]
    cut = next(n for n, item in enumerate(items) if n and item.decodable)
    clip, _ = written(tmp_path, items[cut:])
    assert clip.seconds == pytest.approx(4 - items[cut].fragment.start_seconds, abs=0.3)
    with av.open(str(clip.video)) as film:
        assert len(film.streams) == 1 + sound
        for track in film.streams:
            film.seek(0)
            times = [float((frame.pts or 0) * track.time_base) for frame in film.decode(track)]
            assert times[0] == pytest.approx(0, abs=0.3)
            # the last frame of sound and that of picture are from the same instant, as before
            assert times[-1] == pytest.approx(clip.seconds, abs=0.3)
