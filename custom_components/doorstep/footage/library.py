"""The library: the clips of a folder, and an index over them. The files are the truth."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from threading import Lock
from typing import Final

from ..errors import StorageError
from .browse import Browser, Oldest, Which
from .clip import Clip, load, recover
from .files import BinnedFiles, ClipFiles, storage
from .folder import Usage, space
from .index import INDEX, Deletion, Entry, Index, disk_full, stamp, time
from .retention import Reason, RetentionPolicy, surplus
from .survey import Survey, survey

__all__ = ["BIN", "INDEX", "Deletion", "Library"]

BIN: Final = timedelta(days=1)  # for so long what was thrown away can be brought back
_AT_ONCE: Final = 200  # clips that opening reads, of those it doesn't know; seconds at most
_PORTION: Final = 20  # clips that are taken in together


def _nobody(_clip_id: str, _reason: str) -> None:
    """Tell nobody of a deletion."""


class Library:
    """The clips of all doorbells. Every method blocks; failures of disk or index: StorageError.

    Opening it repairs clips that were cut short, finishes deletions, finds what is new or missing,
    and makes the index anew where it is lost or damaged; where much is new, `unread` says how many
    clips are left for `catch_up`. `on_sealed` is called for each clip before the index knows it:
    after a crash, or with a lost index, again for the same clip. `on_deleted` is called with a
    clip's id and the reason, after the index knows and before files go: perhaps twice. Neither may
    call the library; whoever calls the library may not hold what they wait for.
    """

    def __init__(
        self,
        folder: Path,
        on_sealed: Callable[[Clip], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        on_deleted: Callable[[str, str], None] = _nobody,
    ) -> None:
        """Open the library in `folder`; no recorder may be writing there."""
        self.folder = folder
        self.unreadable: tuple[Path, ...] = ()
        self.refuses: str | None = None  # error key while nothing may be recorded
        self._unread: list[ClipFiles] = []
        self._late: list[Clip] = []
        self._owed: dict[str, str] = {}  # reasons the index had no room for
        self._done: set[str] = set()  # deletions that are finished, which the index doesn't know
        self._lock = Lock()  # a row and its files change together
        self._on_sealed = on_sealed
        self._on_deleted = on_deleted
        self._now = now
        with storage():
            folder.mkdir(parents=True, exist_ok=True)
        self._index = Index(folder)
        self._browser = Browser(self._index)
        try:
            self._reconcile()
        except BaseException:
            self._index.database.close()
            raise

    def close(self) -> None:
        """Close the index."""
        with self._lock:
            with suppress(StorageError):
                self._index.finished(self._done)
            self._index.database.close()

    # --- what there is --------------------------------------------------------------------

    @property
    def unread(self) -> int:
        """How many clips were found that the index doesn't know yet."""
        return len(self._unread)

    def get(self, clip_id: str) -> Clip | None:
        """Find a clip; one whose file has vanished is noted as missing, and not found."""
        entry = self._index.find(clip_id)
        if entry is None or entry.deletion is not None:
            return None
        if not entry.clip.video.exists():
            self._miss([clip_id])
            return None
        return entry.clip

    def deletion(self, clip_id: str) -> Deletion | None:
        """When and why a clip went; None if it is there or never was."""
        entry = self._index.find(clip_id)
        return entry.deletion if entry else None

    def doorbells(self) -> list[str]:
        """List the ids of the doorbells that have clips, also of those that were removed."""
        return self._browser.doorbells()

    def days(self, doorbell: Which = None, zone: tzinfo = UTC) -> list[date]:
        """List the days with clips of one doorbell, some or all, as `zone` counts; newest first."""
        return self._browser.days(doorbell, zone)

    def hours(self, doorbell: Which, day: date, zone: tzinfo = UTC) -> list[tuple[datetime, int]]:
        """List the hours of a day with clips, as `zone` counts: start (UTC), clips; newest first.

        An hour that a change of the clock brings twice is two.
        """
        return self._browser.hours(doorbell, day, zone)

    def clips(
        self,
        doorbell: Which = None,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 100,
        offset: int = 0,
        *,
        event: str | None = None,
    ) -> list[Clip]:
        """List clips that begin in [start, end), newest first, a page at a time."""
        return self._browser.clips(doorbell, event, (start, end), limit, offset)

    def count(
        self,
        doorbell: Which = None,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        event: str | None = None,
    ) -> int:
        """Count clips that begin in [start, end)."""
        return self._browser.count(doorbell, event, (start, end))

    def between(self, doorbell: str, start: datetime, end: datetime) -> list[Clip]:
        """List clips that overlap [start, end), oldest first."""
        return self._browser.between(doorbell, start, end)

    def binned(self) -> list[tuple[Clip, Deletion]]:
        """List what can be brought back, newest first."""
        now = self._now()
        return [
            (entry.clip, entry.deletion)
            for entry in reversed(self._index.binned())
            if entry.deletion and entry.deletion.until and entry.deletion.until > now
        ]

    def usage(self) -> Usage:
        """Count clips and bytes, and measure the room that is left."""
        weights = self._browser.weigh().values()
        binned = self._browser.binned()
        held = sum(size for _, size in weights) + binned
        return Usage(sum(clips for clips, _ in weights), held, space(self.folder), binned)

    def usage_by_doorbell(self) -> dict[str, tuple[int, int]]:
        """Count clips and bytes of each doorbell that has some."""
        return self._browser.weigh()

    def recorded_since(self, at: datetime) -> tuple[int, datetime | None]:
        """Sum the bytes of clips that began since then, and find when the oldest of them did."""
        return self._browser.since(at)

    # --- what changes ---------------------------------------------------------------------

    def add(self, clip: Clip) -> None:
        """Take in a closed clip, once it is sealed.

        One that can't be now, say for a full disk, is tried again with the next, and by `prune`.
        """
        with self._lock:
            self._late.append(clip)
            self._add_late()

    def delete(self, clip_id: str, reason: str) -> None:
        """Delete a clip for good, for a reason one can read later; unknown: `clip_unknown`.

        One from the bin keeps the reason it was thrown away for.
        """
        with self._lock:
            entry = self._index.find(clip_id)
            if entry is None or not (entry.deletion is None or entry.binned):
                raise StorageError("clip_unknown", clip=clip_id)
            self._remove(entry, reason)

    def throw_away(self, clip_id: str, reason: str = "person") -> datetime:
        """Put a clip into the bin, and say until when it can be brought back.

        An unknown one: `clip_unknown`. What lies there already stays as it is.
        """
        with self._lock:
            entry = self._index.find(clip_id)
            if entry is not None and entry.deletion and entry.deletion.until:
                return entry.deletion.until
            if entry is None or entry.deletion or not entry.clip.video.exists():
                raise StorageError("clip_unknown", clip=clip_id)
            at = time(stamp(self._now()))
            self._bury(clip_id, Deletion(at, reason, at + BIN))
            self._finish(clip_id)
            return at + BIN

    def restore(self, clip_id: str) -> Clip:
        """Bring a clip back from the bin; one that is there is simply returned.

        StorageError: `clip_gone` when its day is over or room had to be made, `clip_unknown`.
        """
        with self._lock:
            entry = self._index.find(clip_id)
            if entry is None:
                raise StorageError("clip_unknown", clip=clip_id)
            if entry.deletion is None:
                return entry.clip
            until = entry.deletion.until
            if until is None or until <= self._now() or not entry.clip.video.exists():
                raise StorageError("clip_gone", clip=clip_id)
            # Files first: cut short here, the next start puts it back into the bin.
            with storage():
                entry.clip.files.restore()
            self._index.dig_up(clip_id)
            self._done.discard(clip_id)
            return entry.clip

    def prune(
        self, policy: RetentionPolicy, now: datetime, spared: frozenset[str] = frozenset()
    ) -> list[tuple[Clip, Reason]]:
        """Delete what the policy doesn't keep, and say what went and why.

        The bin is emptied of what is due; where room is short of all, before any other clip goes.
        StorageError if nothing could be deleted though something had to be.
        """
        with self._lock, suppress(StorageError):
            self._add_late()
        with self._lock:
            self._settle()
        self._empty_bin(policy, now)
        weights = {doorbell: size for doorbell, (_, size) in self.usage_by_doorbell().items()}
        chosen = surplus(
            Oldest(self._index), self.usage(), policy, now, spared, by_doorbell=weights
        )
        gone: list[tuple[Clip, Reason]] = []
        for clip, reason in chosen:
            try:
                self.delete(clip.id, reason)
            except StorageError as error:
                if error.key == "clip_unknown":
                    continue  # somebody was quicker
                if not gone:
                    raise
                break
            gone.append((clip, reason))
        with self._lock, suppress(StorageError):
            self._add_late()
        return gone

    def rescan(self) -> None:
        """Look at the folder again, also while recorders write to it.

        Clips that are new there wait for `catch_up`; those that vanished are noted as missing.
        """
        with self._lock:
            if not self._index.there:
                raise StorageError("disk_failed", error="no index")
            with storage():
                found = survey(self.folder, self._index.states())
            self._agree(found)
            growing = {files.lines for files in found.cut_short}
            self.unreadable = tuple(path for path in self.unreadable if path in growing)
            self._unread = found.doubtful + found.unknown
            self._settle()

    def catch_up(self, progress: Callable[[int, int], None], stop: Callable[[], bool]) -> None:
        """Read in the clips that the index doesn't know, newest first, until `stop` says so.

        `progress` hears how many are done, of how many. Others may call the library meanwhile.
        """
        done = 0
        while not stop() and (portion := self._next(_PORTION)):
            self._take_in(portion)
            done += len(portion)
            progress(done, done + self.unread)

    # --- how ------------------------------------------------------------------------------

    def _add_late(self) -> None:
        while self._late:
            self._add([(self._late[0], None)])
            del self._late[0]

    def _add(self, clips: Iterable[tuple[Clip, Deletion | None]]) -> None:
        """Seal clips, then take them in; those that are there need neither."""
        new = []
        for clip, deletion in clips:
            known = self._index.find(clip.id)
            if known is None or known.clip.root != clip.root or known.deletion != deletion:
                self._on_sealed(clip)
                new.append((clip, deletion))
        self._index.put(new)

    def _miss(self, clip_ids: Iterable[str]) -> None:
        """Note clips as missing, or for what went before the index had room for it."""
        if not self._index.there:
            return  # the whole folder went, and may come back
        for clip_id in clip_ids:
            reason = self._owed.get(clip_id, "missing")
            self._index.bury([clip_id], Deletion(self._now(), reason))

    def _bury(self, clip_id: str, deletion: Deletion) -> None:
        done = set(self._done)
        self._index.bury([clip_id], deletion, done)
        self._done -= done

    def _remove(self, entry: Entry, reason: str) -> None:
        """Write down the reason, tell of it, remove the files: a start goes on where this ends."""
        clip, final = entry.clip, Deletion(self._now(), reason)
        try:
            self._bury(clip.id, final)
        except StorageError as error:
            if not disk_full(error):
                raise
            with storage():
                clip.files.discard()
            self._owed[clip.id] = reason
            self._bury(clip.id, final)
            del self._owed[clip.id]
        self._finish(clip.id)

    def _finish(self, clip_id: str) -> None:
        """Tell of a deletion that the index knows, and let the files go the same way."""
        entry = self._index.find(clip_id)
        if entry is None or entry.deletion is None:
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

    def _settle(self) -> None:
        """Finish what was begun; what can't be is tried again."""
        for clip_id, reason in list(self._owed.items()):
            with suppress(StorageError):
                self._bury(clip_id, Deletion(self._now(), reason))
                del self._owed[clip_id]
        for entry in self._index.undone():
            if entry.clip.id not in self._done:
                with suppress(StorageError):
                    self._finish(entry.clip.id)

    def _empty_bin(self, policy: RetentionPolicy, now: datetime) -> None:
        usage = self.usage()
        much = usage.bytes - policy.budget(usage.space)
        short = policy.floor - usage.space.free
        for entry in self._index.binned():
            assert entry.deletion is not None
            assert entry.deletion.until is not None
            if entry.deletion.until <= now or much > 0 or short > 0:
                with suppress(StorageError):
                    self.delete(entry.clip.id, entry.deletion.reason)
                    much -= entry.clip.size
                    short -= entry.clip.size

    def _reconcile(self) -> None:
        """Make the index agree with the files."""
        with storage():
            found = survey(self.folder, self._index.states())
        unreadable: list[Path] = []
        for files in found.scraps:
            try:
                files.discard()
            except OSError:
                unreadable.append(files.lines)
        for path in found.halves:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        for files in found.cut_short:
            try:
                if (clip := recover(files)) is not None:
                    self._check_place(files)
                    self._add([(clip, None)])
            except StorageError:
                unreadable.append(files.lines)
        self.unreadable = tuple(unreadable)
        self._agree(found)
        self._unread = found.unknown + found.doubtful
        at_once = max(len(found.doubtful), _AT_ONCE)
        while at_once > 0 and (portion := self._next(min(_PORTION, at_once))):
            at_once -= len(portion)
            with suppress(StorageError):
                self._take_in(portion)
        self._settle()

    def _agree(self, found: Survey) -> None:
        """Note what is missing, and let files go that should have gone."""
        with suppress(StorageError):
            self._miss(found.missing)
        for files in found.leftovers:
            try:
                files.discard()
            except OSError:
                self.unreadable = (*self.unreadable, files.lines)
        for files in found.unbinned:
            with suppress(StorageError):
                self._finish(files.clip)

    def _next(self, most: int) -> list[ClipFiles]:
        """Take the newest clips that wait to be read."""
        with self._lock:
            at = max(len(self._unread) - most, 0)
            portion = self._unread[at:][::-1]
            del self._unread[at:]
            return portion

    def _take_in(self, portion: list[ClipFiles]) -> None:
        read = [clip for files in portion if (clip := self._read(files)) is not None]
        with self._lock:
            try:
                self._add(read)
            except BaseException:
                self._unread += portion[::-1]
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
                self.unreadable = (*self.unreadable, files.lines)
            return None
        return clip, Deletion(at, "person", at + BIN)

    def _check_place(self, files: ClipFiles) -> None:
        place = ClipFiles.place(self.folder, files.doorbell, files.clip)
        if place.folder != files.folder:
            raise StorageError("clip_unreadable", clip=files.clip)
