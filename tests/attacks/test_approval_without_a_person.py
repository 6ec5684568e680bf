"""Approving with anything but an approver's own login: tokens of scripts, other people, places."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from homeassistant.auth import auth_provider_from_config
from homeassistant.auth.models import Credentials, RefreshToken, User
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from ..homes import DOORBELL, Home, Panel, asked
from ..simulators.agency import AgencySimulator

pytestmark = pytest.mark.usefixtures("socket_enabled")

CLIENT = "https://script.example/"


async def long_lived(hass: HomeAssistant, user: User) -> RefreshToken:
    """The token that people paste into scripts."""
    return await hass.auth.async_create_refresh_token(
        user,
        client_name="script",
        token_type="long_lived_access_token",
        access_token_expiration=timedelta(days=365),
    )


async def trusted_network(hass: HomeAssistant, user: User) -> RefreshToken:
    """A login that only proves where somebody is."""
    config = {"type": "trusted_networks", "trusted_networks": ["127.0.0.1"]}
    provider = await auth_provider_from_config(hass, hass.auth._store, config)
    hass.auth._providers[("trusted_networks", None)] = provider
    credential = Credentials(
        id="place",
        auth_provider_type="trusted_networks",
        auth_provider_id=None,
        data={"user": user.id},
        is_new=False,
    )
    user.credentials.append(credential)
    return await hass.auth.async_create_refresh_token(user, CLIENT, credential=credential)


async def without_credential(hass: HomeAssistant, user: User) -> RefreshToken:
    """A login that says nothing about how somebody proved who they are."""
    return await hass.auth.async_create_refresh_token(user, CLIENT)


async def somebody_else(hass: HomeAssistant, user: User) -> RefreshToken:
    """An administrator who is no approver."""
    other = MockUser(is_owner=False, name="Other").add_to_hass(hass)
    other.groups = user.groups
    credential = Credentials(
        id="other",
        auth_provider_type="homeassistant",
        auth_provider_id=None,
        data={"username": "other"},
        is_new=False,
    )
    other.credentials.append(credential)
    return await hass.auth.async_create_refresh_token(other, CLIENT, credential=credential)


@pytest.mark.parametrize("token", [long_lived, trusted_network, without_credential, somebody_else])
async def test_is_refused_whatever_it_asks(
    home: Home,
    panel: Panel,
    agency: AgencySimulator,
    hass_ws_client: WebSocketGenerator,
    hass_admin_user: MockUser,
    token: Callable[[HomeAssistant, User], Any],
) -> None:
    agency.ask()
    handle = await asked(home, panel, agency)
    draft = await panel.ask("release/draft", handle=handle)
    approval = {
        "handle": handle,
        "release": draft["release"],
        "digest": draft["digest"],
        "watched": True,
    }
    refresh = await token(home.hass, hass_admin_user)
    access = home.hass.auth.async_create_access_token(refresh, "127.0.0.1")
    attacker = Panel(await hass_ws_client(home.hass, access))

    await attacker.open()
    seen = await attacker.until(lambda snapshot: snapshot["storage"])
    # clips are for everybody here; what is kept of them, and why, is not
    assert seen.keys() == {"approver", "counts", "clips", "doorbells", "storage"}
    assert (seen["approver"], seen["counts"]) == (False, {"open": 1, "waiting": 0})
    assert seen["doorbells"] == [{"id": DOORBELL, "name": "Front door"}]
    assert seen["storage"].keys().isdisjoint({"held", "binned"})
    body = panel.snapshot["agencies"][0]
    for command, members in (
        ("release/approve", approval),
        ("release/draft", {"handle": handle}),
        ("release/undo", {"release": draft["release"]}),
        ("request", {"handle": handle}),
        ("request/decline", {"handle": handle}),
        ("request/undo_decline", {"handle": handle}),
        ("agency/check", {"agency": body["id"]}),
        (
            "agency/confirm",
            {"agency": body["id"], "statement_sha256": body["statement_sha256"]},
        ),
        ("ledger/list", {}),
        ("ledger/verify", {}),
    ):
        answer = await attacker.ask(command, **members)
        assert answer["code"] == "unauthorized", command
    video = await home.client.get(
        draft["clips"][0]["video"], headers={"Authorization": f"Bearer {access}"}
    )
    assert video.status == 403
    detail = await panel.ask("request", handle=handle)
    assert detail["state"] == "open"
    assert panel.snapshot["releases"] == []
    assert agency.receiver.requests() == []


async def test_there_is_no_approving_action(home: Home) -> None:
    assert set(home.hass.services.async_services_for_domain("doorstep")) == {
        "record",
        "verify_ledger",
    }


async def test_a_digest_that_was_not_shown_is_void(
    home: Home, panel: Panel, agency: AgencySimulator
) -> None:
    agency.ask()
    handle = await asked(home, panel, agency)
    draft = await panel.ask("release/draft", handle=handle)
    answer = await panel.ask(
        "release/approve", handle=handle, release=draft["release"], digest="0" * 64
    )
    assert answer["translation_key"] == "release_changed"
    answer = await panel.ask(
        "release/approve", handle="another", release=draft["release"], digest=draft["digest"]
    )
    assert answer["translation_key"] == "release_unknown"
    assert agency.receiver.requests() == []
