"""What the entities of one doorbell have in common."""

from collections.abc import Callable, Iterable
from typing import override

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .doorbells.doorbell import Doorbell
from .doorbells.model import DoorbellEvent
from .rooms import Rooms


class DoorbellEntity(Entity):
    """An entity of a doorbell: described by a row of its platform's table, told of each event.

    It is on the page of the device that the doorbell already is; only one that no other
    integration has a device for gets its own.
    """

    _attr_has_entity_name = True
    _attr_should_poll = False
    _goes_with_source = False
    """Whether it has nothing to tell while the doorbell can't be heard."""

    def __init__(self, rooms: Rooms, doorbell: Doorbell, row: EntityDescription) -> None:
        """Belong to `doorbell`; `row` tells its entities apart."""
        self.rooms = rooms
        self.doorbell = doorbell
        self.entity_description = row
        self._attr_unique_id = unique_id(doorbell, row.key)
        device = doorbell.transport.device_id
        self.device_entry = dr.async_get(rooms.hass).async_get(device) if device else None
        if self.device_entry is None:
            self._attr_device_info = doorbell.device_info()

    @property
    @override
    def available(self) -> bool:
        """Whether what it shows holds."""
        return super().available and (self.doorbell.available or not self._goes_with_source)

    @override
    async def async_added_to_hass(self) -> None:
        """Start hearing the doorbell."""
        await super().async_added_to_hass()
        self.async_on_remove(self.doorbell.async_subscribe(self._async_handle))
        await self._async_restore()

    @callback
    @override
    def async_entity_id_changed(self, old_entity_id: str) -> None:
        """Go on as it is: nothing here hangs on the entity's id."""

    async def _async_restore(self) -> None:
        """Bring back what was known before."""

    @callback
    def _async_handle(self, event: DoorbellEvent) -> None:
        """React to an event of the doorbell."""
        if event.kind == "change":
            self.async_write_ha_state()


def unique_id(doorbell: Doorbell, key: str) -> str:
    """Name an entity of a doorbell in the registry; `key` is its row's."""
    return f"{doorbell.id}_{key}"


@callback
def async_add_rows[Row: EntityDescription](
    rooms: Rooms,
    async_add_entities: AddConfigEntryEntitiesCallback,
    rows: Iterable[Row],
    build: Callable[[Rooms, Doorbell, Row], Entity],
    *,
    wanted: Callable[[Doorbell], bool] = lambda _: True,
) -> None:
    """Add an entity for every row to every doorbell that is `wanted`, now and later."""

    def add(row: Row) -> None:
        rooms.doorbells.async_add_platform(
            async_add_entities,
            lambda doorbell: build(rooms, doorbell, row) if wanted(doorbell) else None,
        )

    for row in rows:
        add(row)


def is_direct(doorbell: Doorbell) -> bool:
    """Whether camera and motion are Doorstep's to show: no other integration has them."""
    return not doorbell.adopted
