"""What every test has: our own custom component, and the switch that lets it talk to loopback."""

import os

# before anything of Doorstep is imported: it reads the switch once
os.environ["DOORSTEP_TEST_MODE"] = "1"

import pytest

import custom_components  # noqa: F401 - before the harness puts its own folder of this name first

from .disclosure.clips import encode


@pytest.fixture(autouse=True)
def custom_integrations(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant find the integration, in the tests that have one."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture(scope="session")
def recording() -> bytes:
    """A minute of H.264 with B-frames and AAC, as the recorder's ffmpeg pipes it."""
    return encode(seconds=60)


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Give each Home Assistant a folder of its own: Doorstep keeps a database in it."""
    return hass_tmp_config_dir
