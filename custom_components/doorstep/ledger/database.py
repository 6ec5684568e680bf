"""`doorstep.db`: one SQLite file, one writer at a time, durable at every commit."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
import sqlite3
from threading import Lock

from ..errors import StorageError


class Database:
    """The household's database; every method blocks and belongs in an executor.

    Rooms hand in their tables as `CREATE TABLE IF NOT EXISTS` scripts. Any failure of SQLite is a
    StorageError (`database_failed`), whatever was begun is rolled back.
    """

    def __init__(self, path: Path, schemas: Sequence[str]) -> None:
        """Open or make the file at `path` and its tables."""
        self.path = path
        self._lock = Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise StorageError("database_failed", error=error) from error
        self._connection.row_factory = sqlite3.Row
        try:
            self._prepare(schemas)
        except sqlite3.Error as error:
            self._connection.close()
            raise StorageError("database_failed", error=error) from error

    def _prepare(self, schemas: Sequence[str]) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        (check,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        if check != "ok":
            raise sqlite3.DatabaseError(check)
        for schema in schemas:
            self._connection.executescript(schema)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: committed when the block ends, rolled back when it raises."""
        with self._lock, self._translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite rolls back by itself on some errors (a full disk)
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Read one consistent state; writing here is a StorageError."""
        with self._lock, self._translated():
            self._connection.execute("BEGIN")
            try:
                self._connection.execute("PRAGMA query_only=ON")
                yield self._connection
            finally:
                self._connection.execute("PRAGMA query_only=OFF")
                self._connection.execute("ROLLBACK")

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the file, so that a plain copy of it is whole."""
        with self._lock, self._translated():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file; later calls raise StorageError."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError("database_failed", error=error) from error
