"""Side effects that a transition wants: written with it, done after it, repeatable."""

from dataclasses import dataclass
from datetime import datetime
import sqlite3
from typing import Final

from ..encoding import format_time, parse_time

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    not_before TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Errand:
    """One side effect to do: `kind` says which, `subject` for what."""

    id: int
    kind: str
    subject: str


def enqueue(tx: sqlite3.Connection, kind: str, subject: str, not_before: datetime) -> int:
    """Add an errand to the transaction that wants it; returns its id."""
    cursor = tx.execute(
        "INSERT INTO outbox (kind, subject, not_before) VALUES (?, ?, ?)",
        (kind, subject, _stamp(not_before)),
    )
    return int(cursor.lastrowid or 0)


def pending(connection: sqlite3.Connection, now: datetime) -> list[Errand]:
    """Errands that are due, oldest first."""
    rows = connection.execute(
        "SELECT id, kind, subject FROM outbox WHERE not_before <= ? ORDER BY id", (_stamp(now),)
    )
    return [Errand(row["id"], row["kind"], row["subject"]) for row in rows]


def next_due(connection: sqlite3.Connection) -> datetime | None:
    """When the next errand is due, past or future; None where there is none."""
    (stamp,) = connection.execute("SELECT min(not_before) FROM outbox").fetchone()
    return None if stamp is None else parse_time(stamp)


def finish(tx: sqlite3.Connection, errand_id: int) -> None:
    """Strike an errand off, once it is done."""
    tx.execute("DELETE FROM outbox WHERE id = ?", (errand_id,))


def _stamp(time: datetime) -> str:
    # whole seconds: text of one width sorts as time does
    return format_time(time.replace(microsecond=0))
