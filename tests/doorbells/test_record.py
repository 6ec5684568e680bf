"""Recording by hand, what the recording sensor says, and a library that takes no clips."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from homeassistant.auth.const import GROUP_ID_READ_ONLY
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
    UnknownUser,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events, async_mock_service
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import voluptuous as vol

from custom_components.doorstep import storage
from custom_components.doorstep.doorbells.last_ring import last_ring
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.files import ClipFiles, new_clip_id
from custom_components.doorstep.footage.moment import stamped
from custom_components.doorstep.footage.retention import Pressure

from ..homes import Home, prepare
from ..simulators.waiting import until
from .homes import adopted, direct, set_up
from .recorders import FakeRecorder, install

pytestmark = pytest.mark.usefixtures("socket_enabled")

BUTTON: Final = "button.front_door_record"
CAMERA: Final = "camera.front_door"
RING: Final = "event.front_door_ring"
PICTURE: Final = "image.front_door_last_ring_picture"
RECORDING: Final = "sensor.front_door_recording"
HOOK: Final = "/api/webhook/hook-front_door"


@pytest.fixture
async def home(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Home:
    install(monkeypatch)
    return await prepare(hass, hass_client, tmp_path / "library")


async def record(home: Home, context: Context | None = None, **data: Any) -> dict[str, Any] | None:
    return await home.hass.services.async_call(
        "doorstep", "record", data, blocking=True, return_response=True, context=context
    )


def attributes(home: Home, entity_id: str) -> dict[str, Any]:
    found = home.hass.states.get(entity_id)
    assert found is not None
    return dict(found.attributes)


def state(home: Home, entity_id: str) -> str:
    found = home.hass.states.get(entity_id)
    assert found is not None
    return found.state


async def test_the_button_records(home: Home) -> None:
    await set_up(home, direct())
    before = dt_util.utcnow()
    await home.hass.services.async_call("button", "press", {"entity_id": BUTTON}, blocking=True)
    recorder = FakeRecorder.newest
    ((kind, at),) = recorder.events
    assert (kind, recorder.until) == ("manual", None)
    assert before <= at <= dt_util.utcnow()
    assert state(home, CAMERA) == "recording"
    assert state(home, RING) == "unknown"
    await recorder.close()
    assert state(home, CAMERA) == "streaming"


@pytest.mark.parametrize("duration", [5, 300])
async def test_the_action_says_which_clip(home: Home, duration: int) -> None:
    await set_up(home, direct())
    told = await record(home, entity_id=RING, duration=duration)
    recorder = FakeRecorder.newest
    assert told == {"clip": recorder.clip, "clips": [recorder.clip]}
    ((_, at),) = recorder.events
    assert recorder.until == at + timedelta(seconds=duration)


@pytest.mark.parametrize("duration", [4, 301, "long"])
async def test_no_other_durations(home: Home, duration: object) -> None:
    await set_up(home, direct())
    with pytest.raises(vol.Invalid):
        await record(home, entity_id=RING, duration=duration)
    assert FakeRecorder.newest.events == []


async def test_an_adopted_doorbells_device_is_a_target(home: Home) -> None:
    home.hass.states.async_set("camera.loose", "idle")
    await set_up(home, adopted("Gate", camera="camera.loose"), direct())
    gate = er.async_get(home.hass).async_get("event.gate_ring")
    assert gate is not None
    told = await record(home, device_id=gate.device_id)
    assert told is not None
    assert len(told["clips"]) == 1
    both = await record(home, entity_id=[RING, CAMERA, BUTTON, "event.gate_ring"])
    assert both is not None
    assert len(both["clips"]) == 2
    assert both["clip"] == both["clips"][0]
    assert told["clip"] in both["clips"]


async def test_without_a_doorbell(home: Home) -> None:
    home.hass.states.async_set("light.hall", "on")
    entry = await set_up(home, direct())
    with pytest.raises(ServiceValidationError) as raised:
        await record(home, entity_id=["light.hall", "light.none"])
    assert raised.value.translation_key == "record_nothing"
    await home.hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError) as raised:
        await record(home, entity_id=RING)
    assert raised.value.translation_key == "not_loaded"


async def test_privacy_refuses_and_says_so(home: Home) -> None:
    """Nowhere is recorded then, not even at a doorbell that isn't private."""
    await set_up(home, direct("Back door"), direct())
    open_one = FakeRecorder.newest
    await home.hass.services.async_call(
        "switch", "turn_on", {"entity_id": "switch.back_door_privacy"}, blocking=True
    )
    for domain, action, target in (
        ("doorstep", "record", ["event.back_door_ring", RING]),
        ("button", "press", "button.back_door_record"),
    ):
        with pytest.raises(ServiceValidationError) as raised:
            await home.hass.services.async_call(
                domain, action, {"entity_id": target}, blocking=True
            )
        assert str(raised.value).startswith("Back door is private: nothing is recorded.")
    assert open_one.events == []
    assert attributes(home, "sensor.back_door_recording")["reason"] == "private"


async def test_a_camera_that_is_away(home: Home) -> None:
    await set_up(home, direct())
    recorder = FakeRecorder.newest
    recorder.turn("failed", "camera_lost")
    with pytest.raises(HomeAssistantError) as raised:
        await record(home, entity_id=RING)
    assert str(raised.value) == "Front door can't be recorded now: The camera's stream ended."
    assert (recorder.events, recorder.nudged) == ([], 1)


async def test_only_who_may_control_it(home: Home) -> None:
    await set_up(home, direct())
    reader = await home.hass.auth.async_create_user("Reader", group_ids=[GROUP_ID_READ_ONLY])
    with pytest.raises(Unauthorized):
        await record(home, Context(user_id=reader.id), entity_id=RING)
    with pytest.raises(UnknownUser):
        await record(home, Context(user_id="nobody"), entity_id=RING)
    assert FakeRecorder.newest.events == []
    owner = await home.hass.auth.async_create_user("Owner", group_ids=["system-users"])
    assert await record(home, Context(user_id=owner.id), entity_id=RING)


async def test_the_sensor_says_how_much_there_is(home: Home) -> None:
    await set_up(home, direct())
    recorder, heard = FakeRecorder.newest, async_capture_events(home.hass, "state_changed")
    recorder.turn("filling")
    assert (state(home, RECORDING), attributes(home, RECORDING)["seconds"]) == ("filling", 0)
    recorder.held = 11.4
    recorder.turn("ready")
    assert attributes(home, RECORDING) | {"seconds": 10, "reason": None} == attributes(
        home, RECORDING
    )
    recorder.held = 6.9
    recorder.turn("ready", "disk_full")
    assert (attributes(home, RECORDING)["seconds"], attributes(home, RECORDING)["reason"]) == (
        6,
        "disk_full",
    )
    await home.hass.async_block_till_done()
    assert len([one for one in heard if one.data["entity_id"] == RECORDING]) == 3
    found = home.hass.states.get(RECORDING)
    assert found is not None
    assert found.state_info is not None
    assert {"seconds", "reason"} <= found.state_info["unrecorded_attributes"]


async def test_a_library_that_takes_no_clips(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bell rings, its picture comes and goes to the phones; the camera is not to blame."""
    pushes = async_mock_service(home.hass, "notify", "mobile_app_phone")
    entry = await set_up(home, direct())
    recorder, data = FakeRecorder.newest, entry.runtime_data
    with monkeypatch.context() as full:
        full.setattr(storage, "pressure", lambda *_: Pressure(1.0, full=True))
        await data.storage.async_tend()
    (bell,) = data.rooms.doorbells
    assert state(home, RECORDING) == "failed"
    assert attributes(home, RECORDING)["reason"] == "library_full"
    assert state(home, CAMERA) == "streaming"
    assert not bell.failing
    await home.client.get(HOOK, params={"event": "ring"})
    assert attributes(home, RING)["clip_id"] is None
    assert state(home, CAMERA) == "streaming"
    recorder.freeze()
    await until(lambda: state(home, PICTURE) != "unknown")
    with pytest.raises(HomeAssistantError, match="Front door can't be recorded now"):
        await record(home, entity_id=RING)
    await data.storage.async_tend()
    assert (state(home, RECORDING), attributes(home, RECORDING)["reason"]) == ("ready", None)
    assert pushes == []


async def test_the_picture_says_how_far_from_the_ring_it_is(home: Home) -> None:
    await set_up(home, direct())
    recorder = FakeRecorder.newest
    assert attributes(home, PICTURE)["shown_at"] is None
    assert attributes(home, PICTURE)["seconds_from_ring"] is None
    await home.client.get(HOOK, params={"event": "ring"})
    ((_, at),) = recorder.events
    moment = at.replace(microsecond=0) + timedelta(seconds=2)
    recorder.on_picture(recorder.clip, "ring", at, stamped(b"\xff\xd8", moment))
    assert attributes(home, PICTURE)["shown_at"] == moment.isoformat()
    distance = attributes(home, PICTURE)["seconds_from_ring"]
    assert distance == round((moment - at).total_seconds(), 2)
    # a camera's own picture shows what was when it came
    recorder.freeze()
    assert 0 <= attributes(home, PICTURE)["seconds_from_ring"] < 2


async def test_the_picture_of_a_ring_is_in_the_first_of_its_clips(home: Home) -> None:
    """Where a ring went on in another clip, that one's picture shows something later."""
    entry = await set_up(home, direct())
    library, at = entry.runtime_data.rooms.library, dt_util.utcnow()

    def fill() -> tuple[datetime, bytes] | None:
        for ago, kind, begun, picture in (
            (9, "ring", 9, b"older"),
            (5, "ring", 5, b"at the ring"),
            (5, "ring", 2, b"later"),
            (5, "ring", 1, None),
            (0, "motion", 0, b"motion"),
        ):
            event_at = at - timedelta(minutes=ago)
            start = at - timedelta(minutes=begun)
            clip_id = new_clip_id(event_at)
            clip = Clip(
                id=clip_id,
                doorbell="bell_front_door",
                event=kind,
                event_at=event_at,
                start=start,
                end=start + timedelta(seconds=20),
                seconds=20,
                size=4,
                root="00",
                folder=ClipFiles.place(library.folder, "bell_front_door", clip_id).folder,
            )
            clip.folder.mkdir(parents=True, exist_ok=True)
            clip.video.write_bytes(b"clip")
            if picture:
                clip.picture.write_bytes(picture)
            library.add(clip)
        return last_ring(library, "bell_front_door")

    found = await home.hass.async_add_executor_job(fill)
    assert found is not None
    assert found[1] == b"at the ring"
    assert abs(found[0] - at + timedelta(minutes=5)) < timedelta(milliseconds=1)
    assert await home.hass.async_add_executor_job(last_ring, library, "bell_gate") is None
