"""An event being recorded: how long, at whose pace, and what ends it."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
import json
from pathlib import Path
from time import monotonic

import pytest

from custom_components.doorstep.errors import CameraError, StorageError
from custom_components.doorstep.footage import event as module
from custom_components.doorstep.footage.event import OpenClip, Outcome, RecorderSettings
from custom_components.doorstep.footage.ring import Received, Stream
from custom_components.doorstep.footage.writer import ClipWriter
from tests.simulators.waiting import until

from .synthetic import EPOCH, INIT, INIT_AV, a_fragment, received, stream

SECOND = timedelta(seconds=1)
SETTINGS = RecorderSettings(pre_roll=1, post_roll=2, longest=5)


class Clock:
    """The host's time: goes on from where it was set."""

    def __init__(self) -> None:
        self.set(EPOCH)

    def set(self, now: datetime) -> None:
        self._offset = now - timedelta(seconds=monotonic())

    def monotonic(self) -> float:
        return (self() - EPOCH).total_seconds()

    def __call__(self) -> datetime:
        return self._offset + timedelta(seconds=monotonic())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time as the streams of `synthetic` count it: zero is `EPOCH`."""
    made = Clock()
    monkeypatch.setattr(module, "monotonic", made.monotonic)
    return made


@pytest.fixture
def clip(tmp_path: Path, clock: Clock) -> OpenClip:
    return OpenClip(tmp_path, "door", ("motion", EPOCH + SECOND), SETTINGS, clock)


def ending(outcome: Outcome) -> str:
    assert outcome.clip is not None
    return str(json.loads(outcome.clip.lines.read_bytes().splitlines()[-1])["end"])


async def test_ends_after_the_post_roll(clip: OpenClip) -> None:
    for item in received(stream(), range(0, 6000, 500)):
        clip.feed(item)
    outcome = await clip.run()
    assert outcome.clip is not None
    assert outcome.error is None
    assert ending(outcome) == "post-roll"
    assert outcome.clip.id == clip.id
    assert clip.id.startswith("20261123T200001Z-")
    assert outcome.clip.event == "motion"
    assert outcome.clip.event_at == EPOCH + SECOND
    assert not clip.accepting


async def test_ends_with_the_first_fragment_that_reaches_the_end(clip: OpenClip) -> None:
    task = asyncio.create_task(clip.run())
    items = received(stream(), range(0, 6000, 500))
    for item in items[:5]:
        clip.feed(item)
        await asyncio.sleep(0.01)
    assert clip.accepting
    clip.feed(items[5])
    outcome = await task
    assert outcome.clip is not None
    assert outcome.clip.seconds == 3
    clip.feed(items[6])


async def test_sound_does_not_end_it(clip: OpenClip, clock: Clock) -> None:
    one = stream(INIT_AV)
    clip.feed(received(one, [0])[0])
    clip.feed(Received(a_fragment(5000, init=INIT_AV, track=2), one))
    clock.set(EPOCH + 5.99 * SECOND)
    assert ending(await clip.run()) == "stream-lost"


async def test_extended(clip: OpenClip) -> None:
    clip.extend(EPOCH + 2 * SECOND)
    clip.extend(EPOCH + SECOND)
    for item in received(stream(), range(0, 9000, 500)):
        clip.feed(item)
        await asyncio.sleep(0)
    task = asyncio.create_task(clip.run())
    outcome = await task
    assert ending(outcome) == "post-roll"


async def test_the_longest_is_told_while_the_event_goes_on(clip: OpenClip) -> None:
    items = received(stream(), range(0, 9000, 500))
    assert clip.outgrown(items[0]) is None
    for item in items[:10]:
        clip.feed(item)
    assert clip.outgrown(items[10]) is None
    clip.extend(EPOCH + 3 * SECOND)
    assert clip.outgrown(items[10]) is None
    clip.extend(EPOCH + 3.1 * SECOND)
    assert clip.outgrown(items[9]) is None
    assert clip.outgrown(items[10]) == "longest"


async def test_a_sound_outgrows_nothing(clip: OpenClip) -> None:
    one = stream(INIT_AV)
    clip.feed(received(one, [0])[0])
    clip.extend(EPOCH + 9 * SECOND)
    assert clip.outgrown(Received(a_fragment(5000, init=INIT_AV, track=2), one)) is None
    assert clip.outgrown(received(one, [5000])[0]) == "longest"


@pytest.mark.parametrize(
    ("step", "told"), [(10, None), (10.5, "clock-jump"), (-10, None), (-10.5, "clock-jump")]
)
async def test_a_step_of_the_hosts_clock_is_told(
    clip: OpenClip, step: float, told: str | None
) -> None:
    one = stream()
    items = received(one, [0, 500])
    clip.feed(items[0])
    one.clock.synchronise(0, EPOCH.timestamp() + step)
    assert clip.outgrown(items[1]) == told


@pytest.mark.parametrize("hours", [-1, 1])
async def test_no_step_of_the_hosts_clock_makes_it_shorter_or_longer(
    tmp_path: Path, clock: Clock, hours: int
) -> None:
    steps = [timedelta(0)]

    def now() -> datetime:
        return clock() + steps[-1]

    clip = OpenClip(tmp_path, "door", ("ring", EPOCH + SECOND), SETTINGS, now)
    one = stream()
    task = asyncio.create_task(clip.run())
    items = received(one, range(0, 4000, 500))
    clip.feed(items[0])
    await until(lambda: clip._writer and clip._writer._reached)
    steps.append(timedelta(hours=hours))
    one.clock.synchronise(0, (EPOCH + steps[-1]).timestamp())
    for item in items[1:5]:
        clip.feed(item)
        await asyncio.sleep(0.005)
    assert clip.accepting
    clip.feed(items[5])
    outcome = await task
    assert (ending(outcome), outcome.clip and outcome.clip.seconds) == ("post-roll", 3)
    assert outcome.clip is not None
    assert b'"reason":"clock-jump"' in outcome.clip.lines.read_bytes()
    # the files say both; the clip spans all that they say
    assert outcome.clip.start == EPOCH + min(steps[1] + SECOND / 2, timedelta(0))
    assert outcome.clip.end == EPOCH + max(steps[1] + 3 * SECOND, SECOND / 2)


async def test_as_long_as_was_asked_for(tmp_path: Path, clock: Clock) -> None:
    begun = EPOCH + SECOND
    clip = OpenClip(tmp_path, "door", ("manual", begun), SETTINGS, clock, until=begun + SECOND)
    clip.extend(begun, begun + 0.5 * SECOND)
    assert clip.left == pytest.approx(2, abs=0.2)
    clip.extend(begun, begun + 4 * SECOND)
    assert clip.left == pytest.approx(5, abs=0.2)
    clip.extend(begun)
    other = OpenClip(tmp_path, "door", ("manual", begun), SETTINGS, clock)
    assert other.left == pytest.approx(3, abs=0.2)
    other.follow(clip)
    assert other.left == pytest.approx(5, abs=0.2)
    clip.follow(OpenClip(tmp_path, "door", ("manual", begun), SETTINGS, clock))
    assert clip.left == pytest.approx(3, abs=0.2)


async def test_a_stream_in_bursts_is_waited_for(clip: OpenClip, clock: Clock) -> None:
    slow = Stream(INIT, pause=30)
    slow.clock.observe(0, 0, EPOCH.timestamp())
    clip.feed(received(slow, [0])[0])
    task = asyncio.create_task(clip.run())
    await until(lambda: clip._writer and clip._writer._reached)
    clock.set(EPOCH + 32 * SECOND)
    await asyncio.sleep(0.01)
    assert not task.done()
    clip.feed(received(slow, [2500])[0])
    assert ending(await task) == "post-roll"


async def test_stopped(clip: OpenClip) -> None:
    for item in received(stream(), [0, 500]):
        clip.feed(item)
    clip.stop()
    clip.feed(received(stream(), [1000])[0])
    outcome = await clip.run()
    assert outcome.clip is not None
    assert (ending(outcome), outcome.clip.seconds) == ("shutdown", 1)


async def test_no_frame_ever(clip: OpenClip, clock: Clock) -> None:
    clip.feed(Received(a_fragment(0, key=False), stream()))
    clock.set(EPOCH + 5.99 * SECOND)
    assert await clip.run() == Outcome(None, None)
    clip.feed(received(stream(), [0])[0])
    assert list(clip.files.folder.parent.glob("**/*")) == []


async def test_waits_no_longer_than_the_event_and_a_grace(clip: OpenClip, clock: Clock) -> None:
    clock.set(EPOCH + 6 * SECOND)
    assert await clip.run() == Outcome(None, None)


async def test_what_came_in_time_is_kept_however_slow_the_disk_is(
    clip: OpenClip, clock: Clock
) -> None:
    for item in received(stream(), [0, 500, 1000]):
        clip.feed(item)
    clock.set(EPOCH + 60 * SECOND)
    outcome = await clip.run()
    assert outcome.clip is not None
    assert (ending(outcome), outcome.clip.seconds) == ("stream-lost", 1.5)


async def test_extended_while_waiting(clip: OpenClip, clock: Clock) -> None:
    clock.set(EPOCH + 5.98 * SECOND)
    task = asyncio.create_task(clip.run())
    await asyncio.sleep(0)
    clip.extend(EPOCH + 1.05 * SECOND)
    await asyncio.sleep(0.03)
    assert not task.done()
    clock.set(EPOCH + 7 * SECOND)
    assert await task == Outcome(None, None)


async def test_a_camera_that_comes_back_different(clip: OpenClip) -> None:
    first, other = received(stream(), [0])[0], received(stream(INIT_AV), [0, 500])
    clip.feed(first)
    assert clip.outgrown(other[0]) == "stream-lost"
    clip.feed(other[0])
    clip.feed(received(stream(), [2500])[0])
    outcome = await clip.run()
    assert outcome.clip is not None
    assert (ending(outcome), outcome.clip.seconds) == ("post-roll", 3)
    assert len(outcome.clip.lines.read_bytes().splitlines()) == 5


async def test_a_disk_that_cannot_follow_loses_whole_groups(tmp_path: Path, clock: Clock) -> None:
    items = received(stream(), range(0, 3000, 500), range(0, 3000, 1000))
    each = items[0].weight
    settings = RecorderSettings(pre_roll=1, post_roll=2, longest=5, max_bytes=2 * each)
    clip = OpenClip(tmp_path, "door", ("ring", EPOCH), settings, clock)
    for item in items[:4]:
        clip.feed(item)
    task = asyncio.create_task(clip.run())
    await until(lambda: not clip._waiting)
    clip.feed(items[3])
    assert clip._waiting == 0
    clip.feed(items[4])
    clip.stop()
    outcome = await task
    assert outcome.clip is not None
    lines = [json.loads(line) for line in outcome.clip.lines.read_bytes().splitlines()]
    assert [line["start"] for line in lines if "i" in line] == [0, 500, 2000]
    assert [line["reason"] for line in lines if "gap" in line] == ["missing"]


def failing(key: str, error: OSError) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise StorageError(key) from error

    return fail


@pytest.mark.parametrize(
    ("key", "told"), [("disk_full", "disk-full"), ("disk_failed", "disk-failed")]
)
async def test_a_disk_that_fails_keeps_what_there_is(
    clip: OpenClip, monkeypatch: pytest.MonkeyPatch, key: str, told: str
) -> None:
    task = asyncio.create_task(clip.run())
    items = received(stream(), [0, 500, 1000])
    clip.feed(items[0])
    await until(lambda: clip._writer and clip._writer._reached)
    monkeypatch.setattr(ClipWriter, "write", failing(key, OSError(28, "full")))
    clip.feed(items[1])
    outcome = await task
    assert outcome.error is not None
    assert outcome.error.key == key
    assert ending(outcome) == told
    assert not clip.accepting


async def test_a_disk_that_fails_from_the_start(
    clip: OpenClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ClipWriter", failing("disk_full", OSError(28, "full")))
    clip.feed(received(stream(), [0])[0])
    outcome = await clip.run()
    assert outcome.clip is None
    assert outcome.error is not None
    assert outcome.error.key == "disk_full"


async def test_a_disk_that_fails_at_the_end(
    clip: OpenClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ClipWriter, "close", failing("disk_failed", OSError(5, "bad")))
    for item in received(stream(), range(0, 6000, 500)):
        clip.feed(item)
    outcome = await clip.run()
    assert outcome.clip is None
    assert outcome.error is not None
    assert outcome.error.key == "disk_failed"


async def test_stopped_because_it_is_complete(clip: OpenClip) -> None:
    clip.feed(received(stream(), [0])[0])
    clip.stop("post-roll")
    clip.stop()
    assert not clip.accepting
    assert ending(await clip.run()) == "post-roll"


async def test_a_fragment_that_cannot_be_placed_ends_it(
    clip: OpenClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise CameraError("camera_bad_stream")

    task = asyncio.create_task(clip.run())
    items = received(stream(), [0, 500])
    clip.feed(items[0])
    await until(lambda: clip._writer and clip._writer._reached)
    monkeypatch.setattr(ClipWriter, "write", fail)
    clip.feed(items[1])
    outcome = await task
    assert (ending(outcome), outcome.error) == ("stream-lost", None)
