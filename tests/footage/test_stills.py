"""Stills around events: when they are taken, what is kept of them, what happens when none comes."""

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib
from datetime import datetime, timedelta
import json
from pathlib import Path
import subprocess

import av
import pytest

from custom_components.doorstep.disclosure import cut
from custom_components.doorstep.disclosure.cut import Window
from custom_components.doorstep.errors import CameraError, StorageError
from custom_components.doorstep.footage import event, stills as module
from custom_components.doorstep.footage.clip import Clip, recover
from custom_components.doorstep.footage.event import RecorderSettings
from custom_components.doorstep.footage.files import ClipFiles, new_clip_id
from custom_components.doorstep.footage.library import Library
from custom_components.doorstep.footage.pictures import frame, frames, is_pictures, moments
from custom_components.doorstep.footage.recorder import RecorderStatus
from custom_components.doorstep.footage.stills import StillsRecorder
from custom_components.doorstep.footage.writer import ClipWriter
from tests.simulators.waiting import until

from .synthetic import EPOCH, received, stream

type Jpegs = Callable[..., list[bytes]]
type Answer = bytes | Exception | Callable[[], bytes]

SETTINGS = RecorderSettings(post_roll=5, longest=20)
SECOND = timedelta(seconds=1)


class Camera:
    """Gives what it is told, and takes half a second for each still."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.taken: list[float] = []
        self.answers: list[Answer] = []
        self.slow = 0.5

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def take(self) -> bytes:
        self.taken.append(self.seconds - 1000)
        self.seconds += self.slow
        answer = self.answers.pop(0) if self.answers else CameraError("camera_unavailable")
        await asyncio.sleep(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else answer()


class Desk:
    """A recorder of stills whose pauses pass at once, and what it tells."""

    def __init__(self, camera: Camera, folder: Path, settings: RecorderSettings = SETTINGS) -> None:
        self.camera = camera
        self.statuses: list[RecorderStatus] = []
        self.pictures: list[tuple[str | None, str, datetime, bytes]] = []
        self.clips: list[Clip] = []
        self.library = Library(folder, lambda _: None, camera.now)
        self.recorder = StillsRecorder(
            "door",
            take=camera.take,
            settings=settings,
            library=self.library,
            on_status=self.statuses.append,
            on_picture=lambda *picture: self.pictures.append(picture),
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

    async def rest(self, seconds: float) -> None:
        self.camera.seconds += max(seconds, 0)
        await asyncio.sleep(0)


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Camera:
    made = Camera()
    monkeypatch.setattr(module, "monotonic", made.monotonic)
    monkeypatch.setattr(event, "monotonic", made.monotonic)
    return made


@pytest.fixture
def desk(camera: Camera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(camera, tmp_path)
    monkeypatch.setattr(made.recorder, "_rest", made.rest)
    return made


def lines(clip: Clip) -> list[dict[str, object]]:
    return [json.loads(line) for line in clip.lines.read_bytes().splitlines()]


async def film(desk: Desk, answers: list[bytes]) -> Clip:
    """Let an event happen, and give its clip."""
    desk.camera.answers = list(answers)
    count, told = len(desk.clips), len(desk.pictures)
    desk.recorder.trigger("ring", desk.camera.now())
    await until(lambda: len(desk.clips) > count and len(desk.pictures) > told)
    return desk.clips[-1]


async def plays(ffmpeg: str, path: Path) -> None:
    """Decode everything, with every warning an error."""
    command = [ffmpeg, "-v", "warning", "-xerror", "-i", str(path), "-f", "null", "-"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True)
    assert done.stderr == b""


async def test_nothing_before_an_event(desk: Desk) -> None:
    assert desk.recorder.status == RecorderStatus("off", 0, None)
    with pytest.raises(CameraError, match="camera_off"):
        desk.recorder.trigger("ring", desk.camera.now())
    with pytest.raises(CameraError, match="camera_off"):
        await desk.recorder.picture()
    async with desk.running():
        desk.recorder.extend(desk.camera.now())
        desk.recorder.nudge()
        await asyncio.sleep(0.01)
        assert desk.recorder.status == RecorderStatus("ready", 0, None)
        with pytest.raises(CameraError, match="camera_no_picture"):
            await desk.recorder.picture()
    assert desk.camera.taken == []
    assert desk.told == [("ready", None), ("off", None)]


async def test_stills_of_an_event(desk: Desk, jpegs: Jpegs) -> None:
    async with desk.running():
        at = desk.camera.now()
        clip = await film(desk, jpegs())
        assert desk.library.get(clip.id) == clip
    assert desk.camera.taken == [0, 2, 4]
    assert (clip.event, clip.event_at, clip.doorbell) == ("ring", at, "door")
    assert (clip.start, clip.end, clip.seconds) == (at + SECOND / 2, at + 5 * SECOND, 4.5)
    assert list(frames(clip)) == jpegs()[:3]
    assert moments(clip) == [at + n * SECOND for n in (0.5, 2.5, 4.5)]
    assert is_pictures(clip)
    assert desk.pictures == [(clip.id, "ring", at, jpegs()[0])]
    assert clip.picture.read_bytes() == jpegs()[0]
    first, *others, last = lines(clip)
    assert first["tracks"] == [{"codec": "mp4v.6c", "id": 1, "kind": "video", "timescale": 1000}]
    assert [(one["start"], one["duration"], one["key"]) for one in others] == [
        (0, 2000, True),
        (2000, 2000, True),
        (4000, 500, True),
    ]
    assert last == {"end": "post-roll", "fragments": 3}
    assert desk.told == [("ready", None), ("off", None)]
    assert list(desk.library.folder.glob("**/*.partial")) == []


async def test_a_film_that_plays(ffmpeg: str, desk: Desk, jpegs: Jpegs) -> None:
    async with desk.running():
        clip = await film(desk, jpegs())
    await plays(ffmpeg, clip.video)
    with av.open(str(clip.video)) as opened:
        assert opened.start_time == 0
        assert opened.duration == clip.seconds * 1e6
        assert [float(one.time or 0) for one in opened.decode(video=0)] == [0, 2, 4]


async def test_a_cut_of_stills(ffmpeg: str, desk: Desk, jpegs: Jpegs, tmp_path: Path) -> None:
    """What is given away of such a clip are whole stills, and an ordinary film around them."""
    async with desk.running():
        clip = await film(desk, jpegs())
    window = Window(clip.start + SECOND, clip.end)
    planned = cut.plan(clip, window, audio=False)
    path = tmp_path / "cut.mp4"
    with path.open("wb") as file:
        cut.write(planned, file)
    assert (planned.start, planned.seconds) == (clip.start + 2 * SECOND, 2.5)
    await plays(ffmpeg, path)
    with av.open(str(path)) as opened:
        assert opened.duration == 2.5e6
        packets = [bytes(packet) for packet in opened.demux(video=0) if packet.size]
    assert packets == jpegs()[1:3]


async def test_a_clip_cut_short_is_repaired(desk: Desk, jpegs: Jpegs) -> None:
    async with desk.running():
        clip = await film(desk, jpegs())
    whole = clip.lines.read_bytes().splitlines(keepends=True)
    clip.files.open_lines.write_bytes(b"".join(whole[:3]))
    clip.lines.unlink()
    clip.files.open_video.write_bytes(clip.video.read_bytes()[:-700])
    clip.video.unlink()
    again = recover(clip.files)
    assert again is not None
    assert list(frames(again)) == jpegs()[:2]


async def test_another_event_gets_a_still_of_its_own(desk: Desk, jpegs: Jpegs) -> None:
    rung = desk.camera.now()

    def ring() -> bytes:
        nonlocal rung
        rung = desk.camera.now()
        desk.recorder.trigger("ring", rung)
        return jpegs()[1]

    async with desk.running():
        desk.camera.answers = [jpegs()[0], ring, *jpegs()[2:]]
        clip_id = desk.recorder.trigger("motion", rung)
        await until(lambda: desk.clips and len(desk.pictures) == 2)
    (clip,) = desk.clips
    assert [(kind, jpeg) for _, kind, _, jpeg in desk.pictures] == [
        ("motion", jpegs()[0]),
        ("ring", jpegs()[2]),
    ]
    assert (clip.id, clip.event) == (clip_id, "motion")
    assert clip.picture.read_bytes() == jpegs()[2]
    assert rung == EPOCH + 1002.5 * SECOND
    assert clip.end == rung + 5 * SECOND
    assert list(frames(clip)) == jpegs()[: len(moments(clip))]


async def test_motion_that_goes_on_goes_on_in_another_clip(desk: Desk, jpegs: Jpegs) -> None:
    pictures = [*jpegs(), *(jpeg + b"\0" for jpeg in jpegs())]

    def go_on(jpeg: bytes) -> Callable[[], bytes]:
        def answer() -> bytes:
            desk.recorder.extend(desk.camera.now())
            return jpeg

        return answer

    async with desk.running():
        desk.camera.answers = [go_on(jpeg) for jpeg in pictures]
        desk.recorder.trigger("motion", desk.camera.now())
        await until(lambda: len(desk.clips) == 2)
        assert desk.recorder.clip is None
    one, two = sorted(desk.clips, key=lambda clip: clip.start)
    at = one.event_at
    assert (two.event, two.event_at, two.doorbell) == ("motion", at, "door")
    # no still is missing between the two, none is in both
    assert (one.start, one.end) == (at + SECOND / 2, at + 20.5 * SECOND)
    assert two.start == one.end
    assert lines(one)[-1] == {"end": "longest", "fragments": 10}
    assert lines(two)[-1]["end"] == "stream-lost"
    assert [*frames(one), *frames(two)] == pictures
    assert two.picture.read_bytes() in pictures[10:12]
    assert two.thumbnail.exists()
    assert len(desk.pictures) == 1


@pytest.mark.parametrize("how", ["trigger", "nudge"])
async def test_no_pause_where_something_happens(
    camera: Camera, tmp_path: Path, jpegs: Jpegs, how: str
) -> None:
    desk = Desk(camera, tmp_path)
    camera.slow = 0
    camera.answers = [*jpegs()]
    async with desk.running():
        desk.recorder.trigger("motion", camera.now())
        await until(lambda: len(camera.taken) == 1)
        await asyncio.sleep(0.02)
        assert len(camera.taken) == 1
        camera.seconds += 0.25
        if how == "trigger":
            desk.recorder.trigger("ring", camera.now())
        else:
            desk.recorder.nudge()
        await until(lambda: len(camera.taken) == 2)
        assert await desk.recorder.picture() == jpegs()[1]
        camera.seconds += 0.25
    (clip,) = desk.clips
    assert [(one["start"], one["duration"]) for one in lines(clip)[1:-1]] == [(0, 250), (250, 250)]
    assert lines(clip)[-1]["end"] == "shutdown"
    assert list(frames(clip)) == jpegs()[:2]


async def test_pauses_are_two_seconds(desk: Desk, camera: Camera, jpegs: Jpegs) -> None:
    """A still that takes longer is followed by the next at once."""
    camera.slow = 2.25
    async with desk.running():
        clip = await film(desk, jpegs())
    assert camera.taken == [0, 2.25, 4.5]
    starts = [(one["start"], one["duration"]) for one in lines(clip)[1:-1]]
    assert starts[:2] == [(0, 2000), (2250, 2000)]


async def test_a_camera_that_fails(desk: Desk, jpegs: Jpegs) -> None:
    async with desk.running():
        desk.camera.answers = [CameraError("camera_unavailable"), *jpegs()[:2]]
        clip_id = desk.recorder.trigger("ring", desk.camera.now())
        await until(lambda: desk.clips and desk.pictures)
    assert [jpeg for *_, jpeg in desk.pictures] == [jpegs()[0]]
    assert desk.clips[0].id == clip_id
    assert desk.told == [
        ("ready", None),
        ("failed", "camera_unavailable"),
        ("ready", None),
        ("off", None),
    ]


async def test_a_camera_that_is_away_is_tried_again_at_the_next_event(
    desk: Desk, jpegs: Jpegs
) -> None:
    async with desk.running():
        desk.recorder.trigger("ring", desk.camera.now())
        await until(lambda: len(desk.camera.taken) == 3)
        await until(lambda: not desk.recorder._keeper._clips)
        assert desk.recorder.status == RecorderStatus("failed", 0, "camera_unavailable")
        with pytest.raises(CameraError, match="camera_unavailable"):
            await desk.recorder.picture()
        assert (desk.clips, desk.pictures) == ([], [])
        assert list(desk.library.folder.glob("door/*/*")) == []
        clip = await film(desk, jpegs())
        assert desk.recorder.status == RecorderStatus("ready", 0, None)
    assert [jpeg for *_, jpeg in desk.pictures] == [jpegs()[0]]
    assert list(frames(clip)) == jpegs()[:3]


async def test_a_camera_lost_in_the_middle(desk: Desk, jpegs: Jpegs) -> None:
    async with desk.running():
        clip = await film(desk, jpegs()[:1])
        assert desk.recorder.status.reason == "camera_unavailable"
    assert lines(clip)[-1] == {"end": "stream-lost", "fragments": 1}
    assert clip.seconds == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"<html>", "camera_bad_picture"),
        (TimeoutError(), "camera_timeout"),
        (ValueError("http://bell:s3cret@door/snap.jpg"), "camera_no_picture"),
    ],
)
async def test_what_is_no_still(
    desk: Desk,
    jpegs: Jpegs,
    caplog: pytest.LogCaptureFixture,
    answer: bytes | Exception,
    reason: str,
) -> None:
    async with desk.running():
        desk.camera.answers = [answer, jpegs()[0]]
        desk.recorder.trigger("ring", desk.camera.now())
        await until(lambda: desk.clips)
    assert desk.told[1] == ("failed", reason)
    assert list(frames(desk.clips[0])) == jpegs()[:1]
    assert "s3cret" not in caplog.text


async def test_a_camera_that_hangs(camera: Camera, tmp_path: Path) -> None:
    async def take() -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    desk = Desk(camera, tmp_path, RecorderSettings(connect=0.01))
    desk.recorder.take = take
    async with desk.running():
        desk.recorder.trigger("ring", camera.now())
        await until(lambda: desk.recorder.status.reason == "camera_timeout")


async def test_an_earlier_picture_is_none_of_this_event(desk: Desk, jpegs: Jpegs) -> None:
    async with desk.running():
        await film(desk, jpegs()[:3])
        desk.camera.seconds += 3600
        clip = await film(desk, jpegs()[2:5])
    assert list(frames(clip)) == jpegs()[3:5]
    assert [jpeg for *_, jpeg in desk.pictures] == [jpegs()[0], jpegs()[3]]
    assert ("failed", "camera_old_picture") in desk.told


async def test_the_same_picture_again_is_kept_once(desk: Desk, jpegs: Jpegs) -> None:
    one, two = jpegs()[:2]
    async with desk.running():
        clip = await film(desk, [one, one, two])
    assert list(frames(clip)) == [one, two]
    reasons = [(line["reason"], line["from"], line["to"]) for line in lines(clip) if "gap" in line]
    assert reasons == [("missing", "2026-11-23T20:16:42.500Z", "2026-11-23T20:16:44.500Z")]
    assert [state for state, _ in desk.told] == ["ready", "off"]


async def test_stills_of_another_size_are_a_clip_of_their_own(desk: Desk, jpegs: Jpegs) -> None:
    small, large = jpegs("64x48"), jpegs()
    async with desk.running():
        at = desk.camera.now()
        desk.camera.answers = [small[0], large[1], large[2]]
        first = desk.recorder.trigger("ring", at)
        await until(lambda: len(desk.clips) == 2 and desk.pictures)
    one, two = sorted(desk.clips, key=lambda clip: clip.start)
    assert one.id == first
    assert (one.event_at, two.event_at) == (at, at)
    assert (one.end, two.start, two.end) == (at + 2.5 * SECOND, at + 2.5 * SECOND, at + 5 * SECOND)
    assert [*frames(one), *frames(two)] == [small[0], large[1], large[2]]
    assert lines(one)[-1]["end"] == "stream-lost"
    assert lines(two)[-1]["end"] == "post-roll"
    assert one.picture.read_bytes() == small[0]


async def end_clip(desk: Desk) -> None:
    """Let the open clip end as it does when nothing comes for long."""
    desk.recorder._settle()
    clip = desk.recorder._keeper.open
    assert clip is not None
    clip.stop("stream-lost")
    await until(lambda: desk.clips)


async def test_a_still_that_comes_after_the_clip_is_closed(desk: Desk, jpegs: Jpegs) -> None:
    """The next event then has a clip of its own, without what belongs to the one before."""
    pictures = [jpegs()[0], jpegs("64x48")[0], *jpegs()[1:]]
    triggered = []

    async def take() -> bytes:
        await asyncio.sleep(0)
        desk.camera.seconds += 0.5
        if pictures[0] == jpegs("64x48")[0]:
            await end_clip(desk)
            triggered.append(desk.recorder.trigger("ring", desk.camera.now()))
        return pictures.pop(0)

    desk.recorder.take = take
    async with desk.running():
        triggered.append(desk.recorder.trigger("ring", desk.camera.now()))
        await until(lambda: len(desk.clips) == 3 and len(desk.pictures) == 2)
    found = {clip.id: list(frames(clip)) for clip in desk.clips}
    assert [found.pop(one) for one in triggered] == [[jpegs()[0]], [jpegs("64x48")[0]]]
    assert list(found.values()) == [jpegs()[1:3]]
    assert [jpeg for *_, jpeg in desk.pictures] == jpegs()[:2]


async def test_a_late_still_of_another_size_opens_nothing(desk: Desk, jpegs: Jpegs) -> None:
    pictures = [jpegs()[0], jpegs("64x48")[0]]

    async def take() -> bytes:
        if len(pictures) == 1:
            await end_clip(desk)
        return pictures.pop(0)

    desk.recorder.take = take
    async with desk.running():
        desk.recorder.trigger("ring", desk.camera.now())
        await until(lambda: not pictures and not desk.recorder._keeper._clips)
        assert [list(frames(clip)) for clip in desk.clips] == [jpegs()[:1]]
        assert list(desk.library.folder.glob("**/*.partial")) == []


async def test_how_long_a_still_stands_is_known_before_the_next(
    camera: Camera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jpegs: Jpegs
) -> None:
    """A camera that hangs then doesn't keep what it gave from the disk."""
    monkeypatch.setattr(module, "_EVERY", 0.02)
    desk = Desk(camera, tmp_path)
    pictures = [jpegs()[0]]

    async def take() -> bytes:
        if not pictures:
            await asyncio.Event().wait()
        return pictures.pop()

    desk.recorder.take = take
    async with desk.running():
        desk.recorder.trigger("ring", camera.now())
        await until(lambda: list(tmp_path.glob("door/*/*.mp4.partial")))
        await until(lambda: not pictures)
    assert list(frames(desk.clips[0])) == jpegs()[:1]
    assert lines(desk.clips[0])[-1]["end"] == "shutdown"


@pytest.fixture
async def clip(desk: Desk, jpegs: Jpegs) -> Clip:
    async with desk.running():
        return await film(desk, jpegs())


async def test_one_picture_of_a_clip(clip: Clip, jpegs: Jpegs) -> None:
    assert [frame(clip, number) for number in range(3)] == jpegs()[:3]
    with pytest.raises(IndexError):
        frame(clip, 3)


def unreadable(clip: Clip) -> None:
    for look in (lambda: list(frames(clip)), lambda: frame(clip, 0)):
        with pytest.raises(StorageError, match="clip_unreadable"):
            look()


async def test_pictures_are_what_was_sealed(clip: Clip) -> None:
    data = bytearray(clip.video.read_bytes())
    data[-1] ^= 1
    clip.video.write_bytes(data)
    with pytest.raises(StorageError, match="clip_unreadable"):
        list(frames(clip))
    assert frame(clip, 0)
    clip.video.write_bytes(bytes(len(data)))
    unreadable(clip)
    clip.video.unlink()
    unreadable(clip)
    clip.lines.write_bytes(b"{}\n")
    assert not is_pictures(clip)
    unreadable(clip)
    clip.lines.unlink()
    assert not is_pictures(clip)
    unreadable(clip)


def test_other_clips_have_no_pictures(tmp_path: Path) -> None:
    (item,) = received(stream(), [0])
    files = ClipFiles.place(tmp_path, "door", new_clip_id(EPOCH))
    writer = ClipWriter(files, "door", "ring", EPOCH, item)
    writer.write(item)
    clip = writer.close("post-roll")
    assert clip is not None
    assert not is_pictures(clip)
    unreadable(clip)


async def test_a_library_that_refuses(desk: Desk, jpegs: Jpegs) -> None:
    """One still of each event is told, none is kept."""
    desk.library.refuses = "library_full"
    async with desk.running():
        assert desk.recorder.status == RecorderStatus("failed", 0, "library_full")
        at, desk.camera.answers = desk.camera.now(), list(jpegs())
        with pytest.raises(CameraError, match="library_full"):
            desk.recorder.trigger("ring", at)
        await until(lambda: desk.pictures)
        desk.library.refuses = None
        desk.recorder.refresh()
    assert desk.pictures == [(None, "ring", at, jpegs()[0])]
    assert (desk.camera.taken, desk.clips) == ([0], [])
    assert list(desk.library.folder.glob("**/*.jpg")) == []
    assert desk.told == [("failed", "library_full"), ("ready", None), ("off", None)]


async def test_a_recording_lasts_as_long_as_was_asked_for(desk: Desk, jpegs: Jpegs) -> None:
    async with desk.running():
        at, desk.camera.answers = desk.camera.now(), list(jpegs())
        clip_id = desk.recorder.trigger("manual", at, until=at + 3 * SECOND)
        assert desk.recorder.clip == clip_id
        await until(lambda: desk.clips)
        assert desk.recorder.clip is None
    assert (desk.clips[0].event, desk.clips[0].end) == ("manual", at + 3 * SECOND)


async def test_the_hosts_clock_is_set_between_two_stills(desk: Desk, jpegs: Jpegs) -> None:
    """Each still has the time that held when it came; the event lasts as long as it would."""
    steps = [0 * SECOND]

    def now() -> datetime:
        return desk.camera.now() + steps[-1]

    def set_back() -> bytes:
        steps.append(-3600 * SECOND)
        return jpegs()[1]

    desk.recorder.now = desk.recorder._keeper.now = now
    async with desk.running():
        at, desk.camera.answers = now(), [jpegs()[0], set_back, jpegs()[2]]
        first = desk.recorder.trigger("ring", at)
        await until(lambda: len(desk.clips) == 2)
    one, two = sorted(desk.clips, key=lambda clip: clip.id != first)
    assert (one.start, one.end) == (at + 0.5 * SECOND, at + 2.5 * SECOND)
    assert (two.start, two.end) == (at + (2.5 - 3600) * SECOND, at + (5 - 3600) * SECOND)
    assert lines(one)[-1]["end"] == "clock-jump"
    assert lines(two)[-1]["end"] == "post-roll"
