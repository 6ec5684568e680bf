"""Motion before the door."""

from typing import override

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity
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
    """Add motion for every doorbell, now and later."""
    entry.runtime_data.rooms.doorbells.async_add_platform(async_add_entities, MotionSensor)


class MotionSensor(DoorbellEntity, BinarySensorEntity):
    """On while the device reports motion."""

    _attr_device_class = BinarySensorDeviceClass.MOTION

    def __init__(self, doorbell: DirectDoorbell) -> None:
        """Belong to `doorbell`."""
        super().__init__(doorbell, "motion")

    @property
    @override
    def is_on(self) -> bool:
        """Whether something moves."""
        return self.doorbell.motion

    @callback
    @override
    def _async_handle(self, event: DoorbellEvent) -> None:
        if event.kind == "motion":
            self.async_write_ha_state()
