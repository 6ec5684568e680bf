"""The library: an index over the clips of a folder. The files are the truth."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from sqlite3 import Row
from threading import Lock
from typing import Final

from ..errors import StorageError
from ..ledger.database import Database
from .clip import Clip, load, recover
from .files import ClipFiles, partial, scan, storage
from .folder import Usage, space
from .retention import Reason, RetentionPolicy, surplus

INDEX: Final = "index.db"

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS clip (
    id TEXT PRIMARY KEY,
    doorbell TEXT NOT NULL,
    event TEXT NOT NULL,
    event_at INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    seconds REAL NOT NULL,
    size INTEGER NOT NULL,
    root TEXT NOT NULL,
    deleted_at INTEGER,
    reason TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS clip_start ON clip (start) WHERE deleted_at IS NULL;
CREATE INDEX IF NOT EXISTS clip_doorbell ON clip (doorbell, start) WHERE deleted_at IS NULL;
CREATE INDEX IF NOT EXISTS clip_span ON clip ("end" - start);
"""


@dataclass(frozen=True, slots=True)
class Deletion:
    """When a clip went, and why: a reason of retention or of a person, or "missing"."""

    at: datetime
    reason: str


class Library:
    """The clips of all doorbells. Every method blocks; failures of disk or index: StorageError.

    Opening it repairs clips that were cut short, finishes deletions, finds what is new or missing,
    and makes the index anew where it is lost or damaged. `on_sealed` is called for each clip before
    the index knows it: after a crash, or with a lost index, again for the same clip.
    """

    def __init__(
        self,
        folder: Path,
        on_sealed: Callable[[Clip], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open the library in `folder`; no recorder may be writing there."""
        self.folder = folder
        self.unreadable: tuple[Path, ...] = ()
        self._late: list[Clip] = []
        self._lock = Lock()
        self._on_sealed = on_sealed
        self._now = now
        with storage():
            folder.mkdir(parents=True, exist_ok=True)
        try:
            self._database = Database(folder / INDEX, [SCHEMA])
        except StorageError:
            with storage():
                for path in folder.glob(f"{INDEX}*"):
                    path.unlink()
            self._database = Database(folder / INDEX, [SCHEMA])
        self._reconcile()

    def close(self) -> None:
        """Close the index."""
        self._database.close()

    def add(self, clip: Clip) -> None:
        """Take in a closed clip, once it is sealed.

        One that can't be now, say for a full disk, is tried again with the next, and by `prune`.
        """
        self._late.append(clip)
        self._catch_up()

    def _catch_up(self) -> None:
        with self._lock:
            while self._late:
                self._add(self._late[0])
                del self._late[0]

    def _add(self, clip: Clip) -> None:
        self._on_sealed(clip)
        row = (
            *(clip.id, clip.doorbell, clip.event, _stamp(clip.event_at)),
            *(_stamp(clip.start), _stamp(clip.end), clip.seconds, clip.size, clip.root),
        )
        with self._database.transaction() as tx:
            tx.execute("INSERT OR REPLACE INTO clip VALUES (?,?,?,?,?,?,?,?,?,NULL,NULL)", row)

    def get(self, clip_id: str) -> Clip | None:
        """Find a clip; one whose file has vanished is noted as missing, and not found."""
        with self._database.read() as tx:
            row = tx.execute(
                "SELECT * FROM clip WHERE id = ? AND deleted_at IS NULL", (clip_id,)
            ).fetchone()
        clip = self._clip(row) if row else None
        if clip is not None and not clip.video.exists():
            self._bury(clip.id, "missing")
            return None
        return clip

    def deletion(self, clip_id: str) -> Deletion | None:
        """When and why a clip went; None if it is there or never was."""
        with self._database.read() as tx:
            row = tx.execute(
                "SELECT deleted_at, reason FROM clip WHERE id = ? AND deleted_at NOT NULL",
                (clip_id,),
            ).fetchone()
        return Deletion(_time(row["deleted_at"]), row["reason"]) if row else None

    def days(self, doorbell: str, zone: tzinfo = UTC) -> list[date]:
        """List the days with clips, as `zone` counts days, newest first."""
        with self._database.read() as tx:
            quarters = tx.execute(
                "SELECT DISTINCT start / 900000 FROM clip"
                " WHERE doorbell = ? AND deleted_at IS NULL",
                (doorbell,),
            ).fetchall()
        found = {_time(quarter * 900_000).astimezone(zone).date() for (quarter,) in quarters}
        return sorted(found, reverse=True)

    def clips(
        self,
        doorbell: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Clip]:
        """List clips that begin in [start, end), newest first, a page at a time."""
        first = _stamp(start) if start else 0
        last = _stamp(end) if end else _FOREVER
        with self._database.read() as tx:
            if doorbell is None:
                rows = tx.execute(
                    "SELECT * FROM clip WHERE start >= ? AND start < ? AND deleted_at IS NULL"
                    " ORDER BY start DESC LIMIT ? OFFSET ?",
                    (first, last, limit, offset),
                )
            else:
                rows = tx.execute(
                    "SELECT * FROM clip WHERE doorbell = ? AND start >= ? AND start < ?"
                    " AND deleted_at IS NULL ORDER BY start DESC LIMIT ? OFFSET ?",
                    (doorbell, first, last, limit, offset),
                )
            return [self._clip(row) for row in rows]

    def between(self, doorbell: str, start: datetime, end: datetime) -> list[Clip]:
        """List clips that overlap [start, end), oldest first."""
        with self._database.read() as tx:
            # The longest clip bounds how early an overlapping one can begin: 100 times faster.
            (span,) = tx.execute('SELECT ifnull(max("end" - start), 0) FROM clip').fetchone()
            rows = tx.execute(
                "SELECT * FROM clip WHERE doorbell = ? AND start >= ? AND start < ?"
                ' AND "end" > ? AND deleted_at IS NULL ORDER BY start',
                (doorbell, _stamp(start) - span, _stamp(end), _stamp(start)),
            )
            return [self._clip(row) for row in rows]

    def delete(self, clip_id: str, reason: str) -> None:
        """Delete a clip, for a reason one can read later; an unknown one: StorageError."""
        with self._database.read() as tx:
            row = tx.execute(
                "SELECT * FROM clip WHERE id = ? AND deleted_at IS NULL", (clip_id,)
            ).fetchone()
        if row is None:
            raise StorageError("clip_unknown", clip=clip_id)
        files = self._clip(row).files
        try:
            # The reason first: a deletion cut short is finished at the next start.
            self._bury(clip_id, reason)
        except StorageError:
            # The disk may be so full that room must come first.
            _discard(files)
            self._bury(clip_id, reason)
        _discard(files)

    def prune(
        self, policy: RetentionPolicy, now: datetime, spared: frozenset[str] = frozenset()
    ) -> list[tuple[Clip, Reason]]:
        """Delete what the policy doesn't keep, and say what went and why.

        StorageError if nothing could be deleted though something had to be.
        """
        with suppress(StorageError):
            self._catch_up()
        usage = self.usage()
        with self._database.read() as tx:
            rows = tx.execute("SELECT * FROM clip WHERE deleted_at IS NULL ORDER BY start")
            clips = (self._clip(row) for row in rows)
            chosen = list(surplus(clips, usage, policy, now, spared))
        gone: list[tuple[Clip, Reason]] = []
        for clip, reason in chosen:
            try:
                self.delete(clip.id, reason)
            except StorageError:
                if not gone:
                    raise
                break
            gone.append((clip, reason))
        with suppress(StorageError):
            self._catch_up()
        return gone

    def usage(self) -> Usage:
        """Count clips and bytes, and measure the room that is left."""
        with self._database.read() as tx:
            clips, held = tx.execute(
                "SELECT count(*), ifnull(sum(size), 0) FROM clip WHERE deleted_at IS NULL"
            ).fetchone()
        return Usage(clips, held, space(self.folder))

    def _clip(self, row: Row) -> Clip:
        return Clip(
            id=row["id"],
            doorbell=row["doorbell"],
            event=row["event"],
            event_at=_time(row["event_at"]),
            start=_time(row["start"]),
            end=_time(row["end"]),
            seconds=row["seconds"],
            size=row["size"],
            root=row["root"],
            folder=ClipFiles.place(self.folder, row["doorbell"], row["id"]).folder,
        )

    def _bury(self, clip_id: str, reason: str) -> None:
        with self._database.transaction() as tx:
            tx.execute(
                "UPDATE clip SET deleted_at = ?, reason = ? WHERE id = ?",
                (_stamp(self._now()), reason, clip_id),
            )

    def _reconcile(self) -> None:
        """Make the index agree with the files."""
        with self._database.read() as tx:
            known = {row["id"]: row["reason"] for row in tx.execute("SELECT id, reason FROM clip")}
        missing = {clip for clip, reason in known.items() if reason is None}
        unreadable = []
        with storage():
            found = list(scan(self.folder))
        for doorbell, files, parts in found:
            try:
                partial(files.picture).unlink(missing_ok=True)
                if known.get(files.clip) not in (None, "missing"):
                    files.discard()
                elif (files.clip in missing and parts >= {"mp4", "jsonl"}) or self._take_in(
                    doorbell, files, parts
                ):
                    missing.discard(files.clip)
            except OSError, StorageError:
                unreadable.append(files.lines)
        for clip_id in missing:
            self._bury(clip_id, "missing")
        self.unreadable = tuple(unreadable)

    def _take_in(self, doorbell: str, files: ClipFiles, parts: set[str]) -> bool:
        """Add a clip new to the index, repaired if it was cut short; False: nothing is left."""
        clip: Clip | None = None
        if "jsonl.partial" in parts:
            clip = recover(files)
        elif "mp4" in parts:
            clip = load(files)
        else:
            files.discard()
        if clip is None:
            return False
        if (clip.doorbell, files) != (doorbell, ClipFiles.place(self.folder, doorbell, clip.id)):
            raise StorageError("clip_unreadable", clip=clip.id)
        self._add(clip)
        return True


def _discard(files: ClipFiles) -> None:
    with storage():
        files.discard()


_FOREVER: Final = 1 << 62


def _stamp(time: datetime) -> int:
    """Milliseconds since 1970, the precision of a clip's lines."""
    return (time - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


def _time(stamp: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=stamp)
