"""The ring."""

from typing import override

from homeassistant.components.event import DoorbellEventType, EventDeviceClass, EventEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import DoorstepConfigEntry
from .doorbells.direct import DirectDoorbell, DoorbellEvent
from .entity import DoorbellEntity

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DoorstepConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a ring for every doorbell, now and later."""
    entry.runtime_data.rooms.doorbells.async_add_platform(async_add_entities, RingEvent)


class RingEvent(DoorbellEntity, EventEntity):
    """Fires at each press of the button, and never for anything else."""

    _attr_device_class = EventDeviceClass.DOORBELL
    _attr_event_types = [DoorbellEventType.RING]  # noqa: RUF012 - Home Assistant's way
    _attr_translation_key = "ring"
    _unrecorded_attributes = frozenset({"clip_id"})

    def __init__(self, doorbell: DirectDoorbell) -> None:
        """Belong to `doorbell`."""
        super().__init__(doorbell, "ring")

    @callback
    @override
    def _async_handle(self, event: DoorbellEvent) -> None:
        if event.kind == "ring":
            self._trigger_event(DoorbellEventType.RING, {"clip_id": event.clip})
            self.async_write_ha_state()
