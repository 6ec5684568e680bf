"""What recording costs: CPU beside a plain copy by ffmpeg, and memory beside what is kept."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
import sys
from time import monotonic
from typing import Any

import pytest

from scripts.children import Child, tool
from scripts.house import HomeAssistant

from . import fleet, processes, scene
from .conftest import MEGABYTE, Report

pytestmark = [
    pytest.mark.benchmark(group="footage"),
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.timeout(400),
]

WARM_UP = 25.0  # seconds
SECONDS = 60.0
STREAMS = 16
CLIPS = 12.0  # seconds of the post-roll
COPY = "-v error -rtsp_transport tcp -i {} -map 0:v:0 -c copy -f segment -segment_time 10"


def test_beside_a_plain_copy(tmp_path: Path, report: Report) -> None:
    """The recorder's process and its ffmpeg, and an ffmpeg that writes all in segments."""

    async def measure() -> Mapping[str, float]:
        async with scene.camera(tmp_path / "camera") as url, AsyncExitStack() as stack:
            commands = {"copy": _copy(url, tmp_path)}
            for what in ("buffer", "record"):
                ours = [sys.executable, "-m", "tests.benchmarks.tree", url]
                commands[what] = [*ours, str(tmp_path / what), what]
            running = {
                name: await stack.enter_async_context(child(name, command, tmp_path))
                for name, command in commands.items()
            }
            await asyncio.sleep(WARM_UP)
            trees = {"copy": [running.pop("copy")]}
            for name, pid in running.items():
                trees |= {f"{name} 0": [pid], f"{name} 1": processes.children(pid)}
            took = await _watch(trees, SECONDS)
        assert list((tmp_path / "record").rglob("*.partial")), "nothing was recorded meanwhile"
        return took

    took = report.once(lambda: asyncio.run(measure()))
    report.budget("CPU of ffmpeg -c copy -f segment", took["copy"], "ms/s")
    for what, said in (("buffer", "waits for an event"), ("record", "writes a clip")):
        report.budget(f"CPU of the recorder's ffmpeg, {said}", took[f"{what} 1"], "ms/s")
        report.budget(f"CPU of the recorder's process, {said}", took[f"{what} 0"], "ms/s")
        ratio = (took[f"{what} 0"] + took[f"{what} 1"]) / took["copy"]
        report.budget(f"CPU of both / plain copy, {said}", ratio, "x", 1.3)


def test_sixteen_streams(tmp_path: Path, report: Report) -> None:
    """Home Assistant's process with sixteen cameras of 4 Mbit/s, beside one that has none."""

    async def measure() -> dict[str, float]:
        async with (
            scene.camera(tmp_path / "camera") as url,
            fleet.lived_in(tmp_path / "none", []) as empty,
            fleet.lived_in(tmp_path / "full", _doorbells(url)) as full,
            child("copy", _copy(url, tmp_path), tmp_path) as copy,
        ):
            await asyncio.sleep(WARM_UP)
            houses = [_pid(empty), _pid(full)]
            helpers = processes.children(houses[1])
            trees = {"copy": [copy], "idle": houses[:1], "busy": houses[1:], "ffmpeg": helpers}
            found = await _watch(trees, SECONDS)
            memory = [processes.pss(pid) for pid in houses]
            rings = await full.command("doorstep_probe/rings")
            assert len(rings) == len(helpers) == STREAMS
            found["memory of ffmpeg"] = sum(map(processes.pss, helpers)) / MEGABYTE / STREAMS
            await _ring_all(full)
            writing = await _watch({"writing": houses[1:], "ffmpeg writing": helpers}, CLIPS)
        return (
            found
            | writing
            | {
                "ring": sum(rings) / STREAMS / MEGABYTE,
                "empty": memory[0] / MEGABYTE,
                "memory": (memory[1] - memory[0]) / STREAMS / MEGABYTE,
            }
        )

    took = report.once(lambda: asyncio.run(measure()))
    house = f"Home Assistant, {STREAMS} streams"
    report.budget("Home Assistant without a doorbell: CPU", took["idle"], "ms/s")
    for busy, ffmpeg, said in (
        ("busy", "ffmpeg", "that wait for events"),
        ("writing", "ffmpeg writing", "that write clips"),
    ):
        each, helper = took[busy] / STREAMS, took[ffmpeg] / STREAMS
        report.budget(f"{house} {said}: CPU a stream", each, "ms/s", 4)
        report.budget(f"ffmpeg beside it: CPU a stream {said}", helper, "ms/s")
        ratio = (each + helper) / took["copy"]
        report.budget(f"CPU of both / plain copy, {STREAMS} streams {said}", ratio, "x", 1.3)
    report.budget("Home Assistant without a doorbell: memory", took["empty"], "MB")
    report.budget("Payload of a ring of 10 s", took["ring"], "MB")
    report.budget(f"{house}: memory a stream", took["memory"], "MB", 1.5 * took["ring"] + 5)
    report.budget("ffmpeg beside it: memory (PSS) a stream", took["memory of ffmpeg"], "MB")


@asynccontextmanager
async def child(name: str, command: list[str], folder: Path) -> AsyncIterator[int]:
    """Run a command while the block lasts; gives its process id."""
    made = Child(name, command, folder / f"{name}.log")
    await made.start()
    try:
        assert made.pid is not None
        yield made.pid
        made.check()
    finally:
        await made.stop(patience=5)


async def _ring_all(house: HomeAssistant) -> None:
    """Ring at each door, and let what follows at once be over."""
    for number in range(STREAMS):
        await house.api("POST", f"/api/webhook/{fleet.hook(number)}", {"event": "ring"})
    await asyncio.sleep(5)


def _doorbells(url: str) -> list[dict[str, Any]]:
    return [fleet.direct(number, url) for number in range(STREAMS)]


def _pid(house: HomeAssistant) -> int:
    assert house.child.pid is not None
    return house.child.pid


def _copy(url: str, folder: Path) -> list[str]:
    return [tool("ffmpeg"), *COPY.format(url).split(), str(folder / "%d.mp4")]


async def _watch(trees: Mapping[str, Sequence[int]], seconds: float) -> dict[str, float]:
    """Milliseconds of CPU a second that each group of processes takes."""

    def used() -> list[float]:
        return [sum(map(processes.cpu, pids)) for pids in trees.values()]

    before, begun = used(), monotonic()
    await asyncio.sleep(seconds)
    after, lasted = used(), monotonic() - begun
    shares = [1000 * (now - was) / lasted for was, now in zip(before, after, strict=True)]
    return dict(zip(trees, shares, strict=True))
