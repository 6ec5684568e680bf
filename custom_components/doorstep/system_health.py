"""The few numbers that tell whether Doorstep is well, for Home Assistant's system information."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .data import async_entry


@callback
def async_register(hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:
    """Register what to ask."""
    register.async_register_info(_async_info)


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    """Count, and measure; no name, no place."""
    if (entry := async_entry(hass)) is None:
        return {}
    data = entry.runtime_data
    status = data.storage.status
    states = [bell.status.state for bell in data.rooms.doorbells]
    return {
        "doorbells": len(states),
        "ready": states.count("ready"),
        "clips": status.usage.clips if status else "unknown",
        "used_gb": round(status.usage.bytes / 10**9, 1) if status else "unknown",
        "free_gb": round(status.usage.space.free / 10**9, 1) if status else "unknown",
        "ledger_entries": await data.queries.async_ledger_size(),
    }
