"""Taps on a notification that its person did not make: other phones, guesses, automations."""

from collections.abc import AsyncIterator

from homeassistant.core import Context, EventOrigin, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from ..homes import Home, Panel, asked
from ..simulators.agency import AgencySimulator
from ..simulators.phone import PhoneSimulator, Push

pytestmark = pytest.mark.usefixtures("socket_enabled")

EVENT = "mobile_app_notification_action"


@pytest.fixture
async def phone(home: Home, hass_access_token: str) -> AsyncIterator[PhoneSimulator]:
    async with PhoneSimulator(str(home.client.make_url("/")), name="Owner") as phone:
        await phone.register(hass_access_token)
        await home.hass.async_block_till_done()
        yield phone


@pytest.fixture
async def stranger(
    home: Home, hass: HomeAssistant, hass_read_only_access_token: str
) -> AsyncIterator[PhoneSimulator]:
    """A guest's phone: registered, but its person decides nothing."""
    async with PhoneSimulator(str(home.client.make_url("/")), name="Guest") as phone:
        await phone.register(hass_read_only_access_token)
        await home.hass.async_block_till_done()
        yield phone


@pytest.fixture
async def push(home: Home, panel: Panel, agency: AgencySimulator, phone: PhoneSimulator) -> Push:
    """The notification of the one open request."""
    agency.ask()
    await asked(home, panel, agency)
    return await phone.wait_for_push()


async def state(panel: Panel, push: Push) -> str:
    """Where the request stands."""
    handle = push.data["url"].rpartition("/")[2]
    detail = await panel.ask("request", handle=handle)
    return str(detail["state"])


async def test_its_person_declines(panel: Panel, phone: PhoneSimulator, push: Push) -> None:
    await phone.tap(push, push.action("Decline"))
    await panel.until(lambda snapshot: snapshot["requests"][0]["state"] == "declined")
    cleared = await phone.wait_for_push(lambda one: one.message == "clear_notification")
    assert cleared.data["tag"] == push.data["tag"]


async def test_another_phone_with_the_stolen_key(
    panel: Panel, phone: PhoneSimulator, stranger: PhoneSimulator, push: Push
) -> None:
    assert stranger.pushes == []
    await stranger.fire({"action": push.action("Decline")})
    assert await state(panel, push) == "open"
    await phone.tap(push, push.action("Decline"))
    await panel.until(lambda snapshot: snapshot["requests"][0]["state"] == "declined")


async def test_guessed_keys(panel: Panel, phone: PhoneSimulator, push: Push) -> None:
    key = push.action("Decline")
    for guess in ("DOORSTEP_DECLINE_", key[:-1], f"{key}A", "DOORSTEP_APPROVE_x", 7, None):
        await phone.fire({"action": guess})
    assert await state(panel, push) == "open"


async def test_a_key_works_once(panel: Panel, phone: PhoneSimulator, push: Push) -> None:
    key = push.action("Decline")
    await phone.tap(push, key)
    await panel.until(lambda snapshot: snapshot["requests"][0]["state"] == "declined")
    handle = push.data["url"].rpartition("/")[2]
    await panel.ask("request/undo_decline", handle=handle)
    await phone.tap(push, key)
    assert await state(panel, push) == "open"


@pytest.mark.parametrize("origin", [EventOrigin.local, EventOrigin.remote])
async def test_an_automation_that_fires_the_event(
    home: Home, panel: Panel, push: Push, hass_admin_user: MockUser, origin: EventOrigin
) -> None:
    user = hass_admin_user.id if origin is EventOrigin.local else None
    context = Context(user_id=user)
    home.hass.bus.async_fire(EVENT, {"action": push.action("Decline")}, origin, context)
    await home.hass.async_block_till_done()
    assert await state(panel, push) == "open"


async def test_nothing_of_the_case_is_in_the_push(push: Push) -> None:
    text = str(push.raw)
    for secret in ("24-118", "Exampleville", "police.example", "urn:uuid", "burglary", "clip"):
        assert secret not in text
    assert [action["action"] for action in push.data["actions"][:2]] == ["URI", "URI"]


async def test_phones_that_share_a_name_are_not_pushed_to(
    home: Home,
    panel: Panel,
    agency: AgencySimulator,
    phone: PhoneSimulator,
    hass_client: ClientSessionGenerator,
    hass_read_only_access_token: str,
) -> None:
    async with PhoneSimulator(str(home.client.make_url("/")), name="OWNER") as double:
        await double.register(hass_read_only_access_token)
        await home.hass.async_block_till_done()
        agency.ask()
        await asked(home, panel, agency)
        await home.hass.async_block_till_done()
        assert phone.pushes == double.pushes == []
        issues = home.hass.data["issue_registry"].issues
        assert ("doorstep", "phones_share_a_name") in issues
