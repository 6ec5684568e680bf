"""What people see of a doorbell: its device, its entities, and what privacy makes of them."""

import asyncio
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from homeassistant.components.camera import (
    CameraWebRTCProvider,
    async_get_stream_source,
    async_register_webrtc_provider,
)
from homeassistant.components.stream import Stream
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, ServiceCall, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
    async_mock_service,
)
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)
from yarl import URL

from custom_components.doorstep.doorbells.doorbell import PATIENCE, Doorbell
from custom_components.doorstep.doorbells.switches import Switches
from custom_components.doorstep.errors import StorageError

from ..homes import Home, prepare
from ..simulators.waiting import until
from .homes import adopted, change, devices, direct, entities, set_up
from .recorders import JPEG, FakeRecorder, install

pytestmark = pytest.mark.usefixtures("socket_enabled")

HOOK: Final = "/api/webhook/hook-front_door"
RING: Final = "event.front_door_ring"
MOTION: Final = "binary_sensor.front_door_motion"
CAMERA: Final = "camera.front_door"
PRIVACY: Final = "switch.front_door_privacy"
PICTURE: Final = "image.front_door_last_ring_picture"
RECORDING: Final = "sensor.front_door_recording"
LAST_RING: Final = "sensor.front_door_last_ring"
NAMES: Final = {
    RING: "Front door Ring",
    PICTURE: "Front door Last ring picture",
    LAST_RING: "Front door Last ring",
    RECORDING: "Front door Recording",
    "sensor.front_door_event_delay": "Front door Event delay",
    "sensor.front_door_test_result": "Front door Test result",
    "button.front_door_test": "Front door Test",
    "button.front_door_record": "Front door Record",
    PRIVACY: "Front door Privacy",
    "switch.front_door_ring_notifications": "Front door Ring notifications",
}
OWN: Final = {MOTION: "Front door Motion", CAMERA: "Front door"}


@pytest.fixture
async def home(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Home:
    install(monkeypatch)
    return await prepare(hass, hass_client, tmp_path / "library")


def state(home: Home, entity_id: str) -> str:
    return told(home, entity_id).state


def told(home: Home, entity_id: str) -> State:
    found = home.hass.states.get(entity_id)
    assert found is not None, entity_id
    return found


async def report(home: Home, **members: str) -> None:
    assert (await home.client.get(HOOK, params=members)).status == HTTPStatus.OK


async def call(home: Home, action: str, entity_id: str) -> None:
    domain, service = action.split(".")
    await home.hass.services.async_call(domain, service, {"entity_id": entity_id}, blocking=True)


def gate(hass: HomeAssistant, *, bell: str = "doorbell") -> dict[str, er.RegistryEntry]:
    """Another integration's device with a camera, an event and a button."""
    other = MockConfigEntry(domain="other", title="Other")
    other.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("other", "1")}, name="Gate"
    )
    made = {}
    for domain, name in (("camera", "eye"), ("event", "bell"), ("button", "knob")):
        made[name] = er.async_get(hass).async_get_or_create(
            domain,
            "other",
            name,
            config_entry=other,
            device_id=device.id,
            object_id_base=f"gate_{name}",
            original_name=name,
            original_device_class=bell if domain == "event" else None,
        )
        hass.states.async_set(made[name].entity_id, "unknown")
    return made


async def test_a_direct_doorbell_is_a_device_with_all_entities(home: Home) -> None:
    entry = await set_up(home, direct())
    found = entities(home.hass, entry)
    assert found.keys() == NAMES.keys() | OWN.keys()
    for entity_id, name in (NAMES | OWN).items():
        if not found[entity_id].disabled:
            assert told(home, entity_id).name == name
    (device,) = devices(home.hass, entry)
    assert device.name == "Front door"
    assert {one.device_id for one in found.values()} == {device.id}
    categories = {key: one.entity_category for key, one in found.items() if one.entity_category}
    assert categories == {
        RECORDING: "diagnostic",
        "sensor.front_door_event_delay": "diagnostic",
        "sensor.front_door_test_result": "diagnostic",
        "button.front_door_test": "diagnostic",
        "switch.front_door_ring_notifications": "config",
    }
    assert [key for key, one in found.items() if one.disabled] == ["sensor.front_door_event_delay"]


async def test_an_adopted_doorbell_is_on_the_page_of_its_camera(home: Home) -> None:
    sources = gate(home.hass)
    wiring = {"camera": sources["eye"].id, "rings": [sources["knob"].id]}
    entry = await set_up(home, adopted("Gate", **wiring))
    found = entities(home.hass, entry)
    assert {one.device_id for one in found.values()} == {sources["eye"].device_id}
    assert {one.domain for one in found.values()}.isdisjoint({"camera", "binary_sensor"})
    assert len(found) == len(NAMES)
    assert devices(home.hass, entry) == []
    assert told(home, "event.gate_ring").name == "Gate Ring"
    home.hass.states.async_set(sources["knob"].entity_id, dt_util.utcnow().isoformat())
    await home.hass.async_block_till_done()
    ring = told(home, "event.gate_ring")
    assert ring.attributes["source"] == sources["knob"].entity_id
    assert not ring.attributes["test"]


async def test_a_camera_without_a_device_gets_one(home: Home) -> None:
    home.hass.states.async_set("camera.loose", "idle")
    entry = await set_up(home, adopted(camera="camera.loose"))
    (device,) = devices(home.hass, entry)
    assert device.name == "Front door"
    assert told(home, RING).name == "Front door Ring"


async def test_a_ring_that_is_there_already_is_not_doubled_until_it_goes(home: Home) -> None:
    sources = gate(home.hass)
    wiring = {"camera": sources["eye"].id, "rings": [sources["bell"].id]}
    entry = await set_up(home, adopted("Gate", **wiring), direct())
    ring = entities(home.hass, entry)["event.gate_ring"]
    assert ring.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert home.hass.states.get("event.gate_ring") is None
    loads = async_capture_events(home.hass, "state_changed")
    await change(home.hass, entry, "Gate", rings=[sources["knob"].id])
    async_fire_time_changed(home.hass, dt_util.utcnow() + timedelta(minutes=1))
    await home.hass.async_block_till_done()
    assert entities(home.hass, entry)["event.gate_ring"].disabled_by is None
    assert state(home, "event.gate_ring") == "unknown"
    # the other doorbell noticed nothing: the household was not loaded anew
    assert not [one for one in loads if one.data["entity_id"] == RING]
    home.hass.states.async_set(sources["knob"].entity_id, dt_util.utcnow().isoformat())
    await home.hass.async_block_till_done()
    assert state(home, "event.gate_ring") != "unknown"


async def test_a_ring_that_people_have_disabled_stays_so(home: Home) -> None:
    sources = gate(home.hass)
    wiring = {"camera": sources["eye"].id, "rings": [sources["knob"].id]}
    entry = await set_up(home, adopted("Gate", **wiring))
    er.async_get(home.hass).async_update_entity(
        "event.gate_ring", disabled_by=er.RegistryEntryDisabler.USER
    )
    await home.hass.async_block_till_done()
    await change(home.hass, entry, "Gate", rings=[], motions=[sources["knob"].id])
    assert entities(home.hass, entry)["event.gate_ring"].disabled


async def test_a_ring_says_where_it_comes_from_and_when(home: Home) -> None:
    await set_up(home, direct())
    pressed = datetime.now(UTC) - timedelta(seconds=3)
    await report(home, event="ring", event_id="ev-1", time=pressed.isoformat())
    ring = told(home, RING).attributes
    assert (ring["event_type"], ring["event_id"], ring["source"]) == ("ring", "ev-1", "webhook")
    assert ring["device_time"] == pressed.isoformat()
    assert ring["clip_id"] == FakeRecorder.newest.clip
    received = dt_util.parse_datetime(ring["received_at"])
    assert received is not None
    assert 3 <= (received - pressed).total_seconds() < 5
    assert state(home, LAST_RING) == received.isoformat(timespec="seconds")


async def test_the_delay_of_an_event_is_shown_to_those_who_want_it(home: Home) -> None:
    entry = await set_up(home, direct())
    delay = "sensor.front_door_event_delay"
    er.async_get(home.hass).async_update_entity(delay, disabled_by=None)
    assert await home.hass.config_entries.async_reload(entry.entry_id)
    assert state(home, delay) == "unknown"
    pressed = datetime.now(UTC) - timedelta(seconds=3)
    await report(home, event="ring", time=pressed.isoformat())
    assert 3 <= float(state(home, delay)) < 5
    assert told(home, delay).attributes["unit_of_measurement"] == "s"
    await report(home, event="ring")
    assert state(home, delay) == "unknown"


async def test_a_replay_after_a_restart_is_no_second_ring(home: Home) -> None:
    entry = await set_up(home, direct())
    pressed = datetime.now(UTC).isoformat()
    for members in ({"event_id": "ev-7"}, {"time": pressed}):
        await report(home, event="ring", **members)
        rang, last = state(home, RING), state(home, LAST_RING)
        assert await home.hass.config_entries.async_reload(entry.entry_id)
        await home.hass.async_block_till_done()
        assert (state(home, RING), state(home, LAST_RING)) == (rang, last)
        await report(home, event="ring", **members)
        assert state(home, RING) == rang
    await report(home, event="ring", event_id="ev-8")
    assert state(home, RING) > rang


async def automate(hass: HomeAssistant, trigger: str, entity_id: str) -> list[ServiceCall]:
    """Write an automation as people do; returns what it calls."""
    calls: list[ServiceCall] = async_mock_service(hass, "test", "automation")
    automation = {
        "alias": trigger,
        "triggers": {"trigger": trigger, "target": {"entity_id": entity_id}},
        "actions": {"action": "test.automation"},
    }
    assert await async_setup_component(hass, "automation", {"automation": automation})
    await hass.async_block_till_done()
    return calls


async def test_the_doorbell_trigger_hears_presses_and_nothing_else(home: Home) -> None:
    entry = await set_up(home, direct())
    calls = await automate(home.hass, "doorbell.rang", RING)
    await report(home, event="ring")
    await report(home, event="motion_on")
    await home.hass.async_block_till_done()
    assert len(calls) == 1

    FakeRecorder.newest.turn("failed", "camera_unreachable")
    assert state(home, RING) not in {"unavailable", "unknown"}
    async_fire_time_changed(home.hass, dt_util.utcnow() + PATIENCE + timedelta(seconds=1))
    await home.hass.async_block_till_done()
    assert state(home, RING) == state(home, MOTION) == state(home, CAMERA) == "unavailable"
    assert state(home, LAST_RING) != "unavailable"
    assert state(home, PRIVACY) == "off"
    FakeRecorder.newest.turn("ready")
    await home.hass.async_block_till_done()
    assert state(home, RING) not in {"unavailable", "unknown"}
    assert await home.hass.config_entries.async_reload(entry.entry_id)
    await home.hass.async_block_till_done()
    assert len(calls) == 1
    await report(home, event="ring")
    await report(home, event="ring")
    await home.hass.async_block_till_done()
    assert len(calls) == 3


async def test_the_motion_trigger_hears_it_begin(home: Home) -> None:
    await set_up(home, direct())
    calls = await automate(home.hass, "motion.detected", MOTION)
    for event in ("motion_on", "motion_off", "motion_on"):
        await report(home, event=event)
        await home.hass.async_block_till_done()
    assert len(calls) == 2


async def test_privacy_stops_everything_at_once_and_survives_a_restart(home: Home) -> None:
    entry = await set_up(home, direct())
    recorder = FakeRecorder.newest
    assert state(home, CAMERA) == "streaming"
    await call(home, "switch.turn_on", PRIVACY)
    assert recorder.status.state == "off"
    assert state(home, PRIVACY) == "on"
    assert state(home, CAMERA) == "idle"
    assert state(home, RECORDING) == "off"
    answer = await home.client.get(f"/api/camera_proxy/{CAMERA}")
    assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    with pytest.raises(HomeAssistantError, match="off"):
        await async_get_stream_source(home.hass, CAMERA)
    await report(home, event="ring")
    assert told(home, RING).attributes["clip_id"] is None

    assert await home.hass.config_entries.async_unload(entry.entry_id)
    assert await home.hass.config_entries.async_setup(entry.entry_id)
    assert state(home, PRIVACY) == "on"
    assert state(home, RECORDING) == "off"
    await call(home, "switch.turn_off", PRIVACY)
    assert state(home, RECORDING) == "ready"
    assert state(home, CAMERA) == "streaming"
    assert (await home.client.get(f"/api/camera_proxy/{CAMERA}")).status == HTTPStatus.OK


async def test_the_camera_can_be_switched_off_too(home: Home) -> None:
    await set_up(home, direct())
    await call(home, "camera.turn_off", CAMERA)
    assert state(home, PRIVACY) == "on"
    await call(home, "camera.turn_on", CAMERA)
    assert state(home, PRIVACY) == "off"


async def test_a_switch_that_cannot_be_kept_says_why(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(home, direct())

    def fail(*_: object, **__: object) -> None:
        raise StorageError("disk_full")

    monkeypatch.setattr(Switches, "set", fail)
    notifications = "switch.front_door_ring_notifications"
    with pytest.raises(HomeAssistantError) as raised:
        await call(home, "switch.turn_on", notifications)
    assert raised.value.translation_key == "disk_full"
    assert state(home, notifications) == "off"
    with pytest.raises(HomeAssistantError):
        await call(home, "camera.turn_off", CAMERA)


async def test_the_camera_says_when_it_is_recorded(home: Home) -> None:
    await set_up(home, direct())
    recorder = FakeRecorder.newest
    await report(home, event="ring")
    assert state(home, CAMERA) == "recording"
    await recorder.close()
    assert state(home, CAMERA) == "streaming"
    await report(home, event="motion_on")
    recorder.turn("failed", "camera_lost")
    assert state(home, CAMERA) == "idle"
    # a clip that gets no more frames may end without a word
    recorder.clip = None
    recorder.turn("ready")
    assert state(home, CAMERA) == "streaming"


async def test_a_still_waits_for_the_first_frames(home: Home) -> None:
    await set_up(home, direct())
    recorder = FakeRecorder.newest
    recorder.shows = None
    recorder.turn("filling")
    asking = asyncio.create_task(home.client.get(f"/api/camera_proxy/{CAMERA}"))
    await until(lambda: recorder.asked > 1)
    recorder.shows = JPEG
    answer = await asking
    assert answer.status == HTTPStatus.OK
    assert await answer.read() == JPEG
    asked = recorder.asked
    assert (await home.client.get(f"/api/camera_proxy/{CAMERA}")).status == HTTPStatus.OK
    assert recorder.asked == asked


async def test_no_still_comes_from_a_camera_that_is_away(home: Home) -> None:
    await set_up(home, direct())
    FakeRecorder.newest.shows = None
    FakeRecorder.newest.turn("failed", "camera_unreachable")
    answer = await home.client.get(f"/api/camera_proxy/{CAMERA}")
    assert answer.status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert FakeRecorder.newest.asked == 1


async def test_the_picture_is_that_of_the_ring_and_comes_back(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up(home, direct())
    assert state(home, PICTURE) == "unknown"
    await report(home, event="ring")
    rang = FakeRecorder.newest.events[-1][1]
    FakeRecorder.newest.freeze()
    assert state(home, PICTURE) == rang.isoformat()
    await report(home, event="motion_on")
    FakeRecorder.newest.freeze()
    assert state(home, PICTURE) == rang.isoformat()
    answer = await home.client.get(f"/api/image_proxy/{PICTURE}")
    assert await answer.read() == JPEG
    monkeypatch.setattr(Doorbell, "last_ring_picture", lambda _: (rang, b"kept"))
    assert await home.hass.config_entries.async_reload(entry.entry_id)
    await home.hass.async_block_till_done()
    assert state(home, PICTURE) == rang.isoformat()
    answer = await home.client.get(f"/api/image_proxy/{PICTURE}")
    assert await answer.read() == b"kept"


class Sessions(CameraWebRTCProvider):
    """What core's go2rtc is to a camera: it is registered, and ends sessions when it no more is."""

    def __init__(self) -> None:
        self.cameras: list[str] = []

    @property
    def domain(self) -> str:
        return "sessions"

    def async_is_supported(self, stream_source: str) -> bool:
        return stream_source.startswith("rtsp")

    async def async_handle_async_webrtc_offer(self, *_: Any) -> None:
        raise NotImplementedError

    async def async_on_webrtc_candidate(self, *_: Any) -> None:
        raise NotImplementedError

    async def async_register_camera(self, camera: Any) -> None:
        self.cameras.append(camera.entity_id)

    async def async_unregister_camera(self, camera: Any) -> None:
        self.cameras.remove(camera.entity_id)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> set[Stream]:
    """Streams whose worker runs: here without a worker."""
    running: set[Stream] = set()

    async def start(stream: Stream) -> None:
        running.add(stream)

    async def stop(stream: Stream) -> None:
        running.discard(stream)

    monkeypatch.setattr(Stream, "start", start)
    monkeypatch.setattr(Stream, "_stop", stop)
    return running


@pytest.mark.parametrize("preload", [False, True])
async def test_live_view_ends_with_privacy_and_can_begin_again(
    home: Home, hass_ws_client: WebSocketGenerator, threads: set[Stream], preload: bool
) -> None:
    sessions = Sessions()
    async_register_webrtc_provider(home.hass, sessions)
    await set_up(home, direct())
    assert sessions.cameras == [CAMERA]
    socket = await hass_ws_client(home.hass)

    async def ask(command: str, **members: object) -> Any:
        await socket.send_json_auto_id({"type": command, "entity_id": CAMERA, **members})
        answer = await socket.receive_json()
        return answer.get("result")

    await ask("camera/update_prefs", preload_stream=preload)
    assert sorted((await ask("camera/capabilities"))["frontend_stream_types"]) == ["hls", "web_rtc"]
    live = await ask("camera/stream")
    assert len(threads) == 1
    await call(home, "switch.turn_on", PRIVACY)
    await home.hass.async_block_till_done()
    assert (await home.client.get(live["url"])).status == HTTPStatus.NOT_FOUND
    assert not threads
    assert sessions.cameras == []
    assert await ask("camera/stream") is None
    assert (await ask("camera/get_prefs"))["preload_stream"] is preload
    await call(home, "switch.turn_off", PRIVACY)
    await home.hass.async_block_till_done()
    assert sessions.cameras == [CAMERA]
    assert len(threads) == preload
    assert (await ask("camera/stream"))["url"] != live["url"]


async def test_live_view_follows_a_changed_address_and_ends_with_the_doorbell(
    home: Home, hass_ws_client: WebSocketGenerator, threads: set[Stream]
) -> None:
    entry = await set_up(home, direct())
    socket = await hass_ws_client(home.hass)
    await socket.send_json_auto_id({"type": "camera/stream", "entity_id": CAMERA})
    await socket.receive_json()
    (stream,) = threads
    await change(home.hass, entry, "Front door", url="rtsp://127.0.0.1:1/other", username="me")
    assert URL(stream.source).with_port(1) == URL("rtsp://me@127.0.0.1:1/other")
    (key,) = entry.subentries
    home.hass.config_entries.async_remove_subentry(entry, key)
    await home.hass.async_block_till_done()
    assert not threads
    assert home.hass.states.get(CAMERA) is None
    assert entry.state is ConfigEntryState.LOADED


async def test_renamed_entities_go_on(home: Home) -> None:
    await set_up(home, direct())
    await report(home, event="ring")
    rang = state(home, RING)
    er.async_get(home.hass).async_update_entity(RING, new_entity_id="event.bell")
    await home.hass.async_block_till_done()
    assert home.hass.states.get(RING) is None
    await report(home, event="ring")
    assert state(home, "event.bell") > rang
