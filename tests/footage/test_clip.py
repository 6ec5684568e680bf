"""Clips found on disk: read, refused, repaired."""

from collections.abc import Callable
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.doorstep.encoding import canonical_json
from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.footage.clip import Clip, load, recover
from custom_components.doorstep.footage.files import ClipFiles, partial, write_atomically
from custom_components.doorstep.footage.lines import ClipLines

from .synthetic import received, stream
from .test_writer import ID, write


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    made = write(tmp_path, received(stream(), range(0, 2000, 500)))
    assert made is not None
    return made


def reopen(clip: Clip, lines: bytes | None = None, video: bytes | None = None) -> ClipFiles:
    """Make it look like a clip that was cut short."""
    files = clip.files
    files.open_lines.write_bytes(files.lines.read_bytes() if lines is None else lines)
    files.open_video.write_bytes(files.video.read_bytes() if video is None else video)
    files.lines.unlink(missing_ok=True)
    files.video.unlink()
    return files


type Object = dict[str, Any]
CHANGES: dict[str, Callable[[list[Object]], object]] = {
    "no header": lambda lines: lines.pop(0),
    "no end": lambda lines: lines.pop(),
    "two ends": lambda lines: lines.append(lines[-1]),
    "more after the end": lambda lines: lines.append(lines[1]),
    "wrong count": lambda lines: lines[-1].update(fragments=3),
    "fragment left out": lambda lines: lines.pop(2),
    "fragment twice": lambda lines: lines.insert(2, lines[1]),
    "unknown track": lambda lines: lines[2].update(track=2),
    "other version": lambda lines: lines[0].update(v=2),
    "zero time scale": lambda lines: lines[0]["tracks"][0].update(timescale=0),
    "text for a number": lambda lines: lines[2].update(start="500"),
    "truth for a number": lambda lines: lines[2].update(start=True),
    "negative": lambda lines: lines[2].update(start=-1),
    "no hash": lambda lines: lines[2].pop("sha256"),
    "no such hash": lambda lines: lines[2].update(sha256="00"),
    "no time": lambda lines: lines[2].update(utc="yesterday"),
    "no year": lambda lines: lines[3].update(utc="9999-12-31T23:59:59.900Z"),
    "no end of time": lambda lines: lines[3].update(duration=2**62),
    "no tracks": lambda lines: lines[0].update(tracks={}),
    "no init": lambda lines: lines[0].update(init=[]),
    "no kind": lambda lines: lines[0]["tracks"][0].pop("kind"),
    "list for a track": lambda lines: lines[0].update(tracks=[[]]),
    "only sound": lambda lines: lines[0]["tracks"][0].update(kind="audio"),
    "not a gap": lambda lines: lines.insert(1, {"gap": 1}),
    "anything": lambda lines: lines.insert(1, {}),
    "other clip": lambda lines: lines[0].update(clip="20261123T200000Z-00000000"),
    "longer init": lambda lines: lines[0]["init"].update(length=1),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_unreadable(clip: Clip, change: Callable[[list[Object]], object]) -> None:
    lines = [json.loads(line) for line in clip.lines.read_bytes().splitlines()]
    change(lines)
    clip.lines.write_bytes(b"".join(canonical_json(line) + b"\n" for line in lines))
    with pytest.raises(StorageError) as caught:
        load(clip.files)
    assert caught.value.key == "clip_unreadable"


@pytest.mark.parametrize("text", [b"", b"\n", b"[]\n", b"7\n", b"\xff\n", b'{"v":1}\n', b"{\n"])
def test_no_lines_at_all(clip: Clip, text: bytes) -> None:
    clip.lines.write_bytes(text)
    with pytest.raises(StorageError, match="clip_unreadable"):
        load(clip.files)


def test_not_whole(clip: Clip) -> None:
    clip.lines.write_bytes(clip.lines.read_bytes()[:-1])
    with pytest.raises(StorageError, match="clip_unreadable"):
        load(clip.files)


def test_more_text_after_the_last_line(clip: Clip) -> None:
    clip.lines.write_bytes(clip.lines.read_bytes() + b"x")
    with pytest.raises(StorageError, match="clip_unreadable"):
        load(clip.files)


def test_wrong_size(clip: Clip) -> None:
    clip.video.write_bytes(clip.video.read_bytes() + b"x")
    with pytest.raises(StorageError, match=f"clip_unreadable: clip={ID}"):
        load(clip.files)


@pytest.mark.parametrize("name", ["video", "lines"])
def test_missing(clip: Clip, name: str) -> None:
    getattr(clip, name).unlink()
    with pytest.raises(StorageError, match="clip_unreadable"):
        load(clip.files)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_recovered_up_to_the_last_whole_fragment(clip: Clip, data: st.DataObject) -> None:
    """Whatever was cut off both files: what both agree on is kept."""
    text, video = clip.lines.read_bytes(), clip.video.read_bytes()
    keep = data.draw(st.integers(0, len(text)))
    frames = data.draw(st.integers(0, len(video)))
    lines = ClipLines()
    for line in text[:keep].split(b"\n")[:-1]:
        lines.add(line)
    whole = [one for one in lines.fragments if one.offset + one.length <= frames]
    again = recover(reopen(clip, text[:keep], video[:frames]))
    if not whole:
        assert again is None
        assert list(clip.folder.iterdir()) == []
    else:
        assert again == load(clip.files)
        assert again.seconds == len(whole) / 2
        ended = len(whole) == 4 and keep == len(text)
        last = json.loads(clip.lines.read_bytes().splitlines()[-1])
        assert last == {"end": "post-roll" if ended else "recovered", "fragments": len(whole)}
        assert again.video.read_bytes() == video[: again.size]
        assert len(list(clip.folder.iterdir())) == 2
    clip.lines.write_bytes(text)
    clip.video.write_bytes(video)


def test_damaged_frames_are_cut_off(clip: Clip) -> None:
    video = bytearray(clip.video.read_bytes())
    video[-5] ^= 1
    again = recover(reopen(clip, video=bytes(video)))
    assert again is not None
    assert again.seconds == 1.5


@pytest.mark.parametrize("junk", [b"{\n", b"\0\0\0\0\n", b'{"gap":true}\n{"i":7}\n'])
def test_lines_are_read_up_to_the_first_that_makes_no_sense(clip: Clip, junk: bytes) -> None:
    lines = clip.lines.read_bytes().splitlines(keepends=True)
    again = recover(reopen(clip, b"".join([*lines[:3], junk, *lines[3:]])))
    assert again is not None
    assert again.seconds == 1.0


def test_power_went_between_the_two_names(clip: Clip) -> None:
    clip.lines.rename(clip.files.open_lines)
    assert recover(clip.files) == clip


def test_lines_without_video(clip: Clip) -> None:
    clip.lines.rename(clip.files.open_lines)
    clip.video.unlink()
    assert recover(clip.files) is None
    assert list(clip.folder.iterdir()) == []


def test_lines_of_another_clip(clip: Clip) -> None:
    text = clip.lines.read_bytes().replace(ID.encode(), b"20261123T200000Z-00000000")
    assert recover(reopen(clip, text)) is None


def test_recovery_on_a_failing_disk_is_for_later(
    clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = reopen(clip)

    def fail(_self: Path, _target: Path) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(StorageError, match="disk_failed: error=Read-only file system"):
        recover(files)
    monkeypatch.undo()
    assert recover(files) == clip


def test_atomic_writing_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "picture.jpg"
    write_atomically(path, b"old")

    def fail(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert not partial(path).exists()
