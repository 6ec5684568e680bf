"""The blueprint as Home Assistant reads and runs it: text at once, then the picture."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util, yaml as yaml_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

ROOT: Final = Path(__file__).parent.parent
FILE: Final = ROOT / "blueprints/automation/doorstep/ring_notification.yaml"
RING: Final = "event.front_door_ring"
PICTURE: Final = "image.front_door_last_ring"
GATEWAY: Final = "https://push.example/push"
PHONE: Final = {
    "app_data": {"push_token": "token", "push_url": GATEWAY},
    "app_id": "io.homeassistant.companion.android",
    "app_name": "Home Assistant",
    "app_version": "1",
    "device_id": "phone",
    "device_name": "Pixel",
    "manufacturer": "Example",
    "model": "Phone",
    "os_name": "Android",
    "os_version": "1",
    "supports_encryption": False,
    "user_id": "user",
    "webhook_id": "webhook",
}


@pytest.fixture
def blueprint() -> Blueprint:
    """Read the file by Home Assistant's own schema."""
    data = yaml_util.load_yaml_dict(str(FILE))
    return Blueprint(
        data, expected_domain="automation", path=FILE.name, schema=AUTOMATION_BLUEPRINT_SCHEMA
    )


@pytest.fixture
async def automation(
    hass: HomeAssistant, blueprint: Blueprint, aioclient_mock: AiohttpClientMocker
) -> None:
    """Run an automation from the blueprint, with a phone behind a push gateway."""
    limits = {"successful": 1, "errors": 0, "maximum": 500, "resetsAt": "2026-11-24T00:00:00.000Z"}
    aioclient_mock.post(GATEWAY, json={"rateLimits": limits})
    entry = MockConfigEntry(domain="mobile_app", data=PHONE, title="Pixel")
    entry.add_to_hass(hass)
    assert await async_setup_component(hass, "mobile_app", {})
    await hass.async_block_till_done()
    [phone] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    inputs = {"ring": RING, "picture": PICTURE, "phone": phone.id}
    hass.states.async_set(RING, "unknown", {"device_class": "doorbell"})
    hass.states.async_set(PICTURE, "unknown")
    loading = "homeassistant.components.blueprint.models.DomainBlueprints._load_blueprint"
    with patch(loading, return_value=blueprint):
        used = {"use_blueprint": {"path": FILE.name, "input": inputs}}
        assert await async_setup_component(hass, "automation", {"automation": used})
    await hass.async_block_till_done()
    assert hass.states.async_entity_ids("automation")


def pushes(aioclient_mock: AiohttpClientMocker) -> list[dict[str, Any]]:
    """What arrived at the push gateway."""
    return [body for _, _, body, _ in aioclient_mock.mock_calls]


async def settle() -> None:
    """Let everything run that doesn't wait for time; the automation itself does."""
    for _ in range(100):
        await asyncio.sleep(0)


async def ring(hass: HomeAssistant) -> None:
    state = dt_util.utcnow().isoformat(timespec="milliseconds")
    hass.states.async_set(RING, state, {"device_class": "doorbell", "event_type": "ring"})
    await settle()


async def show_picture(hass: HomeAssistant) -> None:
    hass.states.async_set(PICTURE, dt_util.utcnow().isoformat())
    await settle()


def test_home_assistant_accepts_it(blueprint: Blueprint) -> None:
    assert blueprint.validate() is None
    assert set(blueprint.inputs) == {
        *("ring", "picture", "phone"),
        *("title", "message", "path", "patience"),
    }
    assert blueprint.metadata["source_url"].endswith(str(FILE.relative_to(ROOT)))


@pytest.mark.usefixtures("automation")
async def test_text_first_then_the_picture(
    hass: HomeAssistant, aioclient_mock: AiohttpClientMocker
) -> None:
    await ring(hass)
    [text] = pushes(aioclient_mock)
    assert text["message"] == "Somebody is at the door."
    assert "image" not in text["data"]
    await show_picture(hass)
    _, picture = pushes(aioclient_mock)
    assert picture["data"]["image"] == f"/api/image_proxy/{PICTURE}"
    assert picture["data"]["tag"] == text["data"]["tag"]


@pytest.mark.usefixtures("automation")
async def test_a_picture_that_never_comes(
    hass: HomeAssistant, aioclient_mock: AiohttpClientMocker
) -> None:
    await ring(hass)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=11))
    await settle()
    await show_picture(hass)
    assert len(pushes(aioclient_mock)) == 1


@pytest.mark.usefixtures("automation")
async def test_each_ring_waits_for_its_own_picture(
    hass: HomeAssistant, aioclient_mock: AiohttpClientMocker
) -> None:
    await ring(hass)
    await show_picture(hass)
    await ring(hass)
    assert ["image" in push["data"] for push in pushes(aioclient_mock)] == [False, True, False]
    await show_picture(hass)
    assert len(pushes(aioclient_mock)) == 4
