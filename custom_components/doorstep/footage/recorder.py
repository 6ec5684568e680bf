"""The recorder of one doorbell: keeps the last seconds in memory, and clips of events on disk."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import Final, Literal

from ..errors import CameraError
from .clip import Clip
from .codecs import MJPEG
from .event import OpenClip, RecorderSettings
from .ffmpeg import Form, receive, segmented
from .fragments import Fragment, InitSegment
from .keeper import Keeper
from .library import Library
from .lines import EventKind
from .ring import Received, Ring, Stream
from .still import still

_BACK, _JUMP = -1.0, 10.0  # seconds media time may jump before it counts as another stream's
_BEHIND: Final = 15.0  # seconds media may fall behind before its timestamps count as broken
_SPARSE: Final = 10  # video fragments of one key frame each that make a stream one of key frames
_TINY: Final = 0.4  # seconds
_EARLIER: Final = timedelta(milliseconds=1)
_STEP: Final = 0.5  # seconds by which the host's clock moves only when it is set
_COVERED: Final = 2.0  # seconds to wait for the frames of an event
_NEWEST: Final = datetime.max.replace(tzinfo=UTC)  # no frame is later

type State = Literal["off", "filling", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """What the recorder could do now: `seconds` of pre-roll; `reason` is an error key."""

    state: State
    seconds: float
    reason: str | None


@dataclass(eq=False)
class Recorder:
    """Records one doorbell while `run` runs; all in one event loop, disk work in threads.

    `source` gives the URL for each connection, or raises CameraError; `now` the host's time in UTC.
    The callbacks are called in the loop: `on_status` when state or reason change, `on_picture`
    (clip, event, instant, JPEG) once the picture of an event is on disk, `on_clip` once a clip is
    in the library. While the library refuses clips, pictures are told without one.
    """

    doorbell_id: str
    ffmpeg: str
    source: Callable[[], Awaitable[str]]
    settings: RecorderSettings
    library: Library
    on_status: Callable[[RecorderStatus], None]
    on_picture: Callable[[str | None, EventKind, datetime, bytes], None]
    on_clip: Callable[[Clip], None]
    now: Callable[[], datetime]

    def __post_init__(self) -> None:
        """Set up; nothing happens before `run`."""
        self._form = Form(audio=self.settings.audio)
        self._ring = Ring(self.settings.pre_roll, self.settings.max_bytes)
        self._arrived = asyncio.Event()
        self._nudged = asyncio.Event()
        self._keeper = Keeper(
            self.doorbell_id,
            settings=self.settings,
            library=self.library,
            on_picture=self.on_picture,
            on_clip=self.on_clip,
            changed=self._tell,
            now=self.now,
            resume=self._resume,
            sight=self.picture,
        )
        self._stall = self.settings.stall
        self._pause_between = 0.0  # seconds from one burst of fragments to the next
        self._stream: Stream | None = None
        self._reached = 0.0  # second of media time
        self._seen = 0.0  # when the last video fragment arrived
        self._intra = 0  # fragments of a single key frame in a row
        self._running = False
        self._known = False
        self._failure: str | None = None
        self._told: tuple[State, str | None] = ("off", None)

    @property
    def status(self) -> RecorderStatus:
        """What an event now would get."""
        seconds = self._ring.seconds if self._stream else 0.0
        if not self._running:
            return RecorderStatus("off", 0.0, None)
        if self._failure:
            return RecorderStatus("failed", seconds, self._failure)
        if self.library.refuses:
            return RecorderStatus("failed", seconds, self.library.refuses)
        ready = self._stream is not None and self._ring.full
        return RecorderStatus("ready" if ready else "filling", seconds, self._keeper.problem)

    @property
    def clip(self) -> str | None:
        """Id of the clip that takes what comes."""
        return self._keeper.clip_id

    def trigger(self, kind: EventKind, at: datetime, *, until: datetime | None = None) -> str:
        """Record an event that happened at `at`; the id of the clip that will hold it.

        It goes on until then, or for a post-roll. An open clip is extended; when the longest is
        reached, another one follows. Without any frame until the end there will be no clip.
        Recorder not running: CameraError `camera_off`; while the library refuses clips, its reason.
        """
        if not self._running:
            raise CameraError("camera_off")
        self._synchronise()
        clip = None if self.library.refuses else self._keeper.open or self._open(kind, at, until)
        if clip:
            clip.extend(at, until)
        self._keeper.show(clip, kind, at, partial(self._draw, at, self._offset))
        if self._failure != "camera_unauthorized":
            # one that refuses the password locks up sooner, the more often it is asked
            self.nudge()
        if clip is None:
            raise CameraError(str(self.library.refuses))
        return clip.id

    def extend(self, at: datetime) -> None:
        """Let an open clip's post-roll run from `at`, up to the longest; none is opened."""
        self._keeper.extend(at)

    def nudge(self) -> None:
        """Try a camera that is away again at once, instead of when the pause is over."""
        self._nudged.set()

    def refresh(self) -> None:
        """Tell the status if it is another now: the library may refuse clips, or take them."""
        self._tell()

    async def picture(self) -> bytes:
        """Draw what the camera shows now; JPEG.

        Nothing there: CameraError with what keeps the camera away, or `camera_no_picture`.
        """
        if not self._running:
            raise CameraError("camera_off")
        if self._stream is None:
            raise CameraError(self._failure or "camera_no_picture")
        return await still(self.ffmpeg, self._ring.picture(_NEWEST), _NEWEST)

    async def run(self) -> None:
        """Record until cancelled; an open clip is closed then. Reconnects for ever."""
        self._running = True
        self._tell()
        try:
            await self._supervise()
        finally:
            self._running = False
            self._stream = None
            await self._keeper.finish()
            self._tell()

    async def _supervise(self) -> None:
        pause = self.settings.retry
        while True:
            try:
                await self._connect()
            except CameraError as error:
                if self._stream is not None:
                    pause = self.settings.retry
                self._stream = None
                self._failure = error.key
                self._tell()
                nudged = await self._pause(pause)
                pause = self.settings.retry if nudged else 2 * pause
                pause = min(pause, self._longest_pause(error.key))
            self._stream = None

    def _longest_pause(self, reason: str) -> float:
        if reason == "camera_unauthorized":
            return self.settings.refused_retry
        return self._at_most(self.settings.longest_retry)

    def _at_most(self, seconds: float) -> float:
        return min(seconds, self.settings.known_retry) if self._known else seconds

    async def _pause(self, seconds: float) -> bool:
        """Wait, unless somebody knows better: then True."""
        self._nudged.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._nudged.wait()
        return False

    async def _connect(self) -> None:
        """Take fragments until the stream ends (CameraError) or must be asked for differently."""
        # a connection that was begun while the network was away may hang
        connect = self._at_most(self.settings.connect)
        source = await self.source()
        slow = segmented(source)
        self._stall = self.settings.segmented if slow else self.settings.stall
        self._pause_between = self._stall if slow else 0.0
        limits = {"connect": connect, "stall": self._stall}
        received = receive(self.ffmpeg, source, self._form, **limits)
        try:
            async with aclosing(received):
                async for init, fragment in received:
                    self._take(init, fragment)
                    if (form := self._fitting(init)) != self._form:
                        self._form = form
                        return
        except CameraError as error:
            simpler = self._form.next()
            if error.key != "camera_codec":
                raise
            if simpler is None:
                raise CameraError("camera_no_video") from error
            self._form = simpler

    def _fitting(self, init: InitSegment) -> Form:
        """Choose the form that suits what comes."""
        form = self._form
        if init.video.codec == MJPEG:
            return replace(form, sparse=True, untimed=True)
        return replace(form, sparse=True) if self._intra >= _SPARSE else form

    def _take(self, init: InitSegment, fragment: Fragment) -> None:
        video = fragment.track.kind == "video"
        if video:
            stream = self._continue(init, fragment)
            stream.clock.observe(fragment.end_seconds, monotonic(), self.now().timestamp())
            if stream.clock.behind > max(_BEHIND, self._pause_between):
                raise CameraError("camera_stalled")
        elif self._stream is None:
            return
        else:
            stream = self._stream
            if monotonic() - self._seen > self._stall:
                raise CameraError("camera_stalled")
        item = Received(fragment, stream)
        self._ring.push(item)
        self._keeper.feed(item)
        self._failure = None
        self._known = True
        self._arrived.set()
        self._tell()

    def _continue(self, init: InitSegment, fragment: Fragment) -> Stream:
        """Find the stream a video fragment is of: a new one where media time makes a jump."""
        jump = fragment.start_seconds - self._reached
        if self._stream is None or not _BACK <= jump <= _JUMP:
            self._stream = Stream(init, pause=self._pause_between)
        self._reached = fragment.end_seconds
        self._seen = monotonic()
        tiny = fragment.samples == 1 and fragment.key and fragment.duration_seconds < _TINY
        self._intra = self._intra + 1 if tiny else 0
        self._synchronise()
        return self._stream

    def _open(self, kind: EventKind, at: datetime, until: datetime | None) -> OpenClip:
        since = at - timedelta(seconds=self.settings.pre_roll)
        return self._keeper.begin(kind, at, self._ring.since(since), until)

    def _resume(self, item: Received) -> list[Received]:
        """Give what another clip begins with, to miss nothing from `item` on: no sound either."""
        return self._ring.since(item.start - _EARLIER)

    @property
    def _offset(self) -> float:
        """Seconds from the monotonic clock to the host's."""
        return self.now().timestamp() - monotonic()

    def _synchronise(self) -> None:
        """Judge the frames there are by the host's clock as it goes now.

        What a clip was given already keeps the time that held then.
        """
        stream, steady, wall = self._stream, monotonic(), self.now().timestamp()
        if stream is not None and stream.clock.stepped(steady, wall):
            self._stream = replace(stream, clock=stream.clock.copy())
            self._stream.clock.synchronise(steady, wall)
            self._ring.move(self._stream)

    async def _draw(self, at: datetime, offset: float) -> bytes:
        await self._wait_for(at)
        self._synchronise()
        if abs(step := self._offset - offset) > _STEP:
            at += timedelta(seconds=step)
        return await still(self.ffmpeg, self._ring.picture(at), at)

    async def _wait_for(self, at: datetime) -> None:
        """Wait until the frames of an instant have arrived, but not for long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_COVERED):
                while not self._ring.covers(at):
                    self._arrived.clear()
                    await self._arrived.wait()

    def _tell(self) -> None:
        status = self.status
        if self._told != (status.state, status.reason):
            self._told = (status.state, status.reason)
            self.on_status(status)
