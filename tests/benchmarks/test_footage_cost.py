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
            copy = [tool("ffmpeg"), *COPY.format(url).split(), str(tmp_path / "%d.mp4")]
            commands = {"copy": copy}
            for what in ("buffer", "record"):
                ours = [sys.executable, "-m", "tests.benchmarks.tree", url]
                commands[what] = [*ours, str(tmp_path / what), what]
            running = {
                name: await stack.enter_async_context(child(name, command, tmp_path))
                for name, command in commands.items()
            }
            await asyncio.sleep(WARM_UP)
            trees = {name: [pid, *processes.children(pid)] for name, pid in running.items()}
            assert [len(tree) for tree in trees.values()] == [1, 2, 2]
            before = {name: [*map(processes.cpu, tree)] for name, tree in trees.items()}
            await asyncio.sleep(SECONDS)
            after = {name: [*map(processes.cpu, tree)] for name, tree in trees.items()}
        assert list((tmp_path / "record").rglob("*.partial")), "nothing was recorded meanwhile"
        return _shares(before, after)

    took = report.once(lambda: asyncio.run(measure()))
    report.budget("CPU of ffmpeg -c copy -f segment", took["copy"], "ms/s")
    for what, said in (("buffer", "waits for an event"), ("record", "writes a clip")):
        report.budget(f"CPU of the recorder's ffmpeg, {said}", took[f"{what} 1"], "ms/s")
        report.budget(f"CPU of the recorder's process, {said}", took[f"{what} 0"], "ms/s")
        ratio = took[what] / took["copy"]
        report.budget(f"CPU of both / plain copy, {said}", ratio, "x", 1.3)


def test_sixteen_streams(tmp_path: Path, report: Report) -> None:
    """Home Assistant's process with sixteen cameras of 4 Mbit/s, beside one that has none."""

    async def measure() -> dict[str, float]:
        async with (
            scene.camera(tmp_path / "camera") as url,
            fleet.lived_in(tmp_path / "none", []) as empty,
            fleet.lived_in(
                tmp_path / "full", [fleet.direct(n, url) for n in range(STREAMS)]
            ) as full,
        ):
            await asyncio.sleep(WARM_UP)
            ids = [_pid(empty), _pid(full)]
            before, begun = [processes.cpu(pid) for pid in ids], monotonic()
            await asyncio.sleep(SECONDS)
            took = monotonic() - begun
            idle, busy = (processes.cpu(pid) - was for pid, was in zip(ids, before, strict=True))
            rings = await full.command("doorstep_probe/rings")
            assert len(rings) == STREAMS
            memory = [processes.pss(pid) for pid in ids]
            await _ring_all(full)
            before[1], begun = processes.cpu(ids[1]), monotonic()
            await asyncio.sleep(CLIPS)
            writing = (processes.cpu(ids[1]) - before[1]) / (monotonic() - begun)
            helpers = [processes.pss(pid) for pid in processes.children(ids[1])]
            assert len(helpers) == STREAMS
        return {
            "idle": 1000 * idle / took,
            "busy": 1000 * busy / took / STREAMS,
            "writing": 1000 * writing / STREAMS,
            "ring": sum(rings) / STREAMS / MEGABYTE,
            "empty": memory[0] / MEGABYTE,
            "memory": (memory[1] - memory[0]) / STREAMS / MEGABYTE,
            "ffmpeg": sum(helpers) / STREAMS / MEGABYTE,
        }

    found = report.once(lambda: asyncio.run(measure()))
    report.budget("Home Assistant without a doorbell: CPU", found["idle"], "ms/s")
    report.budget(f"Home Assistant, {STREAMS} streams: CPU a stream", found["busy"], "ms/s", 4)
    report.budget("The same while all write clips", found["writing"], "ms/s", 4)
    report.budget("Home Assistant without a doorbell: memory", found["empty"], "MB")
    report.budget("Payload of a ring of 10 s", found["ring"], "MB")
    most = 1.5 * found["ring"] + 5
    report.budget(
        f"Home Assistant, {STREAMS} streams: memory a stream", found["memory"], "MB", most
    )
    report.budget("ffmpeg beside it: memory (PSS) a stream", found["ffmpeg"], "MB")


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


def _shares(
    before: Mapping[str, Sequence[float]], after: Mapping[str, Sequence[float]]
) -> dict[str, float]:
    """Milliseconds of CPU a second: of each tree by name, and of each of its processes."""
    found: dict[str, float] = {}
    for name, ends in after.items():
        parts = [1000 * (b - a) / SECONDS for a, b in zip(before[name], ends, strict=True)]
        found[name] = sum(parts)
        found |= {f"{name} {n}": part for n, part in enumerate(parts)}
    return found
