"""One doorbell: what connects it, its recorder, and those who listen to it."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_LATITUDE, CONF_LONGITUDE
from homeassistant.core import CALLBACK_TYPE, CoreState, HomeAssistant, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..const import (
    CAPTURE_STILLS,
    CONF_INDOOR,
    CONF_KEEP_DAYS,
    CONF_KIND,
    CONF_MAX_GB,
    CONF_PLACEMENT,
    DOMAIN,
    KIND_ADOPTED,
)
from ..errors import CameraError
from ..footage.clip import Clip
from ..footage.library import Library
from ..footage.lines import EventKind
from ..footage.moment import shown_at
from ..footage.recorder import RecorderStatus
from .adopted import AdoptedSource
from .dedupe import Deduplicator
from .last_ring import last_ring
from .model import SELF_TEST, DoorbellEvent, Settings, Signal, Transport
from .motion import Motion
from .recording import Listener, Recording
from .webhook import DirectSource

_LOGGER = logging.getLogger(__name__)

PATIENCE: Final = timedelta(minutes=1)
"""How long a camera may be away before its entities say so and somebody is told."""

MOTION_TIMEOUT: Final = timedelta(minutes=1)
"""Motion that a device reports and never ends is over after this long."""

ADOPTED_MOTION_TIMEOUT: Final = timedelta(minutes=10)
"""The same for an entity that says by itself when motion ends: a lost "off" must not stick."""

_MERE_FACTS: Final = {
    *(CONF_INDOOR, CONF_PLACEMENT, CONF_LATITUDE, CONF_LONGITUDE),
    *(CONF_KEEP_DAYS, CONF_MAX_GB),
}


class Doorbell:
    """A doorbell of the home, adopted or direct; all in Home Assistant's event loop."""

    def __init__(
        self,
        hass: HomeAssistant,
        subentry: ConfigSubentry,
        library: Library,
        ffmpeg: str,
        *,
        private: bool,
    ) -> None:
        """Prepare; nothing runs before `async_start`."""
        self._hass = hass
        self._library = library
        self._ffmpeg = ffmpeg
        self._listeners: list[Callable[[DoorbellEvent], None]] = []
        self._deduplicator = Deduplicator()
        self._patience: CALLBACK_TYPE | None = None
        self._lock = asyncio.Lock()
        self.id = subentry.subentry_id
        self.private = private
        self.away = False
        self.lost = False
        self.dropped = 0
        self.last: dict[str, DoorbellEvent] = {}
        self.heard: Counter[str] = Counter()
        self._take(subentry)

    def _take(self, subentry: ConfigSubentry) -> None:
        # Home Assistant changes a subentry in place; a copy shows what was changed
        self.subentry = replace(subentry)
        self.settings = Settings.of(subentry.data)
        self.transport: Transport = (
            AdoptedSource(self._hass, subentry.title, subentry.data)
            if self.adopted
            else DirectSource(self._hass, subentry.title, subentry.data)
        )
        self.recording = Recording(
            self._hass,
            self.id,
            Listener(
                status=self._async_status,
                picture=self._async_picture,
                clip=self._async_clip,
                broke_down=self._async_changed,
            ),
            library=self._library,
            ffmpeg=self._ffmpeg,
            settings=self.settings,
            transport=self.transport,
        )
        self._motion = Motion(
            self._hass,
            ADOPTED_MOTION_TIMEOUT if self.adopted else MOTION_TIMEOUT,
            lasting=self._async_lasts,
            over=lambda now: self._async_tell(DoorbellEvent("motion", now)),
        )

    @property
    def name(self) -> str:
        """What people call it."""
        return self.subentry.title

    @property
    def adopted(self) -> bool:
        """Whether its camera and buttons are another integration's entities."""
        return bool(self.subentry.data.get(CONF_KIND) == KIND_ADOPTED)

    @property
    def status(self) -> RecorderStatus:
        """How recording goes."""
        return self.recording.status

    @property
    def clip(self) -> str | None:
        """Id of the clip that is being recorded."""
        return self.recording.recorder.clip

    @property
    def refused(self) -> bool:
        """Whether the library takes no clips just now, whatever the camera sends."""
        return self._library.refuses is not None

    @property
    def failing(self) -> bool:
        """Whether nothing comes from its camera; a library that takes no clips is not its fault."""
        status = self.status
        return status.state == "failed" and status.reason != self._library.refuses

    @property
    def breakdowns(self) -> int:
        """How often the recorder broke down in a row."""
        return self.recording.breakdowns

    @property
    def motion(self) -> bool:
        """Whether something moves before the door."""
        return bool(self._motion)

    @property
    def available(self) -> bool:
        """Whether it can be heard, as far as one can know."""
        return self.transport.available and not self.lost

    def device_info(self) -> DeviceInfo:
        """Describe it as a device of its own: where no other integration has one for it."""
        return DeviceInfo(identifiers={(DOMAIN, self.id)}, name=self.name)

    @callback
    def async_subscribe(self, listener: Callable[[DoorbellEvent], None]) -> CALLBACK_TYPE:
        """Hear of every event until the returned function is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_start(self) -> None:
        """Listen, and record unless it is private."""
        self.transport.async_start(self.async_hear, self._async_source_changed)
        if not self.private:
            self.recording.async_start()

    async def async_stop(self) -> None:
        """Stop listening and recording; an open clip is closed."""
        async with self._lock:
            await self._async_close()

    async def _async_close(self) -> None:
        # a ring while the clip is closed is heard, though not recorded
        await self.recording.async_stop()
        self.transport.async_stop()
        self._motion.async_end_all()
        self._async_calm()

    async def async_update(self, subentry: ConfigSubentry) -> None:
        """Go on with other settings; entities and listeners stay, and so does what they knew."""
        async with self._lock:
            if _wiring(subentry) == _wiring(self.subentry):
                self.subentry = replace(subentry)
                self.settings = Settings.of(subentry.data)
            else:
                await self._async_close()
                self._take(subentry)
                self.async_start()
        self._async_changed()

    async def async_set_private(self, *, private: bool) -> None:
        """Stop stream, buffer and recording at once, or take them up again; the bell rings on."""
        self.private = private
        # whoever shows a picture hears it first; closing the clip may take a moment
        self._async_changed()
        async with self._lock:
            if self.private:
                self._async_calm()
                await self.recording.async_stop()
            else:
                self.recording.async_start()

    async def async_stream_source(self) -> str | None:
        """Return the stream's URL with credentials, a secret; None where there is none."""
        if self.private or self.transport.capture == CAPTURE_STILLS:
            return None
        try:
            return await self.transport.async_stream_source()
        except CameraError:
            return None

    async def async_picture(self) -> bytes | None:
        """Take a JPEG of now: out of the buffer, so that the camera isn't asked twice."""
        for take in (self.recording.recorder.picture, self.transport.async_still):
            if self.private:
                break
            try:
                jpeg = await take()
            except CameraError:
                continue
            return None if self.private else jpeg
        return None

    def last_ring_picture(self) -> tuple[datetime, bytes] | None:
        """Read the newest ring's instant and JPEG from the library; blocks."""
        return last_ring(self._library, self.id)

    @callback
    def async_recall(self, signal: Signal) -> None:
        """Take what an earlier run heard last as heard."""
        self._deduplicator.remember(signal, dt_util.utcnow())

    @callback
    def async_test(self) -> None:
        """Ring as if somebody had pressed the button, to see that all of it works."""
        self.async_hear(Signal(kind="ring", source=SELF_TEST, test=True))

    @callback
    def async_record(self, seconds: float | None = None) -> str:
        """Record by hand, for as long as after any event if not for so many `seconds`.

        Returns the id of the clip. Private, camera away, library full: CameraError.
        """
        recorder, now = self.recording.recorder, dt_util.utcnow()
        if self.private:
            raise CameraError("camera_off")
        if self.failing and self.transport.capture != CAPTURE_STILLS:
            recorder.nudge()
            raise CameraError(str(self.status.reason))
        until = None if seconds is None else now + timedelta(seconds=seconds)
        clip = recorder.trigger("manual", now, until=until)
        self._async_tell(DoorbellEvent("manual", now, clip))
        return clip

    @callback
    def async_refresh(self) -> None:
        """Tell how recording goes now that the library may take clips again, or none."""
        self.recording.recorder.refresh()

    @callback
    def async_hear(self, signal: Signal) -> None:
        """Handle what the device reports, once."""
        now = dt_util.utcnow()
        if not self._deduplicator.is_new(signal, now):
            self.dropped += 1
            return
        self.heard[signal.kind] += 1
        if self.lost:
            # it speaks, so it is there; its entities say so before they say what happened
            self.lost = False
            self._async_changed()
            self._async_judge()
        match signal.kind:
            case "ring":
                self._async_happened("ring", signal, now)
            case "motion_on":
                self._motion.async_begin(signal.source)
                self._async_happened("motion", signal, now)
            case "motion_off" if self._motion.async_end(signal.source):
                self._async_tell(DoorbellEvent("motion", now, device_time=signal.device_time))

    def _async_happened(self, kind: EventKind, signal: Signal, now: datetime) -> None:
        self._async_tell(
            DoorbellEvent(
                "ring" if kind == "ring" else "motion",
                now,
                # privacy holds before the recorder has stopped
                None if self.private else self.recording.async_trigger(kind, now),
                device_time=signal.device_time,
                event_id=signal.event_id,
                source=signal.source,
                test=signal.test,
            )
        )

    @callback
    def _async_lasts(self, now: datetime) -> None:
        self.recording.recorder.extend(now)

    @callback
    def _async_status(self, _status: RecorderStatus) -> None:
        self._async_judge()
        self._async_tell(DoorbellEvent("status", dt_util.utcnow()))

    @callback
    def _async_judge(self) -> None:
        """Count a camera as away, and the doorbell as lost, once patience is over.

        One that is only asked for stills may sleep: what it doesn't answer is told at once.
        """
        if not self.failing or self.transport.capture == CAPTURE_STILLS:
            self._async_calm()
        elif not self.lost and self._patience is None:
            self._patience = async_call_later(self._hass, PATIENCE, self._async_lose)

    @callback
    def _async_lose(self, _now: datetime) -> None:
        self._patience = None
        if self._hass.state is not CoreState.running:
            # what it hangs on may still be starting
            self._async_judge()
            return
        if not self.away:
            _LOGGER.info("The camera of %s can't be reached: %s", self.name, self.status.reason)
        self.away = self.lost = True
        self._async_changed()

    @callback
    def _async_calm(self) -> None:
        if self._patience:
            self._patience()
            self._patience = None
        if self.away:
            self.away = self.lost = False
            _LOGGER.info("The camera of %s is back", self.name)
            self._async_changed()

    @callback
    def _async_source_changed(self) -> None:
        """Try the camera at once: its entity may have come back."""
        if self.status.state == "failed":
            self.recording.recorder.nudge()
        self._async_changed()

    @callback
    def _async_changed(self) -> None:
        """Tell that availability, privacy, name or settings may be different now."""
        self._async_tell(DoorbellEvent("change", dt_util.utcnow()))

    @callback
    def _async_picture(self, clip: str | None, cause: EventKind, at: datetime, jpeg: bytes) -> None:
        shown = shown_at(jpeg) or dt_util.utcnow()
        self._async_tell(DoorbellEvent("picture", at, clip, cause, jpeg, shown))

    @callback
    def _async_clip(self, clip: Clip) -> None:
        self._async_tell(DoorbellEvent("clip", clip.end, clip.id, clip.event))

    @callback
    def _async_tell(self, event: DoorbellEvent) -> None:
        if event.kind in {"ring", "motion"}:
            self.last[event.kind] = event
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:
                # one bad listener must not silence the bell for the others
                _LOGGER.exception("A listener of %s failed", self.name)


def _wiring(subentry: ConfigSubentry) -> dict[str, Any]:
    """What a recorder or a listener would have to be started anew for."""
    return {key: value for key, value in subentry.data.items() if key not in _MERE_FACTS}
