"""What comes into a library: clips that were recorded, repaired, or found in its folder."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Final

from ..errors import StorageError
from .clip import Clip, load, recover
from .deletions import BIN, Deletions
from .files import BinnedFiles, ClipFiles, storage
from .index import Deletion, Index, stamp, time
from .survey import Survey, survey

_AT_ONCE: Final = 200  # clips that opening reads, of those it doesn't know; seconds at most
_PORTION: Final = 20  # clips that are taken in together


class Intake:
    """Makes the index agree with the files; every method blocks, failures: StorageError.

    `unreadable` are the lines of clips that can't be taken in, `unread` those not yet tried.
    """

    def __init__(
        self,
        folder: Path,
        index: Index,
        deletions: Deletions,
        *,
        on_sealed: Callable[[Clip], None],
        now: Callable[[], datetime],
        lock: Lock,
    ) -> None:
        """Begin with nothing read."""
        self.unreadable: tuple[Path, ...] = ()
        self.unread: list[ClipFiles] = []
        self._folder = folder
        self._index = index
        self._deletions = deletions
        self._on_sealed = on_sealed
        self._now = now
        self._lock = lock
        self._late: list[Clip] = []

    def add(self, *clips: Clip) -> None:
        """Take in closed clips, and those that couldn't be before."""
        with self._lock:
            self._late += clips
            while self._late:
                self._add([(self._late[0], None)])
                del self._late[0]

    def open(self) -> None:
        """Repair what was cut short, note what is missing, read what is new, as far as it is few.

        No recorder may be writing.
        """
        with storage():
            found = survey(self._folder, self._index.states())
        for files in found.scraps:
            self._discard(files)
        for path in found.halves:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        for files in found.cut_short:
            self._recover(files)
        with self._lock, suppress(StorageError):
            self._agree(found)
        with suppress(StorageError):
            # a known one that isn't as it was is in doubt until it is read
            left = max(_AT_ONCE, len(found.doubtful))
            while left > 0 and (portion := self._next(min(left, _PORTION))):
                left -= len(portion)
                self._take_in(portion)

    def rescan(self) -> None:
        """Look at the folder again while recorders run; what is new there waits for `catch_up`."""
        with self._lock:
            if not self._index.there:
                raise StorageError("disk_failed", error="the library folder is gone")
            with storage():
                found = survey(self._folder, self._index.states())
            growing = {files.lines for files in found.cut_short}
            self.unreadable = tuple(path for path in self.unreadable if path in growing)
            self._agree(found)

    def catch_up(self, progress: Callable[[int, int], None], stop: Callable[[], bool]) -> None:
        """Read in what waits, newest first; `progress` hears how many are done, of how many."""
        done = 0
        while not stop() and (portion := self._next(_PORTION)):
            self._take_in(portion)
            done += len(portion)
            progress(done, done + len(self.unread))

    def _agree(self, found: Survey) -> None:
        for files in found.leftovers:
            self._discard(files)
        self.unread = sorted(found.unknown, key=lambda files: files.clip) + found.doubtful
        unbinned = {files.clip for files in found.unbinned}
        for entry in self._index.binned() if unbinned else ():
            if entry.deletion and entry.clip.id in unbinned:
                # bringing it back was cut short
                with suppress(OSError):
                    entry.clip.files.throw_away(entry.deletion.at)
        self._deletions.miss(found.missing)

    def _discard(self, files: ClipFiles) -> None:
        try:
            files.discard()
        except OSError:
            self.unreadable = (*self.unreadable, files.lines)

    def _recover(self, files: ClipFiles) -> None:
        try:
            if (clip := recover(files)) is not None:
                self._check_place(files)
                self.add(clip)
        except StorageError:
            self.unreadable = (*self.unreadable, files.lines)

    def _add(self, clips: Iterable[tuple[Clip, Deletion | None]]) -> None:
        """Seal clips, then take them in; those that are there need neither."""
        new = []
        for clip, deletion in clips:
            known = self._index.find(clip.id)
            if known is None or (known.clip, known.deletion) != (clip, deletion):
                self._on_sealed(clip)
                new.append((clip, deletion))
        self._index.put(new)

    def _next(self, most: int) -> list[ClipFiles]:
        """Take the newest clips that wait to be read."""
        with self._lock:
            at = max(len(self.unread) - most, 0)
            portion = self.unread[at:][::-1]
            del self.unread[at:]
            return portion

    def _take_in(self, portion: list[ClipFiles]) -> None:
        read = {files.clip: self._read(files) for files in portion}
        with self._lock:
            try:
                self._add(found for found in read.values() if found is not None)
                self._deletions.miss([clip_id for clip_id, found in read.items() if found is None])
            except BaseException:
                self.unread += portion[::-1]
                raise

    def _read(self, files: ClipFiles) -> tuple[Clip, Deletion | None] | None:
        """Read a clip's lines; None where they don't make sense."""
        try:
            self._check_place(files)
            clip = load(files)
            if not isinstance(files, BinnedFiles):
                return clip, None
            with storage():
                at = min(time(stamp(files.binned_at())), self._now())
        except StorageError:
            if files.video.exists():
                with self._lock:
                    self.unreadable = (*self.unreadable, files.lines)
            return None
        return clip, Deletion(at, "person", at + BIN)

    def _check_place(self, files: ClipFiles) -> None:
        place = ClipFiles.place(self._folder, files.doorbell, files.clip)
        if place.folder != files.folder:
            raise StorageError("clip_unreadable", clip=files.clip)
