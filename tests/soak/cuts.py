"""The network fails in every way it knows, and the receiver isn't honest, while a package goes."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from aiohttp import ClientTimeout

from custom_components.doorstep.disclosure import delivery
from custom_components.doorstep.disclosure.courier import Courier
from custom_components.doorstep.disclosure.store import Release
from custom_components.doorstep.errors import ReleaseError
from custom_components.doorstep.inbox import web
from scripts.children import free_port

from . import audit
from .household import Household, small_parts
from .office import LOOPBACK, Office

# what becomes of a release without anybody's doing
REASONS = frozenset(
    {
        "gave_up",
        "receiver_confused",
        "receiver_elsewhere",
        "receiver_redirects",
        "receiver_refused",
        "unconfirmed",
        "upload_lost",
        "withdrawn",
    }
)
_TROUBLES: dict[str, Callable[[Random], str]] = {
    "cut": lambda dice: f"cut {dice.randint(0, 60_000)}",
    "hang-up": lambda _: "hang-up",
    "answer lost": lambda _: "then hang-up",
    "busy": lambda dice: f"status {dice.choice((408, 409, 423, 425, 429, 500, 502, 503, 504))}",
    "broken": lambda dice: f"then status {dice.choice((500, 502, 504))}",
    "stall": lambda _: "stall",
    "forget": lambda dice: f"forget {dice.choice((403, 404, 410))}",
    "refuse": lambda dice: f"status {dice.choice((400, 401, 403, 413, 415, 418))}",
    "redirect": lambda dice: f"status {dice.choice((301, 302, 303, 307, 308))}",
    "lose": lambda _: "then forget",
    "short": lambda dice: f"short {dice.randint(0, 60_000)}",
    "lie": lambda dice: f"lie {dice.choice(('0', '7', '-1', '', '٣', '9' * 30, '65536'))}",
    "move": lambda dice: f"move {dice.choice(('', 'http://127.0.0.1:1/x', '//[', '/files/0'))}",
    "swallow": lambda _: "swallow",
}
_COMMON = ("cut", "hang-up", "answer lost", "busy", "broken", "stall", "forget", "lose")


class Weather:
    """Which troubles come in this round, and how often."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        rare = sorted(_TROUBLES.keys() - set(_COMMON))
        kinds = dice.sample(_COMMON, dice.randint(1, 4))
        self._kinds = kinds + dice.sample(rare, 1 if dice.random() < 0.4 else 0)
        self._odds = dice.uniform(0.05, 0.7)
        self.seen = Counter[str]()
        self.requests = 0
        self.calls: dict[int, asyncio.Event] = {}

    def __call__(self, _method: str) -> str | None:
        self.requests += 1
        if call := self.calls.get(self.requests):
            call.set()
        if self._dice.random() >= self._odds:
            return None
        kind = self._dice.choice(self._kinds)
        self.seen[kind] += 1
        return _TROUBLES[kind](self._dice)


def play(dice: Random, folder: Path) -> Counter[str]:
    """Deliver one release through bad weather."""
    port = free_port()
    home = Household.moved_in(folder, f"http://{LOOPBACK}:{port}")
    granted, weather = home.grant(), Weather(dice)
    office = Office(folder / "uploads", port, home.case.signer, home.receipt(granted), weather)
    small_parts(dice)
    vars(delivery)["STALL"] = 0.1
    vars(web)["TIMEOUT"] = ClientTimeout(total=0.1)
    release = asyncio.run(_deliver(dice, home, granted, office, weather))
    _judge(release, office, weather)
    return Counter({f"{release.state}:{release.reason or 'well'}": 1, "requests": weather.requests})


async def _deliver(
    dice: Random, home: Household, granted: Release, office: Office, weather: Weather
) -> Release:
    database, ledger, releases = home.open()
    courier = home.hire(releases)
    async with office.opened():
        stopping = asyncio.create_task(_stop(dice, courier, granted.id, weather))
        release = await home.carry(courier, releases, granted.id)
        stopping.cancel()
        with suppress(asyncio.CancelledError):
            await stopping
    release = releases.get(granted.id)
    audit.check(database, ledger)
    courier.tidy()
    assert list(home.kept.iterdir()) == []
    database.close()
    return release


async def _stop(dice: Random, courier: Courier, release_id: str, weather: Weather) -> None:
    """Once in a while the request is withdrawn while its package is on the way."""
    if dice.random() < 0.2:
        call = weather.calls[dice.randint(1, 12)] = asyncio.Event()
        await call.wait()
        with suppress(ReleaseError):
            await courier.stop(release_id, "withdrawn")


def _judge(release: Release, office: Office, weather: Weather) -> None:
    assert len(office.whole) <= 1, "sent twice"
    assert not office.whole or office.whole == [release.package_sha256], "another file arrived"
    if release.state == "stopped":
        assert release.reason in REASONS, release.reason
        assert release.reason == "unconfirmed" or not office.whole, "it did arrive"
    elif not weather.seen["swallow"]:
        assert office.whole, "it never arrived"
    if release.state == "acknowledged":
        assert office.whole == [release.package_sha256]
