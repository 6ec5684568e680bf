"""One event being recorded: fragments come at the camera's pace and leave at the disk's."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Final

from ..errors import CameraError, StorageError
from .clip import Clip
from .clock import STEP
from .files import ClipFiles, new_clip_id, storage
from .lines import Ending, EventKind
from .ring import Received
from .writer import ClipWriter

_GRACE: Final = 3.0  # seconds after the end in which the last fragments may still come
_PORTION: Final = 0.9  # seconds of frames that are written at once: each time a thread is woken


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """Lengths in seconds; `max_bytes` bounds the pre-roll, and once more what waits for the disk.

    `connect` and `stall` are the longest silences before a camera counts as lost, `segmented` where
    its stream comes in segments, each at once. `retry` is the first pause before it is tried again,
    `longest_retry` the longest; `refused_retry` for one that refuses the password and might lock
    up. Neither pause nor connecting takes longer than `known_retry` where the camera has been
    there.
    """

    pre_roll: float = 10.0
    post_roll: float = 20.0
    longest: float = 300.0
    audio: bool = False
    max_bytes: int = 64 << 20
    connect: float = 20.0
    stall: float = 8.0
    segmented: float = 30.0
    retry: float = 1.0
    longest_retry: float = 60.0
    known_retry: float = 10.0
    refused_retry: float = 300.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event: its clip, if there is one, and what the disk had against it."""

    clip: Clip | None
    error: StorageError | None


class OpenClip:
    """A clip from its event to its end. `run` it as a task; feed it; it ends by itself.

    How long it goes on is counted by the monotonic clock: no step of the host's clock changes it.
    """

    def __init__(
        self,
        library: Path,
        doorbell: str,
        event: tuple[EventKind, datetime],
        settings: RecorderSettings,
        now: Callable[[], datetime],
        *,
        until: datetime | None = None,
    ) -> None:
        """Begin with an `event`: its kind and its instant; `until` is its end, if not as usual."""
        self.id = new_clip_id(event[1])
        self.files = ClipFiles.place(library, doorbell, self.id)
        self.accepting = True
        self.pictured: EventKind | None = None  # the kind of event whose picture is kept
        self._doorbell = doorbell
        self.event = event
        self._settings = settings
        self._now = now
        self._until = self._end(event[1], until)  # second of the monotonic clock
        self._first: Received | None = None
        self._offset = 0.0  # of the host's clock when the clip began
        self._grace = _GRACE
        self._items: list[Received] = []
        self._due = asyncio.Event()
        self._waiting = 0
        self._skipping = False
        self._stopped: Ending = "stream-lost"
        self._writer: ClipWriter | None = None

    def extend(self, at: datetime, until: datetime | None = None) -> None:
        """Let it go on until then, or for a post-roll from another event."""
        self._until = max(self._until, self._end(at, until))

    def follow(self, clip: OpenClip) -> None:
        """End when another clip would have."""
        self._until = clip._until

    def feed(self, item: Received) -> None:
        """Take the next fragment; when the disk can't follow, frames are left out up to a key."""
        self._skipping = self._waiting + item.weight > self._settings.max_bytes or (
            self._skipping and not item.decodable
        )
        if self.accepting and not self._skipping:
            self._waiting += item.weight
            self._items.append(item)
            if self._is_due(item):
                self._due.set()
            self._grace = max(_GRACE, item.stream.pause)
            if self._first is None and item.decodable:
                self._first, self._offset = item, item.stream.clock.offset

    def outgrown(self, item: Received) -> Ending | None:
        """Why the event must go on in another clip from this fragment on, if it must."""
        if self._first is None or not item.video:
            return None
        if item.stream.init.data != self._first.stream.init.data:
            return "stream-lost"
        if abs(item.stream.clock.offset - self._offset) > STEP:
            return "clock-jump"
        limit = self._first.began + self._settings.longest
        return "longest" if self._until > limit and item.ended > limit else None

    @property
    def left(self) -> float:
        """Seconds until the event is over, as far as is known now."""
        return self._until - monotonic()

    def stop(self, ending: Ending = "shutdown") -> None:
        """End the clip with what was fed so far; as it comes, because Doorstep shuts down."""
        if self.accepting:
            self.accepting = False
            self._stopped = ending
            self._due.set()

    async def run(self) -> Outcome:
        """Write until the event is over; then everything that could be kept is closed."""
        error: StorageError | None = None
        try:
            ending = await self._write()
        except StorageError as failure:
            ending = "disk-full" if failure.key == "disk_full" else "disk-failed"
            error = failure
        except CameraError:
            ending = "stream-lost"
        finally:
            self.accepting = False
        try:
            return Outcome(await asyncio.to_thread(self._close, ending), error)
        except StorageError as failure:
            return Outcome(None, failure)

    async def _write(self) -> Ending:
        while items := await self._next():
            stopped = not self.accepting
            await asyncio.to_thread(self._put, items)
            if stopped:
                break
            if any(self._is_over(item) for item in items):
                return "post-roll"
        return self._stopped

    async def _next(self) -> list[Received]:
        """Wait for a portion, or take what came while nothing more comes; nothing came: empty."""
        while self.accepting and not self._due.is_set():
            if (left := self.left + self._grace) <= 0:
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, 2 * _PORTION)):
                    await self._due.wait()
            if self._items:
                break
        self._due.clear()
        items, self._items = self._items, []
        self._waiting = 0
        return items

    def _put(self, items: Iterable[Received]) -> None:
        for item in items:
            if self._writer is None:
                if not item.decodable:
                    continue
                self._writer = ClipWriter(self.files, self._doorbell, *self.event, item)
            if self._writer.accepts(item):
                self._writer.write(item)

    def _is_due(self, item: Received) -> bool:
        """Whether all up to this fragment should go to the disk now."""
        portion = item.ended - self._items[0].began
        return self._writer is None or portion >= _PORTION or self._is_over(item)

    def _is_over(self, item: Received) -> bool:
        return item.video and item.ended >= self._until

    def _end(self, at: datetime, until: datetime | None) -> float:
        end = until or at + timedelta(seconds=self._settings.post_roll)
        return monotonic() + (end - self._now()).total_seconds()

    def _close(self, ending: Ending) -> Clip | None:
        if self._writer is not None:
            return self._writer.close(ending)
        with storage():
            self.files.discard()
        return None
