"""The table of releases, and how a change of one is written."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime
from hashlib import sha256
import json
import sqlite3
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..encoding import JSON, parse_time
from ..errors import ReleaseError
from ..inbox.states import RELEASE, after
from ..ledger import outbox
from ..ledger.log import Ledger
from .package import Decision
from .receipt import Delivered
from .release import Statement

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS releases (
    id TEXT PRIMARY KEY,
    handle TEXT NOT NULL,
    state TEXT NOT NULL,
    statement BLOB NOT NULL,
    created_at TEXT NOT NULL,
    key BLOB,
    granted_at TEXT,
    due_at TEXT,
    attempts INTEGER NOT NULL,
    reason TEXT,
    package_sha256 TEXT,
    release_sha256 TEXT,
    size INTEGER NOT NULL,
    upload_url TEXT,
    uploads INTEGER NOT NULL,
    offered INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    delivered_at TEXT,
    acknowledged_at TEXT,
    evidence_id TEXT,
    receipt BLOB
) STRICT;
CREATE INDEX IF NOT EXISTS releases_handle ON releases (handle);
"""


_SAVE: Final = """
INSERT OR REPLACE INTO releases VALUES (
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
)
"""
_ALL: Final = """
SELECT * FROM releases WHERE ?1 IS NULL OR handle = ?1 ORDER BY created_at DESC, id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One row: what was stated and how far it has come. Times are RFC 3339 texts, sizes bytes.

    `offered` is the end of the last part begun to send, `sent` what the receiver confirmed;
    `due_at` is when something is next to be done, None when nothing is.
    """

    id: str
    handle: str
    state: str
    statement_json: bytes
    created_at: str
    key: bytes | None = None
    granted_at: str | None = None
    due_at: str | None = None
    attempts: int = 0
    reason: str | None = None
    package_sha256: str | None = None
    release_sha256: str | None = None
    size: int = 0
    upload_url: str | None = None
    uploads: int = 0
    offered: int = 0
    sent: int = 0
    delivered_at: str | None = None
    acknowledged_at: str | None = None
    evidence_id: str | None = None
    receipt: bytes | None = None

    @property
    def statement(self) -> Statement:
        """The statement that was shown."""
        statement: Statement = json.loads(self.statement_json)
        return statement

    @property
    def digest(self) -> str:
        """SHA-256 that an approval has to name, in hex."""
        return sha256(self.statement_json).hexdigest()

    @property
    def send_at(self) -> str | None:
        """When an approval that isn't taken back takes effect."""
        return self.due_at if self.state == "granted" else None

    @property
    def decision(self) -> Decision:
        """The approval and the key made for it; only from approval to the end."""
        if self.granted_at is None or self.key is None:
            raise ReleaseError("not_possible", state=self.state, event="package")
        return Decision(parse_time(self.granted_at), Ed25519PrivateKey.from_private_bytes(self.key))

    @property
    def delivered(self) -> Delivered:
        """What its receipt has to name."""
        return Delivered(
            release=self.id,
            request=self.statement["request"],
            package_sha256=str(self.package_sha256),
            release_sha256=str(self.release_sha256),
        )

    def is_due(self, now: datetime) -> bool:
        """Whether something is to be done at `now`."""
        return self.due_at is not None and parse_time(self.due_at) <= now


@dataclass(frozen=True, slots=True)
class Writing:
    """One transaction: a transition, its ledger entry and its errand are written in it together."""

    tx: sqlite3.Connection
    ledger: Ledger
    now: datetime

    def move(
        self,
        release: Release,
        event: str,
        facts: Mapping[str, JSON] | None = None,
        actor: str | None = None,
    ) -> Release:
        """Take `release`, with the changes already made to it, through `event`.

        `actor` is a person's local id: the ledger keeps it erasable.
        """
        moved = replace(release, state=after(RELEASE, release.state, event))
        return self.record(moved, facts or {}, actor)

    def record(self, release: Release, facts: Mapping[str, JSON], actor: str | None) -> Release:
        """Write a release as it is now, and tell everybody who has to know."""
        kind = f"release.{release.state}"
        named = {"statement_sha256": release.digest, **facts}
        private = {"actor": actor} if actor else None
        self.ledger.append(self.tx, kind, release.id, named, private)
        outbox.enqueue(self.tx, kind, release.id, self.now)
        return save(self.tx, release)


def get(connection: sqlite3.Connection, release_id: str) -> Release:
    """Read one release; ReleaseError `release_unknown`."""
    row = connection.execute("SELECT * FROM releases WHERE id = ?", (release_id,)).fetchone()
    if row is None:
        raise ReleaseError("release_unknown")
    return _release(row)


def every(connection: sqlite3.Connection, handle: str | None = None) -> list[Release]:
    """Read all releases, or those of one request, newest first."""
    return [_release(row) for row in connection.execute(_ALL, (handle,))]


def save(tx: sqlite3.Connection, release: Release) -> Release:
    """Write a release as it is now, and nothing else."""
    tx.execute(_SAVE, astuple(release))
    return release


def _release(row: sqlite3.Row) -> Release:
    names = [field.name for field in fields(Release)]
    return Release(**dict(zip(names, row, strict=True)))
