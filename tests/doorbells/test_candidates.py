"""The proposal for every brand: which of its entities ring, which move, and what it may cost."""

from dataclasses import dataclass, field
from typing import Any, Final

from homeassistant.components.camera import Camera, CameraEntityFeature, WebRTCSendMessage
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    setup_test_component_platform,
)

from custom_components.doorstep.doorbells.candidates import cameras, candidates

STREAM: Final = {"supported_features": int(CameraEntityFeature.STREAM)}


@dataclass(frozen=True, kw_only=True)
class Entity:
    """An entity as an integration registers it; `state` is what it says."""

    entity_id: str
    unique_id: str
    device_class: str | None = None
    key: str | None = None
    name: str | None = None
    category: EntityCategory | None = None
    disabled: bool = False
    state: str = "off"
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Brand:
    """One device of one integration, and what is to be proposed for it."""

    platform: str
    device: str
    entities: list[Entity]
    rings: list[str]
    motions: list[str]
    capture: str = "stream"
    why: str | None = None
    camera: dict[str, Any] = field(default_factory=lambda: STREAM)


def diagnostic(entity_id: str, unique_id: str, device_class: str | None = None) -> Entity:
    return Entity(
        entity_id=entity_id,
        unique_id=unique_id,
        device_class=device_class,
        category=EntityCategory.DIAGNOSTIC,
        state="80",
    )


BRANDS: Final = [
    Brand(
        platform="ring",
        device="Front Door",
        entities=[
            Entity(
                entity_id="event.front_door_motion",
                unique_id="987-motion",
                device_class="motion",
                key="motion",
            ),
            Entity(
                entity_id="event.front_door_ding",
                unique_id="987-ding",
                device_class="doorbell",
                key="ding",
            ),
            Entity(
                entity_id="event.front_door_intercom_unlock",
                unique_id="987-intercom_unlock",
                device_class="button",
                key="intercom_unlock",
            ),
            diagnostic("sensor.front_door_battery", "987-battery", "battery"),
        ],
        rings=["event.front_door_ding", "event.front_door_intercom_unlock"],
        motions=["event.front_door_motion"],
        capture="stills",
        why="battery",
    ),
    Brand(
        platform="reolink",
        device="Doorbell",
        entities=[
            Entity(
                entity_id="binary_sensor.doorbell_motion",
                unique_id="95270_0_motion",
                device_class="motion",
                name="Motion",
            ),
            Entity(
                entity_id="binary_sensor.doorbell_person",
                unique_id="95270_0_person",
                device_class="motion",
                key="person",
            ),
            Entity(
                entity_id="binary_sensor.doorbell_vehicle",
                unique_id="95270_0_vehicle",
                device_class="motion",
                key="vehicle",
            ),
            Entity(
                entity_id="binary_sensor.doorbell_visitor",
                unique_id="95270_0_visitor",
                key="visitor",
            ),
            Entity(
                entity_id="binary_sensor.doorbell_crossline_person",
                unique_id="95270_0_crossline_person",
                key="crossline_person",
            ),
            Entity(entity_id="binary_sensor.doorbell_cry", unique_id="95270_0_cry", key="cry"),
            Entity(entity_id="button.doorbell_ptz", unique_id="95270_0_ptz_left", key="ptz_left"),
            Entity(
                entity_id="button.doorbell_restart",
                unique_id="95270_reboot",
                device_class="restart",
            ),
            diagnostic("binary_sensor.doorbell_sleep", "95270_0_sleep"),
        ],
        rings=["binary_sensor.doorbell_visitor"],
        motions=[
            "binary_sensor.doorbell_motion",
            "binary_sensor.doorbell_crossline_person",
            "binary_sensor.doorbell_person",
        ],
    ),
    Brand(
        platform="unifiprotect",
        device="G4 Doorbell Pro",
        entities=[
            Entity(
                entity_id="event.g4_doorbell_pro_doorbell",
                unique_id="E063DA_doorbell",
                device_class="doorbell",
                key="doorbell",
            ),
            Entity(
                entity_id="binary_sensor.g4_doorbell_pro_doorbell",
                unique_id="E063DA_doorbell",
                device_class="occupancy",
                key="doorbell",
            ),
            Entity(
                entity_id="binary_sensor.g4_doorbell_pro_motion",
                unique_id="E063DA_motion",
                device_class="motion",
            ),
            Entity(
                entity_id="binary_sensor.g4_doorbell_pro_person_detected",
                unique_id="E063DA_smart_obj_person",
                key="person_detected",
            ),
            Entity(
                entity_id="binary_sensor.g4_doorbell_pro_is_dark",
                unique_id="E063DA_dark",
                key="is_dark",
            ),
            Entity(
                entity_id="event.g4_doorbell_pro_nfc",
                unique_id="E063DA_nfc",
                key="nfc",
            ),
            Entity(
                entity_id="event.g4_doorbell_pro_motion",
                unique_id="E063DA_motion_detection",
                device_class="motion",
                key="motion_detection",
            ),
        ],
        rings=["event.g4_doorbell_pro_doorbell", "binary_sensor.g4_doorbell_pro_doorbell"],
        motions=[
            "binary_sensor.g4_doorbell_pro_motion",
            "event.g4_doorbell_pro_motion",
            "binary_sensor.g4_doorbell_pro_person_detected",
        ],
    ),
    Brand(
        platform="nest",
        device="Front door",
        entities=[
            Entity(
                entity_id="event.front_door_chime",
                unique_id="enterprises/x/devices/y-doorbell_chime",
                device_class="doorbell",
                key="chime",
            ),
            Entity(
                entity_id="event.front_door_motion",
                unique_id="enterprises/x/devices/y-camera_motion",
                device_class="motion",
                key="motion",
            ),
        ],
        rings=["event.front_door_chime"],
        motions=["event.front_door_motion"],
        capture="stills",
        why="no_stream",
        camera={"supported_features": 0},
    ),
    Brand(
        platform="doorbird",
        device="Gate",
        entities=[
            Entity(
                entity_id="event.gate_doorbell",
                unique_id="1CCAE3_gate_doorbell",
                device_class="doorbell",
                key="doorbell",
                name="Doorbell",
            ),
            Entity(
                entity_id="event.gate_motion",
                unique_id="1CCAE3_gate_motion",
                device_class="motion",
                key="motion",
                name="Motion",
            ),
            Entity(entity_id="button.gate_relay_1", unique_id="1CCAE3_1", key="relay"),
        ],
        rings=["event.gate_doorbell"],
        motions=["event.gate_motion"],
    ),
    Brand(
        platform="eufy_security",
        device="Door",
        entities=[
            Entity(
                entity_id="binary_sensor.door_ringing",
                unique_id="eufy_T8210_ringing",
                device_class="running",
                name="Door Ringing",
            ),
            Entity(
                entity_id="binary_sensor.door_motion_detected",
                unique_id="eufy_T8210_motionDetected",
                device_class="motion",
                name="Door Motion Detected",
            ),
            Entity(
                entity_id="binary_sensor.door_person_detected",
                unique_id="eufy_T8210_personDetected",
                device_class="motion",
                name="Door Person Detected",
            ),
            Entity(
                entity_id="binary_sensor.door_pet_detected",
                unique_id="eufy_T8210_petDetected",
                device_class="motion",
                name="Door Pet Detected",
            ),
            diagnostic("sensor.door_battery", "eufy_T8210_battery", "battery"),
        ],
        rings=["binary_sensor.door_ringing"],
        motions=["binary_sensor.door_motion_detected", "binary_sensor.door_person_detected"],
        capture="stills",
        why="battery",
    ),
    Brand(
        platform="onvif",
        device="Doorbell",
        entities=[
            Entity(
                entity_id="binary_sensor.doorbell_visitor_detection",
                unique_id="uid_tns1:RuleEngine/MyRuleDetector/Visitor_000",
                device_class="occupancy",
                name="Doorbell Visitor Detection",
            ),
            Entity(
                entity_id="binary_sensor.doorbell_motion_alarm",
                unique_id="uid_tns1:VideoSource/MotionAlarm_000",
                device_class="motion",
                name="Doorbell Motion Alarm",
            ),
            Entity(
                entity_id="binary_sensor.doorbell_person_detection",
                unique_id="uid_tns1:RuleEngine/MyRuleDetector/PeopleDetect_000",
                device_class="motion",
                name="Doorbell Person Detection",
            ),
        ],
        rings=["binary_sensor.doorbell_visitor_detection"],
        motions=[
            "binary_sensor.doorbell_motion_alarm",
            "binary_sensor.doorbell_person_detection",
        ],
    ),
    Brand(
        platform="frigate",
        device="Doorbell",
        entities=[
            Entity(
                entity_id="binary_sensor.doorbell_person_occupancy",
                unique_id="01J:occupancy_sensor:doorbell_person",
                device_class="occupancy",
                name="Person occupancy",
            ),
            Entity(
                entity_id="binary_sensor.doorbell_all_occupancy",
                unique_id="01J:occupancy_sensor:doorbell_all",
                device_class="occupancy",
                name="All occupancy",
            ),
            Entity(
                entity_id="binary_sensor.doorbell_motion",
                unique_id="01J:motion_sensor:doorbell",
                device_class="motion",
                name="Motion",
            ),
        ],
        rings=[],
        motions=[
            "binary_sensor.doorbell_motion",
            "binary_sensor.doorbell_person_occupancy",
            "binary_sensor.doorbell_all_occupancy",
        ],
    ),
    Brand(
        platform="mqtt",
        device="Ring Doorbell",
        entities=[
            Entity(
                entity_id="binary_sensor.ring_doorbell_ding",
                unique_id="abc_ding",
                device_class="occupancy",
                name="Ding",
            ),
            Entity(
                entity_id="binary_sensor.ring_doorbell_motion",
                unique_id="abc_motion",
                device_class="motion",
                name="Motion",
            ),
            Entity(entity_id="sensor.ring_doorbell_info", unique_id="abc_info", name="Info"),
            diagnostic("sensor.ring_doorbell_battery", "abc_battery", "battery"),
            Entity(
                entity_id="binary_sensor.ring_doorbell_power",
                unique_id="abc_power",
                device_class="plug",
                state="on",
            ),
        ],
        rings=["binary_sensor.ring_doorbell_ding"],
        motions=["binary_sensor.ring_doorbell_motion"],
    ),
    Brand(
        platform="esphome",
        device="Esp Cam",
        entities=[
            Entity(
                entity_id="binary_sensor.esp_cam_door_button",
                unique_id="AABB-binary_sensor-door_button",
                name="Door button",
            ),
            Entity(
                entity_id="event.esp_cam_klingel",
                unique_id="AABB-event-klingel",
                name="Klingel",
            ),
            Entity(
                entity_id="event.esp_cam_key",
                unique_id="AABB-event-key",
                device_class="button",
                name="Key",
            ),
            Entity(
                entity_id="binary_sensor.esp_cam_pir",
                unique_id="AABB-binary_sensor-pir",
                name="PIR",
            ),
            Entity(
                entity_id="button.esp_cam_doorbell",
                unique_id="AABB-button-doorbell",
                name="Doorbell press",
            ),
            Entity(
                entity_id="event.esp_cam_people",
                unique_id="AABB-event-people",
                name="People",
            ),
            Entity(entity_id="light.esp_cam_led", unique_id="AABB-light-led", name="Bell LED"),
            Entity(
                entity_id="binary_sensor.esp_cam_bell_muted",
                unique_id="AABB-binary_sensor-bell_muted",
                name="Bell muted",
            ),
        ],
        rings=[
            "event.esp_cam_klingel",
            "event.esp_cam_key",
            "binary_sensor.esp_cam_door_button",
            "button.esp_cam_doorbell",
        ],
        motions=["binary_sensor.esp_cam_pir", "event.esp_cam_people"],
    ),
    Brand(
        platform="august",
        device="Porch",
        entities=[
            Entity(
                entity_id="binary_sensor.porch_ding",
                unique_id="tmt_ding",
                device_class="occupancy",
                key="ding",
            ),
            Entity(
                entity_id="sensor.porch_battery",
                unique_id="tmt_device_battery",
                device_class="battery",
                state="unknown",
            ),
        ],
        rings=["binary_sensor.porch_ding"],
        motions=[],
    ),
    Brand(
        platform="homekit_controller",
        device="Porch",
        entities=[
            Entity(
                entity_id="event.porch",
                unique_id="00:00_1_16_17",
                device_class="doorbell",
                name="Porch",
            ),
            Entity(entity_id="event.porch_bell", unique_id="00:00_1_20", name="Porch Bell"),
            Entity(entity_id="button.porch_bell", unique_id="00:00_1_21", name="Porch Bell"),
            Entity(entity_id="button.porch_press", unique_id="00:00_1_22", name="Porch Press"),
            Entity(entity_id="button.porch_open", unique_id="00:00_1_23", name="Porch Open"),
            Entity(entity_id="sensor.porch_bell", unique_id="00:00_1_24", device_class="doorbell"),
        ],
        rings=["event.porch", "event.porch_bell", "button.porch_bell", "button.porch_press"],
        motions=[],
    ),
    Brand(platform="generic", device="Camera", entities=[], rings=[], motions=[]),
]


@dataclass(frozen=True)
class House:
    """Puts devices and their entities into the registries, and states beside them."""

    hass: HomeAssistant

    def device(self, platform: str, name: str, **more: Any) -> dr.DeviceEntry:
        entry = MockConfigEntry(domain=platform)
        entry.add_to_hass(self.hass)
        return dr.async_get(self.hass).async_get_or_create(
            config_entry_id=entry.entry_id, identifiers={(platform, name)}, name=name, **more
        )

    def add(
        self, platform: str, device: dr.DeviceEntry | dr.ChildDeviceEntry, entity: Entity
    ) -> er.RegistryEntry:
        domain, _, object_id = entity.entity_id.partition(".")
        entry = er.async_get(self.hass).async_get_or_create(
            domain,
            platform,
            entity.unique_id,
            suggested_object_id=object_id,
            config_entry=self.hass.config_entries.async_get_known_entry(device.config_entry_id),
            device_id=device.id,
            original_device_class=entity.device_class,
            original_name=entity.name,
            translation_key=entity.key,
            entity_category=entity.category,
            disabled_by=er.RegistryEntryDisabler.USER if entity.disabled else None,
        )
        if not entity.disabled:
            self.hass.states.async_set(entry.entity_id, entity.state, entity.attributes)
        return entry


@pytest.fixture
def house(hass: HomeAssistant) -> House:
    return House(hass)


def camera_of(device: str, attributes: dict[str, Any]) -> Entity:
    return Entity(
        entity_id="camera.that_one",
        unique_id=f"{device}_camera",
        state="idle",
        attributes=attributes,
    )


@pytest.mark.parametrize("brand", BRANDS, ids=[brand.platform for brand in BRANDS])
async def test_each_brands_own_entities_are_proposed(house: House, brand: Brand) -> None:
    device = house.device(brand.platform, brand.device)
    camera = house.add(brand.platform, device, camera_of(brand.device, brand.camera))
    for entity in brand.entities:
        house.add(brand.platform, device, entity)
    found = candidates(house.hass, camera.id)
    assert found.rings == brand.rings
    assert found.motions == brand.motions
    assert found.default_rings == brand.rings[:1]
    assert found.default_motions == brand.motions[:1]
    assert (found.name, found.device_id) == (brand.device, device.id)
    assert (found.capture, found.why) == (brand.capture, brand.why)
    assert candidates(house.hass, camera.entity_id) == found


async def test_nothing_is_known_about_a_camera_without_a_device(hass: HomeAssistant) -> None:
    hass.states.async_set("camera.yard", "idle", {**STREAM, "friendly_name": "Yard"})
    hass.states.async_set("binary_sensor.yard_motion", "off", {"device_class": "motion"})
    found = candidates(hass, "camera.yard")
    assert (found.name, found.device_id) == ("Yard", None)
    assert [found.rings, found.motions, found.default_rings, found.default_motions] == [[]] * 4
    assert (found.capture, found.why) == ("stream", None)


@pytest.mark.parametrize("camera_id", ["camera.nowhere", "0123456789abcdef0123456789abcdef"])
async def test_a_camera_that_is_gone_has_no_stream(hass: HomeAssistant, camera_id: str) -> None:
    found = candidates(hass, camera_id)
    assert (found.name, found.why) == (camera_id, "no_stream")


async def test_the_name_that_a_person_gave_the_device_comes_first(house: House) -> None:
    device = house.device("reolink", "RLC-1")
    camera = house.add("reolink", device, camera_of("RLC-1", STREAM))
    key = Entity(entity_id="event.x", unique_id="1", name="Bell Tower", device_class="button")
    house.add("reolink", device, key)
    house.add(
        "reolink",
        device,
        Entity(entity_id="binary_sensor.x", unique_id="2", name="Bell Tower online"),
    )
    assert candidates(house.hass, camera.id).rings == ["event.x", "binary_sensor.x"]
    dr.async_get(house.hass).async_update_device(device.id, name_by_user="Bell Tower")
    found = candidates(house.hass, camera.id)
    assert found.name == "Bell Tower"
    assert found.rings == ["event.x"]


RINGING: Final = Entity(
    entity_id="binary_sensor.ding", unique_id="ding", device_class="occupancy", name="Ding"
)
MOVING: Final = Entity(
    entity_id="binary_sensor.moving", unique_id="moving", device_class="motion", name="Motion"
)


async def test_parts_of_the_device_belong_to_it(house: House) -> None:
    device = house.device("mqtt", "Door")
    camera = house.add("mqtt", device, camera_of("Door", STREAM))
    button = house.device("mqtt", "Button", via_device_id=device.id)
    house.add("mqtt", button, RINGING)
    lens = dr.async_get(house.hass).async_get_or_create_child(
        config_entry_id=device.config_entry_id,
        parent_device_id=device.id,
        identifiers={("mqtt", "lens")},
        name="Lens",
    )
    house.add("mqtt", lens, MOVING)
    found = candidates(house.hass, camera.id)
    assert found.default_rings == found.rings == ["binary_sensor.ding"]
    assert found.default_motions == found.motions == ["binary_sensor.moving"]


async def test_other_channels_of_a_recorder_are_other_doorbells(house: House) -> None:
    recorder = house.device("reolink", "Recorder")
    camera = house.add("reolink", recorder, camera_of("Recorder", STREAM))
    channel = house.device("reolink", "Channel", via_device_id=recorder.id)
    house.add("reolink", channel, RINGING)
    house.add("reolink", channel, Entity(entity_id="camera.channel", unique_id="channel_camera"))
    assert candidates(house.hass, camera.id).rings == []


@pytest.mark.parametrize("child", [False, True])
async def test_what_the_device_is_a_part_of_is_only_offered(house: House, child: bool) -> None:
    hub = house.device("reolink", "Hub")
    house.add("reolink", hub, RINGING)
    house.add("reolink", hub, MOVING)
    device: dr.DeviceEntry | dr.ChildDeviceEntry
    if child:
        device = dr.async_get(house.hass).async_get_or_create_child(
            config_entry_id=hub.config_entry_id,
            parent_device_id=hub.id,
            identifiers={("reolink", "channel")},
            name="Channel",
        )
    else:
        device = house.device("reolink", "Channel", via_device_id=hub.id)
    camera = house.add("reolink", device, camera_of("Channel", STREAM))
    button = Entity(entity_id="binary_sensor.own", unique_id="own", name="Push button")
    house.add("reolink", device, button)
    found = candidates(house.hass, camera.id)
    assert found.rings == ["binary_sensor.own", "binary_sensor.ding"]
    assert found.motions == ["binary_sensor.moving"]
    assert found.default_rings == []
    assert found.default_motions == []


async def test_what_is_disabled_or_doorsteps_own_is_not_offered(house: House) -> None:
    device = house.device("reolink", "Door")
    camera = house.add("reolink", device, camera_of("Door", STREAM))
    house.add("doorstep", device, RINGING)
    off = Entity(entity_id="binary_sensor.off", unique_id="visitor", key="visitor", disabled=True)
    house.add("reolink", device, off)
    nameless = Entity(entity_id="binary_sensor.that_bell", unique_id="77")
    house.add("reolink", device, nameless)
    assert candidates(house.hass, camera.id).rings == ["binary_sensor.that_bell"]


def power(
    entity_id: str, device_class: str, state: str = "off", *, disabled: bool = False
) -> Entity:
    return Entity(
        entity_id=entity_id,
        unique_id=entity_id,
        device_class=device_class,
        state=state,
        disabled=disabled,
    )


BATTERY: Final = power("sensor.b", "battery", "80")


@pytest.mark.parametrize(
    ("entities", "why"),
    [
        ([BATTERY], "battery"),
        ([power("binary_sensor.b", "battery")], "battery"),
        ([power("sensor.b", "battery", disabled=True)], "battery"),
        ([power("sensor.b", "temperature")], None),
        ([power("number.b", "battery")], None),
        ([power("sensor.b", "battery", "unknown")], None),
        ([BATTERY, power("sensor.c", "battery", "unknown")], "battery"),
        ([BATTERY, power("binary_sensor.p", "battery_charging")], "battery"),
        ([BATTERY, power("binary_sensor.p", "plug", disabled=True)], "battery"),
        ([BATTERY, power("binary_sensor.p", "light", "on")], "battery"),
        ([BATTERY, power("binary_sensor.p", "power", "on")], None),
        ([BATTERY, power("binary_sensor.p", "battery_charging", "on")], None),
    ],
)
async def test_a_camera_on_battery_is_left_asleep(
    house: House, entities: list[Entity], why: str | None
) -> None:
    device = house.device("eufy_security", "Door")
    camera = house.add("eufy_security", device, camera_of("Door", STREAM))
    for entity in entities:
        house.add("eufy_security", device, entity)
    found = candidates(house.hass, camera.id)
    assert (found.capture, found.why) == ("stills" if why else "stream", why)


class Sleeper(Camera):
    """A camera whose stream nobody may ask for."""

    _attr_name = "Sleeper"
    _attr_supported_features = CameraEntityFeature.STREAM

    async def stream_source(self) -> str | None:
        raise AssertionError


class Browsers(Sleeper):
    """A camera that speaks WebRTC with browsers and nothing else."""

    async def async_handle_async_webrtc_offer(
        self, offer_sdp: str, session_id: str, send_message: WebRTCSendMessage
    ) -> None:
        raise AssertionError(offer_sdp, session_id, send_message)


@pytest.mark.parametrize(("camera", "why"), [(Sleeper, None), (Browsers, "no_stream")])
async def test_only_browsers_see_webrtc(
    hass: HomeAssistant, camera: type[Sleeper], why: str | None
) -> None:
    setup_test_component_platform(hass, "camera", [camera()])
    assert await async_setup_component(hass, "camera", {"camera": {"platform": "test"}})
    await hass.async_block_till_done()
    assert cameras(hass) == ["camera.sleeper"]
    assert candidates(hass, "camera.sleeper").why == why


async def test_cameras_that_can_be_adopted(house: House) -> None:
    device = house.device("reolink", "Door")
    camera = house.add("reolink", device, camera_of("Door", STREAM))
    own = Entity(entity_id="camera.doorstep", unique_id="live", state="idle")
    house.add("doorstep", device, own)
    off = Entity(entity_id="camera.off", unique_id="off", disabled=True)
    house.add("reolink", device, off)
    house.hass.states.async_set("camera.yaml", "idle")
    house.hass.states.async_set("image.door", "now")
    assert cameras(house.hass) == ["camera.that_one", "camera.yaml"]
    assert cameras(house.hass, {camera.id}) == ["camera.yaml"]
    assert cameras(house.hass, ["camera.yaml", "gone"]) == ["camera.that_one"]
