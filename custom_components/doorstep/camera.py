"""The doorbell's live picture."""

import asyncio
from time import monotonic
from typing import Final, override

from homeassistant.components.camera import (
    Camera,
    CameraEntityDescription,
    CameraEntityFeature,
    get_dynamic_camera_stream_settings,
)
from homeassistant.components.stream import CONF_RTSP_TRANSPORT, HLS_PROVIDER
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .data import DoorstepConfigEntry
from .doorbells.doorbell import Doorbell
from .doorbells.model import DoorbellEvent
from .doorbells.relay import Relay
from .doorbells.switches import PRIVATE
from .entity import DoorbellEntity, async_add_rows, is_direct
from .problems import translated
from .rooms import Rooms

PARALLEL_UPDATES = 0

CAMERA = CameraEntityDescription(key="camera", name=None)

_FRESH: Final = 1.0  # seconds for which everybody who looks gets the same still
_PATIENCE: Final = 8.0  # seconds a still may wait for the first frames; Home Assistant waits 10
_LOOK_AGAIN: Final = 0.25  # seconds


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DoorstepConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a camera for every doorbell that no other integration has one for, now and later."""
    rooms = entry.runtime_data.rooms
    async_add_rows(rooms, async_add_entities, (CAMERA,), DoorbellCamera, wanted=is_direct)


class DoorbellCamera(DoorbellEntity, Camera):
    """Live view through Home Assistant's own stream, which takes WebRTC too where it has go2rtc.

    Off means private: nothing is shown, and what was being shown ends at once.
    """

    _attr_supported_features = CameraEntityFeature.STREAM | CameraEntityFeature.ON_OFF
    _goes_with_source = True

    def __init__(self, rooms: Rooms, doorbell: Doorbell, row: CameraEntityDescription) -> None:
        """Prepare live view over TCP: lost packets would be grey pictures."""
        DoorbellEntity.__init__(self, rooms, doorbell, row)
        Camera.__init__(self)
        self.stream_options[CONF_RTSP_TRANSPORT] = "tcp"
        self._relay = Relay()
        self._taking = asyncio.Lock()
        self._following = asyncio.Lock()
        self._still: tuple[float, bytes] | None = None

    @property
    @override
    def is_on(self) -> bool:
        """Whether it may be looked through."""
        return not self.doorbell.private

    @property
    @override
    def is_streaming(self) -> bool:
        """Whether the camera sends video."""
        away = self.doorbell.status.state == "off" or self.doorbell.failing
        return self.is_on and not away

    @property
    @override
    def is_recording(self) -> bool:
        """Whether what it sends goes into a clip."""
        return self.doorbell.clip is not None and self.is_streaming

    @override
    async def stream_source(self) -> str | None:
        """RTSP URL with credentials, that leads to the camera only until it is private."""
        source = await self.doorbell.async_stream_source()
        url = await self._relay.async_open(source) if source else None
        if self.is_on:
            return url
        self._relay.async_close()
        return None

    @override
    async def async_camera_image(
        self, width: int | None = None, height: int | None = None
    ) -> bytes | None:
        """JPEG of now, out of the recorder's memory: the camera isn't asked a second time."""
        async with self._taking:
            if self._still and monotonic() - self._still[0] < _FRESH:
                return self._still[1]
            picture = await self._async_picture()
            # privacy may have been switched on while it was taken
            if picture is None or not self.is_on:
                return None
            self._still = monotonic(), picture
            return picture

    async def _async_picture(self) -> bytes | None:
        """Wait for the first frames where there are none yet, as after a start."""
        until = monotonic() + _PATIENCE
        while True:
            picture = await self.doorbell.async_picture()
            hopeless = not self.is_on or self.doorbell.failing
            if picture or hopeless or monotonic() > until:
                return picture
            await asyncio.sleep(_LOOK_AGAIN)

    @override
    @translated
    async def async_turn_on(self) -> None:
        """Switch privacy off."""
        await self.rooms.doorbells.async_switch(self.doorbell, PRIVATE, is_on=False)

    @override
    @translated
    async def async_turn_off(self) -> None:
        """Switch privacy on."""
        await self.rooms.doorbells.async_switch(self.doorbell, PRIVATE, is_on=True)

    @override
    async def _async_restore(self) -> None:
        """Have live view end with the doorbell."""
        self.async_on_remove(self._end)

    @callback
    @override
    def _async_handle(self, event: DoorbellEvent) -> None:
        match event.kind:
            case "change":
                self._still = None
                if not self.is_on:
                    self._relay.async_close()
                self.hass.async_create_task(
                    self._async_follow(), f"{DOMAIN} live view {self.doorbell.id}", eager_start=True
                )
            case "picture":
                return
        self.async_write_ha_state()

    async def _async_follow(self) -> None:
        """End live view once it is private, take it up again, and go where the camera went."""
        async with self._following:
            source = await self.stream_source()
            if self.stream and source is None:
                await self._async_end_stream()
            elif self.stream and source and self.stream.source != source:
                self.stream.update_source(source)
            elif self.stream is None and source:
                await self._async_preload()
            # without a source Home Assistant ends the WebRTC sessions too
            await self.async_refresh_providers()

    async def _async_preload(self) -> None:
        """Open the stream again where people want it open all the time."""
        settings = await get_dynamic_camera_stream_settings(self.hass, self.entity_id)
        if settings.preload_stream and (stream := await self.async_create_stream()):
            stream.add_provider(HLS_PROVIDER)
            await stream.start()

    async def _async_end_stream(self) -> None:
        stream, self.stream = self.stream, None
        assert stream is not None  # asked for where there is one
        settings = stream.dynamic_stream_settings
        wanted, settings.preload_stream = settings.preload_stream, False
        try:
            # one that is kept open would only lose its viewers
            await stream.stop()
        finally:
            settings.preload_stream = wanted

    @callback
    def _end(self) -> None:
        self._relay.async_end()
        if self.stream:
            self.rooms.hass.async_create_task(
                self._async_end_stream(), f"{DOMAIN} live view {self.doorbell.id}", eager_start=True
            )
