"""Each press is one ring, and nothing else is any: kept count of while things happen."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from .peers import Peers
from .recordings import Span, gaps, recorded
from .world import NAMES

# State and attributes of one press over MQTT are two messages; so much later they are two presses.
SETTLE: Final = timedelta(seconds=3.5)
# What the camera has not finished yet is not recorded.
FRAGMENT: Final = timedelta(seconds=2)


class Presses:
    """`wanted` is how often each doorbell has to have rung by now, and not once more."""

    def __init__(self, house: Peers, rung: int = 0) -> None:
        """Begin where each has RUNG so often."""
        self.house = house
        self.wanted = dict.fromkeys(NAMES, rung)
        self.last = now()
        self._gate = self.last

    async def press(self, *names: str, **details: str) -> None:
        """Press these buttons at once, and see each ring: DETAILS are what the webhook gets."""
        if "gate" in names:
            await self.settle()
            self._gate = now()
        self.last = now()
        await asyncio.gather(*(self.house.press(name, **details) for name in names))
        await self.rang(*names)

    async def settle(self) -> None:
        """Wait until what the gate says belongs to its last press no longer."""
        await asyncio.sleep((self._gate + SETTLE - now()).total_seconds())

    async def rang(self, *names: str) -> None:
        """See that these have rung once more; without any, that none has."""
        for name in names:
            self.wanted[name] += 1
        await self.house.rang(**self.wanted)

    async def check_recordings(self, lost: Mapping[str, Span | None]) -> dict[str, Span]:
        """Stop Home Assistant, which closes all clips; see that only so much is LOST.

        Nothing may be missing outside a doorbell's span, and nothing at all where there is None;
        and each has to have recorded on after the last press. Returns the gaps.
        """
        await self.house.home.stop()
        found = {}
        for name, allowed in lost.items():
            doorbell = self.house.doorbells[name].subentry
            missing = gaps(self.house.library, doorbell)
            assert len(missing) == (allowed is not None), (name, missing)
            if allowed is not None:
                found[name] = missing[0]
                assert missing[0].within(allowed.start, allowed.end), (name, missing, allowed)
            assert recorded(self.house.library, doorbell).end > self.last - FRAGMENT, name
        return found


def now() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)
