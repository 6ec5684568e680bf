"""Backups copy files while we run: make the database one whole file first."""

from homeassistant.core import HomeAssistant

from .data import async_entry
from .storage import BACKUP


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Fold the write-ahead log into `doorstep.db`; don't delete clips under the backup's eyes."""
    hass.data[BACKUP] = True
    if entry := async_entry(hass):
        await entry.runtime_data.storage.async_pause()
        await hass.async_add_executor_job(entry.runtime_data.rooms.database.checkpoint)


async def async_post_backup(hass: HomeAssistant) -> None:
    """Go on pruning."""
    hass.data.pop(BACKUP, None)
    if entry := async_entry(hass):
        entry.runtime_data.storage.async_resume()
