"""The blueprints as Home Assistant reads and runs them: text at once, then picture and voice."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util, yaml as yaml_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_service,
)
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

ROOT: Final = Path(__file__).parent.parent
FOLDER: Final = ROOT / "blueprints/automation/doorstep"
NOTIFICATION: Final = "ring_notification.yaml"
ANNOUNCEMENT: Final = "announce_ring.yaml"
RING: Final = "event.front_door_ring"
PICTURE: Final = "image.front_door_last_ring"
SPEAKER: Final = "media_player.kitchen"
VOICE: Final = "tts.home"
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


type Run = Callable[..., Awaitable[None]]


def read(name: str) -> Blueprint:
    """Read a file by Home Assistant's own schema."""
    data = yaml_util.load_yaml_dict(str(FOLDER / name))
    return Blueprint(
        data, expected_domain="automation", path=name, schema=AUTOMATION_BLUEPRINT_SCHEMA
    )


@pytest.fixture
async def phone(hass: HomeAssistant, aioclient_mock: AiohttpClientMocker) -> str:
    """Register a phone behind a push gateway; the id of its device."""
    limits = {"successful": 1, "errors": 0, "maximum": 500, "resetsAt": "2026-11-24T00:00:00.000Z"}
    aioclient_mock.post(GATEWAY, json={"rateLimits": limits})
    entry = MockConfigEntry(domain="mobile_app", data=PHONE, title="Pixel")
    entry.add_to_hass(hass)
    assert await async_setup_component(hass, "mobile_app", {})
    await hass.async_block_till_done()
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return device.id


@pytest.fixture
async def automate(hass: HomeAssistant) -> Run:
    """Make an automation out of a blueprint."""

    async def run(name: str, **inputs: object) -> None:
        hass.states.async_set(RING, "unknown", {"device_class": "doorbell"})
        hass.states.async_set(PICTURE, "unknown")
        loading = "homeassistant.components.blueprint.models.DomainBlueprints._load_blueprint"
        with patch(loading, return_value=read(name)):
            used = {"use_blueprint": {"path": name, "input": {"ring": RING, **inputs}}}
            assert await async_setup_component(hass, "automation", {"automation": used})
        await hass.async_block_till_done()
        [automation] = hass.states.async_all("automation")
        assert automation.state == "on"

    return run


@pytest.fixture
async def automation(automate: Run, phone: str) -> None:
    """Run the notification on one phone."""
    await automate(NOTIFICATION, picture=PICTURE, phone=phone)


@pytest.fixture
def spoken(hass: HomeAssistant) -> list[ServiceCall]:
    """What speakers are asked to say."""
    hass.states.async_set(VOICE, "unknown")
    calls: list[ServiceCall] = async_mock_service(hass, "tts", "speak")
    return calls


@pytest.fixture
def played(hass: HomeAssistant) -> list[ServiceCall]:
    """What speakers are asked to play."""
    calls: list[ServiceCall] = async_mock_service(hass, "media_player", "play_media")
    return calls


def pushes(aioclient_mock: AiohttpClientMocker) -> list[dict[str, Any]]:
    """What arrived at the push gateway."""
    return [body for _, _, body, _ in aioclient_mock.mock_calls]


async def settle() -> None:
    """Let everything run that doesn't wait for time; the automation itself does."""
    for _ in range(100):
        await asyncio.sleep(0)


async def ring(hass: HomeAssistant, **attributes: object) -> None:
    state = dt_util.utcnow().isoformat(timespec="milliseconds")
    told = {"device_class": "doorbell", "event_type": "ring", **attributes}
    hass.states.async_set(RING, state, told)
    await settle()


async def show_picture(hass: HomeAssistant) -> None:
    hass.states.async_set(PICTURE, dt_util.utcnow().isoformat())
    await settle()


@pytest.mark.parametrize(
    ("name", "own"),
    [
        (NOTIFICATION, {"phone"}),
        (
            ANNOUNCEMENT,
            {"phones", "speakers", "voice", "sound", "quiet_from", "quiet_to", "tests"},
        ),
    ],
)
def test_home_assistant_accepts_it(name: str, own: set[str]) -> None:
    blueprint = read(name)
    assert blueprint.validate() is None
    assert set(blueprint.inputs) == own | {
        "ring",
        "picture",
        "title",
        "message",
        "path",
        "patience",
    }
    assert blueprint.metadata["source_url"].endswith(f"blueprints/automation/doorstep/{name}")


def test_every_blueprint_is_tried_here() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {NOTIFICATION, ANNOUNCEMENT}


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


async def test_phones_and_speakers_are_told(
    hass: HomeAssistant,
    aioclient_mock: AiohttpClientMocker,
    automate: Run,
    phone: str,
    spoken: list[ServiceCall],
) -> None:
    await automate(ANNOUNCEMENT, phones=[phone], picture=PICTURE, speakers=[SPEAKER])
    await ring(hass)
    [text] = pushes(aioclient_mock)
    assert text["message"] == "Somebody is at the door."
    assert "image" not in text["data"]
    [said] = spoken
    assert said.data["entity_id"] == [VOICE]
    assert said.data["media_player_entity_id"] == [SPEAKER]
    assert said.data["message"] == "Somebody is at the door."
    await show_picture(hass)
    _, picture = pushes(aioclient_mock)
    assert picture["data"]["image"] == f"/api/image_proxy/{PICTURE}"
    assert picture["data"]["tag"] == text["data"]["tag"]
    assert len(spoken) == 1


async def test_a_chime_instead_of_a_voice(
    hass: HomeAssistant,
    automate: Run,
    spoken: list[ServiceCall],
    played: list[ServiceCall],
) -> None:
    chime = {
        "media_content_id": "media-source://media_source/local/chime.mp3",
        "media_content_type": "audio/mpeg",
        "metadata": {"title": "chime.mp3"},
    }
    await automate(ANNOUNCEMENT, speakers=[SPEAKER], sound=chime)
    await ring(hass)
    [sounded] = played
    assert sounded.data == {"announce": True, "entity_id": [SPEAKER], "media": chime}
    assert spoken == []


async def test_what_comes_back_announces_nothing(
    hass: HomeAssistant, automate: Run, spoken: list[ServiceCall]
) -> None:
    await automate(ANNOUNCEMENT, speakers=[SPEAKER])
    await ring(hass)
    known = hass.states.get(RING)
    assert known
    hass.states.async_set(RING, "unavailable", {"device_class": "doorbell"})
    await settle()
    hass.states.async_set(RING, known.state, known.attributes)
    await settle()
    assert len(spoken) == 1
    await ring(hass)
    assert len(spoken) == 2


@pytest.mark.parametrize(("first", "last", "calls"), [(-1, 1, 0), (1, -1, 1), (1, 2, 1), (0, 0, 1)])
async def test_quiet_hours_are_those_of_speakers(
    hass: HomeAssistant,
    aioclient_mock: AiohttpClientMocker,
    automate: Run,
    phone: str,
    spoken: list[ServiceCall],
    first: int,
    last: int,
    calls: int,
) -> None:
    now = dt_util.now()
    hours = {
        "quiet_from": (now + timedelta(hours=first)).strftime("%H:%M:%S"),
        "quiet_to": (now + timedelta(hours=last)).strftime("%H:%M:%S"),
    }
    await automate(ANNOUNCEMENT, phones=[phone], speakers=[SPEAKER], **hours)
    await ring(hass)
    assert len(spoken) == calls
    assert len(pushes(aioclient_mock)) == 1


@pytest.mark.parametrize(("tests", "calls"), [(True, 2), (False, 1)])
async def test_tests_count_unless_they_are_not_wanted(
    hass: HomeAssistant, automate: Run, spoken: list[ServiceCall], tests: bool, calls: int
) -> None:
    await automate(ANNOUNCEMENT, speakers=[SPEAKER], voice="tts.other", tests=tests)
    await ring(hass, test=True)
    await ring(hass, test=False)
    assert len(spoken) == calls
    assert spoken[-1].data["entity_id"] == ["tts.other"]
