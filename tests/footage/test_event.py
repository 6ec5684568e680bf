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
from custom_components.doorstep.footage.ring import Received
from custom_components.doorstep.footage.writer import ClipWriter
from tests.simulators.waiting import until

from .synthetic import EPOCH, INIT_AV, a_fragment, received, stream

SECOND = timedelta(seconds=1)
SETTINGS = RecorderSettings(pre_roll=1, post_roll=2, longest=5)


class Clock:
    """The host's time: goes on from where it was set."""

    def __init__(self) -> None:
        self.set(EPOCH)

    def set(self, now: datetime) -> None:
        self._offset = now - timedelta(seconds=monotonic())

    def __call__(self) -> datetime:
        return self._offset + timedelta(seconds=monotonic())


@pytest.fixture
def clock() -> Clock:
    return Clock()


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


async def test_extended_up_to_the_longest(clip: OpenClip) -> None:
    clip.extend(EPOCH + 4 * SECOND)
    task = asyncio.create_task(clip.run())
    for item in received(stream(), range(0, 4500, 500)):
        clip.feed(item)
        await asyncio.sleep(0.005)
    assert clip.accepting
    clip.feed(received(stream(), [4500])[0])
    assert ending(await task) == "longest"


async def test_a_clock_that_is_set_back_ends_it_at_the_longest(
    clip: OpenClip, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = monotonic()
    monkeypatch.setattr(module, "monotonic", lambda: passed)
    clock.set(EPOCH - timedelta(hours=1))
    task = asyncio.create_task(clip.run())
    clip.feed(received(stream(), [0])[0])
    await asyncio.sleep(0.005)
    assert clip.accepting
    passed += 5.01
    clip.feed(received(stream(), [500])[0])
    assert ending(await task) == "longest"


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
    for item in (*received(stream(), [0]), *received(stream(INIT_AV), [0, 500])):
        clip.feed(item)
    outcome = await clip.run()
    assert outcome.clip is not None
    assert (ending(outcome), outcome.clip.seconds) == ("stream-lost", 0.5)


async def test_a_disk_that_cannot_follow_loses_whole_groups(tmp_path: Path, clock: Clock) -> None:
    items = received(stream(), range(0, 3000, 500), range(0, 3000, 1000))
    each = len(items[0].fragment.data)
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
    clip.stop(clip.complete)
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
