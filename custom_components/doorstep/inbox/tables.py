"""The inbox's tables, and the transaction that all of them are written in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Final

from ..encoding import JSON
from ..ledger import outbox
from ..ledger.log import Ledger
from .values import Actor

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS feeds (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    descriptor BLOB NOT NULL,
    size INTEGER NOT NULL DEFAULT 0,
    peaks BLOB NOT NULL DEFAULT x'',
    read INTEGER NOT NULL DEFAULT 0,
    note BLOB,
    fresh_at REAL,
    witnessed INTEGER NOT NULL DEFAULT 0,
    problem TEXT,
    stopped INTEGER NOT NULL DEFAULT 0,
    removed INTEGER NOT NULL DEFAULT 0,
    read_at REAL
) STRICT;
CREATE TABLE IF NOT EXISTS feed_leaves (
    feed TEXT NOT NULL REFERENCES feeds (id),
    bundle INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (feed, bundle)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS agencies (
    id TEXT PRIMARY KEY,
    head TEXT NOT NULL,
    confirmed TEXT,
    conflict TEXT,
    domain INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS statements (
    agency TEXT NOT NULL REFERENCES agencies (id) DEFERRABLE INITIALLY DEFERRED,
    sha256 TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    standing TEXT NOT NULL,
    jws BLOB NOT NULL,
    feed TEXT NOT NULL REFERENCES feeds (id),
    seen_at REAL NOT NULL,
    PRIMARY KEY (agency, sha256)
) STRICT;
CREATE TABLE IF NOT EXISTS agency_keys (
    agency TEXT NOT NULL REFERENCES agencies (id),
    kid TEXT NOT NULL,
    public BLOB NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (agency, kid)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
    handle TEXT PRIMARY KEY,
    agency TEXT NOT NULL REFERENCES agencies (id),
    urn TEXT,
    content TEXT NOT NULL UNIQUE,
    kid TEXT NOT NULL,
    replaces TEXT,
    action TEXT,
    case_id TEXT,
    state TEXT NOT NULL,
    reason TEXT,
    stopped TEXT,
    feed TEXT NOT NULL REFERENCES feeds (id),
    leaf INTEGER NOT NULL,
    received_at REAL NOT NULL,
    logged_at REAL NOT NULL,
    expires_at REAL,
    matches INTEGER NOT NULL DEFAULT 0,
    jws BLOB,
    details BLOB,
    assessment BLOB,
    UNIQUE (agency, urn)
) STRICT;
CREATE INDEX IF NOT EXISTS requests_state ON requests (state);
CREATE INDEX IF NOT EXISTS requests_replaces ON requests (agency, replaces);
CREATE INDEX IF NOT EXISTS requests_agency ON requests (agency, matches, received_at);
"""


@dataclass(frozen=True, slots=True)
class Work:
    """One open transaction: rows, ledger entries and errands of it commit together."""

    tx: Connection
    ledger: Ledger
    now: datetime

    def log(
        self, kind: str, subject: str, facts: Mapping[str, JSON], actor: Actor | None = None
    ) -> None:
        """Add a ledger entry; who did it goes to the erasable part, over which channel stays."""
        if actor is None:
            self.ledger.append(self.tx, kind, subject, facts)
        else:
            said = {**facts, "channel": actor.channel}
            private = None if actor.user is None else {"user": actor.user}
            self.ledger.append(self.tx, kind, subject, said, private)

    def errand(self, kind: str, subject: str, not_before: datetime | None = None) -> None:
        """Add an errand to the outbox, due now unless told."""
        outbox.enqueue(self.tx, kind, subject, not_before or self.now)


def reckon(tx: Connection, now: datetime) -> datetime:
    """Return the later of the host's time and the newest cosignature time of any feed."""
    (newest,) = tx.execute("SELECT max(fresh_at) FROM feeds").fetchone()
    return now if newest is None else max(now, when(newest))


def when(stamp: float) -> datetime:
    """Read a time column."""
    return datetime.fromtimestamp(stamp, UTC)
