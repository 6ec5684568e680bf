"""The courier and the agency's receiver are killed again and again while a package goes."""

import asyncio
from collections import Counter
from hashlib import sha256
import os
from pathlib import Path
from random import Random
import signal
import subprocess

from custom_components.doorstep.disclosure.store import Release
from scripts.children import free_port, tool

from . import audit
from .death import Death, Way, fork, survived
from .household import Household, agency_key, recording, small_parts
from .office import LOOPBACK, Office, die_after

_LATEST: dict[Way, int] = {"line": 8_000, "time": 400_000, "byte": 400_000}
_FINAL_TRY = 12


def prepare() -> None:
    """Make what all rounds share."""
    recording()
    agency_key()


def play(dice: Random, folder: Path) -> Counter[str]:
    """Deliver one release, whoever dies meanwhile."""
    port = free_port()
    home = Household.moved_in(folder, f"http://{LOOPBACK}:{port}")
    release = home.grant()
    office = Office(folder / "uploads", port, home.case.signer, home.receipt(release))
    small_parts(dice)
    deaths = _deliver(dice, home, release, office)
    _judge(home, release, office, folder)
    return deaths


def _deliver(dice: Random, home: Household, release: Release, office: Office) -> Counter[str]:
    deaths = Counter(couriers=0, receivers=0)
    receiver, courier = _receive(dice, office, deaths), _carry(dice, home, release, deaths)
    while True:
        child, status = os.wait()
        if child == receiver:
            survived(status)
            deaths["receivers"] += 1
            receiver = _receive(dice, office, deaths)
        elif survived(status):
            break
        else:
            deaths["couriers"] += 1
            courier = _carry(dice, home, release, deaths)
    assert child == courier
    os.kill(receiver, signal.SIGKILL)
    os.waitpid(receiver, 0)
    return deaths


def _receive(dice: Random, office: Office, deaths: Counter[str]) -> int:
    last = deaths["receivers"] >= _FINAL_TRY
    office.heard = die_after((1 << 40) if last else dice.randint(1, 80_000))
    return fork(lambda: asyncio.run(_forever(office)), Death())


async def _forever(office: Office) -> None:
    async with office.opened():
        await asyncio.Event().wait()


def _carry(dice: Random, home: Household, release: Release, deaths: Counter[str]) -> int:
    last = deaths["couriers"] >= _FINAL_TRY
    death = Death() if last else Death.drawn(dice, _LATEST)

    def carry() -> None:
        _, _, releases = home.open()
        courier = home.hire(releases)
        courier.tidy()
        asyncio.run(home.carry(courier, releases, release.id))

    return fork(carry, death)


def _judge(home: Household, granted: Release, office: Office, folder: Path) -> None:
    database, ledger, releases = home.open()
    release = releases.get(granted.id)
    assert (release.state, release.reason) == ("acknowledged", None), release.reason
    audit.check(database, ledger)
    whole = [data for data in office.uploads() if len(data) == release.size]
    assert [sha256(data).hexdigest() for data in whole] == [release.package_sha256]
    (folder / "package.age").write_bytes(whole[0])
    command = [tool("age"), "-d", "-i", str(agency_key().identity), str(folder / "package.age")]
    opened = subprocess.run(command, check=True, capture_output=True).stdout
    assert opened == home.expected(granted), "another package than was approved"
    home.hire(releases).tidy()
    assert list(home.kept.iterdir()) == []
    database.close()
