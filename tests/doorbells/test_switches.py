"""Switches that hold over restarts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from custom_components.doorstep.doorbells import switches
from custom_components.doorstep.doorbells.switches import PRIVATE, RING_NOTIFICATIONS, Switches
from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.ledger import log
from custom_components.doorstep.ledger.database import Database
from custom_components.doorstep.ledger.log import Ledger


def opened(folder: Path) -> tuple[Database, Ledger, Switches]:
    database = Database(folder / "doorstep.db", [log.SCHEMA, switches.SCHEMA])
    ledger = Ledger(database, folder / "ledger.key", lambda: datetime.now(UTC))
    return database, ledger, Switches(database, ledger)


def test_all_are_off_at_first(tmp_path: Path) -> None:
    assert opened(tmp_path)[2].on() == frozenset()


def test_they_stay_as_they_were_left(tmp_path: Path) -> None:
    database, _, first = opened(tmp_path)
    first.set("door", PRIVATE, is_on=True)
    first.set("door", RING_NOTIFICATIONS, is_on=True)
    first.set("gate", PRIVATE, is_on=True)
    first.set("door", RING_NOTIFICATIONS, is_on=False)
    database.close()
    assert opened(tmp_path)[2].on() == {("door", PRIVATE), ("gate", PRIVATE)}


def test_privacy_is_in_the_ledger_and_nothing_else_is(tmp_path: Path) -> None:
    _, ledger, kept = opened(tmp_path)
    kept.set("door", PRIVATE, is_on=True)
    kept.set("door", RING_NOTIFICATIONS, is_on=True)
    kept.set("door", PRIVATE, is_on=False)
    told = [(entry.kind, entry.subject) for entry in ledger.entries(limit=10)]
    assert sorted(told) == [("privacy_off", "door"), ("privacy_on", "door")]


def test_those_of_a_doorbell_that_is_gone_are_forgotten(tmp_path: Path) -> None:
    _, _, kept = opened(tmp_path)
    kept.set("door", PRIVATE, is_on=True)
    kept.set("gate", PRIVATE, is_on=True)
    kept.forget("door")
    assert kept.on() == {("gate", PRIVATE)}


def test_a_broken_disk_says_so(tmp_path: Path) -> None:
    database, _, kept = opened(tmp_path)
    database.close()
    with pytest.raises(StorageError):
        kept.set("door", PRIVATE, is_on=True)
