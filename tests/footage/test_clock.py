"""UTC out of arrivals: the least delayed of the last minute counts."""

import ctypes
from datetime import UTC, datetime, timedelta
import time

import pytest

from custom_components.doorstep.footage.clock import WINDOW, StreamClock, host_ntp

from .synthetic import EPOCH


def test_the_least_delayed_fragment_sets_the_clock() -> None:
    clock = StreamClock()
    for arrival, media_end in ((10.0, 1.0), (10.2, 2.0), (11.5, 3.0)):
        clock.observe(media_end, arrival, EPOCH.timestamp() + arrival)
    # the second arrived 8.2 s after its media time, the others later
    assert clock.at(0) == EPOCH + timedelta(seconds=8.2)
    assert clock.at(2.5) == EPOCH + timedelta(seconds=10.7)
    assert clock.behind == pytest.approx(0.3)


def test_the_window_forgets() -> None:
    clock = StreamClock()
    clock.observe(0, 100, 100)
    clock.observe(WINDOW, 100 + WINDOW + 2, 100 + WINDOW + 2)
    assert clock.at(0) == datetime.fromtimestamp(102, UTC)
    clock = StreamClock()
    clock.observe(0, 100, 100)
    clock.observe(WINDOW - 2, 100 + WINDOW, 100 + WINDOW)
    assert clock.at(0) == datetime.fromtimestamp(100, UTC)


def test_a_step_of_the_hosts_clock_shows_at_once() -> None:
    clock = StreamClock()
    clock.observe(1, 1, 1001)
    clock.observe(2, 2, 1302)
    assert clock.at(2) == datetime.fromtimestamp(1302, UTC)


def test_the_steady_clock_does_not_step() -> None:
    clock = StreamClock()
    clock.observe(1, 11, 1001)
    assert (clock.offset, clock.steady(3)) == (990, 13)
    clock.synchronise(12, 4002)
    assert (clock.offset, clock.steady(3)) == (3990, 13)
    assert clock.at(1) == datetime.fromtimestamp(4001, UTC)


@pytest.mark.parametrize("month", [3, 10])
def test_summer_time_changes_nothing(month: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All is UTC: an hour that a home's clocks skip or repeat is like any other."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        # the night in which Central European Summer Time begins, or ends
        day = {3: 29, 10: 25}[month]
        night = datetime(2026, month, day, 0, 59, 59, tzinfo=UTC)
        clock = StreamClock()
        clock.observe(0, 0, night.timestamp())
        times = [clock.at(second) for second in range(4)]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert times == [night + timedelta(seconds=second) for second in range(4)]


def test_milliseconds() -> None:
    clock = StreamClock()
    clock.observe(0, 0, 0.0015001)
    assert clock.at(0).microsecond == 2000


def test_the_kernel_knows() -> None:
    assert host_ntp() in {"synchronised", "unsynchronised", "unknown"}


@pytest.mark.parametrize(
    ("state", "known"),
    [(0, "synchronised"), (4, "synchronised"), (5, "unsynchronised"), (-1, "unknown")],
)
def test_what_the_kernel_says(monkeypatch: pytest.MonkeyPatch, state: int, known: str) -> None:
    class Library:
        def __init__(self, name: None) -> None:
            pass

        def adjtimex(self, buffer: ctypes.Array[ctypes.c_char]) -> int:
            assert bytes(buffer) == bytes(256)
            return state

    monkeypatch.setattr(ctypes, "CDLL", Library)
    assert host_ntp() == known


def test_no_such_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert host_ntp() == "unknown"
