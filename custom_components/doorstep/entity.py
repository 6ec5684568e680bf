"""What the entities of one doorbell have in common."""

from typing import override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity

from .const import DOMAIN
from .doorbells.direct import DirectDoorbell, DoorbellEvent


class DoorbellEntity(Entity):
    """An entity of a doorbell: named by its kind, told of each event."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, doorbell: DirectDoorbell, key: str) -> None:
        """Belong to `doorbell`; `key` tells its entities apart."""
        self.doorbell = doorbell
        self._attr_unique_id = f"{doorbell.id}_{key}"
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, doorbell.id)}, name=doorbell.name)

    @override
    async def async_added_to_hass(self) -> None:
        """Start hearing the doorbell."""
        await super().async_added_to_hass()
        self.async_on_remove(self.doorbell.async_subscribe(self._async_handle))

    @callback
    def _async_handle(self, event: DoorbellEvent) -> None:
        """React to an event of the doorbell."""
