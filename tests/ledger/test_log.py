"""The household's log: grows, verifies, forgets on request, and notices every edit."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
import sqlite3

import aics_tlog
import pytest

from custom_components.doorstep.errors import LedgerError, StorageError
from custom_components.doorstep.ledger import log, outbox
from custom_components.doorstep.ledger.database import Database
from custom_components.doorstep.ledger.log import Ledger

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "home" / "doorstep.db", [log.SCHEMA, outbox.SCHEMA])
    yield database
    database.close()


@pytest.fixture
def ledger(database: Database, tmp_path: Path) -> Ledger:
    return Ledger(database, tmp_path / "home" / "ledger.key", lambda: NOW)


def write(database: Database, ledger: Ledger, count: int = 3) -> None:
    """Append `count` entries, each in its own transaction."""
    for number in range(count):
        with database.transaction() as tx:
            ledger.append(tx, "request_received", f"handle-{number % 2}", {"n": number})


def edit(database: Database, sql: str) -> None:
    """Change the file behind the ledger's back."""
    with sqlite3.connect(database.path) as connection:
        connection.execute(sql)
    connection.close()


def test_an_empty_log_verifies(ledger: Ledger) -> None:
    assert ledger.verify() is None
    assert ledger.head() is None
    assert ledger.entries() == []


def test_entries_are_kept_newest_first(database: Database, ledger: Ledger) -> None:
    write(database, ledger)
    entries = ledger.entries()
    assert [entry.index for entry in entries] == [2, 1, 0]
    assert entries[0].kind == "request_received"
    assert entries[0].subject == "handle-0"
    assert entries[0].at == "2026-11-23T20:00:00Z"
    assert entries[0].facts == {"n": 2}
    assert entries[0].private is None
    assert [entry.index for entry in ledger.entries(before=2, limit=1)] == [1]
    assert [entry.index for entry in ledger.entries(subject="handle-0")] == [2, 0]


def test_entries_of_a_kind(database: Database, ledger: Ledger) -> None:
    with database.transaction() as tx:
        for kind, subject in (("sealed", "a"), ("held", "a"), ("sealed", "b"), ("sealed", "a")):
            ledger.append(tx, kind, subject, {})
    assert [one.index for one in ledger.entries(kind="sealed")] == [3, 2, 0]
    assert [one.index for one in ledger.entries(subject="a", kind="sealed")] == [3, 0]
    assert [one.index for one in ledger.entries(subject="a", kind="sealed", before=3)] == [0]
    assert [one.index for one in ledger.entries(kind="sealed", before=3, limit=1)] == [2]


def test_a_third_party_verifies_the_head(database: Database, ledger: Ledger) -> None:
    write(database, ledger, 5)
    head = ledger.verify()
    assert head is not None
    assert head == ledger.head()
    with database.read() as connection:
        lines = [row["line"] for row in connection.execute("SELECT line FROM ledger ORDER BY idx")]
    verdict = aics_tlog.verify_checkpoint(
        aics_tlog.parse_note(head.note.decode()), aics_tlog.parse_vkey(ledger.verifier_key)
    )
    assert verdict.ok
    assert verdict.size == 5
    assert verdict.root == head.root == aics_tlog.MerkleTree(lines).root()


def test_progress_is_told(database: Database, ledger: Ledger) -> None:
    with database.transaction() as tx:
        for number in range(2000):
            ledger.append(tx, "tick", "clock", {"n": number})
    told: list[tuple[int, int]] = []
    ledger.verify(lambda done, total: told.append((done, total)))
    assert told == [(1000, 2000), (2000, 2000)]
    ledger.verify()


def test_what_is_forgotten_leaves_the_log_verifiable(database: Database, ledger: Ledger) -> None:
    with database.transaction() as tx:
        ledger.append(tx, "request_received", "handle", {}, {"officer": "J. Doe"})
    assert ledger.entries()[0].private == {"officer": "J. Doe"}
    edit(database, "DELETE FROM ledger_private")
    assert ledger.entries()[0].private is None
    assert ledger.verify() is not None


def test_nothing_private_is_in_the_line(database: Database, ledger: Ledger) -> None:
    with database.transaction() as tx:
        ledger.append(tx, "request_received", "handle", {"case": 1}, {"officer": "J. Doe"})
    with database.read() as connection:
        (line,) = connection.execute("SELECT line FROM ledger").fetchone()
    assert b"Doe" not in line
    assert b'"private_sha256"' in line


def test_a_transaction_that_fails_leaves_no_entry(database: Database, ledger: Ledger) -> None:
    write(database, ledger, 1)
    with pytest.raises(ZeroDivisionError), database.transaction() as tx:
        ledger.append(tx, "half", "done", {})
        raise ZeroDivisionError
    assert [entry.kind for entry in ledger.entries()] == ["request_received"]
    assert ledger.verify() is not None


@pytest.mark.parametrize(
    ("sql", "key"),
    [
        (
            "UPDATE ledger SET line = CAST(replace(line, '\"n\":1', '\"n\":7') AS BLOB)",
            "ledger_changed",
        ),
        ("UPDATE ledger SET kind = 'other' WHERE idx = 1", "ledger_entry_changed"),
        ("UPDATE ledger SET at = '2026' WHERE idx = 1", "ledger_entry_changed"),
        ("UPDATE ledger SET subject = 'x' WHERE idx = 1", "ledger_entry_changed"),
        ("UPDATE ledger SET line = x'7b7d' WHERE idx = 1", "ledger_entry_changed"),
        ("UPDATE ledger SET line = x'ff' WHERE idx = 1", "ledger_entry_changed"),
        ("UPDATE ledger SET line = x'5b5d' WHERE idx = 1", "ledger_entry_changed"),
        ("DELETE FROM ledger WHERE idx = 1", "ledger_entry_changed"),
        ("DELETE FROM ledger WHERE idx = 2", "ledger_changed"),
        ("UPDATE ledger SET idx = 9 WHERE idx = 2", "ledger_entry_changed"),
        (
            "INSERT INTO ledger SELECT 3, at, kind, subject, line FROM ledger WHERE idx = 2",
            "ledger_entry_changed",
        ),
        ("UPDATE ledger_head SET note = x'00'", "ledger_head_bad"),
        ("UPDATE ledger_head SET peaks = zeroblob(64)", "ledger_head_bad"),
        ("DELETE FROM ledger_head", "ledger_head_missing"),
    ],
)
def test_every_edit_is_found(database: Database, ledger: Ledger, sql: str, key: str) -> None:
    write(database, ledger)
    edit(database, sql)
    with pytest.raises(LedgerError) as caught:
        ledger.verify()
    assert caught.value.key == key


def test_an_edited_private_record_is_found(database: Database, ledger: Ledger) -> None:
    with database.transaction() as tx:
        ledger.append(tx, "request_received", "handle", {}, {"officer": "J. Doe"})
    edit(database, "UPDATE ledger_private SET data = x'7b7d'")
    with pytest.raises(LedgerError) as caught:
        ledger.verify()
    assert caught.value.key == "ledger_entry_changed"


def test_a_spoilt_head_stops_appending(database: Database, ledger: Ledger) -> None:
    write(database, ledger)
    edit(database, "UPDATE ledger_head SET peaks = x'00'")
    with pytest.raises(StorageError):
        write(database, ledger, 1)


def test_the_key_stays_and_is_private(database: Database, ledger: Ledger, tmp_path: Path) -> None:
    key_file = tmp_path / "home" / "ledger.key"
    assert key_file.stat().st_mode & 0o777 == 0o600
    again = Ledger(database, key_file, lambda: NOW)
    assert again.verifier_key == ledger.verifier_key


@pytest.mark.parametrize("content", [b"", b"short", bytes(32) + b"\xff"])
def test_a_spoilt_key_is_not_replaced(database: Database, tmp_path: Path, content: bytes) -> None:
    key_file = tmp_path / "spoilt.key"
    key_file.write_bytes(content)
    with pytest.raises(StorageError) as caught:
        Ledger(database, key_file, lambda: NOW)
    assert caught.value.key == "ledger_key_failed"
    assert key_file.read_bytes() == content


def test_a_lost_key_is_not_made_anew(database: Database, ledger: Ledger, tmp_path: Path) -> None:
    write(database, ledger)
    key_file = tmp_path / "home" / "ledger.key"
    key_file.unlink()
    with pytest.raises(StorageError) as caught:
        Ledger(database, key_file, lambda: NOW)
    assert caught.value.key == "ledger_key_failed"
    assert not key_file.exists()


def test_another_key_does_not_go_on(database: Database, ledger: Ledger, tmp_path: Path) -> None:
    write(database, ledger)
    (tmp_path / "elsewhere").mkdir()
    other = Database(tmp_path / "elsewhere" / "doorstep.db", [log.SCHEMA])
    Ledger(other, tmp_path / "elsewhere" / "ledger.key", lambda: NOW)
    other.close()
    with pytest.raises(StorageError) as caught:
        Ledger(database, tmp_path / "elsewhere" / "ledger.key", lambda: NOW)
    assert caught.value.key == "ledger_key_failed"
