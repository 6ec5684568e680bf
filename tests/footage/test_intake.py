"""What the index doesn't know: read at the start if it is little, in the background if not."""

from collections.abc import Callable
from pathlib import Path
import sqlite3
from threading import Thread

import pytest

from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.footage import index, intake
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.index import Deletion
from custom_components.doorstep.ledger.database import Database

from .house import NOW, SECOND, House, ids
from .synthetic import EPOCH


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five clips are many here."""
    monkeypatch.setattr(intake, "_AT_ONCE", 3)
    monkeypatch.setattr(intake, "_PORTION", 2)


def lost(house: House, count: int = 8) -> list[Clip]:
    """Clips in a library that lost its index; newest first."""
    clips = [house.add(EPOCH + n * SECOND, doorbell=f"door{n % 2}") for n in range(count)]
    house.lose_index()
    house.sealed.clear()
    return clips[::-1]


def unreadable(house: House) -> tuple[Path, ...]:
    return house.library.unreadable


def never() -> bool:
    return False


def test_the_newest_are_read_at_the_start_the_rest_later(house: House) -> None:
    clips = lost(house)
    library = house.open()
    assert library.clips() == clips[:3]
    assert library.unread == 5
    heard: list[tuple[int, int]] = []
    library.catch_up(lambda *what: heard.append(what), never)
    assert heard == [(2, 5), (4, 5), (5, 5)]
    assert library.clips() == clips
    assert library.unread == 0
    assert house.sealed == ids(clips)
    library.catch_up(lambda *what: heard.append(what), never)
    assert len(heard) == 3


def test_reading_stops_when_it_is_told_to_and_goes_on_at_the_next_start(house: House) -> None:
    clips = lost(house)
    answers = iter([False, True])
    library = house.open()
    library.catch_up(lambda *_: None, lambda: next(answers))
    assert library.clips() == clips[:5]
    assert library.unread == 3
    assert house.reopen().clips() == clips
    assert house.sealed == ids(clips)


def test_what_was_recorded_meanwhile_is_taken_in_once(house: House) -> None:
    clips = lost(house)
    library = house.open()
    library.add(clips[-1])
    library.catch_up(lambda *_: None, never)
    assert library.clips() == clips
    assert sorted(house.sealed) == sorted(ids(clips))


def test_what_was_deleted_meanwhile_stays_deleted(house: House) -> None:
    """A clip that waits was taken in by the recorder, then deleted, while it was being read."""
    clips = lost(house)
    library = house.open()
    clip = clips[-1]
    read = house.library._intake._read(clip.files)
    library.add(clip)
    library.throw_away(clip.id)
    assert read is not None
    house.library._index.put([read])
    assert library.get(clip.id) is None
    library.delete(clip.id, "age")
    house.library._index.put([read])
    assert library.get(clip.id) is None
    library.catch_up(lambda *_: None, never)
    assert library.clips() == clips[:-1]
    assert unreadable(house) == ()


def test_what_cannot_be_taken_in_waits(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = lost(house)
    library = house.open()

    def refuse(_clip: Clip) -> None:
        raise StorageError("disk_full")

    real = house.library._intake._on_sealed
    monkeypatch.setattr(house.library._intake, "_on_sealed", refuse)
    with pytest.raises(StorageError, match="disk_full"):
        library.catch_up(lambda *_: None, never)
    assert library.unread == 5
    monkeypatch.setattr(house.library._intake, "_on_sealed", real)
    library.catch_up(lambda *_: None, never)
    assert house.sealed == ids(clips)


def test_a_start_with_a_log_that_is_full(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = lost(house)

    def refuse(_self: House, _clip: Clip) -> None:
        raise StorageError("disk_full")

    with monkeypatch.context() as patched:
        patched.setattr(House, "seal", refuse)
        assert house.open().clips() == []
        assert house.library.unread == 8
    assert house.reopen().unread == 5
    assert house.library.clips() == clips[:3]


def test_what_makes_no_sense_is_named(house: House) -> None:
    clips = lost(house)
    clips[5].lines.write_text("nonsense\n")
    clips[6].video.unlink()
    clips[6].lines.unlink()
    library = house.open()
    clips[7].video.unlink()
    library.catch_up(lambda *_: None, never)
    assert library.clips() == clips[:5]
    assert unreadable(house) == (clips[5].lines,)


def test_looking_again(house: House) -> None:
    library = house.library
    known, gone = house.add(EPOCH), house.add(EPOCH + SECOND)
    new = house.clip(EPOCH + 2 * SECOND)
    gone.video.unlink()
    growing = house.clip(EPOCH + 3 * SECOND)
    growing.video.rename(growing.files.open_video)
    growing.lines.rename(growing.files.open_lines)
    picture = house.folder / "door" / "2026-11-23" / "20261123T200000Z-00000000.jpg"
    half = picture.with_name(f"{picture.name}.partial")
    picture.write_bytes(b"of a clip that begins just now")
    half.write_bytes(b"another")
    house.sealed.clear()
    library.rescan()
    assert library.unread == 1
    assert house.deleted == [(gone.id, "missing")]
    assert library.clips() == [known]
    library.catch_up(lambda *_: None, never)
    assert library.clips() == [new, known]
    assert house.sealed == [new.id]
    assert growing.files.open_video.exists()
    assert growing.files.open_lines.exists()
    assert picture.exists()
    assert half.exists()
    library.rescan()
    assert library.unread == 0
    assert len(house.deleted) == 1


def test_looking_again_at_what_made_no_sense(house: House) -> None:
    clip = house.clip(EPOCH)
    text = clip.lines.read_bytes()
    clip.lines.write_text("nonsense\n")
    broken = house.clip(EPOCH + SECOND)
    broken.lines.unlink()
    broken.files.open_lines.mkdir()
    library = house.reopen()
    assert unreadable(house) == (broken.lines, clip.lines)
    clip.lines.write_bytes(text)
    library.rescan()
    assert unreadable(house) == (broken.lines,)
    library.catch_up(lambda *_: None, never)
    assert library.get(clip.id) == clip


def test_a_clip_without_its_lines_is_missing_and_named(house: House) -> None:
    clip = house.add()
    clip.lines.unlink()
    house.library.rescan()
    house.library.catch_up(lambda *_: None, never)
    assert house.library.clips() == []
    assert house.library.deletion(clip.id) == Deletion(NOW, "missing")
    assert unreadable(house) == (clip.lines,)
    house.library.rescan()
    assert house.deleted == [(clip.id, "missing")]
    assert clip.video.exists()


def test_known_clips_in_doubt_are_all_read_at_the_start(house: House) -> None:
    clips = [house.add(EPOCH + n * SECOND) for n in range(5)]
    for clip in clips:
        clip.lines.rename(clip.files.binned_lines)
    library = house.reopen()
    assert library.unread == 0
    assert library.clips() == []
    assert len(library.binned()) == 5
    assert sorted(house.deleted) == sorted((clip.id, "person") for clip in clips)


def test_what_was_deleted_and_copied_back_goes_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = house.add()
    video, lines = clip.video.read_bytes(), clip.lines.read_bytes()
    house.library.delete(clip.id, "age")
    clip.video.write_bytes(video)
    clip.lines.write_bytes(lines)

    def refuse(_path: Path, **_: bool) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        house.library.rescan()
    assert unreadable(house) == (clip.lines,)
    house.library.rescan()
    assert unreadable(house) == ()
    assert house.files() == set()
    assert house.library.deletion(clip.id) == Deletion(NOW, "age")


def test_other_folders_are_none_of_ours(house: House) -> None:
    clip = house.add()
    for name in ("lost+found", "door/notes", ".Trash-1000/2026-11-23"):
        folder = house.folder / name
        folder.mkdir(parents=True)
        (folder / clip.video.name).write_bytes(b"film")
    (house.folder / "file").write_bytes(b"")
    (house.folder / "door" / "2026-11-22").write_bytes(b"")
    assert house.reopen().unreadable == ()
    assert house.library.clips() == [clip]
    assert (house.folder / "lost+found" / clip.video.name).exists()


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.add()
    house.library.close()

    def refuse(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr("os.scandir", refuse)
        with pytest.raises(StorageError, match="disk_failed: error=Permission denied"):
            house.open()
    assert len(house.open().clips()) == 1
    assert house.deleted == []


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(b"not a database, surely" * 100),
        lambda path: change(path, "PRAGMA user_version = 1"),
    ],
)
def test_an_index_of_another_version_is_made_anew(
    house: House, harm: Callable[[Path], object]
) -> None:
    clip = house.add()
    house.library.close()
    harm(house.folder / "index.db")
    library = house.open()
    assert library.clips() == [clip]
    with library._index.database.read() as tx:
        assert tx.execute("PRAGMA user_version").fetchone()[0] == index.VERSION


def change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_CANTOPEN]
)
def test_an_index_that_only_lacks_room_is_not_thrown_away(
    house: House, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    clip = house.add()
    house.library.delete(clip.id, "age")
    house.library.close()

    def fail(*_: object) -> Database:
        error = sqlite3.OperationalError("no")
        error.sqlite_errorcode = code
        raise StorageError("database_failed") from error

    with monkeypatch.context() as patched:
        patched.setattr(index, "Database", fail)
        with pytest.raises(StorageError, match="database_failed"):
            house.open()
    assert house.open().deletion(clip.id) == Deletion(NOW, "age")


def test_many_threads(house: House) -> None:
    """Recorders add, people browse and delete, the folder is looked at again."""
    clips = [house.clip(EPOCH + n * SECOND) for n in range(12)]
    library, errors = house.library, []

    def work(mine: list[Clip]) -> None:
        try:
            for clip in mine:
                library.add(clip)
                library.rescan()
                library.throw_away(clip.id)
                library.catch_up(lambda *_: None, never)
                library.restore(clip.id)
                library.clips()
                library.usage()
        except Exception as error:  # noqa: BLE001 - the main thread judges
            errors.append(error)

    threads = [Thread(target=work, args=(clips[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    library.rescan()
    library.catch_up(lambda *_: None, never)
    assert library.clips() == clips[::-1]
    assert unreadable(house) == ()
    assert sorted(set(house.sealed)) == sorted(house.sealed)
