"""Doorstep: a home's doorbell, and the desk where its people answer requests for footage."""

from contextlib import suppress
from functools import partial
from pathlib import Path
import shutil

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv, issue_registry as ir
from homeassistant.helpers.typing import ConfigType

from . import panel
from .const import DOMAIN, PLATFORMS, REVIEW_CACHE
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
        entry.runtime_data = await async_build(hass, entry)
        await _async_start(hass, entry)
    except DoorstepError as error:
        # a disk that comes late, or is full, may be there at the next try
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key=error.key,
            translation_placeholders=error.placeholders,
        ) from error
    entry.async_on_unload(entry.add_update_listener(_async_follow))
    await panel.async_show(hass)
    return True


async def _async_start(hass: HomeAssistant, entry: DoorstepConfigEntry) -> None:
    """Start all or nothing: a start that fails half way closes what it opened."""
    data = entry.runtime_data
    try:
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
        await data.async_start(entry)
    except BaseException:
        with suppress(ValueError):
            # those that never came up can't be unloaded
            await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
        await data.async_stop()
        raise


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


async def _async_follow(hass: HomeAssistant, entry: DoorstepConfigEntry) -> None:
    """Start, change and stop only what was changed: no other recorder gets a gap."""
    await entry.runtime_data.async_follow(entry)


async def async_remove_entry(hass: HomeAssistant, entry: DoorstepConfigEntry) -> None:
    """Take back what Doorstep showed; what it recorded and remembers stays in its folders."""
    panel.async_hide(hass)
    issues = ir.async_get(hass).issues
    for domain, issue in [key for key in issues if key[0] == DOMAIN]:
        ir.async_delete_issue(hass, domain, issue)
    review = Path(hass.config.cache_path(REVIEW_CACHE))
    await hass.async_add_executor_job(partial(shutil.rmtree, review, ignore_errors=True))
