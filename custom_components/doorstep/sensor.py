"""When the bell last rang, and how recording goes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import DoorstepConfigEntry
from .doorbells.direct import DirectDoorbell, DoorbellEvent
from .entity import DoorbellEntity

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class DoorbellSensorDescription(SensorEntityDescription):
    """A value read off the doorbell, and which events change it."""

    kinds: frozenset[str]
    value: Callable[[DirectDoorbell], str | float]


SENSORS = (
    DoorbellSensorDescription(
        key="recording",
        translation_key="recording",
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        options=["off", "filling", "ready", "failed"],
        kinds=frozenset({"status"}),
        value=lambda doorbell: doorbell.status.state,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DoorstepConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of every doorbell, now and later."""
    doorbells = entry.runtime_data.rooms.doorbells
    doorbells.async_add_platform(async_add_entities, LastRingSensor)
    for description in SENSORS:
        doorbells.async_add_platform(
            async_add_entities,
            partial(DoorbellSensor, description),
        )


class LastRingSensor(DoorbellEntity, RestoreSensor):
    """The moment of the last ring; kept over restarts."""

    _attr_device_class = SensorDeviceClass.TIMESTAMP
    _attr_translation_key = "last_ring"

    def __init__(self, doorbell: DirectDoorbell) -> None:
        """Belong to `doorbell`."""
        super().__init__(doorbell, "last_ring")

    @override
    async def async_added_to_hass(self) -> None:
        """Bring back the last known ring."""
        await super().async_added_to_hass()
        last = await self.async_get_last_sensor_data()
        if last and isinstance(last.native_value, datetime):
            self._attr_native_value = last.native_value

    @callback
    @override
    def _async_handle(self, event: DoorbellEvent) -> None:
        if event.kind == "ring":
            self._attr_native_value = event.at
            self.async_write_ha_state()


class DoorbellSensor(DoorbellEntity, SensorEntity):
    """One row of the table above."""

    entity_description: DoorbellSensorDescription

    def __init__(self, description: DoorbellSensorDescription, doorbell: DirectDoorbell) -> None:
        """Show what `description` reads off `doorbell`."""
        super().__init__(doorbell, description.key)
        self.entity_description = description

    @property
    @override
    def native_value(self) -> str | float:
        """The value now."""
        return self.entity_description.value(self.doorbell)

    @callback
    @override
    def _async_handle(self, event: DoorbellEvent) -> None:
        if event.kind in self.entity_description.kinds:
            self.async_write_ha_state()
