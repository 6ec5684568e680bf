"""A ring on phones: text at once, the picture in its place, and what is never sent."""

from collections.abc import AsyncIterator
from datetime import timedelta
from http import HTTPStatus
import json
from pathlib import Path
from typing import Any, Final

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.doorstep import ring_push

from ..homes import Home, prepare
from ..simulators.phone import PhoneSimulator, Push
from ..simulators.waiting import until
from .homes import adopted, direct, set_up
from .recorders import FakeRecorder, install

pytestmark = pytest.mark.usefixtures("socket_enabled")

HOOK: Final = "/api/webhook/hook-front_door"
SWITCH: Final = "switch.front_door_ring_notifications"
IMAGE: Final = "/api/image_proxy/image.front_door_last_ring_picture"


@pytest.fixture
async def home(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Home:
    """A household with a doorbell whose rings go to phones."""
    install(monkeypatch)
    home = await prepare(hass, hass_client, tmp_path / "library")
    await set_up(home, direct())
    await switch(home, "on")
    return home


@pytest.fixture
async def phone(home: Home, hass_access_token: str) -> AsyncIterator[PhoneSimulator]:
    async with PhoneSimulator(str(home.client.make_url("/")), name="Owner") as phone:
        await register(home, phone, hass_access_token)
        yield phone


async def register(home: Home, phone: PhoneSimulator, token: str) -> None:
    await phone.register(token)
    await home.hass.async_block_till_done()


async def switch(home: Home, to: str, entity_id: str = SWITCH) -> None:
    await home.hass.services.async_call(
        "switch", f"turn_{to}", {"entity_id": entity_id}, blocking=True
    )


async def ring(home: Home, **members: str) -> None:
    answer = await home.client.get(HOOK, params={"event": "ring", **members})
    assert answer.status == HTTPStatus.OK


def has_picture(push: Push) -> bool:
    return "image" in push.data


async def over(home: Home) -> None:
    """Wait until everything that is on its way to phones has come there."""
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    await until(lambda: not entry._background_tasks)


async def test_the_text_comes_at_once_and_the_picture_in_its_place(
    home: Home, phone: PhoneSimulator
) -> None:
    await ring(home)
    text = await phone.wait_for_push()
    assert (text.title, text.message) == ("Front door", "Somebody is at the door.")
    assert not has_picture(text)
    assert text.data["clickAction"] == "entityId:camera.front_door"
    assert text.data["url"] == "/?more-info-entity-id=camera.front_door"
    assert (text.data["ttl"], text.data["priority"]) == (0, "high")
    assert (text.data["channel"], text.data["group"]) == ("Doorbell", "doorstep_rings")
    FakeRecorder.newest.freeze()
    picture = await phone.wait_for_push(has_picture)
    assert picture.data["image"] == IMAGE
    assert picture.data["tag"] == text.data["tag"]
    assert picture.data["alert_once"] is True
    assert (await home.client.get(picture.data["image"])).status == HTTPStatus.OK
    sent = json.dumps([push.raw for push in phone.pushes])
    for secret in ("hook-front_door", "rtsp:", "127.0.0.1:1"):
        assert secret not in sent


async def test_a_test_says_that_it_is_one(home: Home, phone: PhoneSimulator) -> None:
    await ring(home, test="1")
    push = await phone.wait_for_push()
    assert push.message == "Only a test. Nobody is at the door."


async def test_nothing_is_sent_while_it_is_off(home: Home, phone: PhoneSimulator) -> None:
    await switch(home, "off")
    await ring(home)
    await home.client.get(HOOK, params={"event": "motion_on"})
    await over(home)
    await switch(home, "on")
    await ring(home)
    await phone.wait_for_push()
    assert len(phone.pushes) == 1


async def test_the_switch_stays_on_over_a_restart(home: Home, phone: PhoneSimulator) -> None:
    assert await home.hass.config_entries.async_reload(home.entry_id)
    await home.hass.async_block_till_done()
    assert home.hass.states.is_state(SWITCH, "on")
    await ring(home)
    await phone.wait_for_push()


async def test_a_private_doorbell_sends_no_picture(
    home: Home, phone: PhoneSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring_push, "_QUIET", timedelta(0))
    await ring(home)
    await phone.wait_for_push()
    await switch(home, "on", "switch.front_door_privacy")
    await ring(home)
    await until(lambda: len(phone.pushes) == 2)
    assert phone.pushes[1].data["clickAction"] == "entityId:image.front_door_last_ring_picture"
    assert not any(has_picture(push) for push in phone.pushes)


async def test_the_picture_comes_though_the_library_takes_no_clips(
    home: Home, phone: PhoneSimulator
) -> None:
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    entry.runtime_data.rooms.library.refuses = "library_full"
    await ring(home)
    assert not has_picture(await phone.wait_for_push())
    FakeRecorder.newest.freeze()
    assert (await phone.wait_for_push(has_picture)).data["image"] == IMAGE
    assert FakeRecorder.newest.clip is None


async def test_a_picture_that_never_comes_leaves_the_text(
    home: Home, phone: PhoneSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring_push, "_PICTURE", 0.01)
    await ring(home)
    await phone.wait_for_push()
    await over(home)
    FakeRecorder.newest.freeze()
    assert len(phone.pushes) == 1


async def test_somebody_who_presses_often_rings_once(home: Home, phone: PhoneSimulator) -> None:
    for _ in range(3):
        await ring(home)
    await phone.wait_for_push()
    FakeRecorder.newest.freeze()
    await phone.wait_for_push(has_picture)
    await over(home)
    assert [has_picture(push) for push in phone.pushes] == [False, True]


async def test_a_press_after_a_test_is_told(home: Home, phone: PhoneSimulator) -> None:
    await ring(home, test="1")
    await ring(home)
    await until(lambda: len(phone.pushes) == 2)
    assert {push.message for push in phone.pushes} == {
        "Only a test. Nobody is at the door.",
        "Somebody is at the door.",
    }


async def test_one_failing_phone_keeps_no_other_from_ringing(
    home: Home, phone: PhoneSimulator, hass_read_only_access_token: str
) -> None:
    async def fail(_call: ServiceCall) -> None:
        raise KeyError("errors")

    home.hass.services.async_register("notify", "mobile_app_owner", fail)
    async with PhoneSimulator(str(home.client.make_url("/")), name="Guest") as other:
        await register(home, other, hass_read_only_access_token)
        await ring(home)
        await other.wait_for_push()
    assert phone.pushes == []


async def test_phones_that_share_a_name_are_left_out_and_named(
    home: Home, phone: PhoneSimulator, hass_read_only_access_token: str
) -> None:
    async with PhoneSimulator(str(home.client.make_url("/")), name="owner") as other:
        await register(home, other, hass_read_only_access_token)
        async with PhoneSimulator(str(home.client.make_url("/")), name="Third") as third:
            await register(home, third, hass_read_only_access_token)
            await ring(home)
            await third.wait_for_push()
        issue = ir.async_get(home.hass).async_get_issue("doorstep", "phones_share_a_name")
        assert issue is not None
        assert issue.translation_placeholders == {"names": "Owner\\, owner"}
        assert phone.pushes == other.pushes == []


async def test_a_tap_opens_the_camera_that_was_adopted(
    home: Home, phone: PhoneSimulator, hass: HomeAssistant
) -> None:
    camera = er.async_get(hass).async_get_or_create("camera", "other", "1", object_id_base="gate")
    entry = hass.config_entries.async_get_known_entry(home.entry_id)
    assert await hass.config_entries.async_remove(entry.entry_id)
    hass.states.async_set("input_button.gate", "unknown")
    await set_up(home, adopted("Gate", camera=camera.id, rings=["input_button.gate"]))
    await switch(home, "on", "switch.gate_ring_notifications")
    hass.states.async_set("input_button.gate", "2100-01-01T00:00:00.000+00:00")
    push = await phone.wait_for_push()
    assert push.data["clickAction"] == "entityId:camera.gate"


async def test_without_an_entity_to_open_it_still_rings(home: Home, phone: PhoneSimulator) -> None:
    registry = er.async_get(home.hass)
    disabled: dict[str, Any] = {"disabled_by": er.RegistryEntryDisabler.USER}
    for entity_id in ("camera.front_door", "image.front_door_last_ring_picture"):
        registry.async_update_entity(entity_id, **disabled)
    await home.hass.async_block_till_done()
    await ring(home)
    push = await phone.wait_for_push()
    assert "clickAction" not in push.data
    FakeRecorder.newest.freeze()
    await over(home)
    assert len(phone.pushes) == 1
