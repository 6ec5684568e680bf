"""One event for each press, whatever repeats itself."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from custom_components.doorstep.doorbells.dedupe import ID_HOLDS, SAME_PRESS, Deduplicator
from custom_components.doorstep.doorbells.model import SELF_TEST, Signal

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def ring(
    source: str = "webhook",
    *,
    event_id: str | None = None,
    device_time: datetime | None = None,
) -> Signal:
    return Signal(kind="ring", source=source, event_id=event_id, device_time=device_time)


def test_each_press_of_one_source_counts() -> None:
    deduplicator = Deduplicator()
    assert [deduplicator.is_new(ring(), NOW + n * SECOND) for n in range(3)] == [True] * 3


def test_an_id_with_a_time_counts_once_however_late() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.is_new(ring(event_id="7", device_time=NOW), NOW)
    assert not deduplicator.is_new(ring(event_id="7", device_time=NOW), NOW + timedelta(hours=3))
    assert deduplicator.is_new(ring(event_id="8", device_time=NOW), NOW + timedelta(hours=3))


def test_a_device_that_always_sends_the_same_id_is_heard_again() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.is_new(ring(event_id="7"), NOW)
    assert not deduplicator.is_new(ring(event_id="7"), NOW + ID_HOLDS - SECOND)
    assert deduplicator.is_new(ring(event_id="7"), NOW + ID_HOLDS)
    assert not deduplicator.is_new(ring(event_id="7"), NOW + ID_HOLDS + SECOND)


def test_an_id_is_one_kinds_own() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.is_new(ring(event_id="7"), NOW)
    assert deduplicator.is_new(Signal(kind="motion_on", source="webhook", event_id="7"), NOW)


def test_the_same_device_time_is_the_same_event() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.is_new(ring(device_time=NOW), NOW)
    assert not deduplicator.is_new(ring(device_time=NOW), NOW + 20 * SECOND)


def test_an_id_decides_where_times_are_alike() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.is_new(ring(event_id="1", device_time=NOW), NOW)
    assert deduplicator.is_new(ring(event_id="2", device_time=NOW), NOW)


def test_a_clock_that_jumps_back_silences_nobody() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.is_new(ring(device_time=NOW), NOW)
    assert deduplicator.is_new(ring(device_time=NOW - timedelta(days=9)), NOW + SECOND)


def test_a_host_whose_clock_is_set_back_swallows_no_press() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.is_new(ring("event.a"), NOW)
    assert deduplicator.is_new(ring("event.b"), NOW - timedelta(hours=1))


def test_two_presses_with_ids_that_two_sources_tell_of() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.is_new(ring("event.a", event_id="1"), NOW)
    assert not deduplicator.is_new(ring("event.b", event_id="1"), NOW)
    assert deduplicator.is_new(ring("event.b", event_id="2"), NOW + 2 * SECOND)
    assert not deduplicator.is_new(ring("event.a", event_id="2"), NOW + 2 * SECOND)
    # an earlier press once more says nothing about this one
    assert not deduplicator.is_new(ring("event.c", event_id="1"), NOW + 3 * SECOND)
    assert not deduplicator.is_new(ring("event.c"), NOW + 3 * SECOND)


def test_several_sources_tell_of_one_press() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.is_new(ring("event.ring"), NOW)
    assert not deduplicator.is_new(ring("binary_sensor.visitor"), NOW + SECOND)
    assert not deduplicator.is_new(ring("binary_sensor.ding"), NOW + 2 * SECOND)


def test_a_second_press_is_told_by_both_sources_once() -> None:
    deduplicator = Deduplicator()
    heard = [deduplicator.is_new(ring(source), NOW + n * SECOND) for n, source in enumerate("abab")]
    assert heard == [True, False, True, False]


def test_another_source_later_is_another_press() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.is_new(ring("a"), NOW)
    assert deduplicator.is_new(ring("b"), NOW + SAME_PRESS)


def test_motion_of_several_sources_is_not_one() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.is_new(Signal(kind="motion_on", source="a"), NOW)
    assert deduplicator.is_new(Signal(kind="motion_on", source="b"), NOW)


def test_a_self_test_always_rings_and_hides_no_press() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.is_new(ring("a"), NOW)
    assert deduplicator.is_new(ring(SELF_TEST, event_id="1"), NOW)
    assert deduplicator.is_new(ring(SELF_TEST, event_id="1"), NOW)
    assert not deduplicator.is_new(ring("b"), NOW + SECOND)


def test_what_an_earlier_run_heard_is_known() -> None:
    deduplicator = Deduplicator()
    deduplicator.remember(ring(event_id="7"), NOW)
    deduplicator.remember(ring(), NOW)
    assert not deduplicator.is_new(ring(event_id="7"), NOW)
    assert deduplicator.is_new(ring(), NOW)


def test_memory_is_bounded() -> None:
    deduplicator = Deduplicator()
    for number in range(257):
        assert deduplicator.is_new(ring(event_id=str(number)), NOW)
    assert not deduplicator.is_new(ring(event_id="1"), NOW)
    assert deduplicator.is_new(ring(event_id="0"), NOW)


@given(st.lists(st.sampled_from("abcdef"), max_size=60))
def test_no_id_ever_rings_twice(ids: list[str]) -> None:
    deduplicator = Deduplicator()
    heard = [
        name
        for n, name in enumerate(ids)
        if deduplicator.is_new(ring(event_id=name), NOW + n * SECOND)
    ]
    assert sorted(heard) == sorted(set(ids))
