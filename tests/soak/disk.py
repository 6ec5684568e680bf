"""The disk fills up, turns read-only or loses files while clips are recorded and looked at.

Where the system lets us, the library lies on a small file system of its own, which only this
process sees; elsewhere writes are made to fail. What it was is counted: "tmpfs" or "fake".
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, timedelta
import errno
import os
from pathlib import Path
from random import Random
import shutil
import subprocess
from typing import BinaryIO, Protocol

from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.footage import clip as clips, writer
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.files import append
from custom_components.doorstep.footage.retention import RetentionPolicy
from tests.footage.synthetic import EPOCH

from .judge import INDEX, Circumstances, Notes, judge, open_library, tidy
from .recordings import DOORBELLS, record

_NOW = EPOCH + timedelta(days=2)
_SIZE = 2 << 20
_STEPS = 60
_GIVE_WAY = 6  # fragments, of 2 kB at most: a block of the disk and what its line needs


class Disk(Protocol):
    """A disk that can be given and denied room."""

    name: str
    library: Path

    def leave(self, room: int) -> None:
        """Let so many bytes be written from now on."""

    def freeze(self, *, frozen: bool, index: bool = False) -> None:
        """Let no clip, or anything, be written; with INDEX not even the index."""


class Tmpfs:
    """A real file system of two megabytes, in a mount namespace of this process."""

    name = "tmpfs"

    def __init__(self, folder: Path) -> None:
        self._mount = folder / "disk"
        self._mount.mkdir()
        _enter_namespace()
        _mount("--make-rprivate", "/")
        _mount("-t", "tmpfs", "-o", f"size={_SIZE}", "none", str(self._mount))
        self.library = self._mount / "library"
        self._ballast = self._mount / "ballast"
        for one in self._folders():
            one.mkdir(parents=True)
            _mount("--bind", str(one), str(one))

    def leave(self, room: int) -> None:
        """Take all room but so many bytes."""
        self._ballast.unlink(missing_ok=True)
        size = shutil.disk_usage(self._mount).free - room
        if size > 0:
            self._ballast.write_bytes(bytes(size))

    def freeze(self, *, frozen: bool, index: bool = False) -> None:
        """Remount what holds the clips, and what holds the index: that one can't be open."""
        way = "ro" if frozen else "rw"
        if index or not frozen:
            _mount("-o", f"remount,{way}", str(self._mount))
        for folder in self._folders():
            _mount("-o", f"remount,bind,{way}", str(folder))

    def _folders(self) -> list[Path]:
        return [self.library / name for name in DOORBELLS]


class Fake:
    """A folder, and writes of Doorstep that fail."""

    name = "fake"

    def __init__(self, folder: Path) -> None:
        self.library = folder / "library"
        self._room: int | None = None
        self._error = errno.ENOSPC
        vars(clips)["append"] = vars(writer)["append"] = self._append

    def leave(self, room: int) -> None:
        """Count from here."""
        self._room, self._error = room, errno.ENOSPC

    def freeze(self, *, frozen: bool, index: bool = False) -> None:
        """Refuse clips; with INDEX also every folder, which whoever is root doesn't notice."""
        self._room, self._error = 0 if frozen else None, errno.EROFS
        for one in (self.library, *self.library.glob("*/")):
            one.chmod(0o500 if index and frozen else 0o700)

    def _append(self, file: BinaryIO, data: bytes) -> None:
        if self._room is not None:
            room, self._room = self._room, max(0, self._room - len(data))
            if room < len(data):
                append(file, data[:room])
                raise OSError(self._error, os.strerror(self._error))
        append(file, data)


def play(dice: Random, folder: Path) -> Counter[str]:
    """Live with a bad disk; once it is well again, what is left has to be whole."""
    disk: Disk
    try:
        disk = Tmpfs(folder)
    except OSError, subprocess.CalledProcessError:
        disk = Fake(folder)
    life = Life(dice, disk, Notes(folder / "notes"))
    life.live()
    found = judge(disk.library, life.notes, life.told, _NOW)
    assert found == judge(disk.library, life.notes, life.told, _NOW), "a start changes something"
    return Counter({disk.name: 1, "clips": len(found), **life.counted})


class Life:
    """A library in use; every call may fail with a StorageError, and with nothing else."""

    def __init__(self, dice: Random, disk: Disk, notes: Notes) -> None:
        self._dice = dice
        self._disk = disk
        self.notes = notes
        self.told = Circumstances()
        self.counted = Counter[str]()
        self._library = open_library(disk.library, notes, _NOW)

    def live(self) -> None:
        """Record, look, delete and clear up, while this and that happens to the disk."""
        self.notes.of_fragments()
        trouble = self._dice.choice((self._fill, self._freeze, self._vandalise))
        often = self._dice.uniform(0.05, 0.5)
        use = 5 * [self._record] + 4 * [self._look]
        use += [self._tidy, self._tidy, self._prune, self._rescan, self._start_again]
        for _ in range(_STEPS):
            if self._dice.random() < often:
                trouble()
            self._try(self._dice.choice(use))
        self._heal()
        self._library.close()

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except StorageError as error:
            self.counted[error.key] += 1

    def _record(self) -> None:
        clip = record(self._dice, self._disk.library)
        self.counted["nothing recorded" if clip is None else "recorded"] += 1
        if clip is not None:
            # whatever the index says, the files are there from now on
            self.notes.say("kept", clip.id, clip.root)
            self._library.add(clip)

    def _look(self) -> None:
        library, at = self._library, EPOCH + timedelta(seconds=self._dice.randint(0, 86_000))
        for clip in library.clips(limit=5, offset=self._dice.randint(0, 5)):
            self._look_at(library.get(clip.id))
        library.between("front", at, at + timedelta(hours=6))
        library.days("back", UTC)
        library.usage()

    def _look_at(self, clip: Clip | None) -> None:
        """Read what there is to see; it may vanish between a question and the next."""
        self.counted["not there" if clip is None else "seen"] += 1
        if clip is not None:
            with suppress(FileNotFoundError):
                clip.video.read_bytes()

    def _tidy(self) -> None:
        tidy(self._dice, self._library, self.notes)

    def _rescan(self) -> None:
        self._library.rescan()
        self._library.catch_up(lambda *_: None, lambda: False)

    def _prune(self) -> None:
        most = self._dice.choice((5_000, 20_000, 1 << 30))
        # those as well that the index takes in only now
        for clip_id in self.notes.said("wrote"):
            self.notes.say("deleting", clip_id, "retention")
        for clip, reason in self._library.prune(_policy(most), _NOW):
            self.notes.say("deleted", clip.id, reason)

    def _start_again(self) -> None:
        """Open the library anew, as a restart of Home Assistant does; perhaps only later."""
        self._library.close()
        self._open()

    def _open(self) -> None:
        try:
            self._library = open_library(self._disk.library, self.notes, _NOW)
        except StorageError:
            self._heal()
            self._library = open_library(self._disk.library, self.notes, _NOW)
            raise

    def _fill(self) -> None:
        room = self._dice.choice((0, 1, 5_000, 50_000, self._dice.randint(0, 20_000), _SIZE))
        self._disk.leave(room)
        self.told.gives_way = _GIVE_WAY
        self.counted["filled"] += 1

    def _freeze(self) -> None:
        frozen = self._dice.random() < 0.6
        self.counted["froze"] += frozen
        if frozen and self._dice.random() < 0.3:
            # as a start finds it
            self._library.close()
            self._disk.freeze(frozen=True, index=True)
            self._try(self._open)
        else:
            self._disk.freeze(frozen=frozen)

    def _heal(self) -> None:
        self._disk.freeze(frozen=False)
        self._disk.leave(_SIZE)

    def _vandalise(self) -> None:
        """Delete a file, a day or the index under it."""
        files = sorted(path for path in self._disk.library.rglob("*") if path.is_file())
        if not files:
            return
        victim = self._dice.choice(files)
        self.counted["vandalised"] += 1
        if victim.name.startswith(INDEX):
            self.told.forgot = True
        elif self._dice.random() < 0.2:
            self.told.harmed |= {path.name.partition(".")[0] for path in victim.parent.iterdir()}
            shutil.rmtree(victim.parent)
            return
        elif not victim.name.endswith(".jpg"):
            self.told.harmed.add(victim.name.partition(".")[0])
        victim.unlink()


def _policy(most: int) -> RetentionPolicy:
    return RetentionPolicy(days=30, max_bytes=most, share=1.0, floor=0)


def _enter_namespace() -> None:
    """See mounts of our own, as root or as nobody else's root."""
    try:
        os.unshare(os.CLONE_NEWNS)
    except PermissionError:
        user, group = os.getuid(), os.getgid()
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNS)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)
