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
from .files import ClipFiles, new_clip_id, storage
from .lines import Ending, EventKind
from .ring import Received
from .writer import ClipWriter

_GRACE: Final = 3.0  # seconds after the end in which the last fragments may still come


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """Lengths in seconds; `max_bytes` bounds the pre-roll, and once more what waits for the disk.

    `connect` and `stall` are the longest silences before a camera counts as lost. `retry` is the
    first pause before it is tried again, `longest_retry` the longest; `refused_retry` for one that
    refuses the password and might lock up. Neither pause nor connecting takes longer than
    `known_retry` where the camera has been there.
    """

    pre_roll: float = 10.0
    post_roll: float = 20.0
    longest: float = 300.0
    audio: bool = False
    max_bytes: int = 64 << 20
    connect: float = 20.0
    stall: float = 8.0
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
    """A clip from its event to its end. `run` it as a task; feed it; it ends by itself."""

    def __init__(
        self,
        library: Path,
        doorbell: str,
        event: tuple[EventKind, datetime],
        settings: RecorderSettings,
        now: Callable[[], datetime],
    ) -> None:
        """Begin with an `event`: its kind and its instant."""
        self.id = new_clip_id(event[1])
        self.files = ClipFiles.place(library, doorbell, self.id)
        self.accepting = True
        self.pictured: EventKind | None = None  # the kind of event whose picture is kept
        self._doorbell = doorbell
        self.event = event
        self._settings = settings
        self._now = now
        self._opened = monotonic()
        self._until = event[1] + timedelta(seconds=settings.post_roll)
        self._limit = event[1] + timedelta(seconds=settings.longest - settings.pre_roll)
        self._queue: asyncio.Queue[Received | None] = asyncio.Queue()
        self._waiting = 0
        self._skipping = False
        self._stopped: Ending = "shutdown"
        self._writer: ClipWriter | None = None
        self._foreign = False  # the camera came back with other codecs

    def extend(self, at: datetime) -> None:
        """Let the post-roll run from another event, up to the longest clip."""
        self._until = max(self._until, at + timedelta(seconds=self._settings.post_roll))

    def follow(self, clip: OpenClip) -> None:
        """End no sooner than another clip would have."""
        self._until = max(self._until, clip._until)

    def feed(self, item: Received) -> None:
        """Take the next fragment; when the disk can't follow, frames are left out up to a key."""
        self._skipping = self._waiting + len(item.fragment.data) > self._settings.max_bytes or (
            self._skipping and not item.decodable
        )
        if self.accepting and not self._skipping:
            self._waiting += len(item.fragment.data)
            self._queue.put_nowait(item)

    @property
    def due(self) -> datetime:
        """When the event is over, as far as is known now."""
        return min(self._until, self._limit)

    @property
    def complete(self) -> Ending:
        """How a clip ends that goes on until it is due."""
        return "longest" if self.due == self._limit else "post-roll"

    def stop(self, ending: Ending = "shutdown") -> None:
        """End the clip with what was fed so far; as it comes, because Doorstep shuts down."""
        if self.accepting:
            self.accepting = False
            self._stopped = ending
            self._queue.put_nowait(None)

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
            await asyncio.to_thread(self._put, items)
            if None in items:
                return self._stopped
            if self._foreign:
                return "stream-lost"
            if any(item and item.video and item.end >= self.due for item in items):
                return self.complete
            if monotonic() - self._opened > self._settings.longest:
                # the host's clock was set back meanwhile
                return "longest"
        return "stream-lost"

    async def _next(self) -> list[Received | None]:
        """Wait for what comes next, and take all there is; nothing comes any more: empty."""
        while (left := (self.due - self._now()).total_seconds() + _GRACE) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    items = [await self._queue.get()]
                while not self._queue.empty():
                    items.append(self._queue.get_nowait())
                self._waiting = 0
                return items
        return []

    def _put(self, items: Iterable[Received | None]) -> None:
        for item in items:
            if item is None or self._foreign:
                return
            if self._writer is None:
                if not item.decodable:
                    continue
                self._writer = ClipWriter(self.files, self._doorbell, *self.event, item)
            self._foreign = not self._writer.accepts(item)
            if not self._foreign:
                self._writer.write(item)

    def _close(self, ending: Ending) -> Clip | None:
        if self._writer is not None:
            return self._writer.close(ending)
        with storage():
            self.files.discard()
        return None
