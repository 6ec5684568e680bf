"""The library: an index that agrees with the files, whatever happened to either."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import SQLITE_FULL, Connection, OperationalError
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.footage import index
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.library import Deletion, Library
from custom_components.doorstep.footage.retention import RetentionPolicy

from .house import NOW, SECOND, House
from .synthetic import EPOCH


def test_get(house: House) -> None:
    clip = house.add(EPOCH + 0.123 * SECOND)
    assert house.library.get(clip.id) == clip
    assert house.library.get("none") is None
    assert house.sealed == [clip.id]
    assert house.library.unreadable == ()


def test_sealed_before_it_is_indexed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_clip: Clip) -> None:
        raise StorageError("database_failed")

    clip = house.clip(EPOCH)
    monkeypatch.setattr(house.library._intake, "_on_sealed", refuse)
    with pytest.raises(StorageError):
        house.library.add(clip)
    assert house.library.get(clip.id) is None
    assert house.reopen().get(clip.id) == clip
    assert house.sealed == [clip.id]


def test_pages_newest_first(house: House) -> None:
    clips = [house.add(EPOCH + n * SECOND, doorbell=f"door{n % 2}") for n in range(5)]
    clips.reverse()
    library = house.library
    assert library.clips() == clips
    assert library.clips(limit=2) == clips[:2]
    assert library.clips(limit=2, offset=4) == clips[4:]
    assert library.clips("door1") == [clips[1], clips[3]]
    assert library.clips(start=EPOCH + SECOND, end=EPOCH + 3 * SECOND) == clips[2:4]
    assert library.clips("door1", EPOCH + 2 * SECOND, limit=9) == [clips[1]]
    assert library.clips("door1", limit=1, offset=1) == [clips[3]]
    assert library.clips("none") == []


def test_between_takes_all_that_overlaps(house: House) -> None:
    long = house.add(EPOCH, seconds=10)
    short = house.add(EPOCH + 3 * SECOND)
    last = house.add(EPOCH + 20 * SECOND)
    house.add(EPOCH + 4 * SECOND, doorbell="other")

    def found(start: float, end: float) -> list[Clip]:
        return house.library.between("door", EPOCH + start * SECOND, EPOCH + end * SECOND)

    assert found(0, 60) == [long, short, last]
    assert found(9.999, 20) == [long]
    assert found(10, 20) == []
    assert found(10, 20.001) == [last]
    assert found(3.5, 3.6) == [long, short]
    assert found(4, 4.5) == [long]
    assert found(-5, 0) == []


def test_between_in_an_empty_library(house: House) -> None:
    assert house.library.between("door", EPOCH, NOW) == []


def test_days_as_the_zone_counts_them(house: House) -> None:
    for hour in (1, 2, 20, 40):
        house.add(datetime(2026, 11, 20, tzinfo=UTC) + timedelta(hours=hour))
    house.add(datetime(2026, 1, 1, tzinfo=UTC), doorbell="other")
    days = [f"{day:%d}" for day in house.library.days("door")]
    assert days == ["21", "20"]
    tokyo = house.library.days("door", ZoneInfo("Asia/Tokyo"))
    assert [f"{day:%m-%d}" for day in tokyo] == ["11-22", "11-21", "11-20"]


def test_deleting_keeps_the_reason(house: House) -> None:
    clip = house.add(EPOCH)
    clip.picture.write_bytes(b"jpeg")
    assert house.library.deletion(clip.id) is None
    house.library.delete(clip.id, "person")
    assert house.library.get(clip.id) is None
    assert house.library.clips() == []
    assert house.library.between("door", EPOCH, NOW) == []
    assert house.library.deletion(clip.id) == Deletion(NOW, "person")
    assert list(clip.folder.iterdir()) == []
    with pytest.raises(StorageError, match=f"clip_unknown: clip={clip.id}"):
        house.library.delete(clip.id, "again")
    assert house.library.deletion(clip.id) == Deletion(NOW, "person")


def test_a_deletion_cut_short_is_finished_at_the_next_start(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = house.add(EPOCH)

    def fail(_self: Path, **_: bool) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", fail)
    with pytest.raises(StorageError, match="disk_failed"):
        house.library.delete(clip.id, "age")
    assert house.reopen().unreadable == (clip.lines,)
    monkeypatch.undo()
    assert clip.video.exists()
    assert house.reopen().unreadable == ()
    assert not clip.video.exists()
    assert house.library.deletion(clip.id) == Deletion(NOW, "age")


def no_room(monkeypatch: pytest.MonkeyPatch, house: House, failures: int) -> None:
    """Let the index fail so many times, as on a full disk."""
    database = house.library._index.database
    real = database.transaction
    left = iter(range(failures))

    def transaction() -> AbstractContextManager[Connection]:
        if next(left, None) is not None:
            full = OperationalError("database or disk is full")
            full.sqlite_errorcode = SQLITE_FULL
            raise StorageError("database_failed") from full
        return real()

    monkeypatch.setattr(database, "transaction", transaction)


def test_on_a_full_disk_files_go_first(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = house.add(EPOCH)
    no_room(monkeypatch, house, 1)
    house.library.delete(clip.id, "free-space")
    assert house.library.deletion(clip.id) == Deletion(NOW, "free-space")
    assert not clip.video.exists()


def test_what_had_no_room_in_the_index_comes_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (house.clip(EPOCH + n * SECOND) for n in range(3))
    no_room(monkeypatch, house, 1)
    with pytest.raises(StorageError):
        house.library.add(first)
    house.library.add(second)
    assert house.library.clips() == [second, first]
    no_room(monkeypatch, house, 2)
    with pytest.raises(StorageError):
        house.library.add(third)
    assert house.library.clips() == [second, first]
    policy = RetentionPolicy(max_bytes=first.size, share=1.0, floor=0)
    assert house.library.prune(policy, EPOCH) == [(first, "size")]
    assert house.library.clips() == [third, second]


def test_prune(house: House) -> None:
    clips = [house.add(EPOCH - timedelta(days=n)) for n in (40, 35, 31, 1)]
    policy = RetentionPolicy(share=1.0, floor=0)
    gone = house.library.prune(policy, EPOCH, frozenset({clips[1].id}))
    assert gone == [(clips[0], "age"), (clips[2], "age")]
    assert house.library.clips() == [clips[3], clips[1]]
    assert house.library.deletion(clips[2].id) == Deletion(NOW, "age")
    assert house.library.prune(policy, EPOCH, frozenset({clips[1].id})) == []
    tight = RetentionPolicy(days=365, max_bytes=clips[3].size, share=1.0, floor=0)
    assert house.library.prune(tight, EPOCH) == [(clips[1], "size")]


def test_pruning_ends_when_it_is_told_to(house: House) -> None:
    clips = [house.add(EPOCH - timedelta(days=n)) for n in (42, 41, 40)]
    policy, asked = RetentionPolicy(share=1.0, floor=0), iter((False, False, True))
    gone = house.library.prune(policy, EPOCH, stop=lambda: next(asked))
    assert gone == [(clips[0], "age"), (clips[1], "age")]
    assert house.library.clips() == [clips[2]]


def test_what_is_spared_at_the_last_moment_stays(house: House) -> None:
    clips = [house.add(EPOCH - timedelta(days=n)) for n in (42, 41, 40)]
    policy = RetentionPolicy(share=1.0, floor=0)
    gone = house.library.prune(policy, EPOCH, stays=lambda clip: clip == clips[1].id)
    assert gone == [(clips[0], "age"), (clips[2], "age")]
    assert house.library.has(clips[1].id)
    assert not house.library.has(clips[0].id)


def test_pruning_that_fails_says_what_went(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    old, older = (house.add(EPOCH - timedelta(days=n)) for n in (40, 41))
    policy = RetentionPolicy(share=1.0, floor=0)
    real = Library.delete
    refused = [old.id]

    def delete(library: Library, clip_id: str, reason: str, **stays: Any) -> bool:
        if clip_id in refused:
            raise StorageError("disk_failed")
        return real(library, clip_id, reason, **stays)

    monkeypatch.setattr(Library, "delete", delete)
    assert house.library.prune(policy, EPOCH) == [(older, "age")]
    with pytest.raises(StorageError, match="disk_failed"):
        house.library.prune(policy, EPOCH)
    refused.clear()
    assert house.library.prune(policy, EPOCH) == [(old, "age")]


def test_usage(house: House) -> None:
    assert (house.library.usage().clips, house.library.usage().bytes) == (0, 0)
    clips = [house.add(EPOCH), house.add(EPOCH + SECOND)]
    house.library.delete(clips[0].id, "person")
    usage = house.library.usage()
    assert (usage.clips, usage.bytes) == (1, clips[1].size)
    assert 0 < usage.space.free < usage.space.total


def test_a_file_that_vanished(house: House) -> None:
    clip = house.add(EPOCH)
    clip.video.rename(clip.video.with_suffix(".bak"))
    assert house.library.get(clip.id) is None
    assert house.library.deletion(clip.id) == Deletion(NOW, "missing")
    assert house.library.clips() == []


def test_a_file_that_came_back(house: House) -> None:
    clip = house.add(EPOCH)
    hidden = house.folder.parent / "hidden"
    clip.folder.rename(hidden)
    assert house.reopen().get(clip.id) is None
    assert house.library.deletion(clip.id) == Deletion(NOW, "missing")
    hidden.rename(clip.folder)
    assert house.reopen().get(clip.id) == clip
    assert house.library.deletion(clip.id) is None


def test_what_is_left_of_a_vanished_clip_goes_too(house: House) -> None:
    clip = house.add(EPOCH)
    clip.picture.write_bytes(b"jpeg")
    clip.video.unlink()
    assert house.reopen().deletion(clip.id) == Deletion(NOW, "missing")
    assert list(clip.folder.iterdir()) == []
    assert house.library.unreadable == ()


def test_started_again_nothing_changes(house: House) -> None:
    clips = [house.add(EPOCH + n * SECOND) for n in range(3)]
    house.sealed.clear()
    assert house.reopen().clips() == clips[::-1]
    assert house.sealed == []


def test_a_clip_cut_short_is_repaired_and_sealed(house: House) -> None:
    clip = house.clip(EPOCH, seconds=3)
    clip.lines.rename(clip.files.open_lines)
    clip.video.rename(clip.files.open_video)
    with clip.files.open_video.open("r+b") as video:
        video.truncate(clip.size - 1)
    found = house.reopen().get(clip.id)
    assert found is not None
    assert found.seconds == 2.5
    assert house.sealed == [clip.id]


@pytest.mark.parametrize(
    "name", ["{id}.mp4.partial", "{id}.jpg", "{id}.jpg.partial", "{id}.jsonl", "{id}.jsonl.partial"]
)
def test_scraps_are_removed(house: House, name: str) -> None:
    folder = house.folder / "door" / "2026-11-23"
    folder.mkdir(parents=True)
    (folder / name.format(id="20261123T200000Z-00000000")).write_bytes(b"")
    house.reopen()
    assert list(folder.iterdir()) == []
    assert house.library.unreadable == ()


def test_half_a_picture_is_removed_and_a_whole_one_stays(house: House) -> None:
    clip = house.add(EPOCH)
    clip.picture.write_bytes(b"whole")
    half = clip.folder / f"{clip.id}.jpg.partial"
    half.write_bytes(b"ha")
    assert house.reopen().get(clip.id) == clip
    assert not half.exists()
    assert clip.picture.read_bytes() == b"whole"


def test_other_peoples_files_are_left_alone(house: House) -> None:
    folder = house.folder / "door" / "2026-11-23"
    folder.mkdir(parents=True)
    (folder / "holiday.mp4").write_bytes(b"film")
    (house.folder / "note.txt").write_text("mine")
    assert house.reopen().unreadable == ()
    assert (folder / "holiday.mp4").exists()
    assert (house.folder / "note.txt").exists()


def test_what_cannot_be_read_is_kept_and_named(house: House) -> None:
    clip = house.clip(EPOCH)
    clip.lines.write_text("nonsense\n")
    lone = house.clip(EPOCH + SECOND)
    lone.lines.unlink()
    assert set(house.reopen().unreadable) == {clip.lines, lone.lines}
    assert house.library.clips() == []
    assert clip.video.exists()
    assert lone.video.exists()


@pytest.mark.parametrize("place", ["other/2026-11-23", "door/2026-11-24"])
def test_a_clip_in_the_wrong_place(house: House, place: str) -> None:
    clip = house.clip(EPOCH)
    moved = house.folder / place
    moved.mkdir(parents=True)
    for path in clip.folder.iterdir():
        path.rename(moved / path.name)
    assert house.reopen().unreadable == (moved / clip.lines.name,)
    assert house.library.clips() == []
    assert house.sealed == []


def test_the_index_is_made_anew(house: House) -> None:
    clips = [house.add(EPOCH + n * SECOND) for n in range(3)]
    house.library.close()
    for path in house.folder.glob("index.db*"):
        path.unlink()
    assert house.open().clips() == clips[::-1]
    sealed = [clip.id for clip in clips]
    assert house.sealed == sealed + sealed[::-1]


def test_a_damaged_index_is_made_anew(house: House) -> None:
    clip = house.add(EPOCH)
    house.library.close()
    (house.folder / "index.db").write_bytes(b"not a database, surely" * 100)
    assert house.open().clips() == [clip]


def test_no_folder_no_library(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="disk_failed"):
        House(tmp_path / "file" / "library")


def test_no_index_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StorageError("database_failed")

    monkeypatch.setattr(index, "Database", fail)
    with pytest.raises(StorageError, match="database_failed"):
        House(tmp_path)


def plan(library: Library, statement: str) -> str:
    with library._index.database.read() as tx:
        rows = tx.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
    return " ".join(row["detail"] for row in rows)


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (lambda library: library.clips(), "clip_start"),
        (lambda library: library.clips("door"), "clip_doorbell"),
        (lambda library: library.between("door", EPOCH, NOW), "clip_doorbell"),
        (lambda library: library.between("door", EPOCH, NOW), "clip_span"),
        (lambda library: library.days("door"), "clip_doorbell"),
    ],
)
def test_queries_use_an_index(house: House, ask: Callable[[Library], object], name: str) -> None:
    asked: list[str] = []
    house.library._index.database._connection.set_trace_callback(asked.append)
    ask(house.library)
    house.library._index.database._connection.set_trace_callback(None)
    plans = [plan(house.library, query) for query in asked if query.startswith("SELECT")]
    assert any(f"INDEX {name}" in one for one in plans), plans
    assert not any("TEMP B-TREE FOR ORDER" in one for one in plans)
