"""The simulated phone, judged by Home Assistant's own mobile_app integration."""

from collections.abc import AsyncIterator

from homeassistant.core import Event, EventOrigin, HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockUser, async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from .simulators.phone import PhoneSimulator, System

EVENT = "mobile_app_notification_action"
ACTIONS = {
    "tag": "doorstep-1",
    "url": "/doorstep",
    "actions": [{"action": "KEY_APPROVE", "title": "Approve"}, {"action": "URI", "title": "Open"}],
}


@pytest.fixture
async def home(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> str:
    for component in ("http", "mobile_app", "notify"):
        assert await async_setup_component(hass, component, {})
    client = await hass_client()
    return str(client.make_url("/"))


@pytest.fixture(params=[("Android", False), ("Android", True), ("iOS", False), ("iOS", True)])
async def phone(
    home: str, hass_access_token: str, request: pytest.FixtureRequest
) -> AsyncIterator[PhoneSimulator]:
    system: System
    system, encrypted = request.param
    async with PhoneSimulator(home, name="My phone", system=system, encrypted=encrypted) as phone:
        await phone.register(hass_access_token)
        yield phone


async def test_gets_pushes_and_taps(
    hass: HomeAssistant, phone: PhoneSimulator, hass_admin_user: MockUser
) -> None:
    events: list[Event] = async_capture_events(hass, EVENT)
    await hass.async_block_till_done()
    message = {"message": "A footage request needs you", "title": "Doorstep", "data": ACTIONS}
    await hass.services.async_call("notify", "mobile_app_my_phone", message, blocking=True)
    push = await phone.wait_for_push(lambda push: push.title == "Doorstep")
    assert push.message == "A footage request needs you"
    assert push.data["tag"] == "doorstep-1"
    await phone.tap(push, push.action("Approve"))
    [event] = events
    assert event.data["action"] == "KEY_APPROVE"
    assert event.origin is EventOrigin.remote
    assert event.context.user_id == hass_admin_user.id


async def test_waits_in_vain(phone: PhoneSimulator) -> None:
    with pytest.raises(TimeoutError):
        await phone.wait_for_push(patience=0.05)
