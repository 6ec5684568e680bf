"""Doorstep: a home's doorbell, and the desk where its people answer requests for footage."""

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from . import panel
from .const import DOMAIN, PLATFORMS
from .data import DoorstepConfigEntry, async_build
from .errors import DoorstepError
from .services import async_setup_services
from .views import async_register_views
from .websocket_api import async_register_commands

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register what stays for as long as Home Assistant runs."""
    async_setup_services(hass)
    async_register_commands(hass)
    async_register_views(hass)
    await panel.async_serve(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: DoorstepConfigEntry) -> bool:
    """Open the house: rooms first, then entities, then the desk."""
    try:
        data = await async_build(hass, entry)
    except DoorstepError as error:
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key=error.key,
            translation_placeholders=error.placeholders,
        ) from error
    entry.runtime_data = data
    try:
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
        await data.async_start(entry)
    except BaseException:
        await data.async_stop()
        raise
    entry.async_on_unload(entry.add_update_listener(_async_follow))
    await panel.async_show(hass)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: DoorstepConfigEntry) -> bool:
    """Close the house: nothing of it runs or listens any more."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    # a reload keeps the panel: a frontend whose open panel vanishes fetches source maps for its
    # error report from a server on the internet
    if entry.disabled_by:
        panel.async_hide(hass)
    await entry.runtime_data.async_stop()
    return True


async def async_remove_entry(hass: HomeAssistant, _entry: DoorstepConfigEntry) -> None:
    """Take the panel away with the household; what was recorded stays."""
    panel.async_hide(hass)


async def _async_follow(hass: HomeAssistant, entry: DoorstepConfigEntry) -> None:
    """Start, change and stop only what was changed: no other recorder gets a gap."""
    await entry.runtime_data.async_follow(entry)
