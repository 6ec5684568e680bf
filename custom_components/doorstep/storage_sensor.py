"""How full the library is, as sensors of the household."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfInformation, UnitOfTime
from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN, SIGNAL_STORAGE
from .data import DoorstepConfigEntry
from .storage import Status, Storage


@dataclass(frozen=True, kw_only=True)
class StorageSensorDescription(SensorEntityDescription):
    """A number of the library."""

    state_class: SensorStateClass | None = SensorStateClass.MEASUREMENT
    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    value: Callable[[Status], float | None]


@dataclass(frozen=True, kw_only=True)
class StorageSizeDescription(StorageSensorDescription):
    """Bytes, shown in gigabytes."""

    device_class: SensorDeviceClass | None = SensorDeviceClass.DATA_SIZE
    native_unit_of_measurement: str | None = UnitOfInformation.BYTES
    suggested_unit_of_measurement: str | None = UnitOfInformation.GIGABYTES
    suggested_display_precision: int | None = 1


SENSORS: Final = (
    StorageSizeDescription(
        key="storage_used",
        translation_key="storage_used",
        value=lambda status: status.usage.bytes,
    ),
    StorageSizeDescription(
        key="storage_free",
        translation_key="storage_free",
        value=lambda status: status.usage.space.free,
    ),
    StorageSizeDescription(
        key="storage_held",
        translation_key="storage_held",
        entity_registry_enabled_default=False,
        value=lambda status: status.held,
    ),
    StorageSensorDescription(
        key="storage_days_left",
        translation_key="storage_days_left",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.DAYS,
        suggested_display_precision=0,
        value=lambda status: status.days_left,
    ),
    StorageSensorDescription(
        key="storage_clips",
        translation_key="storage_clips",
        value=lambda status: status.usage.clips,
    ),
)


@callback
def async_add_storage(
    entry: DoorstepConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the household's sensors."""
    storage = entry.runtime_data.storage
    async_add_entities(StorageSensor(entry.entry_id, storage, row) for row in SENSORS)


class StorageSensor(SensorEntity):
    """One row of the table above; known once the disk was looked at."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    entity_description: StorageSensorDescription

    def __init__(self, entry_id: str, storage: Storage, row: StorageSensorDescription) -> None:
        """Belong to the household's entry."""
        self.entity_description = row
        self._storage = storage
        self._attr_unique_id = f"{entry_id}_{row.key}"
        self._attr_device_info = DeviceInfo(
            entry_type=DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, entry_id)},
            name="Doorstep",
        )

    @override
    async def async_added_to_hass(self) -> None:
        """Hear whenever it was measured."""
        self.async_on_remove(
            async_dispatcher_connect(self.hass, SIGNAL_STORAGE, self.async_write_ha_state)
        )

    @property
    @override
    def native_value(self) -> float | None:
        """The number now."""
        status = self._storage.status
        return None if status is None else self.entity_description.value(status)
