"""Held clips: who holds them, the copies that go into backups, and the way back."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
import errno
import os
from pathlib import Path
import shutil
from threading import Event, Thread

import pytest

from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.footage import copies, holds as module, verify
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.files import ClipFiles, append
from custom_components.doorstep.footage.folder import Space
from custom_components.doorstep.footage.holds import Hold, Holds
from custom_components.doorstep.footage.library import Library
from custom_components.doorstep.footage.lines import ClipLines
from custom_components.doorstep.ledger import log
from custom_components.doorstep.ledger.database import Database
from custom_components.doorstep.ledger.log import Ledger

from .clips import seal
from .synthetic import EPOCH, received, stream

REQUEST = "request:7f"


class Home:
    """A library, the household's own folder, and what it holds."""

    def __init__(self, folder: Path) -> None:
        self.now = EPOCH
        self.folder = folder
        self.library = folder / "library"
        self.kept = folder / "home" / "kept" / "clips"
        self.database = Database(folder / "home" / "doorstep.db", [log.SCHEMA, module.SCHEMA])
        self.ledger = Ledger(self.database, folder / "home" / "key", self.clock)
        self.holds = self.again()

    def clock(self) -> datetime:
        return self.now

    def again(self) -> Holds:
        """After a restart."""
        return Holds(self.database, self.ledger, self.library, self.kept, self.clock)

    def clip(self, *, pictures: bool = True) -> Clip:
        clip = seal(self.library, received(stream(), [0, 500, 1000], size=30))
        if pictures:
            clip.picture.write_bytes(b"picture")
            clip.files.thumbnail.write_bytes(b"small")
        return clip

    def copy(self, clip: Clip) -> ClipFiles:
        return ClipFiles.place(self.kept, clip.doorbell, clip.id)

    def entries(self) -> list[tuple[str, str, object, object]]:
        found = reversed(self.ledger.entries())
        return [(one.kind, one.subject, one.facts, one.private) for one in found]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    made.database.close()


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


# --- who holds what


def test_holding_and_letting_go(home: Home) -> None:
    clip, other = home.clip(), home.clip()
    assert home.holds.held() == {}
    home.holds.hold(clip, REQUEST, "")
    home.now += timedelta(hours=1)
    home.holds.hold(other, "person", "ann")
    home.holds.hold(clip, "person", "ann")
    home.now += timedelta(hours=1)
    home.holds.hold(clip, "person", "bob")
    both = Hold(
        clip=clip.id,
        doorbell="door",
        size=clip.size,
        root=clip.root,
        since=EPOCH,
        holders=frozenset({"person", REQUEST}),
    )
    assert home.again().held()[clip.id] == both
    assert list(home.holds.held()) == [clip.id, other.id]
    assert home.holds.held()[other.id].since == EPOCH + timedelta(hours=1)
    home.holds.let_go(clip.id, REQUEST, "")
    assert home.holds.held()[clip.id].holders == {"person"}
    assert home.holds.held()[clip.id].since == EPOCH + timedelta(hours=1)
    home.holds.let_go(clip.id, REQUEST, "bob")
    home.holds.let_go(clip.id, "person", "bob")
    assert list(home.holds.held()) == [other.id]
    root = {"root": clip.root}
    assert home.entries() == [
        ("clip_held", clip.id, {"holder": REQUEST} | root, None),
        ("clip_held", other.id, {"holder": "person", "root": other.root}, {"user": "ann"}),
        ("clip_held", clip.id, {"holder": "person"} | root, {"user": "ann"}),
        ("clip_let_go", clip.id, {"holder": REQUEST}, None),
        ("clip_let_go", clip.id, {"holder": "person"}, {"user": "bob"}),
    ]
    home.ledger.verify()


def test_a_hold_that_cannot_be_logged_is_none(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StorageError("database_failed")

    clip = home.clip()
    monkeypatch.setattr(home.ledger, "append", fail)
    with pytest.raises(StorageError):
        home.holds.hold(clip, "person", "ann")
    assert home.holds.held() == {}


# --- copies


def test_what_is_held_is_kept(home: Home) -> None:
    clip, plain, loose = home.clip(), home.clip(pictures=False), home.clip()
    home.holds.hold(clip, "person", "")
    home.holds.hold(plain, REQUEST, "")
    home.holds.sync()
    original = contents(home.library)
    assert contents(home.kept) == {
        name: data for name, data in original.items() if loose.id not in name
    }
    home.holds.sync()
    assert len(contents(home.kept)) == 6
    home.holds.hold(plain, "person", "")
    home.holds.let_go(plain.id, REQUEST, "")
    home.holds.let_go(clip.id, "person", "")
    home.holds.sync()
    assert sorted(contents(home.kept)) == [
        f"door/2026-11-23/{plain.id}.{x}" for x in ("jsonl", "mp4")
    ]
    home.holds.let_go(plain.id, "person", "")
    home.holds.sync()
    assert list(home.kept.iterdir()) == []
    assert contents(home.library) == original


def test_copies_survive_a_power_cut(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written is on the disk before its name is, and its names before the copy counts."""
    clip = home.clip(pictures=False)
    home.holds.hold(clip, "person", "")
    synced: list[tuple[Path, bool]] = []
    target = home.copy(clip)
    monkeypatch.setattr(copies, "sync", lambda path: synced.append((path, target.lines.exists())))
    home.holds.sync()
    assert synced == [(target.open_video, False), (home.kept / "door", True)]


def test_copying_ends_when_it_is_told_to(home: Home) -> None:
    clips = [home.clip(), home.clip()]
    for clip in clips:
        home.holds.hold(clip, "person", "ann")
    asked = iter((False, True))
    home.holds.sync(lambda: next(asked))
    assert [home.copy(clip).video.exists() for clip in clips].count(True) == 1
    assert home.holds.is_held(clips[0].id)
    assert not home.holds.is_held("x")
    home.holds.sync()
    assert all(home.copy(clip).video.exists() for clip in clips)


def test_nothing_held_and_nothing_kept(home: Home) -> None:
    home.holds.sync()
    assert home.holds.bring_back() == 0
    assert contents(home.folder / "home" / "kept") == {}


def test_what_is_no_clip_stays_in_the_kept_folder(home: Home) -> None:
    package = home.kept / "packages" / "2026" / "package.tar"
    package.parent.mkdir(parents=True)
    package.write_bytes(b"p")
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    stray = home.copy(clip).folder / "note.txt"
    stray.write_bytes(b"n")
    home.holds.let_go(clip.id, "person", "")
    home.holds.sync()
    assert sorted(contents(home.kept).values()) == [b"n", b"p"]


def test_a_copy_in_the_wrong_place_is_none(home: Home) -> None:
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    shutil.copytree(home.kept / "door", home.kept / "other")
    home.holds.sync()
    assert [path.name for path in home.kept.iterdir()] == ["door"]
    assert len(contents(home.kept)) == 4


def test_a_picture_that_came_later_is_kept_too(home: Home) -> None:
    clip = home.clip(pictures=False)
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    clip.picture.write_bytes(b"late")
    home.holds.sync()
    assert home.copy(clip).picture.read_bytes() == b"late"
    clip.picture.write_bytes(b"changed")
    home.holds.sync()
    assert home.copy(clip).picture.read_bytes() == b"late"


def test_a_picture_that_cannot_be_read_is_left_out(home: Home) -> None:
    clip = home.clip()
    clip.picture.unlink()
    clip.picture.mkdir()
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    assert copies.is_whole(home.copy(clip), clip.root)
    assert not home.copy(clip).picture.exists()
    assert home.copy(clip).thumbnail.exists()


@pytest.mark.parametrize("part", ["video", "lines"])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_damaged_copy_is_made_again(home: Home, part: str, restarted: bool) -> None:
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    home.holds.sync()
    spoil(getattr(home.copy(clip), part))
    (home.again() if restarted else home.holds).sync()
    assert contents(home.kept) == contents(home.library)


@pytest.mark.parametrize("part", ["video", "lines"])
def test_a_copy_of_which_a_file_is_gone_is_made_again(home: Home, part: str) -> None:
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    home.holds.sync()
    getattr(home.copy(clip), part).unlink()
    home.holds.sync()
    assert contents(home.kept) == contents(home.library)


@pytest.mark.parametrize("part", ["video", "lines"])
def test_a_whole_copy_outlives_a_damaged_clip(home: Home, part: str) -> None:
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    before = contents(home.kept)
    spoil(getattr(clip, part))
    home.again().sync()
    assert contents(home.kept) == before
    # were both damaged, each stays as it is
    spoil(home.copy(clip).video)
    before = contents(home.kept)
    home.again().sync()
    assert contents(home.kept) == before


@pytest.mark.parametrize("part", ["video", "lines"])
def test_a_damaged_clip_is_not_copied(home: Home, part: str) -> None:
    clip, other = home.clip(), home.clip()
    spoil(getattr(clip, part))
    home.holds.hold(clip, "person", "")
    home.holds.hold(other, "person", "")
    home.holds.sync()
    assert {name.partition(".")[0][-24:] for name in contents(home.kept)} == {other.id[-24:]}


def test_a_clip_cut_short_is_not_copied(home: Home) -> None:
    clip = home.clip()
    os.truncate(clip.video, clip.size - 1)
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    assert contents(home.kept) == {}


def test_copies_are_read_once_as_long_as_nobody_touches_them(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    read: list[str] = []

    def whole(files: ClipFiles, root: str) -> bool:
        read.append(files.clip)
        return copies.is_whole(files, root)

    monkeypatch.setattr(module, "is_whole", whole)
    for _ in range(3):
        home.holds.sync()
    assert read == [clip.id]
    # let go and held again, it is another copy
    home.holds.let_go(clip.id, "person", "")
    home.holds.sync()
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    home.holds.sync()
    assert read == [clip.id] * 2


# --- a full disk


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_said(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = home.clip(), home.clip()
    home.holds.hold(first, "person", "")
    home.holds.sync()
    home.holds.hold(second, "person", "")
    before = contents(home.kept)
    for name in ("append", "write_atomically", "sync"):
        with monkeypatch.context() as patch:
            patch.setattr(copies, name, full)
            with pytest.raises(StorageError, match="disk_full"):
                home.holds.sync()
        assert contents(home.kept) == before
    home.holds.sync()
    assert contents(home.kept) == contents(home.library)


def test_a_full_disk_leaves_a_damaged_copy(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    spoil(home.copy(clip).video)
    before = contents(home.kept)
    with monkeypatch.context() as patch:
        patch.setattr(copies, "append", full)
        with pytest.raises(StorageError, match="disk_full"):
            home.holds.sync()
    assert contents(home.kept) == before
    with monkeypatch.context() as patch:
        patch.setattr(copies, "write_atomically", full)
        with pytest.raises(StorageError, match="disk_full"):
            home.holds.sync()
    # the video was made whole before
    assert contents(home.kept) == contents(home.library)


def test_some_room_is_left_to_others(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    room = clip.size + 10**9
    monkeypatch.setattr(copies, "space", lambda _: Space(room - 1, 10**12))
    with pytest.raises(StorageError, match="disk_full"):
        home.holds.sync()
    assert contents(home.kept) == {}
    monkeypatch.setattr(copies, "space", lambda _: Space(room, 10**12))
    home.holds.sync()
    assert contents(home.kept) == contents(home.library)


def test_a_disk_that_fails(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.holds.hold(home.clip(), "person", "")
    home.kept.mkdir(parents=True)
    (home.kept / "door").write_bytes(b"not a folder")
    with pytest.raises(StorageError, match="disk_failed"):
        home.holds.sync()


# --- the way back


def lose_library(home: Home) -> dict[str, bytes]:
    before = contents(home.library)
    shutil.rmtree(home.library)
    return before


def open_library(home: Home) -> tuple[list[tuple[str, str]], Library]:
    """Open the library; the seals it tells."""
    sealed: list[tuple[str, str]] = []
    library = Library(home.library, lambda clip: sealed.append((clip.id, clip.root)))
    library.close()
    return sealed, library


def test_a_restored_backup(home: Home) -> None:
    """The household's folder is back, the library is empty."""
    clip, other = home.clip(), home.clip()
    for one in (clip, other):
        home.holds.hold(one, "person", "")
    home.holds.sync()
    before = lose_library(home)
    home.again().sync()
    assert contents(home.kept) == before
    assert home.again().bring_back() == 2
    assert contents(home.library) == before
    sealed, library = open_library(home)
    assert sorted(sealed) == sorted([(clip.id, clip.root), (other.id, other.root)])
    assert library.unreadable == ()
    assert home.holds.bring_back() == 0


@pytest.mark.parametrize("part", ["video", "lines"])
def test_a_lost_file_comes_back(home: Home, part: str) -> None:
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    before = contents(home.library)
    getattr(clip, part).unlink()
    assert home.holds.bring_back() == 1
    assert contents(home.library) == before


def test_what_is_damaged_in_the_library_stays_there(home: Home) -> None:
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    spoil(clip.video)
    before = contents(home.library)
    assert home.holds.bring_back() == 0
    assert contents(home.library) == before


def test_what_lies_in_the_bin_stays_there(home: Home) -> None:
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    clip.files.throw_away(EPOCH)
    before = contents(home.library)
    assert home.holds.bring_back() == 0
    home.holds.sync()
    assert contents(home.library) == before
    assert copies.is_whole(home.copy(clip), clip.root)


def test_a_damaged_copy_is_better_than_none(home: Home) -> None:
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    spoil(home.copy(clip).video)
    lose_library(home)
    assert home.holds.bring_back() == 1
    assert contents(home.library) == contents(home.kept)
    finding = verify.verify(clip, clip.root)
    assert finding is not None
    assert finding.problem == "verify_fragment"


def test_a_copy_without_its_seal_stays_away(home: Home) -> None:
    """The library would take it for a clip, and seal it anew."""
    clips = [home.clip() for _ in range(3)]
    for clip in clips:
        home.holds.hold(clip, "person", "")
    home.holds.sync()
    lose_library(home)
    spoil(home.copy(clips[0]).lines)
    os.truncate(home.copy(clips[1]).video, 10)
    home.copy(clips[2]).video.unlink()
    assert home.holds.bring_back() == 0
    assert contents(home.library) == {}


def test_no_room_to_come_back(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    before = lose_library(home)
    with monkeypatch.context() as patch:
        patch.setattr(copies, "append", full)
        with pytest.raises(StorageError, match="disk_full"):
            home.holds.bring_back()
    assert contents(home.library) == {}
    assert home.holds.bring_back() == 1
    assert contents(home.library) == before


def test_unfinished_copies_go_before_anything_comes(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clip that seems cut short would be closed anew, with another seal."""
    clips = [home.clip() for _ in range(2)]
    for clip in clips:
        home.holds.hold(clip, "person", "")
    home.holds.sync()
    clips.sort(key=lambda clip: clip.id)
    last = clips[1]
    lines = last.lines.read_bytes()
    last.files.open_lines.write_bytes(lines[: len(lines) // 2])
    last.lines.unlink()
    clips[0].files.discard()
    monkeypatch.setattr(copies, "append", full)
    with pytest.raises(StorageError, match="disk_full"):
        home.holds.bring_back()
    sealed, _ = open_library(home)
    assert sealed == []
    assert last.files.video.exists()


# --- cut short anywhere


class Crash(BaseException):
    """The process ends here."""


def crash_at(patch: pytest.MonkeyPatch, step: int) -> None:
    """End before the step-th time that something reaches the disk; nothing is tidied up then."""
    left = step

    def stepping[**P, T](function: Callable[P, T]) -> Callable[P, T]:
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            nonlocal left
            if left == 0:
                patch.setattr(copies, "clean", lambda _: None)
                raise Crash
            left -= 1
            return function(*args, **kwargs)

        return call

    patch.setattr(verify, "_CHUNK", 100)
    patch.setattr(copies, "append", stepping(append))
    for name in ("replace", "write_bytes", "unlink"):
        patch.setattr(Path, name, stepping(getattr(Path, name)))


def crashing(home: Home, work: Callable[[Holds], object]) -> Iterator[int]:
    """Do `work`, cut short after no step, after one, after two..., until it gets through."""
    for step in range(100):
        with pytest.MonkeyPatch.context() as patch, suppress(Crash):
            crash_at(patch, step)
            work(home.again())
            return
        yield step
    pytest.fail("it never ends")


def test_a_copy_cut_short_is_made_again(home: Home) -> None:
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    target = home.copy(clip)
    seen = 0
    for _ in crashing(home, Holds.sync):
        seen += 1
        if target.lines.exists():
            assert copies.is_whole(target, clip.root)
        home.again().sync()
        assert contents(home.kept) == contents(home.library)
        shutil.rmtree(home.kept)
    assert seen > 8
    assert contents(home.kept) == contents(home.library)


def test_a_removal_cut_short_is_finished(home: Home) -> None:
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    home.holds.let_go(clip.id, "person", "")
    seen = 0
    for _ in crashing(home, Holds.sync):
        seen += 1
        assert not home.copy(clip).lines.exists() or home.copy(clip).video.exists()
    assert seen > 3
    assert contents(home.kept) == {}


def test_the_way_back_cut_short_is_gone_again(home: Home) -> None:
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    home.holds.sync()
    before = lose_library(home)
    seen = 0
    for _ in crashing(home, Holds.bring_back):
        seen += 1
        assert contents(home.kept) == before
        came = home.again().bring_back()
        assert contents(home.library) == before
        sealed, library = open_library(home)
        assert sealed == [(clip.id, clip.root)]
        assert library.unreadable == ()
        assert came <= 1
        shutil.rmtree(home.library)
    assert seen > 8
    assert contents(home.library) == before


# --- several threads


def test_letting_go_while_copies_are_made(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Letting go waits for nothing, and the next turn removes what was copied in between."""
    clip = home.clip()
    home.holds.hold(clip, "person", "")
    copying, go = Event(), Event()

    def slowly(source: ClipFiles, target: ClipFiles, lines: ClipLines) -> bool:
        copying.set()
        assert go.wait(10)
        return copies.copy(source, target, lines)

    monkeypatch.setattr(module, "copy", slowly)
    first = Thread(target=home.holds.sync)
    first.start()
    assert copying.wait(10)
    home.holds.let_go(clip.id, "person", "ann")
    assert home.holds.held() == {}
    second = Thread(target=home.holds.sync)
    second.start()
    second.join(0.05)
    assert second.is_alive()
    go.set()
    for thread in (first, second):
        thread.join(10)
    assert contents(home.kept) == {}


def test_held_again_before_its_copy_is_removed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    clip, other = home.clip(), home.clip()
    for one in (clip, other):
        home.holds.hold(one, "person", "")
    home.holds.sync()
    for one in (clip, other):
        home.holds.let_go(one.id, "person", "")
    first, second = sorted((clip, other), key=lambda one: one.id)

    def tidy(files: ClipFiles) -> None:
        if files.clip == first.id:
            home.holds.hold(second, "person", "")

    monkeypatch.setattr(module, "clean", tidy)
    (home.library / "door" / "2026-11-23" / f"{second.id}.mp4").unlink()
    home.holds.sync()
    assert {name[16:40] for name in contents(home.kept)} == {second.id[:24]}
