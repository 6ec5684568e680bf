"""A press of the bell: how soon Home Assistant knows, beside an automation without Doorstep."""

import asyncio
from pathlib import Path
import re
from statistics import median
from time import monotonic
from typing import Any

import aiohttp
import pytest

from scripts.house import HomeAssistant
from tests.simulators.doorbell import DoorbellSimulator
from tests.simulators.waiting import until

from . import fleet
from .conftest import Report, at
from .probe.names import STARTED

pytestmark = [
    pytest.mark.benchmark(group="doorbells"),
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.timeout(400),
]

PRESSES = 500
PAUSE = 0.01  # seconds between two requests: one after another, as visitors come
CLIPS = 30  # seconds until clips are closed and in the library
STARTS = 3
MOST = 16

type Times = dict[str, list[float]]
type Heard = list[tuple[str, float]]

WHOSE = {"event": "Doorstep", "input_boolean": "automation"}


@pytest.mark.parametrize("doorbells", [1, MOST])
def test_press(tmp_path: Path, report: Report, doorbells: int) -> None:
    """Doorstep's webhook and a bare automation that sets an input_boolean, in turn."""

    async def measure() -> Times:
        async with fleet.recording(tmp_path, doorbells) as house:
            await press(house, doorbells, 20)
            return await press(house, doorbells, PRESSES)

    times = report.once(lambda: asyncio.run(measure()))
    report.table(f"press of a bell, {doorbells} recording: ms", times)
    ours, core = (times[f"request -> state, {whose}"] for whose in WHOSE.values())
    report.line(f"p95 of Doorstep / p95 of automation: {at(ours, 0.95) / at(core, 0.95):.2f}")
    assert len(ours) == len(core) == PRESSES


def test_steps(tmp_path: Path, report: Report) -> None:
    """CPU time of the event loop's steps while many doorbells record, ring and write clips.

    One of them sends 8 Mbit/s, as a big picture does.
    """

    async def measure() -> dict[str, Any]:
        async with fleet.recording(tmp_path, MOST, big=True) as house:
            await house.command("doorstep_probe/begin_steps")
            for _ in range(2):
                await press(house, MOST, 2 * MOST)
                await asyncio.sleep(CLIPS)
            steps: dict[str, Any] = await house.command("doorstep_probe/end_steps")
            return steps

    steps = report.once(lambda: asyncio.run(measure()))
    kinds = {kind: steps[kind] for kind in ("whole", "without garbage")}
    report.table(f"Doorstep's steps of the loop, {MOST} recording: CPU ms", kinds)
    for kind, times in kinds.items():
        report.line(f"p99.9, {kind}: {at(times, 0.999):.2f}")
    report.line(f"steps of others: {steps['others']}; the worst of Doorstep's:")
    for step in steps["worst"]:
        report.line(step)
    assert len(steps["whole"]) > PRESSES
    assert len(list((tmp_path / "library").rglob("*.mp4"))) == 2 * MOST


def test_source_entity(tmp_path: Path, report: Report) -> None:
    """An adopted doorbell: another integration's entity turns on, our event fires."""

    async def measure() -> list[float]:
        async with fleet.adopting(tmp_path) as house:
            heard = await house.command("doorstep_probe/visit", times=PRESSES)
            return between(instants(heard, "source"), instants(heard, "event"))

    times = report.once(lambda: asyncio.run(measure()))
    report.table("an adopted doorbell: ms", {"source entity -> ring": times})
    assert len(times) == PRESSES


def test_start(tmp_path: Path, report: Report) -> None:
    """Home Assistant's start with Doorstep and four doorbells, and without, in turn."""

    async def measure() -> Times:
        times: Times = {}
        async with DoorbellSimulator(tmp_path / "camera") as camera:
            bells = [fleet.direct(number, camera.url) for number in range(4)]
            houses = {
                "without Doorstep": fleet.home(tmp_path / "without" / "config", None),
                "four doorbells": fleet.home(tmp_path / "with" / "config", bells),
            }
            for turn in range(STARTS + 1):
                for name, house in houses.items():
                    started, initialized, cameras = await start(house)
                    assert cameras == (len(bells) if name == "four doorbells" else 0)
                    if turn:  # the first writes what later ones find
                        times.setdefault(f"exec -> running, {name}", []).append(started)
                        times.setdefault(f"own figure, {name}", []).append(initialized)
        return times

    times = report.once(lambda: asyncio.run(measure()))
    report.table("start of Home Assistant: ms", times)
    for what in ("exec -> running", "own figure"):
        more = median(times[f"{what}, four doorbells"]) - median(times[f"{what}, without Doorstep"])
        report.line(f"{what}: {more:+.0f} ms with four doorbells (medians)")


async def press(house: HomeAssistant, doorbells: int, times: int) -> Times:
    """Press bells and call the automation in turn, one bell after another; times in ms."""
    sent: list[float] = []
    await house.command("doorstep_probe/heard")
    async with aiohttp.ClientSession() as session:
        for number in range(times):
            for hook in (fleet.hook(number % doorbells), ("bench-on", "bench-off")[number % 2]):
                sent.append(monotonic())
                url = f"{house.url}/api/webhook/{hook}"
                async with session.post(url, json={"event": "ring"}) as answer:
                    assert answer.status == 200
                await asyncio.sleep(PAUSE)
    heard = await house.command("doorstep_probe/heard")
    found: Times = {}
    for first, begins in (("request", instants(heard, "request")), ("sent", sent)):
        for turn, (what, whose) in enumerate(WHOSE.items()):
            ends = instants(heard, what)
            found[f"{first} -> state, {whose}"] = between(begins[turn::2], ends)
    return found


async def start(house: HomeAssistant) -> tuple[float, float, int]:
    """Start and stop it; ms from exec until it runs, its own figure in ms, number of cameras."""
    file = house.config / STARTED
    file.unlink(missing_ok=True)
    begin = monotonic()
    await house.start()
    try:
        await house.wait_ready()
        await until(lambda: file.exists() and file.read_text(), patience=60)
    finally:
        await house.stop()
    said = re.findall(r"Home Assistant initialized in ([\d.]+)s", house.child.log.read_text())
    started, cameras = file.read_text().split()
    return 1000 * (float(started) - begin), 1000 * float(said[-1]), int(cameras)


def instants(heard: Heard, what: str) -> list[float]:
    """Pick out when something happened."""
    return [at for kind, at in heard if kind == what]


def between(begins: list[float], ends: list[float]) -> list[float]:
    """Return the milliseconds from each begin to its end."""
    return [1000 * (end - begin) for begin, end in zip(begins, ends, strict=True)]
