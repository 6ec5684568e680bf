"""A courier in a process of its own, to be killed: `carry.py <folder> <release>`."""

import asyncio
from pathlib import Path
import sys

from custom_components.doorstep.disclosure import store
from custom_components.doorstep.disclosure.courier import Courier, Ports
from custom_components.doorstep.disclosure.package import Material
from custom_components.doorstep.disclosure.store import Release, Releases
from custom_components.doorstep.ledger import log, outbox
from custom_components.doorstep.ledger.database import Database

from .conftest import DECIDED, Clock


def _nothing(_: Release) -> Material:
    raise AssertionError


def main(folder: Path, release: str) -> None:
    """Carry one packed release."""
    schemas = [log.SCHEMA, outbox.SCHEMA, store.SCHEMA]
    database = Database(folder / "doorstep.db", schemas)
    clock = Clock(DECIDED)
    clock.wait(minutes=1)
    ports = Ports(
        material=_nothing,
        still_allowed=lambda _: None,
        keys=lambda _: {},
        progress=lambda *_: None,
        now=clock,
    )
    releases = Releases(database, log.Ledger(database, folder / "ledger.key", clock))
    asyncio.run(Courier(releases, folder / "kept", ports).run_once(release))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
