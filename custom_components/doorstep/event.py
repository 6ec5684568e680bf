"""The ring."""

from datetime import datetime
from functools import partial
from typing import Any, override

from homeassistant.components.event import (
    DOMAIN as EVENT_DOMAIN,
    DoorbellEventType,
    EventDeviceClass,
    EventEntity,
    EventEntityDescription,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .data import DoorstepConfigEntry
from .doorbells.adopted import AdoptedSource
from .doorbells.doorbell import Doorbell
from .doorbells.model import DoorbellEvent, Signal
from .entity import DoorbellEntity, unique_id
from .rooms import Rooms

PARALLEL_UPDATES = 0

RING = EventEntityDescription(
    key="ring",
    translation_key="ring",
    device_class=EventDeviceClass.DOORBELL,
    event_types=[DoorbellEventType.RING],
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DoorstepConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a ring for every doorbell, now and later."""
    rooms = entry.runtime_data.rooms

    def build(doorbell: Doorbell) -> RingEvent:
        doorbell.async_subscribe(partial(_async_need, rooms, async_add_entities, doorbell))
        return RingEvent(rooms, doorbell, RING)

    rooms.doorbells.async_add_platform(async_add_entities, build)


class RingEvent(DoorbellEntity, EventEntity):
    """Fires at each press of the button, and never for anything else."""

    _goes_with_source = True
    _unrecorded_attributes = frozenset({"clip_id", "event_id"})

    @property
    @override
    def entity_registry_enabled_default(self) -> bool:
        """Whether the home has no such event yet: one press must not set off two triggers."""
        return _is_needed(self.doorbell)

    @override
    async def _async_restore(self) -> None:
        """Know the last ring again, so that its replay is no second one; nothing is fired."""
        if (data := await self.async_get_last_event_data()) and data.last_event_attributes:
            self.doorbell.async_recall(_signal(data.last_event_attributes))

    @callback
    @override
    def _async_handle(self, event: DoorbellEvent) -> None:
        if event.kind == "ring":
            self._trigger_event(DoorbellEventType.RING, _attributes(event))
        if event.kind in {"ring", "change"}:
            self.async_write_ha_state()


def _attributes(event: DoorbellEvent) -> dict[str, Any]:
    return {
        "clip_id": event.clip,
        "event_id": event.event_id,
        "source": event.source,
        "device_time": event.device_time.isoformat() if event.device_time else None,
        "received_at": event.at.isoformat(),
        "test": event.test,
    }


def _signal(attributes: dict[str, Any]) -> Signal:
    """Read back what `_attributes` wrote, in whichever version that was."""
    return Signal(
        kind="ring",
        source=str(attributes.get("source")),
        event_id=attributes.get("event_id"),
        device_time=_time(attributes.get("device_time")),
    )


def _time(text: object) -> datetime | None:
    return dt_util.parse_datetime(text) if isinstance(text, str) else None


def _is_needed(doorbell: Doorbell) -> bool:
    source = doorbell.transport
    return not (isinstance(source, AdoptedSource) and source.ring_is_doorbell_event)


@callback
def _async_need(
    rooms: Rooms,
    async_add_entities: AddConfigEntryEntitiesCallback,
    doorbell: Doorbell,
    event: DoorbellEvent,
) -> None:
    """Add a ring that wasn't needed, and is since the sources were changed."""
    if event.kind != "change" or not _is_needed(doorbell):
        return
    registry = er.async_get(rooms.hass)
    entity_id = registry.async_get_entity_id(EVENT_DOMAIN, DOMAIN, unique_id(doorbell, RING.key))
    entry = registry.async_get(entity_id) if entity_id else None
    if entry is None or entry.disabled_by is not er.RegistryEntryDisabler.INTEGRATION:
        return
    # were it enabled, Home Assistant would load the household anew: a gap for every doorbell.
    # One that has never been is known to nobody, and has no past
    registry.async_remove(entry.entity_id)
    registry.deleted_entities.pop((EVENT_DOMAIN, DOMAIN, entry.unique_id), None)
    async_add_entities([RingEvent(rooms, doorbell, RING)], config_subentry_id=doorbell.id)
