"""Which date is believed, where a wrong one would delete clips."""

from datetime import timedelta

from custom_components.doorstep.footage.hostdate import HostDate

from .synthetic import EPOCH

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Host:
    """A host with a clock that somebody sets."""

    def __init__(self, *, newest: timedelta | None) -> None:
        self.ran = timedelta(hours=5)
        self.ahead = timedelta(0)
        self.date = HostDate(None if newest is None else EPOCH + newest)

    def believed(self, after: timedelta = HOUR, *, kept_right: bool = False) -> timedelta:
        """Ask after some time; gives how long ago the beginning is believed to be."""
        self.ran += after
        wall = EPOCH + self.ran + self.ahead
        return (
            self.date.now(wall, self.ran.total_seconds(), kept_right=kept_right) - EPOCH - self.ran
        )


def test_a_steady_clock_is_believed() -> None:
    host = Host(newest=-6 * DAY)
    assert host.believed() == timedelta(0)
    host.ahead = HOUR
    assert host.believed() == HOUR
    host.ahead = -DAY
    assert host.believed() == -DAY


def test_one_set_ahead_is_believed_after_a_day() -> None:
    host = Host(newest=None)
    assert host.believed() == timedelta(0)
    host.ahead = 30 * DAY
    assert host.believed() == timedelta(0)
    assert host.believed(DAY - HOUR) == timedelta(0)
    assert host.believed() == 30 * DAY


def test_each_doubt_lasts_a_day() -> None:
    host = Host(newest=None)
    host.believed()
    host.ahead = 30 * DAY
    assert host.believed() == timedelta(0)
    host.ahead = timedelta(0)
    assert host.believed(DAY) == timedelta(0)
    host.ahead = 30 * DAY
    assert host.believed(HOUR) == timedelta(0)
    assert host.believed(DAY) == 30 * DAY


def test_one_that_is_kept_right_is_believed_at_once() -> None:
    host = Host(newest=None)
    host.believed()
    host.ahead = 30 * DAY
    assert host.believed(kept_right=True) == 30 * DAY


def test_a_start_long_after_the_newest_clip_is_in_doubt() -> None:
    host = Host(newest=-7 * DAY)
    host.ran = timedelta(0)
    assert host.believed() == -7 * DAY - HOUR
    assert host.believed(DAY) == timedelta(0)
