"""The ledger: appending with a signed head each time, and verifying all of it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from custom_components.doorstep.ledger import log
from custom_components.doorstep.ledger.database import Database
from custom_components.doorstep.ledger.log import Ledger

from .conftest import Stopwatch

pytestmark = pytest.mark.benchmark(group="ledger")

ENTRIES = 5000
NUMBERS = count()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def books(folder: Path) -> Iterator[tuple[Database, Ledger]]:
    database = Database(folder / "doorstep.db", [log.SCHEMA])
    yield database, Ledger(database, folder / "ledger.key", lambda: datetime.now(UTC))
    database.close()


def fill(books: tuple[Database, Ledger], entries: int) -> None:
    database, ledger = books
    with database.transaction() as tx:
        for _ in range(entries):
            facts = {"clip": f"clip {next(NUMBERS)}", "root": "0" * 64}
            ledger.append(tx, "clip_sealed", "front", facts, {"user": "anna"})


def test_append_5000_in_one_transaction(
    books: tuple[Database, Ledger], stopwatch: Stopwatch
) -> None:
    stopwatch.time(lambda: fill(books, ENTRIES), amount=ENTRIES, unit="entries", rounds=3)


def test_append_100_each_committed(books: tuple[Database, Ledger], stopwatch: Stopwatch) -> None:
    def each() -> None:
        for _ in range(100):
            fill(books, 1)

    stopwatch.time(each, amount=100, unit="entries")


def test_verify_5000(books: tuple[Database, Ledger], stopwatch: Stopwatch) -> None:
    fill(books, ENTRIES)
    head = stopwatch.time(books[1].verify, amount=ENTRIES, unit="entries")
    assert head.size == ENTRIES
