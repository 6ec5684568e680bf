"""The doorbell's live picture."""

from typing import override

from homeassistant.components.camera import Camera, CameraEntityFeature
from homeassistant.components.stream import CONF_RTSP_TRANSPORT
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import DoorstepConfigEntry
from .doorbells.direct import DirectDoorbell
from .entity import DoorbellEntity

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DoorstepConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a camera for every doorbell, now and later."""
    entry.runtime_data.rooms.doorbells.async_add_platform(async_add_entities, DoorbellCamera)


class DoorbellCamera(DoorbellEntity, Camera):
    """Live view through Home Assistant's own stream."""

    _attr_name = None
    _attr_supported_features = CameraEntityFeature.STREAM

    def __init__(self, doorbell: DirectDoorbell) -> None:
        """Prepare live view over TCP: lost packets would be grey pictures."""
        DoorbellEntity.__init__(self, doorbell, "camera")
        Camera.__init__(self)
        self.stream_options[CONF_RTSP_TRANSPORT] = "tcp"

    @property
    @override
    def use_stream_for_stills(self) -> bool:
        """Take stills from the stream: there is no snapshot address."""
        return True

    @override
    async def stream_source(self) -> str:
        """RTSP URL with credentials."""
        return self.doorbell.stream_source()
