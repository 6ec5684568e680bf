"""The panel's place in the sidebar."""

from homeassistant.components import frontend
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
import pytest

from .homes import Home

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def shown(home: Home) -> Home:
    """A household in a Home Assistant that has a frontend, of which only the panels matter."""
    home.hass.config.components.add("frontend")
    assert await home.hass.config_entries.async_reload(home.entry_id)
    assert is_shown(home.hass)
    return home


def is_shown(hass: HomeAssistant) -> bool:
    return frontend.async_panel_exists(hass, "doorstep")


async def test_stays_through_a_reload(shown: Home) -> None:
    panels: list[bool] = []
    shown.hass.bus.async_listen(
        frontend.EVENT_PANELS_UPDATED, lambda _: panels.append(is_shown(shown.hass))
    )
    assert await shown.hass.config_entries.async_reload(shown.entry_id)
    assert is_shown(shown.hass)
    assert panels == []


async def test_goes_with_the_household(shown: Home) -> None:
    await shown.hass.config_entries.async_remove(shown.entry_id)
    assert not is_shown(shown.hass)


async def test_goes_while_the_household_is_disabled(shown: Home) -> None:
    entries = shown.hass.config_entries
    await entries.async_set_disabled_by(shown.entry_id, ConfigEntryDisabler.USER)
    assert not is_shown(shown.hass)
    await entries.async_set_disabled_by(shown.entry_id, None)
    assert is_shown(shown.hass)
