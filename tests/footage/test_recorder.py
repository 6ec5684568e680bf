"""The recorder, with a camera moved by hand: what it tells, keeps, and does about trouble."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
import contextlib
from datetime import datetime, timedelta
import itertools
import json
from pathlib import Path
from threading import Event
import time
from typing import Unpack

import pytest

from custom_components.doorstep.errors import CameraError, StorageError
from custom_components.doorstep.footage import event, keeper, recorder as module
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.event import RecorderSettings
from custom_components.doorstep.footage.ffmpeg import Form
from custom_components.doorstep.footage.files import write_atomically
from custom_components.doorstep.footage.fragments import Fragment, InitSegment
from custom_components.doorstep.footage.library import Library
from custom_components.doorstep.footage.lines import EventKind
from custom_components.doorstep.footage.recorder import Recorder, RecorderStatus
from custom_components.doorstep.footage.ring import Received
from tests.simulators.waiting import until

from .synthetic import (
    EPOCH,
    INIT,
    INIT_AV,
    How,
    TrackSpec,
    a_fragment,
    esds,
    init_segment,
    parsed,
    video_entry,
)

SETTINGS = RecorderSettings(pre_roll=1, post_roll=2, longest=20, retry=0.001, longest_retry=0.004)


class Camera:
    """Sends what it is told, and lets time pass with every fragment."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.known = False
        self.asked: list[tuple[str, Form]] = []
        self.init: InitSegment | None = None
        self.queue: asyncio.Queue[Fragment | CameraError] = asyncio.Queue()

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def source(self) -> str:
        return f"rtsp://door/{len(self.asked)}"

    async def receive(
        self, ffmpeg: str, source: str, form: Form, *, connect: float, stall: float
    ) -> AsyncGenerator[tuple[InitSegment, Fragment]]:
        patience = SETTINGS.known_retry if self.known else SETTINGS.connect
        assert (ffmpeg, connect, stall) == ("ffmpeg", patience, SETTINGS.stall)
        self.asked.append((source, form))
        while True:
            item = await self.queue.get()
            try:
                if isinstance(item, CameraError):
                    raise item
                self.known = self.known or item.track.kind == "video"
                yield self.init or (INIT_AV if form.audio else INIT), item
            finally:
                self.queue.task_done()

    async def send(
        self, *starts: int, duration: int = 500, init: InitSegment = INIT, **how: Unpack[How]
    ) -> None:
        """Let fragments arrive, each as long after the one before as it is long."""
        for start in starts:
            fragment = a_fragment(start, duration, init=init, **how)
            self.seconds += duration / 1000 if fragment.track.kind == "video" else 0
            await self.put(fragment)

    async def fail(self, key: str) -> None:
        """Break the connection and wait until the next one is tried."""
        asked = len(self.asked)
        await self.put(CameraError(key))
        await until(lambda: len(self.asked) > asked)

    async def put(self, item: Fragment | CameraError) -> None:
        self.queue.put_nowait(item)
        await self.queue.join()
        await asyncio.sleep(0)


class Desk:
    """Hears what the recorder tells."""

    def __init__(self, camera: Camera, folder: Path, settings: RecorderSettings = SETTINGS) -> None:
        self.camera = camera
        self.statuses: list[RecorderStatus] = []
        self.pictures: list[tuple[str | None, str, bytes]] = []
        self.clips: list[Clip] = []
        self.library = Library(folder, lambda _: None, camera.now)
        self.recorder = Recorder(
            "door",
            ffmpeg="ffmpeg",
            source=camera.source,
            settings=settings,
            library=self.library,
            on_status=self.statuses.append,
            on_picture=lambda clip, kind, _at, jpeg: self.pictures.append((clip, kind, jpeg)),
            on_clip=self.clips.append,
            now=camera.now,
        )

    @property
    def told(self) -> list[tuple[str, str | None]]:
        return [(status.state, status.reason) for status in self.statuses]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.recorder.run())
        await asyncio.sleep(0)
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.library.close()


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Camera:
    made = Camera()
    monkeypatch.setattr(module, "receive", made.receive)
    monkeypatch.setattr(module, "monotonic", made.monotonic)
    monkeypatch.setattr(event, "monotonic", made.monotonic)
    return made


@pytest.fixture(autouse=True)
def stills(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Draw pictures without decoding: the n-th is b"jpeg n"; an exception in the list is raised."""
    drawn: list[object] = []

    async def still(_ffmpeg: str, items: list[object], _at: datetime) -> bytes:
        outcome = drawn.pop(0) if drawn else b"jpeg"
        if isinstance(outcome, Exception):
            raise outcome
        assert isinstance(outcome, bytes)
        return outcome + b" of %d" % len(items)

    monkeypatch.setattr(module, "still", still)
    return drawn


@pytest.fixture
def desk(camera: Camera, tmp_path: Path) -> Desk:
    return Desk(camera, tmp_path)


async def test_fills_then_is_ready(desk: Desk) -> None:
    assert desk.recorder.status == RecorderStatus("off", 0, None)
    async with desk.running():
        assert desk.recorder.status == RecorderStatus("filling", 0, None)
        await desk.camera.send(0)
        assert desk.recorder.status == RecorderStatus("filling", 0.5, None)
        await desk.camera.send(500, 1000, 1500)
        assert desk.recorder.status == RecorderStatus("ready", 1.0, None)
    assert desk.told == [("filling", None), ("ready", None), ("off", None)]
    assert desk.statuses[-1].seconds == 0


async def test_each_connection_asks_for_the_source_again(desk: Desk) -> None:
    async with desk.running():
        await desk.camera.send(0, 500)
        await desk.camera.fail("camera_lost")
        assert desk.recorder.status == RecorderStatus("failed", 0, "camera_lost")
        await desk.camera.send(0)
        assert desk.recorder.status == RecorderStatus("filling", 0.5, None)
    assert [source for source, _ in desk.camera.asked] == ["rtsp://door/0", "rtsp://door/1"]
    assert desk.told[1:3] == [("ready", None), ("failed", "camera_lost")]


async def test_a_source_that_fails(desk: Desk) -> None:
    async def source() -> str:
        raise CameraError("camera_unreachable")

    desk.recorder.source = source
    async with desk.running():
        await until(lambda: len(desk.told) == 2)
    assert desk.told == [("filling", None), ("failed", "camera_unreachable"), ("off", None)]


async def test_tries_less_and_less_often(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    pause = desk.recorder._pause

    async def record(seconds: float) -> bool:
        pauses.append(seconds)
        return await pause(0 if len(pauses) != 6 else 60)

    monkeypatch.setattr(desk.recorder, "_pause", record)
    async with desk.running():
        for _ in range(4):
            await desk.camera.fail("camera_unreachable")
        await desk.camera.send(0)
        for _ in range(2):
            desk.camera.queue.put_nowait(CameraError("camera_lost"))
        await until(lambda: len(pauses) == 6)
        desk.recorder.nudge()
        await until(lambda: len(desk.camera.asked) == 7)
        await desk.camera.fail("camera_unreachable")
    assert [round(1000 * pause) for pause in pauses] == [1, 2, 4, 4, 1, 2, 1]


async def test_a_clip_with_its_pre_roll(desk: Desk) -> None:
    async with desk.running():
        await desk.camera.send(*range(0, 3000, 500))
        at = desk.camera.now()
        clip_id = desk.recorder.trigger("ring", at)
        await desk.camera.send(*range(3000, 6000, 500))
        await until(lambda: desk.clips)
        assert desk.library.get(clip_id) == desk.clips[0]
    (clip,) = desk.clips
    assert (clip.id, clip.event, clip.event_at, clip.doorbell) == (clip_id, "ring", at, "door")
    assert clip.start == at - timedelta(seconds=1)
    assert clip.end >= at + timedelta(seconds=2)
    assert not desk.recorder._keeper._clips


async def test_events_extend_a_clip_then_make_another(desk: Desk) -> None:
    async with desk.running():
        await desk.camera.send(*range(0, 1500, 500))
        first = desk.recorder.trigger("motion", desk.camera.now())
        await desk.camera.send(1500)
        assert desk.recorder.trigger("ring", desk.camera.now()) == first
        await desk.camera.send(*range(2000, 4000, 500))
        await until(lambda: desk.clips)
        assert desk.recorder.trigger("manual", desk.camera.now()) != first
    assert desk.clips[0].end - desk.clips[0].event_at >= timedelta(seconds=2.5)
    assert [clip.event for clip in desk.clips] == ["motion", "manual"]


async def test_the_open_clip_is_closed_at_the_end(desk: Desk) -> None:
    async with desk.running():
        await desk.camera.send(0, 500)
        clip_id = desk.recorder.trigger("ring", desk.camera.now())
        await desk.camera.send(1000)
    assert [clip.id for clip in desk.clips] == [clip_id]
    assert desk.clips[0].lines.read_bytes().endswith(b'{"end":"shutdown","fragments":3}\n')
    with pytest.raises(CameraError, match="camera_off"):
        desk.recorder.trigger("ring", desk.camera.now())


async def test_an_event_before_the_first_frame(desk: Desk) -> None:
    async with desk.running():
        clip_id = desk.recorder.trigger("ring", desk.camera.now())
        await desk.camera.send(*range(0, 2500, 500))
        await until(lambda: desk.clips)
    assert desk.clips[0].id == clip_id


async def test_an_event_without_frames(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event, "_GRACE", 0.0)
    async with desk.running():
        await desk.camera.send(0)
        await desk.camera.fail("camera_lost")
        desk.camera.seconds += 60
        desk.recorder.trigger("ring", desk.camera.now())
        desk.camera.seconds += 60
        await until(lambda: not desk.recorder._keeper._clips)
    assert desk.clips == []
    assert list(desk.library.folder.glob("door/*/*.partial")) == []


async def test_a_lost_stream_is_a_gap_in_the_clip(desk: Desk) -> None:
    async with desk.running():
        await desk.camera.send(0, 500)
        desk.recorder.trigger("ring", desk.camera.now())
        await desk.camera.fail("camera_lost")
        desk.camera.seconds += 0.75
        await desk.camera.send(9000, 9500, 10000)
        await until(lambda: desk.clips)
    assert b'"reason":"restart"' in desk.clips[0].lines.read_bytes()
    assert desk.clips[0].seconds in {3.25, 3.75}


@pytest.mark.parametrize(
    ("start", "restart"), [(12500, False), (12501, True), (1500, False), (1499, True)]
)
async def test_media_time_that_jumps_begins_another_stream(
    desk: Desk, start: int, restart: bool
) -> None:
    async with desk.running():
        await desk.camera.send(1500, 2000)
        before = desk.recorder._stream
        await desk.camera.send(start)
        assert (desk.recorder._stream is not before) == restart


async def test_a_clip_goes_on_over_a_jump(desk: Desk) -> None:
    async with desk.running():
        await desk.camera.send(0, 500)
        desk.recorder.trigger("ring", desk.camera.now())
        await desk.camera.send(*range(500_000, 502_500, 500))
        await until(lambda: desk.clips)
    assert 3 <= desk.clips[0].seconds <= 3.5


async def test_timestamps_that_stand_still(desk: Desk) -> None:
    async with desk.running():
        await desk.camera.send(0)
        desk.camera.seconds += 14.9
        await desk.camera.send(500, duration=1)
        assert desk.recorder.status.reason is None
        desk.camera.seconds += 0.2
        await desk.camera.send(501, duration=1)
        await until(lambda: len(desk.camera.asked) == 2)
    assert ("failed", "camera_stalled") in desk.told


async def test_sound_before_the_first_frame_is_dropped(camera: Camera, tmp_path: Path) -> None:
    desk = Desk(camera, tmp_path, RecorderSettings(audio=True))
    async with desk.running():
        await camera.send(0, init=INIT_AV, track=2)
        assert desk.recorder._ring.size == 0
        await camera.send(0, init=INIT_AV)
        await camera.send(0, init=INIT_AV, track=2)
        assert len(desk.recorder._ring.since(EPOCH)) == 2


async def test_sound_alone_is_a_stall(desk: Desk, camera: Camera) -> None:
    async with desk.running():
        await camera.send(0)
        camera.seconds += SETTINGS.stall
        await camera.send(0, init=INIT_AV, track=2)
        assert desk.recorder.status.reason is None
        camera.seconds += 0.1
        await camera.send(500, init=INIT_AV, track=2)
        await until(lambda: len(camera.asked) == 2)
    assert ("failed", "camera_stalled") in desk.told


async def test_a_codec_that_does_not_fit_is_asked_for_differently(
    camera: Camera, tmp_path: Path
) -> None:
    desk = Desk(camera, tmp_path, RecorderSettings(audio=True, retry=0.001, longest_retry=0.001))
    async with desk.running():
        await camera.fail("camera_codec")
        await camera.fail("camera_codec")
        assert desk.told == [("filling", None)]
        await camera.fail("camera_codec")
        assert desk.told[1] == ("failed", "camera_no_video")
    assert [form for _, form in camera.asked] == [
        Form(audio=True),
        Form("mov", audio=True),
        Form(),
        Form(),
    ]


async def test_a_stream_of_key_frames_is_asked_for_in_larger_portions(desk: Desk) -> None:
    async with desk.running():
        await desk.camera.send(*range(0, 900, 100), duration=100, samples=1)
        await desk.camera.send(900, duration=100, samples=2)
        await desk.camera.send(*range(1000, 1900, 100), duration=100, samples=1)
        await desk.camera.send(1900, duration=400, samples=1)
        await desk.camera.send(2300, duration=100, samples=1, key=False)
        assert len(desk.camera.asked) == 1
        await desk.camera.send(*range(2400, 3400, 100), duration=100, samples=1)
        await until(lambda: len(desk.camera.asked) == 2)
        await desk.camera.send(*range(0, 1500, 100), duration=100, samples=1)
    assert [form.sparse for _, form in desk.camera.asked] == [False, True]
    assert "failed" not in [state for state, _ in desk.told]


async def test_the_picture_of_the_instant(desk: Desk) -> None:
    async with desk.running():
        await desk.camera.send(0, 500, 1000)
        at = desk.camera.now() + timedelta(seconds=0.75)
        clip_id = desk.recorder.trigger("ring", at)
        await desk.camera.send(1500)
        await asyncio.sleep(0.01)
        assert desk.pictures == []
        await desk.camera.send(2000)
        await until(lambda: desk.pictures)
        assert desk.pictures == [(clip_id, "ring", b"jpeg of 1")]
    assert desk.clips[0].picture.read_bytes() == b"jpeg of 1"


async def test_a_picture_though_the_frames_never_come(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_COVERED", 0.01)
    async with desk.running():
        await desk.camera.send(0)
        desk.recorder.trigger("ring", desk.camera.now() + timedelta(seconds=9))
        await until(lambda: desk.pictures)


@pytest.mark.parametrize(
    ("kinds", "kept"),
    [
        (("ring", "motion"), b"1 of 1"),
        (("motion", "ring"), b"2 of 1"),
        (("motion", "manual"), b"1 of 1"),
        (("ring", "ring"), b"1 of 1"),
    ],
)
async def test_the_ring_has_the_kept_picture(
    desk: Desk, stills: list[object], kinds: tuple[EventKind, EventKind], kept: bytes
) -> None:
    stills += [b"1", b"2"]
    async with desk.running():
        await desk.camera.send(0, 500)
        for n, kind in enumerate(kinds):
            desk.recorder.trigger(kind, desk.camera.now() - timedelta(seconds=0.1))
            await until(lambda: len(desk.pictures) > n)  # noqa: B023 - awaited at once
    assert [(kind, jpeg) for _, kind, jpeg in desk.pictures] == [
        (kinds[0], b"1 of 1"),
        (kinds[1], b"2 of 1"),
    ]
    assert desk.clips[0].picture.read_bytes() == kept


async def test_no_picture_is_told(desk: Desk, stills: list[object]) -> None:
    stills += [CameraError("camera_no_picture"), b"2"]
    async with desk.running():
        await desk.camera.send(0, 500)
        at = desk.camera.now() - timedelta(seconds=0.1)
        desk.recorder.trigger("ring", at)
        await until(lambda: desk.recorder.status.reason == "camera_no_picture")
        assert desk.pictures == []
        desk.recorder.trigger("ring", at)
        await until(lambda: desk.recorder.status.reason is None)


async def test_a_picture_that_does_not_fit(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeper, "write_atomically", fail)
    async with desk.running():
        await desk.camera.send(0, 500)
        desk.recorder.trigger("ring", desk.camera.now() - timedelta(seconds=0.1))
        await until(lambda: desk.recorder.status.reason == "disk_full")


async def test_after_a_full_disk_recording_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageError("disk_full")

    async with desk.running():
        await desk.camera.send(0, 500)
        with monkeypatch.context() as full:
            full.setattr(event, "ClipWriter", fail)
            desk.recorder.trigger("ring", desk.camera.now())
            await desk.camera.send(*range(1000, 4000, 500))
            await until(lambda: desk.recorder.status.reason == "disk_full")
        assert desk.recorder.status.state == "ready"
        assert desk.clips == []
        desk.recorder.trigger("ring", desk.camera.now())
        await desk.camera.send(*range(4000, 7000, 500))
        await until(lambda: desk.clips)
        assert desk.recorder.status.reason is None


async def test_an_index_that_fails(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_clip: Clip) -> None:
        raise StorageError("database_failed")

    monkeypatch.setattr(desk.library, "add", fail)
    async with desk.running():
        await desk.camera.send(0, 500)
        desk.recorder.trigger("ring", desk.camera.now())
        await desk.camera.send(*range(1000, 4000, 500))
        await until(lambda: desk.recorder.status.reason == "database_failed")
    assert len(desk.clips) == 1


SLOW = RecorderSettings(pre_roll=1, post_roll=2, retry=60)


@pytest.mark.parametrize("how", ["nudge", "trigger"])
async def test_a_camera_that_is_back_is_tried_at_once(
    camera: Camera, tmp_path: Path, how: str
) -> None:
    desk = Desk(camera, tmp_path, SLOW)
    async with desk.running():
        desk.recorder.nudge()
        await camera.put(CameraError("camera_unreachable"))
        await asyncio.sleep(0.01)
        assert len(camera.asked) == 1
        if how == "nudge":
            desk.recorder.nudge()
        else:
            desk.recorder.trigger("ring", camera.now())
        await until(lambda: len(camera.asked) == 2)


async def test_an_event_makes_no_camera_refuse_the_password_once_more(
    camera: Camera, tmp_path: Path
) -> None:
    desk = Desk(camera, tmp_path, SLOW)
    async with desk.running():
        await camera.put(CameraError("camera_unauthorized"))
        desk.recorder.trigger("ring", camera.now())
        await asyncio.sleep(0.01)
        assert len(camera.asked) == 1
        desk.recorder.nudge()
        await until(lambda: len(camera.asked) == 2)


@pytest.mark.parametrize(
    ("reason", "known", "pauses"),
    [
        ("camera_unreachable", False, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]),
        ("camera_unreachable", True, [1, 2, 4, 8, 10, 10, 10, 10, 10, 10]),
        ("camera_unauthorized", True, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]),
    ],
)
async def test_how_long_a_camera_is_left_alone(
    camera: Camera,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reason: str,
    *,
    known: bool,
    pauses: list[int],
) -> None:
    paused: list[float] = []

    async def pause(_recorder: Recorder, seconds: float) -> bool:
        paused.append(seconds)
        return False

    monkeypatch.setattr(Recorder, "_pause", pause)
    desk = Desk(camera, tmp_path, RecorderSettings())
    async with desk.running():
        if known:
            await camera.send(0)
        for _ in pauses:
            await camera.put(CameraError(reason))
        await until(lambda: len(paused) == len(pauses))
    assert paused == pauses


async def test_motion_that_goes_on_extends_the_open_clip(desk: Desk) -> None:
    async with desk.running():
        desk.recorder.extend(desk.camera.now())
        await desk.camera.send(0, 500)
        assert desk.recorder._keeper.open is None
        at = desk.camera.now()
        desk.recorder.trigger("motion", at)
        await desk.camera.send(1000, 1500, 2000)
        opened = desk.recorder._keeper.open
        assert opened is not None
        assert opened.left == pytest.approx(0.5)
        desk.recorder.extend(desk.camera.now())
        assert opened.left == pytest.approx(2)
        await desk.camera.send(*range(2500, 6000, 500))
        await until(lambda: desk.clips)
        desk.recorder.extend(desk.camera.now())
        assert desk.recorder._keeper.open is None
    assert desk.clips[0].end >= at + timedelta(seconds=3.5)


async def test_what_the_camera_shows_now(desk: Desk, stills: list[object]) -> None:
    stills += [b"newest", CameraError("camera_no_picture")]
    with pytest.raises(CameraError, match="camera_off"):
        await desk.recorder.picture()
    async with desk.running():
        with pytest.raises(CameraError, match="camera_no_picture"):
            await desk.recorder.picture()
        await desk.camera.send(0)
        await desk.camera.send(500, 1000, key=False)
        assert await desk.recorder.picture() == b"newest of 3"
        with pytest.raises(CameraError, match="camera_no_picture"):
            await desk.recorder.picture()
        assert desk.recorder.status.reason is None
        await desk.camera.fail("camera_lost")
        with pytest.raises(CameraError, match="camera_lost"):
            await desk.recorder.picture()


async def test_what_nobody_foresaw_ends_one_clip_only(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    async with desk.running():
        await desk.camera.send(0, 500)
        with monkeypatch.context() as broken:
            broken.setattr(event, "ClipWriter", fail)
            first = desk.recorder.trigger("ring", desk.camera.now() - timedelta(seconds=0.1))
            await until(lambda: caplog.text.count("ZeroDivisionError") >= 1)
            await until(lambda: not desk.recorder._keeper._clips)
        assert desk.recorder.trigger("ring", desk.camera.now()) != first
        await desk.camera.send(*range(1000, 4000, 500))
        await until(lambda: desk.clips)
    assert caplog.text.count("A clip or picture of doorbell door failed") == 1


async def test_a_picture_nobody_can_take_ends_alone(
    desk: Desk, stills: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    stills += [ZeroDivisionError()]
    async with desk.running():
        await desk.camera.send(0, 500)
        desk.recorder.trigger("ring", desk.camera.now() - timedelta(seconds=0.1))
        await until(lambda: "ZeroDivisionError" in caplog.text)
        await desk.camera.send(*range(1000, 4000, 500))
        await until(lambda: desk.clips)


async def test_pictures_one_after_another_are_asked_for_by_arrival(desk: Desk) -> None:
    jpegs = parsed(init_segment(TrackSpec(entry=video_entry(b"mp4v", esds(0x6C)))))[0]
    desk.camera.init = jpegs
    async with desk.running():
        await desk.camera.put(a_fragment(0, init=jpegs))
        await until(lambda: len(desk.camera.asked) == 2)
        await desk.camera.put(a_fragment(0, init=jpegs))
    forms = [form for _, form in desk.camera.asked]
    assert forms == [Form(), Form(sparse=True, untimed=True)]
    assert "failed" not in [state for state, _ in desk.told]


async def test_a_picture_on_its_way_does_not_hold_up_the_end(desk: Desk) -> None:
    async with desk.running() as task:
        await desk.camera.send(0)
        desk.recorder.trigger("ring", desk.camera.now() + timedelta(hours=1))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert not desk.recorder._keeper._pictures
    assert desk.pictures == []


async def test_two_events_at_once_do_not_spoil_each_others_picture(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = Event()

    def slowly(path: Path, data: bytes) -> None:
        assert not begun.is_set()
        begun.set()
        time.sleep(0.02)
        write_atomically(path, data)
        begun.clear()

    monkeypatch.setattr(keeper, "write_atomically", slowly)
    async with desk.running():
        await desk.camera.send(0, 500)
        at = desk.camera.now() - timedelta(seconds=0.1)
        desk.recorder.trigger("motion", at)
        desk.recorder.trigger("ring", at)
        await until(lambda: len(desk.pictures) == 2)
    assert desk.recorder.status.reason is None
    assert [kind for _, kind, _ in desk.pictures] == ["motion", "ring"]


LONG = RecorderSettings(pre_roll=1, post_roll=2, longest=4, audio=True)


async def test_an_event_that_outlasts_its_clip_misses_no_frame(
    camera: Camera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second clip begins with the group of pictures in which the first ends."""
    monkeypatch.setattr(module, "_COVERED", 0.01)
    desk = Desk(camera, tmp_path, LONG)

    async def both(start: int) -> None:
        await camera.send(start, init=INIT_AV, key=start % 1500 == 0)
        # sound comes after the pictures it belongs to, and begins a little earlier
        await camera.send(max(start - 20, 0), init=INIT_AV, track=2)

    async with desk.running():
        await both(0)
        first = desk.recorder.trigger("motion", camera.now())
        await until(lambda: desk.pictures)
        for start in range(500, 9000, 500):
            await both(start)
            if start < 7000:
                desk.recorder.extend(camera.now())
        await until(lambda: len(desk.clips) == 3)
        assert desk.recorder.clip is None
    assert {clip.event_at for clip in desk.clips} == {desk.clips[0].event_at}
    desk.clips.sort(key=lambda clip: clip.start)
    assert desk.clips[0].id == first
    said = [clip.lines.read_bytes().splitlines()[-1][:16] for clip in desk.clips]
    assert said == [b'{"end":"longest"', b'{"end":"longest"', b'{"end":"post-rol']
    for one, two in itertools.pairwise(desk.clips):
        assert one.seconds <= LONG.longest
        assert timedelta(0) <= one.end - two.start <= timedelta(seconds=1.5)
    for track, count in ((1, 18), (2, 17)):
        times = {
            line["utc"]
            for clip in desk.clips
            for line in map(json.loads, clip.lines.read_bytes().splitlines())
            if line.get("track") == track
        }
        assert len(times) >= count
    # nobody hears of the pictures by which the others are found
    assert [clip.picture.exists() for clip in desk.clips] == [True] * 3
    assert [clip_id for clip_id, _, _ in desk.pictures] == [first]


async def test_a_camera_that_comes_back_different_goes_on_in_another_clip(desk: Desk) -> None:
    async with desk.running():
        await desk.camera.send(0, 500)
        desk.recorder.trigger("ring", desk.camera.now())
        await desk.camera.send(1000)
        await desk.camera.fail("camera_lost")
        desk.camera.init = INIT_AV
        await desk.camera.send(0, 500, 1000, init=INIT_AV)
        await until(lambda: len(desk.clips) == 2)
    clips = sorted(desk.clips, key=lambda clip: clip.start)
    ends = [clip.lines.read_bytes().splitlines()[-1] for clip in clips]
    assert ends == [b'{"end":"stream-lost","fragments":3}', b'{"end":"post-roll","fragments":3}']
    assert [clip.event for clip in clips] == ["ring", "ring"]


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clip_ends_where_the_hosts_clock_is_set(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """The event goes on for as long as it would; each clip is right by the clock of its time."""
    monkeypatch.setattr(module, "_COVERED", 0.01)
    camera, steps = desk.camera, [timedelta(0)]
    set_clock(desk, steps)
    async with desk.running():
        await camera.send(0, 500)
        at = camera.now()
        desk.recorder.trigger("ring", at)
        await until(lambda: desk.pictures)
        await camera.send(1000)
        steps.append(timedelta(hours=hours))
        await camera.send(1500, 2000)
        await until(lambda: desk.clips)
        assert desk.recorder.clip is not None
        await camera.send(2500)
        await until(lambda: len(desk.clips) == 2)
    one, two = desk.clips
    assert one.lines.read_bytes().endswith(b'{"end":"clock-jump","fragments":3}\n')
    assert two.lines.read_bytes().endswith(b'{"end":"post-roll","fragments":4}\n')
    assert (one.start, one.end) == (at - timedelta(seconds=1), at + timedelta(seconds=0.5))
    # with the group before, so that no frame is missing
    assert two.start == at + steps[1]
    assert two.end == at + steps[1] + timedelta(seconds=2)
    for clip in desk.clips:
        assert b'"gap"' not in clip.lines.read_bytes()


def set_clock(desk: Desk, steps: list[timedelta]) -> None:
    """Let the host's clock be off by the last of `steps`."""

    def now() -> datetime:
        return desk.camera.now() + steps[-1]

    desk.recorder.now = desk.recorder._keeper.now = now


@pytest.mark.parametrize("hours", [-1, 1])
async def test_an_event_just_after_the_clock_was_set(desk: Desk, hours: int) -> None:
    camera, steps = desk.camera, [timedelta(0)]
    set_clock(desk, steps)
    async with desk.running():
        await camera.send(0, 500, 1000)
        steps.append(timedelta(hours=hours))
        at = camera.now() + steps[-1]
        desk.recorder.trigger("ring", at)
        await camera.send(*range(1500, 3500, 500))
        await until(lambda: desk.clips)
    (clip,) = desk.clips
    assert (clip.event_at, clip.start) == (at, at - timedelta(seconds=1))
    assert clip.end == at + timedelta(seconds=2)


@pytest.mark.parametrize("step", [-3600, 0.2, 3600])
async def test_a_picture_while_the_clock_is_set(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    """Frames are found by when they came, not by what the clock said then."""
    asked: list[tuple[float, int]] = []

    async def still(_ffmpeg: str, items: list[Received], at: datetime) -> bytes:
        asked.append(((at - items[0].start).total_seconds(), items[0].fragment.start))
        return b"jpeg"

    monkeypatch.setattr(module, "still", still)
    monkeypatch.setattr(module, "_COVERED", 0.01)
    camera, steps = desk.camera, [timedelta(0)]
    set_clock(desk, steps)
    async with desk.running():
        await camera.send(0, 500, 1000)
        desk.recorder.trigger("ring", camera.now() + timedelta(seconds=0.25))
        await asyncio.sleep(0)
        steps.append(timedelta(seconds=step))
        await camera.send(1500, 2000)
        await until(lambda: desk.pictures)
    # another clip follows, with a picture of its own
    distance, start = asked[-1]
    assert start == 1500
    assert distance == pytest.approx(0.25 if abs(step) > 1 else 0.05)


async def test_a_recording_lasts_as_long_as_was_asked_for(desk: Desk) -> None:
    async with desk.running():
        await desk.camera.send(0, 500)
        at = desk.camera.now()
        clip_id = desk.recorder.trigger("manual", at, until=at + timedelta(seconds=1))
        assert desk.recorder.clip == clip_id
        longer = at + timedelta(seconds=3)
        assert desk.recorder.trigger("manual", at, until=longer) == clip_id
        await desk.camera.send(*range(1000, 4000, 500))
        await until(lambda: desk.clips)
        at = desk.camera.now()
        desk.recorder.trigger("manual", at, until=at + timedelta(seconds=1))
        await desk.camera.send(4000, 4500)
        await until(lambda: len(desk.clips) == 2)
    assert desk.clips[0].end == longer
    assert desk.clips[1].end == at + timedelta(seconds=1)


async def test_a_library_that_refuses(desk: Desk) -> None:
    """No clip; the picture is told all the same, and the buffer goes on."""
    async with desk.running():
        await desk.camera.send(0, 500)
        desk.library.refuses = "library_full"
        desk.recorder.refresh()
        assert desk.recorder.status == RecorderStatus("failed", 1, "library_full")
        with pytest.raises(CameraError, match="library_full"):
            desk.recorder.trigger("ring", desk.camera.now() - timedelta(seconds=0.1))
        await until(lambda: desk.pictures)
        assert desk.recorder.clip is None
        await desk.camera.send(1000)
        desk.library.refuses = None
        desk.recorder.refresh()
        assert desk.recorder.status == RecorderStatus("ready", 1, None)
    assert desk.pictures == [(None, "ring", b"jpeg of 1")]
    assert list(desk.library.folder.glob("**/*.jpg")) == []
    assert desk.told == [
        ("filling", None),
        ("ready", None),
        ("failed", "library_full"),
        ("ready", None),
        ("off", None),
    ]


async def test_as_ready_as_its_memory_lets_it_be(camera: Camera, tmp_path: Path) -> None:
    desk = Desk(camera, tmp_path, RecorderSettings(pre_roll=10, max_bytes=4000))
    async with desk.running():
        await camera.send(*range(0, 4000, 500))
        assert desk.told == [("filling", None), ("ready", None)]
        assert 0 < desk.recorder.status.seconds < 10


async def test_segments_may_come_seldom(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A playlist's segments come at once; between them is no stall, nor the end of a clip."""
    limits: list[float] = []
    receive = desk.camera.receive

    def spied(
        ffmpeg: str, source: str, form: Form, *, connect: float, stall: float
    ) -> AsyncGenerator[tuple[InitSegment, Fragment]]:
        limits.append(stall)
        return receive(ffmpeg, source, form, connect=connect, stall=SETTINGS.stall)

    async def source() -> str:
        return "https://door/live/index.m3u8?token=1"

    monkeypatch.setattr(module, "receive", spied)
    desk.recorder.source = source
    async with desk.running():
        await desk.camera.send(0, init=INIT)
        desk.camera.seconds += 29
        await desk.camera.send(0, init=INIT_AV, track=2)
        await desk.camera.send(500)
        assert desk.recorder.status.reason is None
        stream = desk.recorder._stream
        assert stream is not None
        assert stream.pause == 30
        desk.camera.seconds += 2
        await desk.camera.send(1000)
        await until(lambda: len(limits) == 2)
    assert limits == [30, 30]
    assert ("failed", "camera_stalled") in desk.told
