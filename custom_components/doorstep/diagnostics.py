"""What a bug report may hold: states and numbers, no secret, no person, no case."""

from typing import Any

from homeassistant.core import HomeAssistant

from .const import VERSION
from .data import DoorstepConfigEntry


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: DoorstepConfigEntry
) -> dict[str, Any]:
    """List, by name, what is safe to show; nothing is copied whole."""
    data = entry.runtime_data
    usage = await hass.async_add_executor_job(data.rooms.library.usage)
    return {
        "version": VERSION,
        "approvers": len(data.approvers.user_ids),
        "doorbells": [
            {
                "id": doorbell.id,
                "audio": doorbell.audio,
                "recording": doorbell.status.state,
                "reason": doorbell.status.reason,
                "buffered_seconds": doorbell.status.seconds,
            }
            for doorbell in data.rooms.doorbells
        ],
        "feeds": [
            {"id": feed.feed, "last_poll_succeeded": feed.last_update_success}
            for feed in data.feeds
        ],
        "library": {
            "clips": usage.clips,
            "bytes": usage.bytes,
            "free": usage.space.free,
            "total": usage.space.total,
        },
        "ledger_size": await data.queries.async_ledger_size(),
        "requests": await data.queries.async_counts(),
    }
