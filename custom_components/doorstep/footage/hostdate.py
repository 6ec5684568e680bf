"""The date that clips are aged by: one that was set far ahead is believed after a day."""

from datetime import datetime, timedelta
from typing import Final

_LEAP: Final = timedelta(hours=1)  # set ahead by more: everything may seem too old
_QUIET: Final = timedelta(days=7)  # a library without a new clip for longer is in doubt, too
_SURE: Final = timedelta(days=1)  # so long somebody has to put a wrong date right


class HostDate:
    """What to take for now where a wrong date would delete clips.

    A clock that something keeps right is believed at once. Any other that is set ahead, or that is
    far ahead of the newest clip at the start, is believed once it ran on like that for a day.
    """

    def __init__(self, newest: datetime | None) -> None:
        """Begin with what the newest clip's time says; None if there is no clip."""
        self._newest = newest
        self._zero: datetime | None = None  # when the monotonic clock began, as far as believed
        self._doubted: timedelta | None = None  # since when, by that clock

    def now(self, wall: datetime, monotonic: float, *, kept_right: bool) -> datetime:
        """Give the time to age by; `monotonic` in seconds, `kept_right` by NTP or the like."""
        passed = timedelta(seconds=monotonic)
        zero = wall - passed
        if self._zero is None:
            quiet = self._newest and wall - self._newest > _QUIET
            self._zero = self._newest - passed if self._newest and quiet else zero
        if self._doubted is None:
            self._doubted = passed
        if kept_right or zero - self._zero <= _LEAP or passed - self._doubted >= _SURE:
            self._zero, self._doubted = zero, None
        return self._zero + passed
