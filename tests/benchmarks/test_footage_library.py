"""A window of a million clips, and a page of a hundred thousand in the media browser."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import perf_counter, thread_time
from typing import Any

import aiohttp
import pytest

from custom_components.doorstep.footage.library import Library
from scripts.house import HomeAssistant
from tests.simulators.waiting import until_told

from . import fleet, shelves
from .conftest import Report, at

pytestmark = [
    pytest.mark.benchmark(group="footage"),
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.timeout(600),
]

NOW = datetime.now(UTC)
MILLION = 1_000_000
MANY = 100_000
TIMES = 20


@pytest.fixture
def million(tmp_path: Path) -> Iterator[Library]:
    """A clip of one of four doorbells each minute, for two years."""
    made = Library(tmp_path, lambda _: None)
    shelves.fill(made, MILLION, timedelta(minutes=1), NOW)
    yield made
    made.close()


def test_window(million: Library, report: Report) -> None:
    """Two hours of one doorbell, anywhere among a million clips."""
    dice = Random(1)

    def ask() -> tuple[float, float]:
        start = NOW - timedelta(minutes=dice.randint(200, MILLION))
        begun, used = perf_counter(), thread_time()
        found = million.between(shelves.doorbell(1), start, start + timedelta(hours=2))
        took = 1000 * (perf_counter() - begun), 1000 * (thread_time() - used)
        assert 29 <= len(found) <= 31
        return took

    wall, cpu = zip(*report.once(lambda: [ask() for _ in range(1000)]), strict=True)
    times = {"by the clock": wall, "CPU": cpu}
    report.table("a window of 2 hours of 1,000,000 clips, 30 found: ms", times)
    report.budget("Window of 1,000,000 clips, by the clock, p95", at(wall, 0.95), "ms", 1)
    report.budget("Window of 1,000,000 clips, CPU, p95", at(cpu, 0.95), "ms", 1)


def test_browsing(tmp_path: Path, report: Report) -> None:
    """Walk down to a page of clips, as the media browser does, at each level some times."""
    library = Library(shelves.folder_of(tmp_path), lambda _: None)
    # some months of a quiet street, and days on which a page of an hour is full
    shelves.fill(library, MANY // 2, timedelta(seconds=4), NOW)
    shelves.fill(library, MANY // 2, timedelta(minutes=4), NOW - timedelta(days=4))
    assert shelves.lay_out(library) == MANY
    library.close()
    begun = perf_counter()
    Library(library.folder, lambda _: None).close()
    report.budget("Opening a library of 100,000 clips", perf_counter() - begun, "s")

    async def measure() -> dict[str, list[float]]:
        # cameras that are away
        doorbells = [fleet.direct(n, "rtsp://127.0.0.1:9/") for n in range(shelves.DOORBELLS)]
        async with fleet.home(tmp_path / "config", doorbells) as house:
            await house.onboard("owner", fleet.PASSWORD)
            return await _walk(house)

    times = report.once(lambda: asyncio.run(measure()))
    report.table("media_source/browse_media, 100,000 clips: ms", times)
    for what, each in times.items():
        report.budget(f"Browsing 100,000 clips, {what}, p95", at(each, 0.95), "ms", 100)


async def _walk(house: HomeAssistant) -> dict[str, list[float]]:
    """Open the second folder of each level (the first may be short), down to clips."""
    times: dict[str, list[float]] = {}
    async with aiohttp.ClientSession() as session:
        url = f"{house.url}/api/websocket"
        async with session.ws_connect(url, max_msg_size=1 << 24) as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": house.token})
            await socket.receive_json()
            await until_told(lambda: _loaded(house), patience=120)
            content, number = "media-source://doorstep", 0
            while content:
                each = []
                for _ in range(TIMES):
                    number += 1
                    begun = perf_counter()
                    found = await _browse(socket, number, content)
                    each.append(1000 * (perf_counter() - begun))
                shown = found["children"]
                times[f"level {len(times) + 1}, {len(shown)} shown"] = each
                clips = any(child["can_play"] for child in shown)
                content = "" if clips else shown[1]["media_content_id"]
    return times


async def _loaded(house: HomeAssistant) -> bool:
    entries = await house.command("config_entries/get", domain="doorstep")
    return bool(entries[0]["state"] == "loaded")


async def _browse(
    socket: aiohttp.ClientWebSocketResponse, number: int, content: str
) -> dict[str, Any]:
    kind = "media_source/browse_media"
    await socket.send_json({"id": number, "type": kind, "media_content_id": content})
    answer = await socket.receive_json()
    assert answer["success"], answer
    result: dict[str, Any] = answer["result"]
    return result
