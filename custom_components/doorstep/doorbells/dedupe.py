"""One event for each press: devices repeat themselves, and several entities tell of one button."""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

from .model import SELF_TEST, Signal

SAME_PRESS: Final = timedelta(seconds=5)
"""Different sources of one doorbell within this time tell of the same press."""

ID_HOLDS: Final = timedelta(minutes=10)
"""How long an id that comes without a time is one event's."""

_REMEMBERED: Final = 256


class Deduplicator:
    """Tells new signals from repeated ones; remembers the last 256, in memory only.

    The device's own id of an event decides; without one, its own time. A time that is older than
    others says nothing: clocks of cameras jump. An id without a time holds for ten minutes: some
    devices send the same one with every press.
    """

    def __init__(self) -> None:
        """Start without a memory."""
        self._seen: OrderedDict[tuple[str, ...], datetime] = OrderedDict()
        self._pressed: datetime | None = None
        self._press: tuple[str, ...] | None = None
        self._told: set[str] = set()

    def is_new(self, signal: Signal, at: datetime) -> bool:
        """Whether a signal heard at `at` is an event of its own; it is remembered."""
        if signal.source == SELF_TEST:
            return True
        name = _name(signal)
        if name is not None:
            if self._is_known(name, signal, at):
                if name == self._press:
                    # the next that this source tells of is another one
                    self._told.add(signal.source)
                return False
            self._note(name, at)
        return signal.kind != "ring" or self._is_press(signal.source, name, at)

    def remember(self, signal: Signal, at: datetime) -> None:
        """Take a signal of an earlier run as heard at `at`."""
        if (name := _name(signal)) is not None:
            self._note(name, at)

    def _is_known(self, name: tuple[str, ...], signal: Signal, at: datetime) -> bool:
        seen = self._seen.get(name)
        if seen is None:
            return False
        return signal.device_time is not None or abs(at - seen) < ID_HOLDS

    def _note(self, name: tuple[str, ...], at: datetime) -> None:
        self._seen[name] = at
        self._seen.move_to_end(name)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

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
