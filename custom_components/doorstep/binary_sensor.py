"""Motion before the door."""

from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import DoorstepConfigEntry
from .doorbells.model import DoorbellEvent
from .entity import DoorbellEntity, async_add_rows, is_direct

PARALLEL_UPDATES = 0

BINARY_SENSORS = (
    BinarySensorEntityDescription(key="motion", device_class=BinarySensorDeviceClass.MOTION),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DoorstepConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add motion for every doorbell whose motion no other integration shows, now and later."""
    rooms = entry.runtime_data.rooms
    async_add_rows(rooms, async_add_entities, BINARY_SENSORS, MotionSensor, wanted=is_direct)


class MotionSensor(DoorbellEntity, BinarySensorEntity):
    """On while the device reports motion."""

    _goes_with_source = True

    @property
    @override
    def is_on(self) -> bool:
        """Whether something moves."""
        return self.doorbell.motion

    @callback
    @override
    def _async_handle(self, event: DoorbellEvent) -> None:
        if event.kind in {"motion", "change"}:
            self.async_write_ha_state()
