"""A recorder of real film is killed at any instant; then the next start finds what there was."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
import os
from pathlib import Path
from random import Random
import signal
from time import monotonic, sleep

from custom_components.doorstep.footage.event import RecorderSettings
from custom_components.doorstep.footage.library import Library
from custom_components.doorstep.footage.recorder import Recorder
from scripts.children import free_port, tool
from tests.simulators.waiting import until

from .camera import Camera, film
from .death import Death, die, fork, survived
from .judge import Circumstances, Notes, judge, open_library, tidy

MARK = "DOORSTEP_SOAK"
ENDS = frozenset({"post-roll", "longest", "recovered"})
SETTINGS = RecorderSettings(
    pre_roll=1.0, post_roll=1.0, longest=4.0, connect=5.0, stall=2.0, retry=0.1, longest_retry=0.4
)
_LONGEST_LIFE = 2.5  # seconds
_PATIENCE = 5.0  # seconds until a child whose parent is dead has noticed


def prepare() -> None:
    """Make what all rounds share."""
    film()


def play(dice: Random, folder: Path) -> Counter[str]:
    """Record, die, record again; each start is judged."""
    os.environ[MARK] = str(folder)
    library, notes, camera = folder / "library", Notes(folder / "notes"), Camera(free_port())
    filming = fork(lambda: asyncio.run(camera.forever()), Death())
    told, counted = Circumstances(ends=ENDS, played=True), Counter[str]()
    try:
        for _ in range(dice.randint(2, 5)):
            counted[_live_and_die(dice, camera.url, library, notes)] += 1
            counted["orphans' ms"] += round(1000 * wait_for_orphans(folder))
            found = judge(library, notes, told)
            assert found == judge(library, notes, told), "a second start changes something"
        counted["clips"] = len(found)
        counted.update({f"ended {ending}": n for ending, n in told.endings.items()})
    finally:
        os.kill(filming, signal.SIGKILL)
        os.waitpid(filming, 0)
    return counted


def _live_and_die(dice: Random, url: str, folder: Path, notes: Notes) -> str:
    """Let a recorder live for a while; tell how it died."""
    by_line, plan = dice.random() < 0.3, dice.getrandbits(32)
    death = Death("line", round(10 ** dice.uniform(2, 5))) if by_line else Death()
    child = fork(lambda: asyncio.run(_live(Random(plan), url, folder, notes)), death)
    end, status = monotonic() + dice.uniform(0.2, _LONGEST_LIFE), (0, 0)
    while monotonic() < end and status[0] == 0:
        sleep(min(0.01, max(0, end - monotonic())))
        status = os.waitpid(child, os.WNOHANG)
    if status[0] == 0:
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)
        by_line = False
    survived(status[1])
    return "killed at a line" if by_line else "killed"


async def _live(dice: Random, url: str, folder: Path, notes: Notes) -> None:
    """Two doorbells of one camera, and people who ring at any time; ends only by death."""
    notes.of_fragments()
    library = open_library(folder, notes)
    async with asyncio.TaskGroup() as group:
        for name in ("front", "back"):
            recorder = build(name, url, library, notes)
            group.create_task(_run(recorder))
            group.create_task(_visit(Random(dice.getrandbits(32)), recorder))
        group.create_task(_tidy_up(dice, library, notes))


async def _run(recorder: Recorder) -> None:
    await recorder.run()
    die()


async def _visit(dice: Random, recorder: Recorder) -> None:
    await until(lambda: recorder.status.state in {"filling", "ready"})
    while True:
        recorder.trigger(dice.choice(("ring", "motion")), datetime.now(UTC))
        await asyncio.sleep(dice.uniform(0.1, 2.5))


async def _tidy_up(dice: Random, library: Library, notes: Notes) -> None:
    """Now and then somebody deletes a clip, or thinks better of it."""
    while True:
        await asyncio.sleep(dice.uniform(0.3, 3.0))
        await asyncio.to_thread(tidy, dice, library, notes)


def build(
    name: str,
    url: str,
    library: Library,
    notes: Notes,
    settings: RecorderSettings = SETTINGS,
    on_picture: Callable[..., None] = lambda *_: None,
) -> Recorder:
    """Build the recorder of a doorbell."""

    async def source() -> str:
        return url

    return Recorder(
        name,
        ffmpeg=tool("ffmpeg"),
        source=source,
        settings=settings,
        library=library,
        on_status=lambda _: None,
        on_picture=on_picture,
        on_clip=lambda clip: notes.say("kept", clip.id, clip.root),
        now=lambda: datetime.now(UTC),
    )


def children(folder: Path) -> list[int]:
    """List the ffmpegs that a round in FOLDER has started, also those without a parent."""
    found, mark = [], f"{MARK}={folder}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = mark in (process / "environ").read_bytes()
            if ours and b"ffmpeg" in (process / "cmdline").read_bytes().partition(b"\0")[0]:
                found.append(int(process.name))
        except OSError:
            continue
    return found


def wait_for_orphans(folder: Path) -> float:
    """Wait until the dead recorder's children have ended, too; the seconds it took."""
    begun = monotonic()
    while left := children(folder):
        assert monotonic() - begun < _PATIENCE, f"ffmpeg lives on without us: {left}"
        sleep(0.02)
    return monotonic() - begun
