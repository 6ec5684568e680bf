"""The recorder of a doorbell without a stream: stills around each event, nothing in between.

A battery must not be kept awake, and a camera that only WebRTC reaches can't be listened to: so
there is no pre-roll, and a clip is the stills of an event, each with the time of its arrival.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
import logging
from time import monotonic

from ..errors import CameraError
from .clip import Clip
from .event import OpenClip, RecorderSettings
from .keeper import Keeper
from .library import Library
from .lines import EventKind
from .mjpeg import TIMESCALE, fragment, init_segment, size_of
from .recorder import RecorderStatus, State
from .ring import Received, Stream

_LOGGER = logging.getLogger(__name__)

_EVERY = 2.0  # seconds from one still to the next, and what one stands for at most


@dataclass(frozen=True, slots=True)
class _Shown:
    """The newest still, which stands until the next comes; `start` in ticks of `monotonic`."""

    stream: Stream
    start: int
    jpeg: bytes
    timer: asyncio.TimerHandle


@dataclass(eq=False)
class StillsRecorder:
    """Does for a doorbell without a stream what `Recorder` does for others, the same way.

    `take` gives a still of now (JPEG), or raises CameraError; it is asked during events only. The
    same picture once more is not a new one: an earlier event's counts as none.
    """

    doorbell_id: str
    take: Callable[[], Awaitable[bytes]]
    settings: RecorderSettings
    library: Library
    on_status: Callable[[RecorderStatus], None]
    on_picture: Callable[[str | None, EventKind, datetime, bytes], None]
    on_clip: Callable[[Clip], None]
    now: Callable[[], datetime]

    def __post_init__(self) -> None:
        """Set up; nothing happens before `run`."""
        self._keeper = Keeper(
            self.doorbell_id,
            settings=replace(self.settings, pre_roll=0.0),
            library=self.library,
            on_picture=self.on_picture,
            on_clip=self.on_clip,
            changed=self._tell,
            now=self.now,
            sight=self.picture,
        )
        self._called = asyncio.Event()
        self._wanted: list[tuple[OpenClip | None, EventKind, datetime]] = []
        self._stream: Stream | None = None
        self._shown: _Shown | None = None
        self._over = 0  # ticks up to which the clip is filled
        self._newest: bytes | None = None
        self._seen = b""  # hash of the last still there ever was
        self._running = False
        self._failure: str | None = None
        self._told: tuple[State, str | None] = ("off", None)

    @property
    def status(self) -> RecorderStatus:
        """Whether an event now would get stills, as far as the last one tells."""
        if not self._running:
            return RecorderStatus("off", 0.0, None)
        if self._failure:
            return RecorderStatus("failed", 0.0, self._failure)
        if self.library.refuses:
            return RecorderStatus("failed", 0.0, self.library.refuses)
        return RecorderStatus("ready", 0.0, self._keeper.problem)

    @property
    def clip(self) -> str | None:
        """Id of the clip that takes what comes."""
        return self._keeper.clip_id

    def trigger(self, kind: EventKind, at: datetime, *, until: datetime | None = None) -> str:
        """Take stills of an event that happened at `at`; the id of the clip that will hold them.

        As `Recorder.trigger`: an open clip is extended, without any still there will be none.
        """
        if not self._running:
            raise CameraError("camera_off")
        clip = None if self.library.refuses else self._keeper.open or self._open(kind, at, until)
        if clip:
            clip.extend(at, until)
        self._wanted.append((clip, kind, at))
        self._called.set()
        if clip is None:
            raise CameraError(str(self.library.refuses))
        return clip.id

    def _open(self, kind: EventKind, at: datetime, until: datetime | None) -> OpenClip:
        self._settle()
        self._begin_anew()
        return self._keeper.begin(kind, at, until=until)

    def extend(self, at: datetime) -> None:
        """Let an open clip's post-roll run from `at`, up to the longest; none is opened."""
        self._keeper.extend(at)

    def nudge(self) -> None:
        """During an event, take the next still at once; there is nothing to try without one."""
        if self._keeper.open is not None:
            self._called.set()

    def refresh(self) -> None:
        """Tell the status if it is another now: the library may refuse clips, or take them."""
        self._tell()

    async def picture(self) -> bytes:
        """Give the newest still of an event that is under way; JPEG.

        Between events there is none: CameraError. It wakes no camera.
        """
        if not self._running:
            raise CameraError("camera_off")
        if self._newest is None:
            raise CameraError(self._failure or "camera_no_picture")
        return self._newest

    async def run(self) -> None:
        """Wait for events until cancelled; an open clip is closed then."""
        self._running = True
        self._failure = None
        self._tell()
        try:
            while True:
                await self._called.wait()
                await self._attend()
        finally:
            self._running = False
            self._settle()
            await self._keeper.finish()
            self._begin_anew()
            self._tell()

    async def _attend(self) -> None:
        """Take stills until the event is over; without a clip, one."""
        if self._wanted and self._keeper.open is None:
            self._called.clear()
            await self._take()
        while (clip := self._keeper.open) and clip.left > 0:
            self._called.clear()
            begun = monotonic()
            await self._take()
            await self._rest(min(begun + _EVERY - monotonic(), clip.left))
        self._called.clear()
        self._settle()
        if (clip := self._keeper.open) is not None:
            clip.stop("stream-lost" if self._failure else "post-roll")
        self._begin_anew()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._called.wait()

    async def _take(self) -> None:
        """Take one still; it is the picture of all events there were when it was asked for."""
        wanted, self._wanted = self._wanted, []
        try:
            jpeg = await self._ask()
            self._keep(jpeg)
        except CameraError as error:
            self._failure = error.key
            self._wanted = wanted + self._wanted
        else:
            self._failure = None
            self._newest = jpeg
            for clip, kind, at in wanted:
                self._keeper.show(clip, kind, at, partial(_given, jpeg))
        self._tell()

    async def _ask(self) -> bytes:
        try:
            async with asyncio.timeout(self.settings.connect):
                return await self.take()
        except CameraError:
            raise
        except TimeoutError:
            raise CameraError("camera_timeout") from None
        except Exception as error:  # noqa: BLE001 - one still's trouble; its text may hold an address
            _LOGGER.warning("No still of doorbell %s: %s", self.doorbell_id, type(error).__name__)
            raise CameraError("camera_no_picture") from None

    def _keep(self, jpeg: bytes) -> None:
        init = init_segment(*size_of(jpeg))
        seen, self._seen = self._seen, sha256(jpeg).digest()
        if seen == self._seen:
            if self._stream is None:
                raise CameraError("camera_old_picture")
            return
        start = max(round(monotonic() * TIMESCALE), self._over)
        seconds, now = start / TIMESCALE, self.now().timestamp()
        self._settle(start)
        if self._stream is None:
            self._stream = Stream(init)
        elif self._stream.init != init or self._stream.clock.stepped(seconds, now):
            # no file holds pictures of two sizes, or of two times: the event goes on in another
            self._stream = Stream(init)
        self._stream.clock.observe(seconds, seconds, now)
        timer = asyncio.get_running_loop().call_later(_EVERY, self._settle)
        self._shown = _Shown(self._stream, start, jpeg, timer)
        self._over = start + 1

    def _settle(self, end: int | None = None) -> None:
        """Give the clip the newest still, now that it is known how long it stands."""
        if self._shown is None:
            return
        shown, self._shown = self._shown, None
        shown.timer.cancel()
        end = round(monotonic() * TIMESCALE) if end is None else end
        duration = min(max(end - shown.start, 1), round(_EVERY * TIMESCALE))
        self._over = shown.start + duration
        made = fragment(shown.stream.init, shown.start, duration, shown.jpeg)
        self._keeper.feed(Received(made, shown.stream))

    def _begin_anew(self) -> None:
        self._stream = None
        self._newest = None
        self._wanted.clear()

    def _tell(self) -> None:
        status = self.status
        if self._told != (status.state, status.reason):
            self._told = (status.state, status.reason)
            self.on_status(status)


async def _given(jpeg: bytes) -> bytes:
    return jpeg
