"""The last seconds of a stream, in memory only, bounded in seconds and in bytes."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from .clock import StreamClock
from .fragments import Fragment, InitSegment

_OVERHEAD: Final = 512  # bytes of memory that a fragment takes besides its data


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """One unbroken run of a camera: the same init segment, the same media clock.

    `pause` are the seconds that may pass from one burst of fragments to the next.
    """

    init: InitSegment
    clock: StreamClock = field(default_factory=StreamClock)
    pause: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Received:
    """A fragment together with the stream it came in; its UTC is as good as known when asked."""

    fragment: Fragment
    stream: Stream

    @property
    def start(self) -> datetime:
        """UTC of the first frame."""
        return self.stream.clock.at(self.fragment.start_seconds)

    @property
    def end(self) -> datetime:
        """UTC of the end of the last frame."""
        return self.stream.clock.at(self.fragment.end_seconds)

    @property
    def began(self) -> float:
        """Second of the monotonic clock of the first frame."""
        return self.stream.clock.steady(self.fragment.start_seconds)

    @property
    def ended(self) -> float:
        """Second of the monotonic clock of the end of the last frame."""
        return self.stream.clock.steady(self.fragment.end_seconds)

    @property
    def weight(self) -> int:
        """Bytes of memory it takes; even a tiny one takes some."""
        return len(self.fragment.data) + _OVERHEAD

    @property
    def video(self) -> bool:
        """Whether it holds frames of the video track."""
        return self.fragment.track.kind == "video"

    @property
    def decodable(self) -> bool:
        """Whether a decoder can begin here."""
        return self.video and self.fragment.key


class Ring:
    """Fragments of one stream, oldest first; the first one is always decodable.

    Holds at least `seconds` once the stream has run as long, up to one group of pictures more, and
    never more than `max_bytes` of memory.
    """

    def __init__(self, seconds: float, max_bytes: int) -> None:
        """Start empty."""
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._items: deque[Received] = deque()
        self._bytes = self._weight = 0
        self._full = False

    def push(self, item: Received) -> None:
        """Add the newest fragment; one of another stream empties the ring first."""
        if self._items and self._items[0].stream is not item.stream:
            self._clear()
        if not self._items and not item.decodable:
            return
        self._items.append(item)
        self._bytes += len(item.fragment.data)
        self._weight += item.weight
        while self._weight > self._max_bytes:
            self._full = True
            self._drop_group()
        while self._spare():
            self._drop_group()

    def move(self, stream: Stream) -> None:
        """Hold the same fragments as ones of another stream: its clock tells another time."""
        self._items = deque(Received(item.fragment, stream) for item in self._items)

    def since(self, at: datetime) -> list[Received]:
        """All from the last decodable fragment that begins no later than `at`, or from the first.

        What ended before `at` altogether (the stream was lost meanwhile) is not given.
        """
        items = list(self._items)
        if not items or self._newest().end <= at:
            return []
        starts = [n for n, item in enumerate(items) if item.decodable and item.start <= at]
        return items[starts[-1] if starts else 0 :]

    def picture(self, at: datetime) -> list[Received]:
        """Give the video fragments needed to show the instant `at`, or the nearest one there is."""
        items = [item for item in self.since(at) if item.video]
        if not items and self._items:
            items = [item for item in self.since(self._newest().start) if item.video]
        return [item for n, item in enumerate(items) if n == 0 or item.start <= at]

    @property
    def seconds(self) -> float:
        """Seconds of video held."""
        if not self._items:
            return 0.0
        return self._newest().fragment.end_seconds - self._items[0].fragment.start_seconds

    @property
    def size(self) -> int:
        """Bytes of media held."""
        return self._bytes

    @property
    def full(self) -> bool:
        """Whether it holds all it will: its seconds, or fewer because its memory is bounded."""
        return self.seconds >= self._seconds or (self._full and bool(self._items))

    def covers(self, at: datetime) -> bool:
        """Whether video up to `at` has arrived."""
        return bool(self._items) and self._newest().end > at

    def _newest(self) -> Received:
        return next(item for item in reversed(self._items) if item.video)

    def _spare(self) -> bool:
        """Whether the ring is long enough without its first group of pictures."""
        second = next((item for n, item in enumerate(self._items) if n and item.decodable), None)
        if second is None:
            return False
        held = self._newest().fragment.end_seconds - second.fragment.start_seconds
        return held >= self._seconds

    def _drop_group(self) -> None:
        self._drop()
        while self._items and not self._items[0].decodable:
            self._drop()

    def _drop(self) -> None:
        item = self._items.popleft()
        self._bytes -= len(item.fragment.data)
        self._weight -= item.weight

    def _clear(self) -> None:
        self._items.clear()
        self._bytes = self._weight = 0
        self._full = False
