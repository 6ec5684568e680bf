"""Three cameras come and go: clips say what they lack, and nothing piles up in the process."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
import gc
import os
from pathlib import Path
from random import Random
import threading

from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.event import RecorderSettings
from custom_components.doorstep.footage.recorder import Recorder
from scripts.children import free_port
from tests.simulators.waiting import until

from . import recorder
from .camera import Camera, film
from .judge import Circumstances, Notes, gaps, judge, open_library

SETTINGS = RecorderSettings(
    pre_roll=1.0,
    post_roll=3.0,
    longest=8.0,
    connect=3.0,
    stall=1.0,
    retry=0.05,
    longest_retry=0.4,
    known_retry=3.0,
)
_NAMES = ("front", "back", "gate")
_BACK = 4.0  # seconds: noticing silence, a pause, connecting and ffmpeg's start on a busy machine
_AWAY = 1.2  # seconds: shorter absences hide in what a camera sends at once when it is back
_MORE = 24 << 20  # bytes by which the process may grow; leaks of the rings' size are larger
_ENDS = frozenset({"post-roll", "longest", "stream-lost", "shutdown"})

type Absence = tuple[datetime, datetime]


def prepare() -> None:
    """Make what all rounds share."""
    film()


def play(dice: Random, folder: Path) -> Counter[str]:
    """Let cameras come and go for some seconds, then look at what is left."""
    os.environ[recorder.MARK] = str(folder)
    place, notes = folder / "library", Notes(folder / "notes")
    seconds = dice.choice((0.5, 8.0, 20.0))
    home = Flapping(dice, place, notes)
    absences = asyncio.run(home.live(seconds))
    assert not recorder.children(folder), "an ffmpeg is left"
    told = Circumstances(ends=_ENDS, played=True)
    judge(place, notes, told)
    library = open_library(place, notes)
    explained = sum(_explained(clip, absences[clip.doorbell]) for clip in library.clips(limit=1000))
    library.close()
    away = sum(map(len, absences.values()))
    return Counter({"absences": away, "gaps": explained, "KB more": max(0, home.grown >> 10)})


class Flapping:
    """Cameras, their recorders, and who was away when."""

    def __init__(self, dice: Random, folder: Path, notes: Notes) -> None:
        self._dice = dice
        self._notes = notes
        self._library = open_library(folder, notes)
        self._absences: dict[str, list[Absence]] = {name: [] for name in _NAMES}
        self.grown = 0

    async def live(self, seconds: float) -> dict[str, list[Absence]]:
        """Run all for SECONDS; then all have to be back, and all has to end."""
        cameras = {name: Camera(free_port()) for name in _NAMES}
        recorders = {name: self._build(name, cameras[name].url) for name in _NAMES}
        before, memory = _held(), _resident()
        running = [asyncio.create_task(one.run()) for one in recorders.values()]
        async with asyncio.timeout(seconds + 30):
            work = [self._flap(name, cameras[name], recorders[name], seconds) for name in _NAMES]
            await asyncio.gather(*work)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._library.close()
        await until(lambda: _held() <= before, patience=5)
        gc.collect()
        self.grown = _resident() - memory
        assert self.grown < _MORE, f"{self.grown} bytes more"
        return self._absences

    def _build(self, name: str, url: str) -> Recorder:
        return recorder.build(name, url, self._library, self._notes, SETTINGS)

    async def _flap(self, name: str, camera: Camera, bell: Recorder, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        dice, end = Random(self._dice.getrandbits(32)), loop.time() + seconds
        visitors = asyncio.create_task(_visit(Random(dice.getrandbits(32)), bell))
        while True:
            async with camera.on():
                await until(lambda: bell.status.state in {"filling", "ready"}, patience=_BACK)
                if loop.time() > end:
                    visitors.cancel()
                    await asyncio.gather(visitors, return_exceptions=True)
                    return
                await asyncio.sleep(dice.uniform(0.0, 2.5))
                gone = datetime.now(UTC)
                if dice.random() < 0.3:
                    camera.hangs = True
                    await asyncio.sleep(dice.uniform(0.0, 2.5))
            await asyncio.sleep(dice.choice((0.0, 0.1, 1.0, 2.0)))
            camera.hangs = False
            # until it was noticed, the recorder says what it said before
            await until(lambda: bell.status.state == "failed", patience=_BACK)
            self._absences[name].append((gone, datetime.now(UTC)))


async def _visit(dice: Random, bell: Recorder) -> None:
    while True:
        await asyncio.sleep(dice.uniform(0.2, 4.0))
        bell.trigger("ring", datetime.now(UTC))


def _held() -> tuple[int, int, int]:
    """Count the process' file descriptors, threads beside those that wait for work, and tasks."""
    waiting = sum(thread.name.startswith("asyncio_") for thread in threading.enumerate())
    threads = threading.active_count() - waiting
    return len(list(Path("/proc/self/fd").iterdir())), threads, len(asyncio.all_tasks())


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _explained(clip: Clip, absences: list[Absence]) -> int:
    """Find a gap line for every absence in the midst of a clip; their number."""
    inside = list(_inside(clip, absences))
    said = list(gaps(clip))
    for gone, back in inside:
        assert any(start < back and end > gone for start, end in said), (clip.id, gone, back, said)
    return len(inside)


def _inside(clip: Clip, absences: list[Absence]) -> Iterator[Absence]:
    for gone, back in absences:
        if (back - gone).total_seconds() > _AWAY and clip.start < gone and back < clip.end:
            yield gone, back
