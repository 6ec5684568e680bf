"""What a bug report may hold: states and numbers, no secret, no person, no case, no place."""

from typing import Any

from homeassistant.core import HomeAssistant

from .const import KIND_ADOPTED, KIND_DIRECT, VERSION
from .data import DoorstepConfigEntry
from .doorbells.doorbell import Doorbell
from .doorbells.model import DoorbellEvent


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: DoorstepConfigEntry
) -> dict[str, Any]:
    """List, by name, what is safe to show; nothing is copied whole."""
    data = entry.runtime_data
    library = data.rooms.library
    usage = await hass.async_add_executor_job(library.usage)
    held = await hass.async_add_executor_job(data.rooms.holds.held)
    return {
        "version": VERSION,
        "approvers": len(data.approvers.user_ids),
        "doorbells": [_doorbell(doorbell) for doorbell in data.rooms.doorbells],
        "feeds": [
            {"id": feed.feed, "last_poll_succeeded": feed.last_update_success}
            for feed in data.feeds
        ],
        "library": {
            "clips": usage.clips,
            "bytes": usage.bytes,
            "free": usage.space.free,
            "total": usage.space.total,
            "binned": usage.binned,
            "held": len(held),
            "unread": library.unread,
            "unreadable": len(library.unreadable),
            "refuses": library.refuses,
        },
        "options": dict(entry.options),
        "ledger_size": await data.queries.async_ledger_size(),
        "requests": await data.queries.async_counts(),
    }


def _doorbell(doorbell: Doorbell) -> dict[str, Any]:
    settings, status = doorbell.settings, doorbell.status
    return {
        "id": doorbell.id,
        "kind": KIND_ADOPTED if doorbell.adopted else KIND_DIRECT,
        "capture": doorbell.transport.capture,
        "transport": doorbell.transport.describe(),
        "available": doorbell.available,
        "lost": doorbell.lost,
        "private": doorbell.private,
        "settings": {
            "pre_roll": settings.pre_roll,
            "post_roll": settings.post_roll,
            "audio": settings.audio,
            "indoor": settings.indoor,
        },
        "recording": status.state,
        "reason": status.reason,
        "buffered_seconds": status.seconds,
        "breakdowns": doorbell.breakdowns,
        "heard": dict(doorbell.heard),
        "dropped": doorbell.dropped,
        "last": {kind: _event(event) for kind, event in doorbell.last.items()},
    }


def _event(event: DoorbellEvent) -> dict[str, Any]:
    return {
        "at": event.at.isoformat(),
        "device_time": event.device_time.isoformat() if event.device_time else None,
        "delay": event.delay,
        "test": event.test,
    }
