"""The database: all or nothing, one error family, and the outbox in it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.ledger import outbox
from custom_components.doorstep.ledger.database import Database

NOW = datetime(2026, 11, 23, 20, 0, 0, 900_000, tzinfo=UTC)
TABLE = "CREATE TABLE IF NOT EXISTS things (name TEXT UNIQUE);"


def names(database: Database) -> list[str]:
    """Everything in the table."""
    with database.read() as connection:
        return [row["name"] for row in connection.execute("SELECT name FROM things")]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "new" / "doorstep.db", [TABLE, outbox.SCHEMA])
    yield database
    database.close()


def test_what_is_committed_survives_a_restart(database: Database) -> None:
    with database.transaction() as tx:
        tx.execute("INSERT INTO things VALUES ('kept')")
    database.close()
    assert names(Database(database.path, [TABLE])) == ["kept"]


def test_every_commit_is_synchronised(database: Database) -> None:
    with database.read() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(StorageError) as caught, database.transaction() as tx:
        tx.execute("INSERT INTO things VALUES ('once')")
        tx.execute("INSERT INTO things VALUES ('once')")
    assert caught.value.key == "database_failed"
    assert names(database) == []


def test_a_rollback_that_sqlite_did_itself_is_fine(database: Database) -> None:
    with pytest.raises(KeyError), database.transaction() as tx:
        tx.execute("ROLLBACK")
        raise KeyError
    assert names(database) == []


def test_a_reader_does_not_write(database: Database) -> None:
    with pytest.raises(StorageError), database.read() as connection:
        connection.execute("INSERT INTO things VALUES ('no')")
    with database.transaction() as tx:
        tx.execute("INSERT INTO things VALUES ('yes')")
    assert names(database) == ["yes"]


def test_a_plain_copy_is_whole_after_a_checkpoint(database: Database, tmp_path: Path) -> None:
    with database.transaction() as tx:
        tx.execute("INSERT INTO things VALUES ('kept')")
    database.checkpoint()
    copy = tmp_path / "copy.db"
    copy.write_bytes(database.path.read_bytes())
    assert names(Database(copy, [])) == ["kept"]


def test_a_closed_database_says_so(database: Database) -> None:
    database.close()
    with pytest.raises(StorageError):
        names(database)


def test_a_spoilt_file_is_an_error_and_stays(tmp_path: Path) -> None:
    path, content = tmp_path / "doorstep.db", b"not a database" * 100
    path.write_bytes(content)
    with pytest.raises(StorageError) as caught:
        Database(path, [TABLE])
    assert caught.value.key == "database_failed"
    assert path.read_bytes() == content


def test_a_damaged_page_is_found_at_opening(database: Database) -> None:
    with database.transaction() as tx:
        tx.executemany("INSERT INTO things VALUES (?)", [(f"n{n}" * 50,) for n in range(200)])
    database.checkpoint()
    database.close()
    raw = bytearray(database.path.read_bytes())
    raw[4096 * 3 : 4096 * 4] = bytes(4096)
    database.path.write_bytes(raw)
    with pytest.raises(StorageError):
        Database(database.path, [TABLE])


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        Database(tmp_path / "file" / "doorstep.db", [])


def test_errands_wait_for_their_time_and_are_done_once(database: Database) -> None:
    with database.transaction() as tx:
        late = outbox.enqueue(tx, "deliver", "release", NOW + timedelta(seconds=60))
        first = outbox.enqueue(tx, "notify", "handle", NOW)
        second = outbox.enqueue(tx, "clear", "handle", NOW)
    with database.read() as connection:
        due = outbox.pending(connection, NOW)
        assert [(errand.id, errand.kind, errand.subject) for errand in due] == [
            (first, "notify", "handle"),
            (second, "clear", "handle"),
        ]
        soon = outbox.pending(connection, NOW + timedelta(seconds=60))
    assert [errand.id for errand in soon] == [late, first, second]
    with database.transaction() as tx:
        outbox.finish(tx, first)
        assert [errand.id for errand in outbox.pending(tx, NOW)] == [second]


def test_errands_go_with_the_transaction(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as tx:
        outbox.enqueue(tx, "deliver", "release", NOW)
        raise ZeroDivisionError
    with database.read() as connection:
        assert outbox.pending(connection, NOW) == []
