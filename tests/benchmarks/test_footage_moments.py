"""What an event leaves behind, and when: the moment its picture shows, its clip, its pre-roll.

Beside it core's `camera.record` with its lookback, of the same camera in the same Home Assistant.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from random import Random
from time import monotonic, time

from PIL import Image
import pytest

from custom_components.doorstep.footage.lines import ClipLines
from scripts.house import HomeAssistant
from tests.simulators.waiting import until, until_told

from . import fleet, scene
from .conftest import Report, at

pytestmark = [
    pytest.mark.benchmark(group="footage"),
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.timeout(600),
]

DOORBELLS = 4
EVENTS = 40
PRE_ROLL, POST_ROLL = 10, 5  # seconds
PAUSE = 2.1  # seconds: each clip is closed before its doorbell rings again
LOOKS = 0.005  # seconds


@dataclass(frozen=True, slots=True)
class Seen:
    """An event (seconds, monotonic), its files, and when they were there."""

    at: float
    picture: float
    closed: float
    jpeg: bytes
    lines: Path


def test_events(tmp_path: Path, report: Report) -> None:
    """Press bells at any moment of the scene; look what comes onto the disk, and when."""

    async def measure() -> dict[str, list[float]]:
        async with at_home(tmp_path, DOORBELLS) as (house, observer):
            await asyncio.sleep(PRE_ROLL)
            dice, tasks = Random(1), []
            for turn in range(EVENTS):
                tasks.append(asyncio.create_task(_ring(house, tmp_path, turn % DOORBELLS)))
                await asyncio.sleep(dice.uniform(PAUSE, PAUSE + 0.5))
            return _judged(await asyncio.gather(*tasks), observer)

    times = report.once(lambda: asyncio.run(measure()))
    report.table("an event, 1080p, GOP 2 s, 15 fps: s", times)
    worst = max(times["picture shows, after the event"], key=abs)
    report.budget("Picture: furthest from its event", abs(worst), "s", 1.0)
    report.budget("Picture: on disk, p95", at(times["picture on disk"], 0.95), "s", 1.2)
    closed = max(times["clip closed, after its post-roll"])
    report.budget("Clip: closed after its post-roll, latest", closed, "s", 1.0)
    least = min(times["pre-roll by its frames"])
    report.budget(f"Pre-roll of {PRE_ROLL} s: shortest there was", least, "s")
    assert len(times["picture on disk"]) == EVENTS


def test_pre_roll_beside_core(tmp_path: Path, report: Report) -> None:
    """Doorstep's clip, and what `camera.record` makes of the same instant."""

    async def measure() -> dict[str, float]:
        found: dict[str, float] = {}
        async with at_home(tmp_path, 1) as (house, observer):
            states = await house.api("GET", "/api/states")
            entity = next(s["entity_id"] for s in states if s["entity_id"].startswith("camera."))
            await asyncio.sleep(PRE_ROLL)
            for what in ("as it comes", "while somebody watches"):
                ours = asyncio.create_task(_ring(house, tmp_path, 0))
                begun = monotonic()
                film = await _record(house, entity, "watched" if found else "cold")
                found[f"core, {what}"] = begun - observer.moment(scene.first(film), begun)
                seen = await ours
                first = scene.first(seen.lines.with_suffix(".mp4"))
                found[f"Doorstep, {what}"] = seen.at - observer.moment(first, seen.at)
                # its lookback is what live view has kept
                await house.command("camera/stream", entity_id=entity)
                await asyncio.sleep(2 * PRE_ROLL)
        return found

    found = report.once(lambda: asyncio.run(measure()))
    for what, seconds in found.items():
        report.budget(f"Pre-roll of {PRE_ROLL} s, {what}", seconds, "s")


@asynccontextmanager
async def at_home(
    folder: Path, doorbells: int
) -> AsyncIterator[tuple[HomeAssistant, scene.Observer]]:
    """Run a home whose doorbells all see the scene, and somebody who watches it."""
    choices = {"pre_roll": PRE_ROLL, "post_roll": POST_ROLL}
    async with scene.camera(folder / "camera") as url, scene.Observer(url).watching() as observer:
        subentries = [fleet.direct(number, url, **choices) for number in range(doorbells)]
        async with fleet.lived_in(folder, subentries) as house:
            yield house, observer


async def _ring(house: HomeAssistant, folder: Path, doorbell: int) -> Seen:
    place = folder / "library" / f"{doorbell:026d}"
    known = set(place.glob("*/*"))
    begun = monotonic()
    await house.api("POST", f"/api/webhook/{fleet.hook(doorbell)}", {"event": "ring"})
    jpeg = await _appears(place, ".jpg", known)
    picture = monotonic()
    lines = await _appears(place, ".jsonl", known)
    return Seen(begun, picture, monotonic(), jpeg.read_bytes(), lines)


async def _appears(place: Path, suffix: str, known: set[Path]) -> Path:
    async with asyncio.timeout(PRE_ROLL + POST_ROLL + 20):
        while True:
            # a thumbnail's name ends like a picture's
            for path in place.glob(f"*/*{suffix}"):
                if path not in known and path.name.count(".") == 1:
                    return path
            await asyncio.sleep(LOOKS)


def _judged(events: list[Seen], observer: scene.Observer) -> dict[str, list[float]]:
    """Work out the seconds of each event."""
    found: dict[str, list[float]] = {}
    for seen in events:
        lines = ClipLines.parse(seen.lines.read_bytes())
        begins = lines.footage[0].utc
        assert lines.event_at is not None
        over = _monotonic(lines.event_at) + POST_ROLL
        shown = scene.number(Image.open(BytesIO(seen.jpeg)))
        first = scene.first(seen.lines.with_suffix(".mp4"))
        row = {
            "picture shows, after the event": observer.moment(shown, seen.at) - seen.at,
            "picture on disk": seen.picture - seen.at,
            "clip closed, after its post-roll": seen.closed - over,
            "pre-roll by its lines": (lines.event_at - begins).total_seconds(),
            "pre-roll by its frames": seen.at - observer.moment(first, seen.at),
        }
        for what, seconds in row.items():
            found.setdefault(what, []).append(seconds)
    return found


def _monotonic(instant: datetime) -> float:
    return instant.timestamp() - time() + monotonic()


async def _record(house: HomeAssistant, entity: str, name: str) -> Path:
    film = house.config / "www" / f"{name}.mp4"
    film.parent.mkdir(exist_ok=True)
    data = {"entity_id": entity, "filename": str(film), "duration": POST_ROLL}
    await house.api("POST", "/api/services/camera/record", {**data, "lookback": PRE_ROLL})
    await until(film.exists, patience=60)
    size = -1

    async def settled() -> bool:
        nonlocal size
        was, size = size, film.stat().st_size
        await asyncio.sleep(1)
        return size == was > 0

    await until_told(settled, patience=60)
    return film
