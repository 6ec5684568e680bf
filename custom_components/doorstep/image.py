"""The right-moment picture: what the camera saw when the bell was pressed."""

from datetime import datetime
from typing import Any, override

from homeassistant.components.image import ImageEntity, ImageEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import DoorstepConfigEntry
from .doorbells.doorbell import Doorbell
from .doorbells.model import DoorbellEvent
from .entity import DoorbellEntity, async_add_rows
from .footage.moment import shown_at
from .rooms import Rooms

PARALLEL_UPDATES = 0

LAST_RING = ImageEntityDescription(key="last_ring_image", translation_key="last_ring")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DoorstepConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the last ring's picture for every doorbell, now and later."""
    async_add_rows(entry.runtime_data.rooms, async_add_entities, (LAST_RING,), LastRingImage)


class LastRingImage(DoorbellEntity, ImageEntity):
    """The picture that was frozen at the last ring."""

    _attr_content_type = "image/jpeg"

    def __init__(self, rooms: Rooms, doorbell: Doorbell, row: ImageEntityDescription) -> None:
        """Belong to `doorbell`."""
        DoorbellEntity.__init__(self, rooms, doorbell, row)
        ImageEntity.__init__(self, rooms.hass)
        self._picture: bytes | None = None
        self._shown: datetime | None = None

    @override
    async def _async_restore(self) -> None:
        """Show the newest ring of the library until the next one."""
        last = await self.hass.async_add_executor_job(self.doorbell.last_ring_picture)
        if last and self._picture is None:
            self._attr_image_last_updated, self._picture = last
            self._shown = shown_at(last[1])

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """When what it shows was seen, and how many seconds after the ring: the nearest frame."""
        shown, rang = self._shown, self._attr_image_last_updated
        return {
            "shown_at": shown and shown.isoformat(),
            "seconds_from_ring": shown and rang and round((shown - rang).total_seconds(), 2),
        }

    @override
    async def async_image(self) -> bytes | None:
        """JPEG of the last ring, if there was one."""
        return self._picture

    @callback
    @override
    def _async_handle(self, event: DoorbellEvent) -> None:
        if event.kind == "picture" and event.cause == "ring":
            self._attr_image_last_updated = event.at
            self._picture, self._shown = event.picture, event.shown
            self.async_write_ha_state()
