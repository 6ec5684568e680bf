"""How clips go: a row with the reason first, then who wants to know, then the files."""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from ..errors import DoorstepError, StorageError
from .clip import Clip
from .files import storage
from .index import Deletion, Entry, Index, disk_full, stamp, time

BIN: Final = timedelta(days=1)  # for so long what was thrown away can be brought back


class Deletions:
    """Deletes clips, or puts them into the bin; every method blocks, failures: StorageError.

    The row is what is meant to be: `settle` finishes what was cut short after it was written.
    `lock` keeps a row and its files together.
    """

    def __init__(
        self,
        index: Index,
        on_deleted: Callable[[str, str], None],
        now: Callable[[], datetime],
        lock: Lock,
    ) -> None:
        """Begin with what the index says."""
        self._index = index
        self._on_deleted = on_deleted
        self._now = now
        self._lock = lock
        self._owed: dict[str, str] = {}  # reasons the index had no room for
        self._done: set[str] = set()  # finished ones that the index doesn't know to be

    def close(self) -> None:
        """Write down which deletions are finished, or the next start tells of them again."""
        with self._lock, suppress(StorageError):
            self._index.finished(self._done)
            self._done.clear()

    def delete(
        self, clip_id: str, reason: str, *, stays: Callable[[str], bool] = lambda _: False
    ) -> bool:
        """Delete a clip for good, unless it `stays`; unknown: `clip_unknown`."""
        with self._lock:
            entry = self._index.find(clip_id)
            if entry is None or not (entry.deletion is None or entry.binned):
                raise StorageError("clip_unknown", clip=clip_id)
            if stays(clip_id):
                return False
            self._remove(entry, reason)
            return True

    def throw_away(self, clip_id: str, reason: str) -> datetime:
        """Put a clip into the bin, and say until when it can be brought back."""
        with self._lock:
            entry = self._index.find(clip_id)
            if entry and entry.deletion and entry.deletion.until:
                return entry.deletion.until
            if entry is None or entry.deletion or not entry.clip.video.exists():
                raise StorageError("clip_unknown", clip=clip_id)
            at = time(stamp(self._now()))
            self._bury(clip_id, Deletion(at, reason, at + BIN))
            self.finish(clip_id)
            return at + BIN

    def restore(self, clip_id: str) -> Clip:
        """Bring a clip back; `clip_gone` when its day is over or its files went."""
        with self._lock:
            entry = self._index.find(clip_id)
            if entry is None:
                raise StorageError("clip_unknown", clip=clip_id)
            if entry.deletion is None:
                return entry.clip
            files, deletion = entry.clip.files, entry.deletion
            if not _open(deletion, self._now()) or not files.video.exists():
                raise StorageError("clip_gone", clip=clip_id)
            # Files first: cut short here, the next start puts it back into the bin.
            with storage():
                files.restore()
            try:
                self._index.dig_up(clip_id)
            except StorageError:
                with suppress(OSError):
                    files.throw_away(deletion.at)
                raise
            self._done.discard(clip_id)
            return entry.clip

    def find(self, clip_id: str) -> Deletion | None:
        """When and why a clip went."""
        entry = self._index.find(clip_id)
        if entry is None or entry.deletion is None or _open(entry.deletion, self._now()):
            return entry.deletion if entry else None
        return Deletion(entry.deletion.at, entry.deletion.reason)

    def binned(self) -> list[tuple[Clip, Deletion]]:
        """List what can be brought back, newest first."""
        now = self._now()
        return [
            (entry.clip, entry.deletion)
            for entry in reversed(self._index.binned())
            if entry.deletion and _open(entry.deletion, now)
        ]

    def miss(self, clip_ids: Collection[str]) -> None:
        """Note clips as missing, or for what went before the index had room for it.

        `settle` tells of them later: who looks for a clip may hold what that would wait for.
        """
        if not clip_ids or not self._index.there:
            return  # the whole folder went, and may come back
        self._index.bury(clip_ids, Deletion(self._now(), "missing"), reasons=dict(self._owed))

    def settle(self) -> None:
        """Finish what was begun; what can't be is tried again the next time."""
        with self._lock:
            owed = set(self._owed)
        for clip_id in owed:
            with suppress(StorageError), self._lock:
                self._bury(clip_id, Deletion(self._now(), self._owed[clip_id]))
                del self._owed[clip_id]
        for entry in self._index.undone():
            with suppress(DoorstepError), self._lock:
                self.finish(entry.clip.id)
        self.close()

    def finish(self, clip_id: str) -> None:
        """Tell of a deletion, and let the files go the same way; the lock is held."""
        entry = self._index.find(clip_id)
        if entry is None or entry.deletion is None or clip_id in self._done:
            return
        files, deletion = entry.clip.files, entry.deletion
        try:
            self._on_deleted(clip_id, deletion.reason)
        except StorageError as error:
            if deletion.until or not disk_full(error):
                raise
            with storage():
                files.discard()
            self._on_deleted(clip_id, deletion.reason)
        with storage():
            if deletion.until:
                files.throw_away(deletion.at)
            elif deletion.reason != "missing":
                files.discard()
        self._done.add(clip_id)

    def _bury(self, clip_id: str, deletion: Deletion) -> None:
        self._index.bury([clip_id], deletion, done=self._done)
        self._done.clear()

    def _remove(self, entry: Entry, reason: str) -> None:
        clip, final = entry.clip, Deletion(self._now(), reason)
        try:
            self._bury(clip.id, final)
        except StorageError as error:
            if not disk_full(error):
                raise
            # The disk may be so full that room must come first.
            self._owed[clip.id] = reason
            with storage():
                clip.files.discard()
            self._bury(clip.id, final)
            del self._owed[clip.id]
        self.finish(clip.id)


def _open(deletion: Deletion, now: datetime) -> bool:
    """Whether a deletion can still be taken back."""
    return deletion.until is not None and deletion.until > now
