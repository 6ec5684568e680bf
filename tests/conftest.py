"""What every test has: our own custom component, and the switch that lets it talk to loopback."""

import os

# before anything of Doorstep is imported: it reads the switch once
os.environ["DOORSTEP_TEST_MODE"] = "1"

import pytest

import custom_components  # noqa: F401 - before the harness puts its own folder of this name first


@pytest.fixture(autouse=True)
def custom_integrations(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant find the integration, in the tests that have one."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")
