"""The right-moment picture: what the camera saw when the bell was pressed."""

from typing import override

from homeassistant.components.image import ImageEntity
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
    """Add the last ring's picture for every doorbell, now and later."""
    entry.runtime_data.rooms.doorbells.async_add_platform(
        async_add_entities, lambda doorbell: LastRingImage(hass, doorbell)
    )


class LastRingImage(DoorbellEntity, ImageEntity):
    """The picture that was frozen at the last ring."""

    _attr_content_type = "image/jpeg"
    _attr_translation_key = "last_ring"

    def __init__(self, hass: HomeAssistant, doorbell: DirectDoorbell) -> None:
        """Belong to `doorbell`."""
        DoorbellEntity.__init__(self, doorbell, "last_ring_image")
        ImageEntity.__init__(self, hass)
        self._picture: bytes | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Show the newest ring of the library until the next one."""
        await super().async_added_to_hass()
        if last := await self.hass.async_add_executor_job(self.doorbell.last_ring_picture):
            self._attr_image_last_updated, self._picture = last

    @override
    async def async_image(self) -> bytes | None:
        """JPEG of the last ring, if there was one."""
        return self._picture

    @callback
    @override
    def _async_handle(self, event: DoorbellEvent) -> None:
        if event.kind == "picture" and event.cause == "ring":
            self._attr_image_last_updated = event.at
            self._picture = event.picture
            self.async_write_ha_state()
