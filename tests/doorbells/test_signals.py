"""What other integrations' entities say, and what they only seem to say."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from homeassistant.core import State
from hypothesis import given, strategies as st
import pytest

from custom_components.doorstep.doorbells.model import Signal
from custom_components.doorstep.doorbells.signals import Role, counted_types, interpreter, words

START: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
RING: Final = {"event_type": "ring", "event_types": ["ring"]}
NO_ATTRIBUTES: Final[dict[str, Any]] = {}


def stamp(seconds: float) -> str:
    """State of an event entity for something that happened so long after the start."""
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


class Source:
    """An entity whose changes are understood as they come; times in seconds."""

    def __init__(self, entity_id: str, role: Role = "ring") -> None:
        self._entity_id = entity_id
        self._interpreter = interpreter(entity_id.partition(".")[0], role)
        self._state: State | None = None
        self._now = 0.0

    def becomes(
        self,
        state: str | None,
        attributes: Mapping[str, Any] = NO_ATTRIBUTES,
        *,
        at: float | None = None,
    ) -> Signal | None:
        """Let it change, a minute after the change before unless said otherwise."""
        self._now = self._now + 60 if at is None else at
        old, written = self._state, START + timedelta(seconds=self._now)
        self._state = None
        if state is not None:
            self._state = State(self._entity_id, state, attributes, last_updated=written)
        return self._interpreter.hear(old, self._state)

    def rings(self, seconds: float, attributes: Mapping[str, Any] = RING) -> Signal | None:
        """Let an event entity fire."""
        return self.becomes(stamp(seconds), attributes, at=seconds)


def test_an_event_entity_rings_once_for_each_later_time() -> None:
    source = Source("event.front_door")
    assert source.rings(1) is None  # restored at start
    assert source.rings(70) == Signal(kind="ring", source="event.front_door")
    assert source.becomes(stamp(70), {**RING, "battery": 3}, at=71) is None
    assert source.becomes(stamp(69), RING, at=72) is None
    assert source.rings(73) == Signal(kind="ring", source="event.front_door")


def test_the_first_ring_of_a_new_entity_counts() -> None:
    source = Source("event.front_door")
    assert source.becomes("unknown", at=0) is None
    assert source.rings(1) == Signal(kind="ring", source="event.front_door")


@pytest.mark.parametrize("before", ["unavailable", None])
def test_what_happened_during_an_outage_is_over(before: str | None) -> None:
    source = Source("event.front_door")
    source.becomes("unknown")
    assert source.rings(100) is not None
    source.becomes(before)
    assert source.rings(200) is None
    assert source.rings(201) is not None


def test_an_entity_that_remembers_after_having_known_of_nothing_does_not_ring() -> None:
    source = Source("event.front_door")
    source.becomes("unknown", at=1000)
    assert source.becomes(stamp(998), RING, at=1001) is None
    assert source.becomes(stamp(998), {**RING, "battery": 3}, at=1002) is None
    assert source.rings(1003) is not None


def test_a_stamp_cut_to_milliseconds_is_no_memory() -> None:
    source = Source("event.front_door")
    source.becomes("unknown", at=1000.0009)
    assert source.becomes(stamp(1000), RING, at=1000.001) is not None


def test_a_clock_that_was_set_back_silences_no_bell() -> None:
    source = Source("button.bell")
    source.becomes("unknown", at=3600)
    assert source.rings(3601, {}) is not None
    assert source.becomes(stamp(3601), {"battery": 3}, at=10) is None
    assert source.becomes(stamp(3), {}, at=11) is None  # replayed
    assert source.rings(12, {}) is not None
    assert source.rings(13, {}) is not None
    assert source.becomes(stamp(12), {}, at=14) is None


@pytest.mark.parametrize("state", ["soon", "2026-13-45T00:00:00Z", "2026-11-23T12:00:00", ""])
def test_what_is_no_time_is_no_event(state: str) -> None:
    source = Source("event.front_door")
    source.becomes("unknown")
    assert source.becomes(state, RING) is None


@pytest.mark.parametrize(
    ("types", "role", "counted"),
    [
        (["ring"], "ring", {"ring"}),
        (["motion", "Ding", "lastDing"], "ring", {"Ding", "lastDing"}),
        (["single_press", "double_press", "long_press"], "ring", None),
        (
            ["press_start", "press_end", "long_press_start", "long_press_end"],
            "ring",
            {"press_start", "long_press_start"},
        ),
        (["initial_press", "repeat", "short_release", "long_release"], "ring", {"initial_press"}),
        (["btn_down", "btn_up", "single_push", "long_push"], "ring", {"btn_down"}),
        (["single_push", "double_push", "btn_up"], "ring", {"single_push", "double_push"}),
        (["missed_call", "call"], "ring", {"call"}),
        (["on", "off"], "ring", {"on"}),
        (["bell_up"], "ring", set()),
        ([], "ring", set()),
        (["camera_motion", "camera_person", "camera_sound"], "motion", {"camera_motion"}),
        (["person", "animal", "vehicle"], "motion", {"person"}),
        (["crossed", "crossing_ended"], "motion", {"crossed"}),
    ],
)
def test_event_types_that_count(types: list[str], role: Role, counted: set[str] | None) -> None:
    found = counted_types(types, role)
    wanted = set(types) if counted is None else counted
    assert found >= wanted
    assert found - wanted <= {"camera_person"}


def test_only_counted_types_are_heard() -> None:
    source = Source("event.front_door")
    types = ["initial_press", "short_release"]
    source.becomes("unknown", at=0)
    assert source.rings(1, {"event_type": "initial_press", "event_types": types}) is not None
    assert source.rings(2, {"event_type": "short_release", "event_types": types}) is None
    assert source.rings(3, {"event_type": "short_release"}) is None
    assert source.rings(4, {"event_type": "anything"}) is not None
    assert source.rings(5, {"event_type": None}) is not None


def test_words() -> None:
    assert words("lastDing_2 Front-Door") == ["last", "ding", "2", "front", "door"]


@pytest.mark.parametrize(
    ("attributes", "event_id", "device_time"),
    [
        ({"event_id": "65a1"}, "65a1", None),
        ({"nest_event_id": "n-1"}, "n-1", None),
        ({"event_id": 7}, "7", None),
        ({"event_id": ""}, None, None),
        ({"event_id": ["x"]}, None, None),
        ({"event_time": "2026-11-23T12:00:01Z"}, None, START + timedelta(seconds=1)),
        ({"event_time": "2026-11-23T13:00:01+01:00"}, None, START + timedelta(seconds=1)),
        ({"event_time": START}, None, START),
        ({"lastDingTime": "none", "lastDing": START.timestamp()}, None, START),
        ({"timestamp": str(int(START.timestamp()))}, None, START),
        ({"timestamp": int(START.timestamp() * 1000)}, None, START),
        ({"timestamp": "2026-11-23T12:00:00"}, None, None),
        ({"timestamp": "2026-02-30T12:00:00Z"}, None, None),
        ({"timestamp": "1999-12-31T12:00:00Z"}, None, None),
        ({"timestamp": 12}, None, None),
        ({"timestamp": 10**400}, None, None),
        ({"timestamp": "9" * 400}, None, None),
        ({"timestamp": float("nan")}, None, None),
        ({"timestamp": [1]}, None, None),
    ],
)
def test_the_devices_own_id_and_time(
    attributes: dict[str, Any], event_id: str | None, device_time: datetime | None
) -> None:
    source = Source("event.front_door")
    source.becomes("unknown")
    heard = source.rings(61, {**RING, **attributes})
    assert heard == Signal(
        kind="ring", source="event.front_door", event_id=event_id, device_time=device_time
    )
    assert device_time is None or (heard and heard.device_time and heard.device_time.tzinfo is UTC)


def test_a_motion_event_begins_motion() -> None:
    source = Source("event.camera_motion", "motion")
    source.becomes("unknown", at=0)
    heard = source.rings(1, {"event_type": "motion", "event_types": ["motion"]})
    assert heard == Signal(kind="motion_on", source="event.camera_motion")


@pytest.mark.parametrize("domain", ["binary_sensor", "input_boolean", "sensor", "switch"])
def test_off_to_on_rings(domain: str) -> None:
    source = Source(f"{domain}.visitor")
    assert source.becomes("off") is None
    assert source.becomes("on") == Signal(kind="ring", source=f"{domain}.visitor")
    assert source.becomes("on", {"battery": 3, "friendly_name": "Bell"}) is None
    assert source.becomes("off") is None
    assert source.becomes("on") is not None


@pytest.mark.parametrize("before", [None, "unknown", "unavailable", "sleeping"])
@pytest.mark.parametrize("role", ["ring", "motion"])
def test_on_when_it_comes_back_is_a_baseline(before: str | None, role: Role) -> None:
    source = Source("binary_sensor.visitor", role)
    source.becomes("off")
    source.becomes(before)
    assert source.becomes("on") is None
    assert source.becomes("off") is None
    assert source.becomes("on") is not None


def test_motion_begins_and_ends() -> None:
    source = Source("binary_sensor.motion", "motion")
    source.becomes("off")
    assert source.becomes("on") == Signal(kind="motion_on", source="binary_sensor.motion")
    assert source.becomes("on", {"lastMotion": 5}) is None
    assert source.becomes("off") == Signal(kind="motion_off", source="binary_sensor.motion")
    assert source.becomes("off", {"lastMotion": 6}) is None


def test_motion_that_ended_during_an_outage_ends_once() -> None:
    source = Source("binary_sensor.motion", "motion")
    source.becomes("off")
    source.becomes("on")
    assert source.becomes("unavailable") is None
    assert source.becomes("on") is None
    assert source.becomes("unavailable") is None
    assert source.becomes("off") == Signal(kind="motion_off", source="binary_sensor.motion")
    assert source.becomes("unavailable") is None
    assert source.becomes("off") is None


def test_what_is_gone_does_not_move() -> None:
    source = Source("binary_sensor.motion", "motion")
    source.becomes("off")
    source.becomes("on")
    assert source.becomes(None) == Signal(kind="motion_off", source="binary_sensor.motion")
    assert source.becomes("on") is None
    assert source.becomes(None) is None


def ding(seconds: float) -> dict[str, Any]:
    """Attributes that ring-mqtt gives its ding."""
    at = START + timedelta(seconds=seconds)
    return {"lastDing": int(at.timestamp()), "lastDingTime": at.isoformat()}


def test_a_second_press_of_ring_mqtt_changes_only_attributes() -> None:
    source = Source("binary_sensor.ding")
    source.becomes("off", ding(-5000), at=0)
    # its state and its attributes are two messages
    first = source.becomes("on", ding(-5000), at=100)
    assert first == Signal(kind="ring", source="binary_sensor.ding")
    assert source.becomes("on", ding(100), at=100.1) is None
    second = source.becomes("on", ding(130), at=130.2)
    assert second is not None
    assert second.device_time == START + timedelta(seconds=130)
    assert source.becomes("on", {**ding(130), "battery": 1}, at=140) is None
    assert source.becomes("on", ding(100), at=150) is None  # an older one again
    assert source.becomes("on", ding(130), at=160) is None
    assert source.becomes("off", ding(130), at=170) is None
    assert source.becomes("on", ding(190), at=190) == Signal(
        kind="ring", source="binary_sensor.ding", device_time=START + timedelta(seconds=190)
    )


def named_once() -> Source:
    """A ding that has shown that each of its presses gets a name of its own."""
    source = Source("binary_sensor.ding")
    source.becomes("off", ding(-5000), at=0)
    assert source.becomes("on", ding(-5000), at=100) is not None
    assert source.becomes("on", ding(100), at=100.1) is None
    assert source.becomes("off", ding(100), at=280) is None
    return source


def test_a_press_that_gets_its_name_rings_with_it() -> None:
    source = named_once()
    assert source.becomes("on", ding(100), at=300) is None
    assert source.becomes("on", ding(300), at=300.1) == Signal(
        kind="ring", source="binary_sensor.ding", device_time=START + timedelta(seconds=300)
    )
    assert source.becomes("off", ding(300), at=480) is None


def test_a_repeated_on_is_no_press() -> None:
    source = named_once()
    assert source.becomes("on", ding(100), at=300) is None
    assert source.becomes("on", {**ding(100), "battery": 1}, at=310) is None


def test_a_name_that_comes_late_still_rings() -> None:
    source = named_once()
    assert source.becomes("on", ding(100), at=300) is None
    assert source.becomes("off", ding(100), at=302) is None
    assert source.becomes("off", ding(300), at=303) is not None
    assert source.becomes("off", ding(310), at=313) is None


def test_a_source_that_stops_naming_presses_rings_at_once_again() -> None:
    source = named_once()
    assert source.becomes("on", ding(100), at=300) is None
    source.becomes("off", ding(100), at=480)
    for at in (500, 700):
        assert source.becomes("on", ding(100), at=at) == Signal(
            kind="ring", source="binary_sensor.ding"
        )
        source.becomes("off", ding(100), at=at + 100)


def test_an_outage_forgets_the_press_whose_name_was_to_come() -> None:
    source = named_once()
    source.becomes("on", ding(100), at=300)
    source.becomes("unavailable", at=301)
    assert source.becomes("on", ding(100), at=302) is None
    assert source.becomes("on", ding(300), at=302.1) is None


def test_a_clock_that_was_set_back_names_the_next_press_all_the_same() -> None:
    source = Source("binary_sensor.ding")
    source.becomes("on", ding(5000), at=0)
    assert source.becomes("on", ding(100), at=100) is not None


def test_attributes_that_come_first_name_the_press() -> None:
    source = Source("binary_sensor.ding")
    source.becomes("off", ding(-5000), at=0)
    assert source.becomes("off", ding(100), at=100) is None
    heard = source.becomes("on", ding(100), at=100.1)
    assert heard is not None
    assert heard.device_time == START + timedelta(seconds=100)


def test_attributes_that_came_long_before_do_not() -> None:
    source = Source("binary_sensor.ding")
    source.becomes("off", ding(-5000), at=0)
    assert source.becomes("off", ding(100), at=100) is None
    assert source.becomes("on", ding(100), at=104) == Signal(
        kind="ring", source="binary_sensor.ding"
    )


def test_a_press_that_was_missed_in_an_outage_stays_missed() -> None:
    source = Source("binary_sensor.ding")
    source.becomes("on", ding(0), at=0)
    source.becomes("unavailable", ding(0), at=10)
    assert source.becomes("on", ding(0), at=20) is None
    assert source.becomes("on", ding(15), at=20.1) is None
    assert source.becomes("on", ding(25), at=25) is not None


def test_attributes_that_come_for_the_first_time_are_no_press() -> None:
    source = Source("binary_sensor.ding")
    source.becomes("on", at=0)
    assert source.becomes("on", ding(-100), at=60) is None
    assert source.becomes("on", ding(120), at=120) is not None


def test_another_event_id_while_on_is_another_press() -> None:
    source = Source("binary_sensor.doorbell")
    source.becomes("off", at=0)
    assert source.becomes("on", {"event_id": "a"}, at=60) == Signal(
        kind="ring", source="binary_sensor.doorbell", event_id="a"
    )
    assert source.becomes("on", {}, at=64) is None
    assert source.becomes("on", {"event_id": "b"}, at=70) == Signal(
        kind="ring", source="binary_sensor.doorbell", event_id="b"
    )


def test_another_id_at_the_same_time_is_the_same_press() -> None:
    source = Source("binary_sensor.ding")
    source.becomes("off", {**ding(0), "event_id": "0"}, at=0)
    source.becomes("on", {**ding(60), "event_id": "a"}, at=60)
    assert source.becomes("on", {**ding(60), "event_id": "b"}, at=70) is None
    assert source.becomes("on", {**ding(80), "event_id": "b"}, at=80) is not None


def test_a_clock_that_was_set_back_hides_no_second_press() -> None:
    source = Source("binary_sensor.doorbell")
    source.becomes("off", {"event_id": "0"}, at=7200)
    source.becomes("on", {"event_id": "a"}, at=7260)
    assert source.becomes("on", {"event_id": "b"}, at=20) is not None


OUTAGES: Final = st.sampled_from([None, "unavailable", "unknown"])


@given(st.lists(st.one_of(OUTAGES, st.integers(0, 40)), max_size=30))
def test_no_time_is_an_event_twice_and_none_goes_back(steps: list[str | int | None]) -> None:
    source = Source("event.front_door")
    heard: list[int] = []
    before: str | int | None = None
    for step in steps:
        if isinstance(step, int):
            if source.becomes(stamp(step), RING, at=100) is not None:
                assert before not in {None, "unavailable"}
                heard.append(step)
        else:
            assert source.becomes(step, at=0) is None
        before = step
    assert heard == sorted(set(heard))


@given(st.lists(st.one_of(OUTAGES, st.sampled_from(["on", "off"])), max_size=30))
def test_a_switched_bell_rings_only_from_off_to_on(steps: list[str | None]) -> None:
    source = Source("binary_sensor.visitor")
    before: str | None = None
    for step in steps:
        assert (source.becomes(step) is not None) == ((before, step) == ("off", "on"))
        before = step


@given(st.lists(st.one_of(OUTAGES, st.sampled_from(["on", "off"])), max_size=30))
def test_motion_begins_before_it_ends(steps: list[str | None]) -> None:
    source = Source("binary_sensor.motion", "motion")
    kinds = [heard.kind for step in steps if (heard := source.becomes(step)) is not None]
    assert kinds[::2] == ["motion_on"] * len(kinds[::2])
    assert kinds[1::2] == ["motion_off"] * len(kinds[1::2])


@given(
    st.lists(
        st.tuples(st.sampled_from(["on", "off", "unavailable"]), st.integers(0, 20)), max_size=30
    )
)
def test_each_ding_counts_once_however_it_is_told(steps: list[tuple[str, int]]) -> None:
    """Attributes alone never ring twice for one press, in whichever order they come."""
    source = Source("binary_sensor.ding")
    known: set[int] = set()
    before = ""
    for state, pressed in steps:
        heard = source.becomes(state, ding(pressed))
        if before == "on" and state == "on":
            assert heard is None or pressed not in known
        if state != "unavailable":
            known.add(pressed)
        before = state
