"""When frames were taken, in UTC, judged by when they arrived.

A camera's media time has no known beginning. Frames can't arrive before they are taken, so the
smallest difference between arrival and media time is nearest the truth; what is larger was held up.
Design: smallest (arrival of last byte - media end) over the last minute, plus media start.
"""

from collections import deque
import ctypes
from datetime import UTC, datetime
from typing import Final, Literal

WINDOW: Final = 60.0  # seconds
STEP: Final = 10.0  # seconds by which the host's clock may step within a clip

_STA_UNSYNC: Final = 5  # TIME_ERROR, adjtimex(2)
_TIMEX_BYTES: Final = 256  # struct timex is smaller everywhere; modes = 0 reads only


class StreamClock:
    """UTC for the media times of one unbroken stream.

    Delays are kept against the monotonic clock, so that a step of the host's clock shows at once
    in what `at` answers: a jump is for the caller to record, it is never smoothed away.
    """

    def __init__(self) -> None:
        """Start without observations; `at` may be asked after the first one."""
        self._delays: deque[tuple[float, float]] = deque()  # (monotonic, delay), delays rising
        self._newest = self._least = 0.0
        self.offset = 0.0  # seconds from the monotonic clock to the host's, as last noted
        # One value, since threads that write clips read it while the loop observes.
        self._zero = 0.0

    def observe(self, media_end: float, monotonic: float, wall: float) -> None:
        """Note that media up to `media_end` had arrived; all in seconds, `wall` since 1970."""
        self._newest = monotonic - media_end
        while self._delays and self._delays[-1][1] >= self._newest:
            self._delays.pop()
        self._delays.append((monotonic, self._newest))
        while self._delays[0][0] < monotonic - WINDOW:
            self._delays.popleft()
        self._least = self._delays[0][1]
        self.synchronise(monotonic, wall)

    def synchronise(self, monotonic: float, wall: float) -> None:
        """Note what the host's clock says now; it may have stepped since the last fragment."""
        self.offset = wall - monotonic
        self._zero = self._least + self.offset

    def at(self, media: float) -> datetime:
        """UTC of a media time in seconds, to the millisecond."""
        return datetime.fromtimestamp(round((self._zero + media) * 1000) / 1000, UTC)

    def stepped(self, monotonic: float, wall: float) -> bool:
        """Whether the host's clock was set since it was last noted, by more than `STEP`."""
        return bool(self._delays) and abs(wall - monotonic - self.offset) > STEP

    def copy(self) -> StreamClock:
        """Give one that goes its own way from now on."""
        made = StreamClock()
        made._delays = self._delays.copy()
        made._newest, made._least = self._newest, self._least
        made.offset, made._zero = self.offset, self._zero
        return made

    def steady(self, media: float) -> float:
        """Second of the monotonic clock at a media time: no step of the host's clock moves it."""
        return self._least + media

    @property
    def behind(self) -> float:
        """Seconds by which the newest media is later than the stream has been before."""
        return self._newest - self._least


def host_ntp() -> Literal["synchronised", "unsynchronised", "unknown"]:
    """Ask the kernel whether something keeps the host's clock right (adjtimex(2))."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except AttributeError, OSError:
        return "unknown"
    if state < 0:
        return "unknown"
    return "unsynchronised" if state == _STA_UNSYNC else "synchronised"
