"""What every test has: our own custom component, and the switch that lets it talk to loopback."""

import os

# before anything of Doorstep is imported: it reads the switch once
os.environ["DOORSTEP_TEST_MODE"] = "1"

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
import shutil

from homeassistant.core import HomeAssistant
from hypothesis import settings
import pytest
from pytest_homeassistant_custom_component.common import MockUser, get_test_config_dir
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

import custom_components  # noqa: F401 - before the harness puts its own folder of this name first
from custom_components.doorstep.footage import probe

from .disclosure.clips import encode
from .homes import Home, Panel, add_clip, move_in, prepare
from .simulators.agency import AgencySimulator

# how long an example takes says more about what else the machine does
settings.register_profile("doorstep", deadline=None)
settings.load_profile("doorstep")

_LONGEST_ID = 40


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long values after their argument: signed ones differ from worker to worker."""
    return argname if isinstance(val, str | bytes) and len(val) > _LONGEST_ID else None


@pytest.fixture(autouse=True)
def custom_integrations(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant find the integration, in the tests that have one."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture(autouse=True)
def short_measurement(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weigh streams for a moment only, in the tests that add doorbells through the flow."""
    if "hass" in request.fixturenames:
        monkeypatch.setattr(probe, "_MEASURED", 0.3)


@pytest.fixture(scope="session")
def recording() -> bytes:
    """A minute of H.264 with B-frames and AAC, as the recorder's ffmpeg pipes it."""
    return encode(seconds=60)


@pytest.fixture
def hass_config_dir(tmp_path: Path) -> str:
    """Give each Home Assistant a folder of its own, beside the library: it keeps a database."""
    config = tmp_path / "config"
    shutil.copytree(get_test_config_dir(), config)
    return str(config)


@pytest.fixture
async def agency(tmp_path: Path) -> AsyncIterator[AgencySimulator]:
    async with AgencySimulator(tmp_path / "agency") as agency:
        agency.publish_statement()
        yield agency


@pytest.fixture
async def home(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
    tmp_path: Path,
    recording: bytes,
) -> Home:
    """A household with a clip of the minute from 20 to 19 minutes ago."""
    home = await prepare(hass, hass_client, tmp_path / "library")
    add_clip(home.library, recording, datetime.now(UTC) - timedelta(minutes=20))
    await move_in(home, hass_admin_user)
    return home


@pytest.fixture
async def panel(home: Home, hass_ws_client: WebSocketGenerator) -> Panel:
    panel = Panel(await hass_ws_client(home.hass))
    await panel.open()
    return panel
