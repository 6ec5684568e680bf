"""The index of a library: rows and clips. It can be made anew from the files."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlite3
from sqlite3 import Connection, Row
from typing import Final

from ..errors import StorageError
from ..ledger.database import Database
from .clip import Clip
from .files import ClipFiles, storage

INDEX: Final = "index.db"
VERSION: Final = 2

# Those of a partial index are the rows it is about: few, or all that a person can see.
_SCHEMA: Final = (
    """CREATE TABLE clip (
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
        reason TEXT,
        until INTEGER,
        done INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    "CREATE INDEX clip_start ON clip (start, event, size) WHERE deleted_at IS NULL",
    "CREATE INDEX clip_doorbell ON clip (doorbell, start, event, size) WHERE deleted_at IS NULL",
    'CREATE INDEX clip_span ON clip ("end" - start) WHERE "end" - start BETWEEN 0 AND 3600000',
    'CREATE INDEX clip_odd ON clip (doorbell) WHERE "end" - start NOT BETWEEN 0 AND 3600000',
    "CREATE INDEX clip_binned ON clip (deleted_at) WHERE until NOT NULL",
    "CREATE INDEX clip_undone ON clip (id) WHERE done = 0 AND deleted_at NOT NULL",
    f"PRAGMA user_version = {VERSION}",
)
_PUT: Final = """
INSERT INTO clip VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
ON CONFLICT (id) DO UPDATE SET
    doorbell = excluded.doorbell, event = excluded.event, event_at = excluded.event_at,
    start = excluded.start, "end" = excluded."end", seconds = excluded.seconds,
    size = excluded.size, root = excluded.root, deleted_at = excluded.deleted_at,
    reason = excluded.reason, until = excluded.until, done = 0
WHERE deleted_at IS NULL OR reason = 'missing'
"""
# SQLite's troubles with the disk or with another process, which a new index would have, too
_NOT_DAMAGE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }
)
_NO_ROOM: Final = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
)


@dataclass(frozen=True, slots=True)
class Deletion:
    """When a clip went, and why: a reason of retention or of a person, or "missing".

    `until` then it can be brought back; None: it can't.
    """

    at: datetime
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A clip the index knows, and its deletion; `done`: the files went the same way."""

    clip: Clip
    deletion: Deletion | None
    done: bool

    @property
    def binned(self) -> bool:
        """Whether it lies in the bin."""
        return self.deletion is not None and self.deletion.until is not None


class Index:
    """What is known of the clips in `folder`. Every method blocks; failures: StorageError."""

    def __init__(self, folder: Path) -> None:
        """Open the index; one that is lost, damaged or of another version is made anew, empty."""
        self._folder = folder
        path = folder / INDEX
        try:
            self.database = _opened(path)
        except StorageError as error:
            if _code(error) in _NOT_DAMAGE:
                raise
            with storage():
                for old in folder.glob(f"{INDEX}*"):
                    old.unlink()
            self.database = _opened(path)

    def close(self) -> None:
        """Close it."""
        self.database.close()

    @property
    def there(self) -> bool:
        """Whether its file still is: else the whole folder went, with its disk perhaps."""
        with storage():
            return (self._folder / INDEX).exists()

    def put(self, clips: Iterable[tuple[Clip, Deletion | None]]) -> None:
        """Take in clips, some to the bin; one that was deleted stays so."""
        rows = [_row(clip, deletion) for clip, deletion in clips]
        with self.database.transaction() as tx:
            tx.executemany(_PUT, rows)

    def find(self, clip_id: str) -> Entry | None:
        """Find a clip, deleted or not."""
        with self.database.read() as tx:
            row = tx.execute("SELECT * FROM clip WHERE id = ?", (clip_id,)).fetchone()
        return self._entry(row) if row else None

    def states(self) -> dict[str, str]:
        """Say of each clip that is known whether it is "there", "binned", "missing" or "gone"."""
        with self.database.read() as tx:
            rows = tx.execute(
                "SELECT id, CASE WHEN deleted_at IS NULL THEN 'there' WHEN until NOT NULL"
                " THEN 'binned' WHEN reason = 'missing' THEN 'missing' ELSE 'gone' END FROM clip"
            ).fetchall()
        return dict(map(tuple, rows))

    def bury(
        self,
        clip_ids: Collection[str],
        deletion: Deletion,
        *,
        reasons: Mapping[str, str] | None = None,
        done: Iterable[str] = (),
    ) -> None:
        """Note a deletion; a final one takes out of the bin, too. What was deleted keeps why.

        `reasons` are those of single clips. Of deletions that are `done`, that is noted along.
        """
        until = None if deletion.until is None else stamp(deletion.until)
        why = dict.fromkeys(clip_ids, deletion.reason) | dict(reasons or {})
        rows = [(stamp(deletion.at), why[clip_id], until, clip_id) for clip_id in clip_ids]
        with self.database.transaction() as tx:
            tx.executemany("UPDATE clip SET done = 1 WHERE id = ?", [(one,) for one in done])
            if until is None:
                tx.executemany(
                    "UPDATE clip SET until = NULL, done = 0 WHERE id = ? AND until NOT NULL",
                    [(row[-1],) for row in rows],
                )
            tx.executemany(
                "UPDATE clip SET deleted_at = ?, reason = ?, until = ?, done = 0"
                " WHERE id = ? AND deleted_at IS NULL",
                rows,
            )

    def finished(self, done: Collection[str]) -> None:
        """Note of deletions that their files went."""
        if not done:
            return
        with self.database.transaction() as tx:
            tx.executemany("UPDATE clip SET done = 1 WHERE id = ?", [(one,) for one in done])

    def dig_up(self, clip_id: str) -> None:
        """Forget a deletion."""
        with self.database.transaction() as tx:
            tx.execute(
                "UPDATE clip SET deleted_at = NULL, reason = NULL, until = NULL, done = 0"
                " WHERE id = ?",
                (clip_id,),
            )

    def undone(self) -> list[Entry]:
        """List deletions that nobody may know of, and whose files may still be where they were."""
        return self._entries("SELECT * FROM clip WHERE done = 0 AND deleted_at NOT NULL")

    def binned(self) -> list[Entry]:
        """List what lies in the bin, what was thrown away first first."""
        return self._entries("SELECT * FROM clip WHERE until NOT NULL ORDER BY deleted_at")

    def oldest(
        self, doorbell: str, after: tuple[int, int], limit: int
    ) -> tuple[list[Clip], tuple[int, int]]:
        """List a doorbell's clips, oldest first, from behind a place, and the next place."""
        with self.database.read() as tx:
            rows = tx.execute(
                "SELECT rowid, * FROM clip WHERE doorbell = ? AND deleted_at IS NULL"
                " AND start >= ? AND (start > ? OR rowid > ?) ORDER BY start, rowid LIMIT ?",
                (doorbell, after[0], *after, limit),
            ).fetchall()
        place = (rows[-1]["start"], rows[-1]["rowid"]) if rows else after
        return [self.clip(row) for row in rows], place

    def _entries(self, query: str) -> list[Entry]:
        with self.database.read() as tx:
            return [self._entry(row) for row in tx.execute(query)]

    def _entry(self, row: Row) -> Entry:
        deletion = None
        if row["deleted_at"] is not None:
            until = None if row["until"] is None else time(row["until"])
            deletion = Deletion(time(row["deleted_at"]), row["reason"], until)
        return Entry(self.clip(row), deletion, bool(row["done"]))

    def clip(self, row: Row) -> Clip:
        """Read a row."""
        return Clip(
            id=row["id"],
            doorbell=row["doorbell"],
            event=row["event"],
            event_at=time(row["event_at"]),
            start=time(row["start"]),
            end=time(row["end"]),
            seconds=row["seconds"],
            size=row["size"],
            root=row["root"],
            folder=ClipFiles.place(self._folder, row["doorbell"], row["id"]).folder,
        )


def stamp(at: datetime) -> int:
    """Milliseconds since 1970, the precision of a clip's lines."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def time(stamped: int) -> datetime:
    """Read milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=stamped)


_EPOCH: Final = datetime.fromtimestamp(0, UTC)


def disk_full(error: StorageError) -> bool:
    """Whether only room can help: files or the database have none."""
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    return error.key == "disk_full" or code in _NO_ROOM


def _code(error: StorageError) -> int:
    """Give SQLite's primary result code; SQLITE_ERROR where it said none."""
    return getattr(error.__cause__, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _opened(path: Path) -> Database:
    database = Database(path, ())
    try:
        with database.transaction() as tx:
            _prepare(tx)
    except BaseException:
        database.close()
        raise
    return database


def _prepare(tx: Connection) -> None:
    (version,) = tx.execute("PRAGMA user_version").fetchone()
    (tables,) = tx.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and version != VERSION:
        raise StorageError("index_version", version=version)
    if not tables:
        for statement in _SCHEMA:
            tx.execute(statement)


def _row(clip: Clip, deletion: Deletion | None) -> tuple[object, ...]:
    gone: tuple[object, ...] = (None, None, None)
    if deletion is not None:
        until = None if deletion.until is None else stamp(deletion.until)
        gone = (stamp(deletion.at), deletion.reason, until)
    return (
        *(clip.id, clip.doorbell, clip.event, stamp(clip.event_at), stamp(clip.start)),
        *(stamp(clip.end), clip.seconds, clip.size, clip.root, *gone),
    )
