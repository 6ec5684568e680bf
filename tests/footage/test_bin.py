"""The bin: what is thrown away can be brought back for a day, unless room has to be made."""

from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from sqlite3 import SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_READONLY, Connection, OperationalError
from typing import Any

import pytest

from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.footage import library as module
from custom_components.doorstep.footage.deletions import BIN
from custom_components.doorstep.footage.folder import Space
from custom_components.doorstep.footage.index import Deletion
from custom_components.doorstep.footage.retention import RetentionPolicy

from .house import NOW, SECOND, House, ids
from .synthetic import EPOCH

ROOMY = RetentionPolicy(max_bytes=10**12, share=1, floor=0)


def failing(monkeypatch: pytest.MonkeyPatch, house: House, code: int, times: int = 1) -> None:
    """Let the index fail so many times in SQLite's way."""
    database = house.library._index.database
    real, left = database.transaction, iter(range(times))

    def transaction() -> AbstractContextManager[Connection]:
        if next(left, None) is None:
            return real()
        error = OperationalError("no")
        error.sqlite_errorcode = code
        raise StorageError("database_failed") from error

    monkeypatch.setattr(database, "transaction", transaction)


def test_thrown_away_and_brought_back(house: House) -> None:
    clip, other = house.add(EPOCH), house.add(EPOCH + SECOND)
    house.sealed.clear()
    assert house.library.throw_away(clip.id) == NOW + BIN
    assert house.deleted == [(clip.id, "person")]
    assert house.library.get(clip.id) is None
    assert house.library.clips() == [other]
    assert house.library.between("door", EPOCH, NOW) == [other]
    assert house.library.count() == 1
    deletion = Deletion(NOW, "person", NOW + BIN)
    assert house.library.deletion(clip.id) == deletion
    assert house.library.binned() == [(clip, deletion)]
    usage = house.library.usage()
    assert (usage.clips, usage.bytes, usage.binned) == (1, clip.size + other.size, clip.size)
    assert house.library.restore(clip.id) == clip
    assert house.library.deletion(clip.id) is None
    assert house.library.get(clip.id) == clip
    assert house.library.binned() == []
    assert house.library.usage().binned == 0
    assert house.sealed == []
    assert house.library.restore(clip.id) == clip
    assert house.reopen().clips() == [other, clip]
    assert house.deleted == [(clip.id, "person")]


def test_thrown_away_again(house: House) -> None:
    clip = house.add()
    house.library.throw_away(clip.id, "private")
    house.now += timedelta(hours=1)
    assert house.library.throw_away(clip.id) == NOW + BIN
    assert house.library.deletion(clip.id) == Deletion(NOW, "private", NOW + BIN)
    house.library.restore(clip.id)
    assert house.library.throw_away(clip.id) == NOW + timedelta(hours=25)
    assert house.deleted == [(clip.id, "private"), (clip.id, "person")]
    house.deleted.clear()
    assert house.reopen().deletion(clip.id) == Deletion(house.now, "person", house.now + BIN)
    assert house.deleted == []


def test_a_deletion_told_once_is_told_again_after_it_was_taken_back(house: House) -> None:
    clip = house.add()
    for _ in range(2):
        house.library.throw_away(clip.id)
        house.library.restore(clip.id)
        house.library.close()
        house.open()
    assert house.deleted == 2 * [(clip.id, "person")]


def test_what_vanishes_after_it_was_brought_back_is_told(house: House) -> None:
    clip = house.add()
    house.library.throw_away(clip.id)
    house.library.restore(clip.id)
    clip.video.unlink()
    house.library.rescan()
    assert house.deleted == [(clip.id, "person"), (clip.id, "missing")]


@pytest.mark.parametrize("start", [True, False])
def test_bringing_back_cut_short(house: House, start: bool) -> None:
    """The files were back already, the index never heard of it."""
    clips = [house.add(EPOCH + n * SECOND) for n in range(2)]
    for clip in clips:
        house.library.throw_away(clip.id)
    clips[0].files.restore()
    if start:
        house.reopen()
    else:
        house.library.rescan()
    assert house.files() == {"mp4", "jsonl.deleted"}
    assert len(house.library.binned()) == 2
    assert clips[0].files.binned_lines.stat().st_mtime == NOW.timestamp()
    assert house.library.restore(clips[0].id) == clips[0]


def test_newest_first(house: House) -> None:
    clips = [house.add(EPOCH + n * SECOND) for n in range(3)]
    for clip in clips:
        house.library.throw_away(clip.id)
        house.now += SECOND
    assert ids(clip for clip, _ in house.library.binned()) == ids(clips[::-1])


def test_unknown_or_gone(house: House) -> None:
    clip = house.add()
    with pytest.raises(StorageError, match="clip_unknown: clip=none"):
        house.library.throw_away("none")
    with pytest.raises(StorageError, match="clip_unknown: clip=none"):
        house.library.restore("none")
    house.library.delete(clip.id, "age")
    with pytest.raises(StorageError, match=f"clip_unknown: clip={clip.id}"):
        house.library.throw_away(clip.id)
    with pytest.raises(StorageError, match=f"clip_gone: clip={clip.id}"):
        house.library.restore(clip.id)
    vanished = house.add(EPOCH + SECOND)
    vanished.video.unlink()
    with pytest.raises(StorageError, match="clip_unknown"):
        house.library.throw_away(vanished.id)


def test_after_a_day_it_is_gone(house: House) -> None:
    clip = house.add()
    house.library.throw_away(clip.id)
    house.now += BIN - timedelta(milliseconds=1)
    assert house.library.prune(ROOMY, house.now) == []
    assert len(house.library.binned()) == 1
    house.now += timedelta(milliseconds=1)
    assert house.library.binned() == []
    assert house.library.deletion(clip.id) == Deletion(NOW, "person")
    with pytest.raises(StorageError, match="clip_gone"):
        house.library.restore(clip.id)
    assert "jsonl.deleted" in house.files()
    assert house.library.prune(ROOMY, house.now) == []
    assert house.files() == set()
    assert house.library.deletion(clip.id) == Deletion(NOW, "person")
    assert house.library.usage().bytes == 0


def test_what_vanished_from_the_bin_cannot_be_brought_back(house: House) -> None:
    clip = house.add()
    house.library.throw_away(clip.id)
    clip.video.unlink()
    with pytest.raises(StorageError, match="clip_gone"):
        house.library.restore(clip.id)
    house.library.rescan()
    assert house.library.binned() == []
    assert house.library.deletion(clip.id) == Deletion(NOW, "person")


def test_deleted_out_of_the_bin(house: House) -> None:
    clip = house.add()
    house.library.throw_away(clip.id)
    house.library.delete(clip.id, "age")
    assert house.files() == set()
    assert house.library.deletion(clip.id) == Deletion(NOW, "person")


@pytest.mark.parametrize("short", ["size", "free-space"])
def test_room_is_made_in_the_bin_first(
    house: House, monkeypatch: pytest.MonkeyPatch, short: str
) -> None:
    clips = [house.add(EPOCH + n * SECOND) for n in range(4)]
    size = clips[0].size
    for n in (3, 2):
        house.library.throw_away(clips[n].id)
        house.now += SECOND

    def room(folder: Path) -> Space:
        return Space(104 * size - sum(one.stat().st_size for one in folder.rglob("*.mp4")), 10**9)

    monkeypatch.setattr(module, "space", room)
    policy = {
        "size": RetentionPolicy(max_bytes=3 * size, share=1, floor=0),
        "free-space": RetentionPolicy(max_bytes=100 * size, share=1, floor=101 * size),
    }[short]
    assert house.library.prune(policy, house.now) == []
    assert [clip for clip, _ in house.library.binned()] == [clips[2]]
    with pytest.raises(StorageError, match="clip_gone"):
        house.library.restore(clips[3].id)


def test_a_full_bin_does_not_save_older_clips(house: House) -> None:
    clips = [house.add(EPOCH + n * SECOND) for n in range(3)]
    house.library.throw_away(clips[2].id)
    policy = RetentionPolicy(max_bytes=clips[0].size, share=1, floor=0)
    assert house.library.prune(policy, house.now) == [(clips[0], "size")]
    assert house.library.clips() == [clips[1]]
    assert house.library.binned() == []


def test_what_the_bin_does_not_let_go_stays(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = house.add()
    house.library.throw_away(clip.id)
    failing(monkeypatch, house, SQLITE_READONLY, times=2)
    house.now += BIN
    assert house.library.prune(ROOMY, house.now) == []
    assert "mp4" in house.files()
    house.library.prune(ROOMY, house.now)
    assert house.files() == set()


def test_bringing_back_that_fails_leaves_it_in_the_bin(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = house.add()
    house.library.throw_away(clip.id)
    failing(monkeypatch, house, SQLITE_FULL)
    with pytest.raises(StorageError, match="database_failed"):
        house.library.restore(clip.id)
    assert house.files() == {"mp4", "jsonl.deleted"}
    assert house.library.restore(clip.id) == clip


def test_brought_back_before_its_files_were_in_the_bin(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = house.add()

    def refuse(_path: Path, _to: Path) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refuse)
        with pytest.raises(StorageError, match="disk_failed"):
            house.library.throw_away(clip.id)
    assert house.files() == {"mp4", "jsonl"}
    assert house.library.restore(clip.id) == clip
    assert house.reopen().get(clip.id) == clip


@pytest.mark.parametrize("code", [SQLITE_FULL, SQLITE_IOERR_WRITE])
def test_a_reason_without_room_is_written_later(
    house: House, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    clip, looked_for = house.add(), house.add(EPOCH + SECOND)
    failing(monkeypatch, house, code, times=6)
    for one in (clip, looked_for):
        with pytest.raises(StorageError, match="database_failed"):
            house.library.delete(one.id, "age")
    assert house.files() == set()
    assert house.deleted == []
    with pytest.raises(StorageError, match="database_failed"):
        house.library.get(looked_for.id)
    house.library.prune(ROOMY, house.now)  # the sixth failure is that of one of them
    assert house.library.get(looked_for.id) is None
    house.library.prune(ROOMY, house.now)
    assert house.library.deletion(clip.id) == Deletion(NOW, "age")
    assert house.library.deletion(looked_for.id) == Deletion(NOW, "age")
    assert sorted(house.deleted) == sorted([(clip.id, "age"), (looked_for.id, "age")])
    house.reopen()
    assert len(house.deleted) == 2


def test_a_closed_library_deletes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = house.add()
    entry = house.library._index.find(clip.id)
    house.library.close()
    monkeypatch.setattr(house.library._index, "find", lambda _id: entry)
    with pytest.raises(StorageError, match="database_failed"):
        house.library.delete(clip.id, "age")
    assert clip.video.exists()
    assert clip.lines.exists()
    assert house.open().get(clip.id) == clip


def refusing(house: House, monkeypatch: pytest.MonkeyPatch, key: str, times: int) -> list[str]:
    """Let who is told of deletions fail so many times."""
    left, told = iter(range(times)), list[str]()

    def tell(_clip_id: str, reason: str) -> None:
        if next(left, None) is not None:
            raise StorageError(key)
        told.append(reason)

    monkeypatch.setattr(house.library._deletions, "_on_deleted", tell)
    return told


def test_without_room_for_the_log_the_files_go_first(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = house.add()
    told = refusing(house, monkeypatch, "disk_full", 1)
    house.library.delete(clip.id, "age")
    assert house.files() == set()
    assert told == ["age"]


def test_without_a_log_the_files_stay_until_there_is_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = house.add()
    told = refusing(house, monkeypatch, "database_failed", 1)
    with pytest.raises(StorageError, match="database_failed"):
        house.library.delete(clip.id, "age")
    assert house.files() == {"mp4", "jsonl"}
    assert house.library.get(clip.id) is None
    house.library.prune(ROOMY, house.now)
    assert house.files() == set()
    assert told == ["age"]


def test_a_full_log_takes_nothing_out_of_the_bin(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = house.add()
    told = refusing(house, monkeypatch, "disk_full", 1)
    with pytest.raises(StorageError, match="disk_full"):
        house.library.throw_away(clip.id)
    assert house.files() == {"mp4", "jsonl"}
    house.library.prune(ROOMY, house.now)
    assert told == ["person"]
    assert house.library.restore(clip.id) == clip


def test_a_vanished_clip_is_told_of_by_the_next_that_may(house: House) -> None:
    clip = house.add()
    clip.lines.rename(clip.lines.with_suffix(".bak"))
    kept = clip.video.rename(clip.video.with_suffix(".keep"))
    assert house.library.get(clip.id) is None
    assert house.deleted == []
    house.library.prune(ROOMY, house.now)
    house.library.prune(ROOMY, house.now)
    assert house.deleted == [(clip.id, "missing")]
    kept.rename(clip.video)
    clip.lines.with_suffix(".bak").rename(clip.lines)
    house.library.rescan()
    house.library.catch_up(lambda *_: None, lambda: False)
    assert house.library.get(clip.id) == clip
    clip.video.unlink()
    house.library.rescan()
    assert house.deleted == 2 * [(clip.id, "missing")]


def test_with_the_folder_gone_nothing_is_missing(house: House, tmp_path: Path) -> None:
    clip = house.add()
    away = house.folder.rename(tmp_path / "away")
    assert house.library.get(clip.id) is None
    with pytest.raises(StorageError, match="disk_failed: error=the library folder is gone"):
        house.library.rescan()
    away.rename(house.folder)
    assert house.library.get(clip.id) == clip


def test_somebody_was_quicker(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = [house.add(EPOCH + n * SECOND) for n in range(2)]
    real = house.library.delete

    def delete(clip_id: str, reason: str, **stays: Any) -> bool:
        if clip_id == clips[0].id:
            real(clip_id, "person")
        return real(clip_id, reason, **stays)

    monkeypatch.setattr(house.library, "delete", delete)
    policy = RetentionPolicy(max_bytes=0, share=1, floor=0)
    assert house.library.prune(policy, house.now) == [(clips[1], "size")]
    assert house.library.deletion(clips[0].id) == Deletion(NOW, "person")
