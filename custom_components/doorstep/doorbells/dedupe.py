"""One event for each press: devices repeat themselves, and several entities tell of one button."""

from collections import deque
from datetime import datetime, timedelta
from typing import Final

from .model import SELF_TEST, Signal

SAME_PRESS: Final = timedelta(seconds=5)
"""Different sources of one doorbell within this time tell of the same press."""

_REMEMBERED: Final = 256


class Deduplicator:
    """Tells new signals from repeated ones; remembers the last 256, in memory only.

    The device's own id of an event decides; without one, its own time. A time that is older than
    others says nothing: clocks of cameras jump.
    """

    def __init__(self) -> None:
        """Start without a memory."""
        self._seen: deque[tuple[str, ...]] = deque(maxlen=_REMEMBERED)
        self._pressed: datetime | None = None
        self._press: tuple[str, ...] | None = None
        self._told: set[str] = set()

    def is_new(self, signal: Signal, at: datetime) -> bool:
        """Whether a signal heard at `at` is an event of its own; it is remembered."""
        if signal.source == SELF_TEST:
            return True
        name = _name(signal)
        if name is not None:
            if name in self._seen:
                if name == self._press:
                    # the next that this source tells of is another one
                    self._told.add(signal.source)
                return False
            self._seen.append(name)
        return signal.kind != "ring" or self._is_press(signal.source, name, at)

    def remember(self, signal: Signal) -> None:
        """Take a signal of an earlier run as seen."""
        if (name := _name(signal)) is not None:
            self._seen.append(name)

    def _is_press(self, source: str, name: tuple[str, ...] | None, at: datetime) -> bool:
        """Whether no other source has told of this press; the same one tells of another."""
        if (
            self._pressed is not None
            and abs(at - self._pressed) < SAME_PRESS
            and source not in self._told
        ):
            self._told.add(source)
            return False
        self._pressed, self._press = at, name
        self._told = {source}
        return True


def _name(signal: Signal) -> tuple[str, ...] | None:
    if signal.event_id is not None:
        return signal.kind, "id", signal.event_id
    if signal.device_time is not None:
        return signal.kind, signal.source, signal.device_time.isoformat()
    return None
