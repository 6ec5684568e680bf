"""The test button: each step of the chain is timed, and what fails is said."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.doorstep import self_test
from custom_components.doorstep.footage.library import Library

from ..homes import Home, prepare
from ..simulators.phone import PhoneSimulator
from ..simulators.waiting import until
from .homes import adopted, direct, set_up
from .recorders import FakeRecorder, install

pytestmark = pytest.mark.usefixtures("socket_enabled")

RESULT: Final = "sensor.front_door_test_result"
RING: Final = "event.front_door_ring"


@pytest.fixture
async def home(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Home:
    install(monkeypatch)
    assert await async_setup_component(hass, "persistent_notification", {})
    return await prepare(hass, hass_client, tmp_path / "library")


@pytest.fixture
async def phone(home: Home, hass_access_token: str) -> AsyncIterator[PhoneSimulator]:
    async with PhoneSimulator(str(home.client.make_url("/")), name="Owner") as phone:
        await phone.register(hass_access_token)
        await home.hass.async_block_till_done()
        yield phone


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines of a tenth of a second."""
    for name in ("_AT_ONCE", "_PICTURE", "_PUSH"):
        monkeypatch.setattr(self_test, name, 0.1)
    monkeypatch.setattr(self_test, "_CLOSING", -19.8)


async def call(home: Home, action: str, entity_id: str) -> None:
    domain, service = action.split(".")
    await home.hass.services.async_call(domain, service, {"entity_id": entity_id}, blocking=True)


async def press(home: Home) -> None:
    await call(home, "button.press", "button.front_door_test")


async def result(home: Home, *, wanted: str) -> State:
    """Wait for the end of the test."""
    await until(lambda: not home.hass.states.is_state(RESULT, "running"))
    found = home.hass.states.get(RESULT)
    assert found is not None
    assert found.state == wanted, found.attributes
    return found


async def notification(client: WebSocketGenerator, home: Home) -> dict[str, Any]:
    """What people read about it."""
    socket = await client(home.hass)
    await socket.send_json_auto_id({"type": "persistent_notification/get"})
    (found,) = (await socket.receive_json())["result"]
    told: dict[str, Any] = found
    return told


async def test_a_whole_chain_is_timed_step_by_step(
    home: Home, phone: PhoneSimulator, hass_ws_client: WebSocketGenerator
) -> None:
    await set_up(home, direct())
    await call(home, "switch.turn_on", "switch.front_door_ring_notifications")
    await press(home)
    await until(lambda: FakeRecorder.newest.clip)
    assert home.hass.states.is_state(RESULT, "running")
    ring = home.hass.states.get(RING)
    assert ring is not None
    assert (ring.attributes["test"], ring.attributes["source"]) == (True, "webhook")
    push = await phone.wait_for_push()
    assert push.message == "Only a test. Nobody is at the door."
    FakeRecorder.newest.freeze()
    await FakeRecorder.newest.close()
    told = await result(home, wanted="passed")
    assert (told.attributes["failed_step"], told.attributes["reason"]) == (None, None)
    steps = told.attributes["steps"]
    assert list(steps) == ["heard", "entity", "picture", "push", "clip"]
    assert 0 <= steps["heard"] <= steps["entity"] <= steps["push"] < 5
    assert steps["entity"] <= steps["picture"] <= steps["clip"] < 5
    shown = await notification(hass_ws_client, home)
    assert shown["title"] == "Test of Front door"
    assert shown["message"].startswith(
        "Everything that was tried works.\n\n| Step | After the press |"
    )
    assert shown["message"].count(" ms |") + shown["message"].count(" s |") == 5
    await press(home)
    await until(lambda: FakeRecorder.newest.clip)
    FakeRecorder.newest.freeze()
    await FakeRecorder.newest.close()
    await result(home, wanted="passed")
    await notification(hass_ws_client, home)


async def test_what_is_off_is_left_out_and_said(
    home: Home, hass_ws_client: WebSocketGenerator
) -> None:
    await set_up(home, direct())
    er.async_get(home.hass).async_update_entity(RING, disabled_by=er.RegistryEntryDisabler.USER)
    await home.hass.async_block_till_done()
    await press(home)
    await until(lambda: FakeRecorder.newest.clip)
    FakeRecorder.newest.freeze()
    await FakeRecorder.newest.close()
    told = await result(home, wanted="passed")
    assert list(told.attributes["steps"]) == ["heard", "picture", "clip"]
    shown = (await notification(hass_ws_client, home))["message"]
    assert "| Not tried: ring notifications are off. |" in shown
    assert "| Not tried: the entity is disabled. |" in shown


async def test_without_a_phone_there_is_nobody_to_tell(
    home: Home, hass_ws_client: WebSocketGenerator
) -> None:
    await set_up(home, direct())
    await call(home, "switch.turn_on", "switch.front_door_ring_notifications")
    await press(home)
    await until(lambda: FakeRecorder.newest.clip)
    FakeRecorder.newest.freeze()
    await FakeRecorder.newest.close()
    await result(home, wanted="passed")
    assert "no phone is registered" in (await notification(hass_ws_client, home))["message"]


async def test_a_push_that_fails_is_told(home: Home, phone: PhoneSimulator) -> None:
    async def fail(_call: object) -> None:
        raise KeyError("errors")

    await set_up(home, direct())
    await call(home, "switch.turn_on", "switch.front_door_ring_notifications")
    home.hass.services.async_register("notify", "mobile_app_owner", fail)
    await press(home)
    await until(lambda: FakeRecorder.newest.clip)
    FakeRecorder.newest.freeze()
    await FakeRecorder.newest.close()
    told = await result(home, wanted="failed")
    assert (told.attributes["failed_step"], told.attributes["reason"]) == ("push", "push_failed")


async def test_privacy_is_named(home: Home, hass_ws_client: WebSocketGenerator) -> None:
    await set_up(home, direct())
    await call(home, "switch.turn_on", "switch.front_door_privacy")
    await press(home)
    told = await result(home, wanted="failed")
    assert (told.attributes["failed_step"], told.attributes["reason"]) == ("picture", "private")
    shown = (await notification(hass_ws_client, home))["message"]
    assert shown.startswith("Something does not work.")
    assert shown.count("The doorbell is private: nothing is recorded.") == 2


@pytest.mark.usefixtures("hurried")
async def test_a_camera_that_is_away_is_named(home: Home) -> None:
    await set_up(home, direct())
    FakeRecorder.newest.turn("failed", "camera_unauthorized")
    await press(home)
    told = await result(home, wanted="failed")
    assert told.attributes["failed_step"] == "picture"
    assert told.attributes["reason"] == "camera_unauthorized"


async def test_a_full_disk_is_named(home: Home) -> None:
    await set_up(home, direct())
    await press(home)
    await until(lambda: FakeRecorder.newest.clip)
    FakeRecorder.newest.freeze()
    await FakeRecorder.newest.close(keep=False)
    told = await result(home, wanted="failed")
    assert (told.attributes["failed_step"], told.attributes["reason"]) == ("clip", "disk_full")


@pytest.mark.usefixtures("hurried")
async def test_what_does_not_come_is_late(home: Home) -> None:
    await set_up(home, direct())
    await press(home)
    await until(lambda: FakeRecorder.newest.clip)
    FakeRecorder.newest.freeze()
    told = await result(home, wanted="failed")
    assert (told.attributes["failed_step"], told.attributes["reason"]) == ("clip", "late")


@pytest.mark.usefixtures("hurried")
async def test_a_report_that_nobody_hears_ends_the_test(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(home, direct())

    async def swallow(*_: object) -> None:
        return None

    monkeypatch.setattr("homeassistant.components.webhook.async_handle_webhook", swallow)
    await press(home)
    told = await result(home, wanted="failed")
    assert (told.attributes["failed_step"], told.attributes["reason"]) == ("heard", "late")
    assert told.attributes["steps"] == {}


@pytest.mark.usefixtures("hurried")
async def test_a_clip_that_motion_lengthens_is_waited_for(home: Home) -> None:
    await set_up(home, direct())
    await press(home)
    await until(lambda: FakeRecorder.newest.clip)
    FakeRecorder.newest.freeze()
    answer = await home.client.get("/api/webhook/hook-front_door", params={"event": "motion_on"})
    assert answer.status == HTTPStatus.OK
    loop = home.hass.loop
    until_late = loop.time() + 0.4
    await until(lambda: loop.time() > until_late)
    assert home.hass.states.is_state(RESULT, "running")
    await FakeRecorder.newest.close()
    await result(home, wanted="passed")


async def test_one_test_at_a_time(home: Home) -> None:
    await set_up(home, direct())
    await press(home)
    await until(lambda: FakeRecorder.newest.clip)
    with pytest.raises(ServiceValidationError) as raised:
        await press(home)
    assert raised.value.translation_key == "self_test_running"
    assert raised.value.translation_placeholders == {"name": "Front door"}


async def test_a_restart_ends_a_test_and_keeps_the_last_result(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up(home, direct())
    await press(home)
    await until(lambda: FakeRecorder.newest.clip)
    assert await home.hass.config_entries.async_reload(entry.entry_id)
    await home.hass.async_block_till_done()
    assert home.hass.states.is_state(RESULT, "unknown")
    assert not home.hass.data.get("persistent_notification")
    monkeypatch.setattr(Library, "get", lambda *_: object())
    await press(home)
    await until(lambda: FakeRecorder.newest.clip)
    FakeRecorder.newest.freeze()
    await FakeRecorder.newest.close()
    await result(home, wanted="passed")
    assert await home.hass.config_entries.async_reload(entry.entry_id)
    await home.hass.async_block_till_done()
    assert home.hass.states.is_state(RESULT, "passed")


async def test_an_adopted_doorbell_is_tried_too(home: Home) -> None:
    home.hass.states.async_set("camera.loose", "idle")
    await set_up(home, adopted(camera="camera.loose"))
    await press(home)
    await until(lambda: FakeRecorder.newest.clip)
    FakeRecorder.newest.freeze()
    await FakeRecorder.newest.close()
    told = await result(home, wanted="passed")
    assert list(told.attributes["steps"]) == ["heard", "entity", "picture", "clip"]
