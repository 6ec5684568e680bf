"""The household's own append-only log: what happened, provable and hard to rewrite.

Each entry is one canonical JSON line and a leaf of an RFC 6962 tree; the head is a signed C2SP
checkpoint. Personal data and free text sit in erasable side records: the line only keeps their
salted hash, so that forgetting them leaves the log verifiable.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
import secrets
import sqlite3
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
import orjson

from ..encoding import JSON, canonical_json, format_time
from ..errors import FeedError, LedgerError, StorageError
from .database import Database
from .merkle import CompactRange, leaf_hash
from .notes import SIGNATURE, VerifierKey, open_checkpoint, sign_checkpoint

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS ledger (
    idx INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    line BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS ledger_subject ON ledger (subject);
CREATE TABLE IF NOT EXISTS ledger_private (
    idx INTEGER PRIMARY KEY REFERENCES ledger (idx),
    salt BLOB NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS ledger_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    size INTEGER NOT NULL,
    peaks BLOB NOT NULL,
    note BLOB NOT NULL
) STRICT;
"""
_ALL = "SELECT ledger.*, salt, data FROM ledger LEFT JOIN ledger_private USING (idx) ORDER BY idx"
# the columns alone, so that SQLite uses their indexes
_NEWEST = (
    "SELECT ledger.*, data FROM ledger LEFT JOIN ledger_private USING (idx)"
    " WHERE ?1 IS NULL AND (?2 IS NULL OR kind = ?2) AND (?3 IS NULL OR idx < ?3)"
    " ORDER BY idx DESC LIMIT ?4"
)
_OF_SUBJECT = (
    "SELECT ledger.*, data FROM ledger LEFT JOIN ledger_private USING (idx)"
    " WHERE subject = ?1 AND (?2 IS NULL OR kind = ?2) AND (?3 IS NULL OR idx < ?3)"
    " ORDER BY idx DESC LIMIT ?4"
)
_SALT = 16
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log, with its private part while that is kept."""

    index: int
    at: str
    kind: str
    subject: str
    facts: Mapping[str, JSON]
    private: Mapping[str, JSON] | None


@dataclass(frozen=True, slots=True)
class Head:
    """The log's newest signed checkpoint."""

    size: int
    root: bytes
    note: bytes


class Ledger:
    """Append to and verify the log; appends take part in the caller's transaction."""

    def __init__(self, database: Database, key_file: Path, clock: Callable[[], datetime]) -> None:
        """Open the log; its Ed25519 key is made at the first start (file mode 0600).

        A log whose key is gone or is another one is a StorageError (`ledger_key_failed`): a new
        key would sign over whatever was done to it.
        """
        self._database = database
        self._clock = clock
        self._key, self._name = _load_key(key_file, new=self._is_empty())
        self._verifier = VerifierKey(
            self._name, SIGNATURE, self._key.public_key().public_bytes_raw()
        )

        self._check_key()

    def _is_empty(self) -> bool:
        with self._database.read() as connection:
            return connection.execute("SELECT 1 FROM ledger LIMIT 1").fetchone() is None

    def _check_key(self) -> None:
        head = self.head()
        try:
            if head:
                open_checkpoint(head.note, self._verifier)
        except FeedError as error:
            raise StorageError("ledger_key_failed", error="another key") from error

    @property
    def verifier_key(self) -> str:
        """The vkey that checks this log's checkpoints."""
        return str(self._verifier)

    def append(
        self,
        tx: sqlite3.Connection,
        kind: str,
        subject: str,
        facts: Mapping[str, JSON],
        private: Mapping[str, JSON] | None = None,
    ) -> int:
        """Add an entry and sign the new head, inside `tx`; returns the entry's index.

        `facts` stay for ever, so they carry no personal data; `private` can be erased.
        """
        tree = _tree(tx)
        index, at = tree.size, format_time(self._clock())
        line: dict[str, JSON] = {
            "at": at,
            "facts": dict(facts),
            "index": index,
            "kind": kind,
            "subject": subject,
        }
        if private is not None:
            salt, data = secrets.token_bytes(_SALT), canonical_json(dict(private))
            line["private_sha256"] = sha256(salt + data).hexdigest()
        encoded = canonical_json(line)
        tx.execute("INSERT INTO ledger VALUES (?, ?, ?, ?, ?)", (index, at, kind, subject, encoded))
        if private is not None:
            tx.execute("INSERT INTO ledger_private VALUES (?, ?, ?)", (index, salt, data))
        tree.append(leaf_hash(encoded))
        self._sign(tx, tree)
        return index

    def _sign(self, tx: sqlite3.Connection, tree: CompactRange) -> None:
        note = sign_checkpoint(self._name, tree.size, tree.root(), self._key)
        tx.execute(
            "INSERT OR REPLACE INTO ledger_head VALUES (1, ?, ?, ?)",
            (tree.size, tree.to_bytes(), note),
        )

    def head(self) -> Head | None:
        """Return the newest checkpoint, or None while the log is empty."""
        with self._database.read() as connection:
            row = connection.execute("SELECT size, peaks, note FROM ledger_head").fetchone()
            return row and Head(row["size"], _tree(connection).root(), row["note"])

    def entries(
        self,
        *,
        subject: str | None = None,
        kind: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Entry]:
        """Newest entries first, at most `limit`, older than index `before`."""
        with self._database.read() as connection:
            rows = connection.execute(
                _NEWEST if subject is None else _OF_SUBJECT, (subject, kind, before, limit)
            )
            return [_entry(row) for row in rows]

    def verify(self, progress: Callable[[int, int], None] | None = None) -> Head | None:
        """Recompute every hash and check the last checkpoint; a difference is a LedgerError.

        `progress` is called with (entries done, entries in all).
        """
        with self._database.read() as connection:
            head = connection.execute("SELECT * FROM ledger_head").fetchone()
            tree = CompactRange()
            for row in connection.execute(_ALL):
                _check(row, tree.size)
                tree.append(leaf_hash(row["line"]))
                if progress and not tree.size % _PAGE:
                    progress(tree.size, head["size"] if head else 0)
        if head is None:
            if tree.size:
                raise LedgerError("ledger_head_missing")
            return None
        self._check_head(head, tree)
        return Head(tree.size, tree.root(), head["note"])

    def _check_head(self, head: sqlite3.Row, tree: CompactRange) -> None:
        try:
            checkpoint = open_checkpoint(head["note"], self._verifier)
        except FeedError as error:
            raise LedgerError("ledger_head_bad") from error
        if (checkpoint.size, checkpoint.root) != (tree.size, tree.root()):
            raise LedgerError("ledger_changed", size=checkpoint.size, found=tree.size)
        if head["peaks"] != tree.to_bytes():
            raise LedgerError("ledger_head_bad")


def _check(row: sqlite3.Row, index: int) -> None:
    try:
        line = orjson.loads(row["line"])
        shown = (line["index"], line["at"], line["kind"], line["subject"])
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError("ledger_entry_changed", index=row["idx"]) from error
    if row["idx"] != index or shown != (index, row["at"], row["kind"], row["subject"]):
        raise LedgerError("ledger_entry_changed", index=row["idx"])
    if row["data"] is not None:
        digest = sha256(row["salt"] + row["data"]).hexdigest()
        if digest != line.get("private_sha256"):
            raise LedgerError("ledger_entry_changed", index=index)


def _entry(row: sqlite3.Row) -> Entry:
    private = None if row["data"] is None else orjson.loads(row["data"])
    facts = orjson.loads(row["line"])["facts"]
    return Entry(row["idx"], row["at"], row["kind"], row["subject"], facts, private)


def _tree(connection: sqlite3.Connection) -> CompactRange:
    row = connection.execute("SELECT size, peaks FROM ledger_head").fetchone()
    try:
        return CompactRange.from_bytes(row["size"], row["peaks"]) if row else CompactRange()
    except ValueError as error:
        raise StorageError("database_failed", error=error) from error


def _load_key(path: Path, *, new: bool) -> tuple[Ed25519PrivateKey, str]:
    """Read the key file, or make it for a new log: 32 bytes of key, then a random name."""
    try:
        if new and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            name = f"doorstep.invalid/{secrets.token_hex(8)}"
            fresh = path.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_bytes(Ed25519PrivateKey.generate().private_bytes_raw() + name.encode())
            fresh.replace(path)
        raw = path.read_bytes()
        return Ed25519PrivateKey.from_private_bytes(raw[:32]), raw[32:].decode()
    except (OSError, ValueError) as error:
        raise StorageError("ledger_key_failed", error=error) from error
