"""Another integration's entities are followed wherever they go, one by one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import logging
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.camera import Camera, CameraEntityFeature
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    setup_test_component_platform,
)

from custom_components.doorstep.doorbells import adopted
from custom_components.doorstep.doorbells.adopted import AdoptedSource
from custom_components.doorstep.doorbells.model import Problem, Signal
from custom_components.doorstep.errors import CameraError

LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)
JPEG: Final = b"\xff\xd8\xff\xe0 a picture"
SECRET: Final = "rtsp://door:planted-secret@192.0.2.7/live"
RINGS: Final = {"event_type": "ring", "event_types": ["ring"], "device_class": "doorbell"}


@dataclass
class Street:
    """A device with a camera, a bell and a motion sensor, and who listens to them."""

    hass: HomeAssistant
    device: dr.DeviceEntry
    entries: dict[str, er.RegistryEntry]
    heard: list[Signal] = field(default_factory=list)
    changes: int = 0
    sources: list[AdoptedSource] = field(default_factory=list)
    rung: datetime = LONG_AGO

    def follow(self, **data: Any) -> AdoptedSource:
        """Adopt with the registry ids of all three, unless other data are given."""
        ids = {name: entry.id for name, entry in self.entries.items()}
        chosen = {"camera": ids["camera"], "rings": [ids["bell"]], "motions": [ids["motion"]]}
        source = AdoptedSource(self.hass, "Front door", {**chosen, **data})
        self.sources.append(source)
        source.async_start(self.heard.append, self._changed)
        return source

    def _changed(self) -> None:
        self.changes += 1

    async def say(self, entity_id: str, state: str | None, **attributes: Any) -> None:
        """Let an entity say something, or go."""
        if state is None:
            self.hass.states.async_remove(entity_id)
        else:
            self.hass.states.async_set(entity_id, state, attributes)
        await self.hass.async_block_till_done()

    async def ring(self, entity_id: str = "event.bell") -> None:
        """Press the button; no two presses have the same time."""
        self.rung = max(datetime.now(UTC), self.rung + timedelta(milliseconds=1))
        await self.say(entity_id, self.rung.isoformat(timespec="milliseconds"), **RINGS)

    async def change(self, name: str, **changes: Any) -> None:
        """Let a person change an entity in the registry."""
        registry = er.async_get(self.hass)
        registry.async_update_entity(self.entries[name].entity_id, **changes)
        await self.hass.async_block_till_done()

    async def remove(self, name: str) -> None:
        """Let an integration remove an entity for good."""
        er.async_get(self.hass).async_remove(self.entries[name].entity_id)
        self.hass.states.async_remove(self.entries[name].entity_id)
        await self.hass.async_block_till_done()

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        async_fire_time_changed(self.hass, datetime.now(UTC) + timedelta(seconds=seconds))
        await self.hass.async_block_till_done()


def register(
    hass: HomeAssistant, device: dr.DeviceEntry, entity_id: str, device_class: str | None
) -> er.RegistryEntry:
    domain, _, name = entity_id.partition(".")
    return er.async_get(hass).async_get_or_create(
        domain,
        "reolink",
        name,
        suggested_object_id=name,
        config_entry=hass.config_entries.async_get_known_entry(device.config_entry_id),
        device_id=device.id,
        original_device_class=device_class,
    )


@pytest.fixture
async def street(hass: HomeAssistant) -> AsyncIterator[Street]:
    entry = MockConfigEntry(domain="reolink")
    entry.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("reolink", "1")}, name="Front door"
    )
    kinds = {"camera.door": None, "event.bell": "doorbell", "binary_sensor.motion": "motion"}
    entries = {
        entity_id.partition(".")[2]: register(hass, device, entity_id, device_class)
        for entity_id, device_class in kinds.items()
    }
    entries["camera"] = entries.pop("door")
    for entity_id, state in (
        ("camera.door", "idle"),
        ("event.bell", "unknown"),
        ("binary_sensor.motion", "off"),
    ):
        hass.states.async_set(entity_id, state)
    street = Street(hass, device, entries)
    yield street
    for source in street.sources:
        source.async_stop()


async def test_ring_and_motion_are_passed_on(street: Street) -> None:
    source = street.follow()
    assert source.available
    await street.ring()
    await street.say("binary_sensor.motion", "on")
    await street.say("binary_sensor.motion", "off")
    await street.say("camera.door", "streaming")
    assert street.heard == [
        Signal(kind="ring", source="event.bell"),
        Signal(kind="motion_on", source="binary_sensor.motion"),
        Signal(kind="motion_off", source="binary_sensor.motion"),
    ]
    assert street.changes == 0


async def test_what_is_on_at_the_start_is_no_event(street: Street) -> None:
    await street.ring()
    await street.say("binary_sensor.motion", "on")
    street.follow()
    await street.say(
        "event.bell", street.rung.isoformat(timespec="milliseconds"), **RINGS, battery=3
    )
    await street.say("binary_sensor.motion", "on", battery=3)
    await street.say("binary_sensor.motion", "off")
    assert street.heard == []


async def test_one_entity_may_be_chosen_twice(street: Street) -> None:
    motion = street.entries["motion"].id
    street.follow(rings=[motion], motions=[motion])
    await street.say("binary_sensor.motion", "on")
    assert [signal.kind for signal in street.heard] == ["ring", "motion_on"]


async def test_nothing_is_heard_after_the_stop(street: Street) -> None:
    source = street.follow()
    await street.say("camera.door", "unavailable")
    source.async_stop()
    await street.ring()
    await street.change("bell", new_entity_id="event.other")
    await street.say("event.bell", "unavailable")
    await street.say("camera.door", "idle")
    await street.wait(601)
    assert street.heard == []
    assert street.changes == 1


@pytest.mark.parametrize(
    ("chosen", "asked"),
    [
        ({}, "event.bell"),
        ({"rings": []}, "binary_sensor.motion"),
        ({"rings": [], "motions": []}, "camera.door"),
    ],
)
async def test_available_is_whether_a_ring_can_come(
    street: Street, chosen: dict[str, Any], asked: str
) -> None:
    source = street.follow(**chosen)
    await street.say(asked, "unavailable")
    assert (source.available, street.changes) == (False, 1)
    await street.say(asked, "unknown")
    assert (source.available, street.changes) == (True, 2)
    for other in {"event.bell", "binary_sensor.motion"} - {asked}:
        await street.say(other, "unavailable")
    assert (source.available, street.changes) == (True, 2)
    await street.say(asked, None)
    assert (source.available, street.changes) == (False, 3)


async def test_it_is_told_when_the_camera_goes_and_comes(street: Street) -> None:
    source = street.follow()
    await street.say("camera.door", "unavailable")
    assert (source.available, street.changes) == (True, 1)
    await street.say("camera.door", "idle")
    assert (source.available, street.changes) == (True, 2)


async def test_one_bell_of_two_is_enough(street: Street) -> None:
    source = street.follow(rings=[street.entries["bell"].id, "input_button.gong"])
    await street.say("event.bell", "unavailable")
    assert not source.available
    await street.say("input_button.gong", "unknown")
    assert source.available
    await street.say("input_button.gong", datetime.now(UTC).isoformat())
    assert street.heard == [Signal(kind="ring", source="input_button.gong")]


async def test_an_outage_rings_no_bell(street: Street) -> None:
    street.follow()
    await street.ring()
    await street.say("event.bell", "unavailable")
    await street.ring()
    await street.say("binary_sensor.motion", "unavailable")
    await street.say("binary_sensor.motion", "on")
    assert len(street.heard) == 1
    await street.ring()
    assert len(street.heard) == 2


async def test_listeners_hear_that_it_is_back_before_it_rings(street: Street) -> None:
    source = AdoptedSource(
        street.hass, "Front door", {"camera": "camera.door", "rings": ["event.bell", "event.b"]}
    )
    street.sources.append(source)
    order: list[str] = []
    source.async_start(lambda signal: order.append(signal.kind), lambda: order.append("changed"))
    await street.say("event.bell", "unavailable")
    await street.say("event.bell", "unknown")
    await street.ring()
    assert order == ["changed", "changed", "ring"]


async def test_a_renamed_entity_is_followed(street: Street) -> None:
    source = street.follow()
    await street.ring()
    state = street.rung.isoformat(timespec="milliseconds")
    await street.change("bell", new_entity_id="event.gate")
    await street.say("event.bell", None)
    await street.say("event.gate", state, **RINGS)
    assert source.available
    assert len(street.heard) == 1
    await street.ring("event.bell")
    assert len(street.heard) == 1
    await street.ring("event.gate")
    assert street.heard[1:] == [Signal(kind="ring", source="event.gate")]
    assert source.problem() is None


async def test_a_rename_is_no_new_baseline_for_the_others(street: Street) -> None:
    street.follow()
    await street.say("binary_sensor.motion", "on")
    await street.change("bell", new_entity_id="event.gate")
    await street.say("binary_sensor.motion", "off")
    assert [signal.kind for signal in street.heard] == ["motion_on", "motion_off"]


async def test_an_entity_chosen_by_its_entity_id_is_followed_too(street: Street) -> None:
    source = street.follow(rings=["event.bell"])
    await street.change("bell", new_entity_id="event.gate")
    await street.say("event.gate", "unknown")
    await street.ring("event.gate")
    assert street.heard == [Signal(kind="ring", source="event.gate")]
    assert source.available


async def test_a_removed_entity_is_missed_until_it_is_back(street: Street) -> None:
    source = street.follow()
    await street.remove("bell")
    assert source.problem() == Problem(
        "source_missing", {"name": "Front door", "entities": "event.bell"}
    )
    assert not source.available
    changes = street.changes
    again = register(street.hass, street.device, "event.bell", "doorbell")
    await street.ring()  # it remembers
    assert again.id == street.entries["bell"].id
    assert source.problem() is None
    assert source.available
    assert street.changes > changes
    assert street.heard == []
    await street.ring()
    assert street.heard == [Signal(kind="ring", source="event.bell")]


async def test_an_entity_that_comes_back_under_another_name_is_known(street: Street) -> None:
    source = street.follow()
    await street.remove("bell")
    registry = er.async_get(street.hass)
    again = register(street.hass, street.device, "event.bell", "doorbell")
    registry.async_update_entity(again.entity_id, new_entity_id="event.gate")
    await street.say("event.gate", "unknown")
    await street.ring("event.gate")
    assert street.heard == [Signal(kind="ring", source="event.gate")]
    assert source.problem() is None


@pytest.mark.parametrize("known", [True, False])
async def test_what_was_removed_before_the_start_is_named_as_far_as_known(
    street: Street, known: bool
) -> None:
    await street.remove("bell")
    gone = street.entries["bell"].id if known else "0123456789abcdef0123456789abcdef"
    source = street.follow(rings=[gone], motions=[gone])
    await street.ring()
    assert source.problem() == Problem(
        "source_missing", {"name": "Front door", "entities": "event.bell" if known else gone}
    )
    assert not source.available
    assert street.heard == []
    assert source.describe()["sources"][1]["missing"] is True


async def test_a_disabled_entity_is_missed_until_it_is_enabled(street: Street) -> None:
    source = street.follow()
    await street.change("camera", disabled_by=er.RegistryEntryDisabler.USER)
    assert source.problem() == Problem(
        "source_missing", {"name": "Front door", "entities": "camera.door"}
    )
    assert street.changes == 1
    with pytest.raises(CameraError, match="camera_unavailable"):
        await source.async_still()
    await street.change("camera", disabled_by=None)
    assert source.problem() is None
    assert street.changes == 2


async def test_the_device_is_the_cameras(street: Street) -> None:
    source = street.follow()
    assert source.device_id == street.device.id
    other = dr.async_get(street.hass).async_get_or_create(
        config_entry_id=street.device.config_entry_id, identifiers={("reolink", "2")}
    )
    await street.change("bell", device_id=other.id)
    assert (source.device_id, street.changes) == (street.device.id, 0)
    await street.change("camera", device_id=other.id)
    assert (source.device_id, street.changes) == (other.id, 1)
    await street.remove("camera")
    assert source.device_id is None


async def test_patience_with_the_unavailable_ends(
    street: Street, freezer: FrozenDateTimeFactory
) -> None:
    source = street.follow()
    await street.say("binary_sensor.motion", "unavailable")
    freezer.tick(595)
    await street.wait(0)
    await street.say("camera.door", "unavailable")
    await street.say("binary_sensor.motion", "unavailable", again=True)
    assert (source.problem(), street.changes) == (None, 1)
    freezer.tick(6)
    await street.wait(0)
    assert source.problem() == Problem(
        "source_unavailable", {"name": "Front door", "entities": "binary_sensor.motion"}
    )
    assert street.changes == 2
    freezer.tick(595)
    await street.wait(0)
    assert source.problem() == Problem(
        "source_unavailable",
        {"name": "Front door", "entities": "camera.door, binary_sensor.motion"},
    )
    assert street.changes == 3
    await street.say("camera.door", "idle")
    await street.say("binary_sensor.motion", "off")
    assert (source.problem(), street.changes) == (None, 5)


async def test_an_outage_shorter_than_patience_is_forgotten(street: Street) -> None:
    source = street.follow()
    await street.say("event.bell", "unavailable")
    await street.say("event.bell", "unknown")
    await street.wait(700)
    assert source.problem() is None


async def test_what_is_gone_is_told_before_what_is_silent(street: Street) -> None:
    source = street.follow()
    await street.say("event.bell", "unavailable")
    await street.wait(601)
    assert source.problem() == Problem(
        "source_unavailable", {"name": "Front door", "entities": "event.bell"}
    )
    await street.change("motion", disabled_by=er.RegistryEntryDisabler.USER)
    assert source.problem() == Problem(
        "source_missing", {"name": "Front door", "entities": "binary_sensor.motion"}
    )


async def test_nobody_is_missed_while_home_assistant_starts(street: Street) -> None:
    street.hass.set_state(CoreState.starting)
    await street.say("camera.door", "unavailable")
    await street.remove("bell")
    source = street.follow()
    await street.say("binary_sensor.motion", "unavailable")
    await street.wait(700)
    assert source.problem() is None
    street.hass.set_state(CoreState.running)
    street.hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await street.hass.async_block_till_done()
    assert source.problem() == Problem(
        "source_missing", {"name": "Front door", "entities": "event.bell"}
    )
    await street.say("camera.door", "idle")
    source.async_stop()
    assert source.problem() is None


async def test_a_yaml_entity_needs_no_registry(street: Street) -> None:
    source = street.follow(camera="camera.yaml", rings=["binary_sensor.yaml"], motions=[])
    assert not source.available
    assert source.device_id is None
    await street.say("binary_sensor.yaml", "off")
    await street.say("binary_sensor.yaml", "on")
    assert source.available
    assert street.heard == [Signal(kind="ring", source="binary_sensor.yaml")]
    await street.wait(601)
    assert source.problem() == Problem(
        "source_unavailable", {"name": "Front door", "entities": "camera.yaml"}
    )


async def test_a_yaml_entity_that_gets_registered_counts_as_such(street: Street) -> None:
    source = street.follow(camera="camera.late")
    entry = register(street.hass, street.device, "camera.late", None)
    await street.hass.async_block_till_done()
    assert source.device_id == entry.device_id
    assert street.changes == 1


async def test_motion_that_is_an_event_is_over_after_a_minute(street: Street) -> None:
    street.follow(motions=["event.moves"])
    await street.say("event.moves", "unknown")
    moves = {"event_type": "motion", "event_types": ["motion"]}
    await street.say("event.moves", datetime.now(UTC).isoformat(), **moves)
    await street.wait(59)
    later = datetime.now(UTC) + timedelta(seconds=59)
    await street.say("event.moves", later.isoformat(), **moves)
    assert [signal.kind for signal in street.heard] == ["motion_on", "motion_on"]
    await street.wait(61)
    assert street.heard[2:] == [Signal(kind="motion_off", source="event.moves")]
    await street.wait(200)
    assert len(street.heard) == 3


async def test_motion_that_is_not_over_at_the_stop_stays_untold(street: Street) -> None:
    source = street.follow(motions=["event.moves"])
    await street.say("event.moves", "unknown")
    await street.say("event.moves", datetime.now(UTC).isoformat(), event_type="motion")
    source.async_stop()
    await street.wait(61)
    assert [signal.kind for signal in street.heard] == ["motion_on"]


@pytest.mark.parametrize(
    ("rings", "doorbell"),
    [
        (["event.bell"], True),
        (["binary_sensor.motion", "event.bell"], True),
        (["binary_sensor.motion"], False),
        (["binary_sensor.doorbell"], False),
        (["event.yaml"], True),
        (["event.plain"], False),
        (["event.nowhere"], False),
        ([], False),
    ],
)
async def test_whether_a_ring_source_is_what_ours_would_be(
    street: Street, rings: list[str], doorbell: bool
) -> None:
    await street.say("event.yaml", "unknown", device_class="doorbell")
    await street.say("event.plain", "unknown")
    await street.say("binary_sensor.doorbell", "off", device_class="doorbell")
    source = AdoptedSource(street.hass, "Front door", {"camera": "camera.door", "rings": rings})
    assert source.ring_is_doorbell_event is doorbell


async def test_a_person_may_have_changed_the_device_class(street: Street) -> None:
    await street.change("bell", device_class="button")
    assert not street.follow().ring_is_doorbell_event


async def test_diagnostics_know_no_names(street: Street) -> None:
    source = street.follow(capture="stills", motions=["binary_sensor.yaml"])
    assert source.describe() == {
        "transport": "adopted",
        "capture": "stills",
        "available": True,
        "sources": [
            {
                "part": "camera",
                "domain": "camera",
                "platform": "reolink",
                "device_class": None,
                "missing": False,
                "available": True,
            },
            {
                "part": "ring",
                "domain": "event",
                "platform": "reolink",
                "device_class": "doorbell",
                "missing": False,
                "available": True,
            },
            {
                "part": "motion",
                "domain": "binary_sensor",
                "platform": None,
                "device_class": None,
                "missing": False,
                "available": False,
            },
        ],
    }


class Eye(Camera):
    """A camera that does what the test wants."""

    _attr_name = "Eye"
    _attr_supported_features = CameraEntityFeature.STREAM

    def __init__(self, answer: Callable[[], Awaitable[Any]]) -> None:
        super().__init__()
        self._answer = answer

    async def stream_source(self) -> str | None:
        url: str | None = await self._answer()
        return url

    async def async_camera_image(
        self, width: int | None = None, height: int | None = None
    ) -> bytes | None:
        assert (width, height) == (None, None)
        image: bytes | None = await self._answer()
        return image


async def look(
    hass: HomeAssistant, answer: Callable[[], Awaitable[Any]], capture: str = "stream"
) -> AdoptedSource:
    """Adopt a camera that gives this answer."""
    setup_test_component_platform(hass, "camera", [Eye(answer)])
    assert await async_setup_component(hass, "camera", {"camera": {"platform": "test"}})
    await hass.async_block_till_done()
    return AdoptedSource(hass, "Front door", {"camera": "camera.eye", "capture": capture})


def gives(value: object) -> Callable[[], Awaitable[Any]]:
    async def answer() -> object:
        if isinstance(value, Exception):
            raise value
        return value

    return answer


async def test_the_stream_is_asked_for_each_time(hass: HomeAssistant) -> None:
    urls = iter([SECRET, f"{SECRET}2"])

    async def answer() -> str:
        return next(urls)

    source = await look(hass, answer)
    assert source.capture == "stream"
    assert await source.async_stream_source() == SECRET
    assert await source.async_stream_source() == f"{SECRET}2"


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (None, "camera_no_stream"),
        ("", "camera_no_stream"),
        (HomeAssistantError(SECRET), "camera_unavailable"),
        (ValueError(SECRET), "camera_unavailable"),
        (TimeoutError(), "camera_unavailable"),
    ],
)
async def test_no_stream_is_said_without_a_secret(
    hass: HomeAssistant, answer: object, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source = await look(hass, gives(answer))
    with pytest.raises(CameraError) as raised:
        await source.async_stream_source()
    assert raised.value.key == key
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    assert "planted-secret" not in caplog.text


async def test_stills_never_open_a_stream(hass: HomeAssistant) -> None:
    source = await look(hass, gives(AssertionError("woken")), capture="stills")
    with pytest.raises(CameraError, match="camera_no_stream"):
        await source.async_stream_source()


async def test_a_camera_that_thinks_for_too_long_is_unavailable(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopted, "_TIMEOUT", 0.01)
    source = await look(hass, asyncio.Event().wait)
    with pytest.raises(CameraError, match="camera_unavailable"):
        await source.async_stream_source()
    with pytest.raises(CameraError, match="camera_no_picture"):
        await source.async_still()


async def test_a_camera_that_is_away_is_not_asked(hass: HomeAssistant) -> None:
    source = await look(hass, gives(SECRET))
    hass.states.async_set("camera.eye", "unavailable")
    with pytest.raises(CameraError, match="camera_unavailable"):
        await source.async_stream_source()
    nowhere = AdoptedSource(hass, "Front door", {"camera": "0123456789abcdef0123456789abcdef"})
    with pytest.raises(CameraError, match="camera_unavailable"):
        await nowhere.async_still()


async def test_a_still_is_a_jpeg(hass: HomeAssistant) -> None:
    assert await (await look(hass, gives(JPEG), capture="stills")).async_still() == JPEG


@pytest.mark.parametrize("answer", [b"\x89PNG\r\n", None, HomeAssistantError(), OSError(SECRET)])
async def test_anything_else_is_no_picture(hass: HomeAssistant, answer: object) -> None:
    source = await look(hass, gives(answer))
    with pytest.raises(CameraError, match="camera_no_picture"):
        await source.async_still()


@pytest.mark.parametrize("swallowed", [False, True])
async def test_being_cancelled_is_no_missing_picture(hass: HomeAssistant, swallowed: bool) -> None:
    asked = asyncio.Event()

    async def answer() -> None:
        asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if swallowed:
                raise HomeAssistantError from None
            raise

    source = await look(hass, answer)
    task = hass.async_create_task(source.async_still())
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_home_assistants_own_helpers_may_be_renamed(hass: HomeAssistant) -> None:
    """The same with real entities, which write their states in their own order."""
    assert await async_setup_component(hass, "input_button", {"input_button": {"gong": {}}})
    assert await async_setup_component(hass, "input_boolean", {"input_boolean": {"moves": {}}})
    registry = er.async_get(hass)
    entries = [registry.async_get(name) for name in ("input_button.gong", "input_boolean.moves")]
    gong, moves = [entry.id for entry in entries if entry]
    heard: list[Signal] = []
    source = AdoptedSource(
        hass, "Front door", {"camera": "camera.nowhere", "rings": [gong], "motions": [moves]}
    )
    source.async_start(heard.append, lambda: None)

    async def call(service: str, entity_id: str) -> None:
        domain = entity_id.partition(".")[0]
        await hass.services.async_call(domain, service, {"entity_id": entity_id}, blocking=True)

    await call("press", "input_button.gong")
    await call("turn_on", "input_boolean.moves")
    registry.async_update_entity("input_button.gong", new_entity_id="input_button.bell")
    registry.async_update_entity("input_boolean.moves", new_entity_id="input_boolean.stirs")
    await hass.async_block_till_done()
    assert [signal.kind for signal in heard[:2]] == ["ring", "motion_on"]
    await call("turn_off", "input_boolean.stirs")
    await call("press", "input_button.bell")
    # older versions take a renamed helper for a new one, which is off
    assert [(signal.kind, signal.source) for signal in heard[2:]] == [
        ("motion_off", "input_boolean.moves"),  # as it was called when it began
        ("ring", "input_button.bell"),
    ]
    source.async_stop()
