"""Setting up a household and feeds, with everything a person may get wrong."""

from datetime import timedelta
import json
from pathlib import Path
import re

from homeassistant.auth.models import TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from .homes import FLOW, Home, prepare
from .simulators.agency import AgencySimulator

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def home(hass: HomeAssistant, hass_client: ClientSessionGenerator, tmp_path: Path) -> Home:
    return await prepare(hass, hass_client, tmp_path / "library")


@pytest.fixture
async def household(home: Home) -> Home:
    await home.set_up()
    return home


async def test_who_sets_it_up_decides(home: Home, hass_admin_user: MockUser) -> None:
    step = await home.post(FLOW, {"handler": "doorstep"})
    assert step["step_id"] == "user"
    assert step["description_placeholders"]["user"] == hass_admin_user.name
    await home.set_up()
    (entry,) = home.hass.config_entries.async_loaded_entries("doorstep")
    assert entry.data["approvers"] == [hass_admin_user.id]
    assert not entry.subentries


async def test_nobody_sets_it_up(home: Home) -> None:
    result = await home.hass.config_entries.flow.async_init(
        "doorstep", context={"source": SOURCE_USER}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "needs_person"


async def test_there_is_one_household(household: Home) -> None:
    step = await household.post(FLOW, {"handler": "doorstep"})
    assert step["reason"] == "single_instance_allowed"


async def test_folders_that_everybody_sees_are_refused(home: Home) -> None:
    for folder in (home.hass.config.path("www"), *home.hass.config.media_dirs.values()):
        step = await home.post(FLOW, {"handler": "doorstep"})
        shown = await home.post(f"{FLOW}/{step['flow_id']}", {"library": f"{folder}/clips"})
        assert shown["errors"] == {"library": "folder_refused"}
        assert shown["step_id"] == "user"


async def test_a_folder_that_cannot_be_written_is_refused(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    step = await home.post(FLOW, {"handler": "doorstep"})
    folder = str(tmp_path / "file" / "clips")
    shown = await home.post(f"{FLOW}/{step['flow_id']}", {"library": folder})
    assert shown["errors"] == {"library": "folder_unusable"}
    await home.set_up()


async def test_a_feed_shows_who_runs_it(household: Home, tmp_path: Path) -> None:
    async with AgencySimulator(tmp_path / "agency") as agency:
        agency.publish()
        shown = await household.begin("feed", {"url": agency.feed_url})
        assert shown["step_id"] == "confirm"
        told = shown["description_placeholders"]
        assert told["name"]
        assert told["operator"]
        assert told["host"].replace("\\", "") == "127.0.0.1"
        assert len(told["fingerprint"].replace(" ", "")) == 64
        await household.finish(shown)
        again = await household.begin("feed", {"url": agency.feed_url})
        assert again["reason"] == "already_configured"


async def test_a_feed_that_is_too_large_is_cut_off(household: Home, tmp_path: Path) -> None:
    async with AgencySimulator(tmp_path / "agency") as agency:
        agency.publish()
        agency.swell("/feed.json")
        shown = await household.begin("feed", {"url": agency.feed_url})
        assert shown["errors"] == {"url": "feed_too_large"}


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("ftp://feeds.example/", "url_not_allowed"),
        ("https://10.0.0.1/", "url_not_allowed"),
        ("nonsense", "url_not_allowed"),
        ("http://127.0.0.1:1/", "feed_unreachable"),
    ],
)
async def test_what_is_no_feed(household: Home, url: str, error: str) -> None:
    shown = await household.begin("feed", {"url": url})
    assert shown["step_id"] == "user"
    assert shown["errors"] == {"url": error}


async def test_a_script_does_not_set_it_up(home: Home, hass_admin_user: MockUser) -> None:
    refresh = await home.hass.auth.async_create_refresh_token(
        hass_admin_user,
        client_name="script",
        token_type=TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN,
        access_token_expiration=timedelta(days=365),
    )
    access = home.hass.auth.async_create_access_token(refresh)
    answer = await home.client.post(
        FLOW, json={"handler": "doorstep"}, headers={"Authorization": f"Bearer {access}"}
    )
    assert (await answer.json())["reason"] == "needs_person"


async def test_a_feed_cannot_dress_up_its_name(household: Home, tmp_path: Path) -> None:
    async with AgencySimulator(tmp_path / "agency") as agency:
        descriptor = json.loads(agency.web.files["/feed.json"])
        descriptor["name"] = "City ![x](http://tracker.example/x.png) [Verified](http://x.example)"
        descriptor["operator"] = "<img src=http://tracker.example/y.png> www.police.example"
        agency.web.files["/feed.json"] = json.dumps(descriptor).encode()
        shown = await household.begin("feed", {"url": agency.feed_url})
        told = shown["description_placeholders"]
        for text in (told["name"], told["operator"]):
            # every character that markdown or HTML could make something of is escaped
            assert not re.search(r"(?<!\\)[!\[\](<>.:]", text), text
