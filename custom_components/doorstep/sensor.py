"""When the bell last rang, how recording goes, and how the last test went."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import DoorstepConfigEntry
from .doorbells.doorbell import Doorbell
from .doorbells.model import DoorbellEvent
from .entity import DoorbellEntity, async_add_rows
from .self_test import Result, result_signal
from .storage_sensor import async_add_storage

PARALLEL_UPDATES = 0

type Value = str | float | datetime | None


@dataclass(frozen=True, kw_only=True)
class DoorbellSensorDescription(SensorEntityDescription):
    """A value read off the doorbell, and which events change it."""

    kinds: frozenset[str]
    value: Callable[[Doorbell], Value]
    attributes: Callable[[Doorbell], dict[str, Any] | None] = lambda _: None


def _last_ring(doorbell: Doorbell) -> datetime | None:
    ring = doorbell.last.get("ring")
    return ring.at if ring else None


def _buffer(doorbell: Doorbell) -> dict[str, Any]:
    """What an event would have before it, in whole seconds, and what is wrong, if something is."""
    status = doorbell.status
    return {
        "seconds": min(int(status.seconds), int(doorbell.settings.pre_roll)),
        "reason": "private" if doorbell.private else status.reason,
    }


def _delay(doorbell: Doorbell) -> float | None:
    """Seconds from the device's time of its last event to ours."""
    timed = [event for event in doorbell.last.values() if event.delay is not None]
    return max(timed, key=lambda event: event.at).delay if timed else None


SENSORS = (
    DoorbellSensorDescription(
        key="last_ring",
        translation_key="last_ring",
        device_class=SensorDeviceClass.TIMESTAMP,
        kinds=frozenset({"ring"}),
        value=_last_ring,
    ),
    DoorbellSensorDescription(
        key="recording",
        translation_key="recording",
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        options=["off", "filling", "ready", "failed"],
        kinds=frozenset({"status", "change"}),
        value=lambda doorbell: doorbell.status.state,
        attributes=_buffer,
    ),
    DoorbellSensorDescription(
        key="event_delay",
        translation_key="event_delay",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=1,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        kinds=frozenset({"ring", "motion"}),
        value=_delay,
    ),
)

SELF_TEST = SensorEntityDescription(
    key="self_test",
    translation_key="self_test",
    device_class=SensorDeviceClass.ENUM,
    entity_category=EntityCategory.DIAGNOSTIC,
    options=["running", "passed", "failed"],
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DoorstepConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of every doorbell, now and later."""
    rooms = entry.runtime_data.rooms
    async_add_rows(rooms, async_add_entities, SENSORS, DoorbellSensor)
    async_add_rows(rooms, async_add_entities, (SELF_TEST,), SelfTestSensor)
    async_add_storage(entry, async_add_entities)


class DoorbellSensor(DoorbellEntity, RestoreSensor):
    """One row of the table above; what happened before a restart is shown until it happens anew."""

    _unrecorded_attributes = frozenset({"seconds", "reason"})

    entity_description: DoorbellSensorDescription
    _restored: Value = None

    @override
    async def _async_restore(self) -> None:
        """Bring back the moment of the last ring, or what else was known last."""
        last = await self.async_get_last_sensor_data()
        if last and isinstance(last.native_value, datetime | float):
            self._restored = last.native_value

    @property
    @override
    def native_value(self) -> Value:
        """The value now."""
        value = self.entity_description.value(self.doorbell)
        return self._restored if value is None else value

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """What belongs to the value."""
        return self.entity_description.attributes(self.doorbell)

    @callback
    @override
    def _async_handle(self, event: DoorbellEvent) -> None:
        if event.kind in self.entity_description.kinds:
            self.async_write_ha_state()


class SelfTestSensor(DoorbellEntity, RestoreSensor):
    """How the last test went; its attributes tell how far, and how fast."""

    _unrecorded_attributes = frozenset({"steps", "failed_step", "reason"})

    @override
    async def _async_restore(self) -> None:
        """Hear of tests; one that a restart cut off has no result."""
        self.async_on_remove(
            async_dispatcher_connect(
                self.hass, result_signal(self.doorbell), self._async_take_result
            )
        )
        last = await self.async_get_last_sensor_data()
        if last and last.native_value in {"passed", "failed"}:
            self._attr_native_value = last.native_value

    @callback
    def _async_take_result(self, result: Result) -> None:
        failed = next((step for step in result.steps if step.failure), None)
        self._attr_native_value = result.state
        self._attr_extra_state_attributes = {
            "steps": {step.key: step.seconds for step in result.steps if step.seconds is not None},
            "failed_step": failed.key if failed else None,
            "reason": failed.failure if failed else None,
        }
        self.async_write_ha_state()
