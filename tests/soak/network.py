"""The network to one doorbell fails for two minutes, in a real Home Assistant with four of them.

Not in the suite: a round takes four minutes. `tests/e2e/test_peers.py` cuts for ten seconds.
"""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Final

from tests.e2e.peers import Peers, peers
from tests.e2e.presses import Presses, now
from tests.e2e.recordings import Span
from tests.e2e.world import NAMES
from tests.simulators.waiting import until_told

CUT: Final = 120.0
PATIENCE: Final = 360.0
# The longest pause between two tries, and the try.
RECONNECT: Final = timedelta(seconds=26)
# Home Assistant's onvif asks again a minute after an error, its mqtt sooner.
RECOVERY: Final = 100.0
STREAMED: Final = ("front", "back", "porch")


def play(dice: Random, folder: Path) -> Counter[str]:
    """Cut one doorbell off, ring the others, and see what is lost."""
    return asyncio.run(_play(dice, folder))


async def _play(dice: Random, folder: Path) -> Counter[str]:
    victim, way = dice.choice(NAMES), dice.choice(("cut", "refuse"))
    # Ended in time by itself it ends its children too, which have sessions of their own.
    async with asyncio.timeout(PATIENCE), peers(folder) as house:
        await house.record(*STREAMED)
        presses = Presses(house)
        await presses.press(*NAMES)
        lost = await _cut(dice, presses, victim, way)
        await house.record(*STREAMED, patience=RECOVERY)
        await _hears(house, victim)
        await presses.press(*NAMES)
        gaps = await presses.check_recordings(
            {name: lost if name == victim else None for name in STREAMED}
        )
    late = [gap.end - (lost.end - RECONNECT) for gap in gaps.values()]
    return Counter(
        {f"{way} {victim}": 1, "seconds late": sum(int(late.total_seconds()) for late in late)}
    )


async def _cut(dice: Random, presses: Presses, victim: str, way: str) -> Span:
    """Leave the victim alone for two minutes while the others ring; return what may be missing."""
    cutter, begun = presses.house.world.cutters[victim], now()
    await (cutter.cut() if way == "cut" else cutter.refuse())
    others = [name for name in NAMES if name != victim]
    while (left := CUT - (now() - begun).total_seconds()) > 0:
        await asyncio.sleep(min(left, dice.uniform(4, 20)))
        await presses.press(*dice.sample(others, dice.randint(1, len(others))))
    await cutter.restore()
    return Span(begun, now() + RECONNECT)


async def _hears(house: Peers, victim: str) -> None:
    """Wait until Home Assistant's own integration listens to its device again."""
    if victim == "porch":
        asked = len(await house.world.onvif.calls())

        async def pulls() -> bool:
            return "PullMessages" in (await house.world.onvif.calls())[asked:]

        await until_told(pulls, RECOVERY)
    elif victim == "gate":
        await house.ear.there("binary_sensor.gate_ding", RECOVERY)
        # What an outage has kept back counts as old for a moment.
        await asyncio.sleep(4)
