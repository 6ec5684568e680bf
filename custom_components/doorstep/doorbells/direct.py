"""A doorbell reached directly: RTSP for the picture, a local webhook for ring and motion."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
import logging
from typing import Any, Final, Literal

from aiohttp.web import Request, Response
from homeassistant.components import webhook
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_PASSWORD, CONF_URL, CONF_USERNAME, CONF_WEBHOOK_ID
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util
from yarl import URL

from ..const import CONF_AUDIO, DOMAIN
from ..errors import CameraError, DoorstepError
from ..footage.clip import Clip
from ..footage.event import RecorderSettings
from ..footage.library import Library
from ..footage.lines import EventKind
from ..footage.recorder import Recorder, RecorderStatus

_LOGGER = logging.getLogger(__name__)

MOTION_TIMEOUT: Final = timedelta(seconds=60)
"""Motion that nobody ends is over after this long: a lost "off" must not stick."""

type Kind = Literal["ring", "motion", "picture", "status", "clip"]


@dataclass(frozen=True, slots=True)
class DoorbellEvent:
    """Something happened at a doorbell; `clip` is the id of the clip that holds it."""

    kind: Kind
    at: datetime
    clip: str | None = None
    cause: str | None = None
    picture: bytes | None = None


def stream_url(data: Mapping[str, Any]) -> str:
    """RTSP URL with its credentials: a secret, never to be logged or shown."""
    url = URL(data[CONF_URL])
    if user := data.get(CONF_USERNAME):
        url = url.with_user(user).with_password(data.get(CONF_PASSWORD))
    return str(url)


class DirectDoorbell:
    """One doorbell: its recorder, its webhook and those who listen to it."""

    def __init__(
        self, hass: HomeAssistant, subentry: ConfigSubentry, library: Library, ffmpeg: str
    ) -> None:
        """Prepare; nothing runs before `async_start`."""
        self._hass = hass
        self._library = library
        self._ffmpeg = ffmpeg
        self._listeners: list[Callable[[DoorbellEvent], None]] = []
        self._motion_off: CALLBACK_TYPE | None = None
        self._task: asyncio.Task[None] | None = None
        self.subentry = subentry
        self.id = subentry.subentry_id
        self.motion = False
        self._recorder = self._build_recorder()

    @property
    def name(self) -> str:
        """What people call it."""
        return self.subentry.title

    @property
    def status(self) -> RecorderStatus:
        """How recording goes."""
        return self._recorder.status

    @property
    def audio(self) -> bool:
        """Whether sound is recorded."""
        return bool(self.subentry.data.get(CONF_AUDIO, False))

    @property
    def webhook_id(self) -> str:
        """Unguessable id under which the device reports: a secret."""
        return str(self.subentry.data[CONF_WEBHOOK_ID])

    def stream_source(self) -> str:
        """RTSP URL with credentials: for the stream worker only."""
        return stream_url(self.subentry.data)

    @callback
    def async_subscribe(self, listener: Callable[[DoorbellEvent], None]) -> CALLBACK_TYPE:
        """Hear of every event until the returned function is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_start(self) -> None:
        """Listen to the webhook and start recording."""
        webhook.async_register(
            self._hass,
            DOMAIN,
            self.name,
            self.webhook_id,
            self._async_handle_webhook,
            local_only=True,
            allowed_methods=("GET", "POST", "PUT"),
        )
        self._task = self._hass.async_create_background_task(
            self._async_record(), f"{DOMAIN} recorder {self.id}"
        )

    async def async_stop(self) -> None:
        """Stop listening and recording; an open clip is closed."""
        webhook.async_unregister(self._hass, self.webhook_id)
        if self._motion_off:
            self._motion_off()
            self._motion_off = None
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def async_update(self, subentry: ConfigSubentry) -> None:
        """Go on with other settings; entities and listeners stay."""
        await self.async_stop()
        self.subentry = subentry
        self._recorder = self._build_recorder()
        self.async_start()

    @callback
    def async_ring(self) -> None:
        """Handle a press of the button."""
        now = dt_util.utcnow()
        self._async_tell(DoorbellEvent("ring", now, self._record("ring", now)))

    @callback
    def async_set_motion(self, *, on: bool) -> None:
        """Handle motion that begins, goes on, or ends."""
        now = dt_util.utcnow()
        if self._motion_off:
            self._motion_off()
            self._motion_off = None
        clip = None
        if on:
            self._motion_off = async_call_later(self._hass, MOTION_TIMEOUT, self._async_motion_over)
            clip = self._record("motion", now)
        self.motion = on
        self._async_tell(DoorbellEvent("motion", now, clip))

    @callback
    def _async_motion_over(self, _now: datetime) -> None:
        self._motion_off = None
        self.async_set_motion(on=False)

    async def _async_handle_webhook(
        self, _hass: HomeAssistant, _webhook_id: str, request: Request
    ) -> Response:
        """Take `event`: ring, motion, motion_on or motion_off; in the query, a form or JSON."""
        match await _event_of(request):
            case "ring":
                self.async_ring()
            case "motion" | "motion_on":
                self.async_set_motion(on=True)
            case "motion_off":
                self.async_set_motion(on=False)
            case _:
                return Response(
                    status=HTTPStatus.BAD_REQUEST,
                    text="event must be one of: ring, motion, motion_on, motion_off\n",
                )
        return Response(text="ok\n")

    def _record(self, kind: EventKind, at: datetime) -> str | None:
        """Open or extend a clip; the bell rings also while nothing can be recorded."""
        try:
            return self._recorder.trigger(kind, at)
        except CameraError:
            return None

    def last_ring_picture(self) -> tuple[datetime, bytes] | None:
        """Read the newest ring's instant and JPEG from the library; blocks."""
        for clip in self._library.clips(self.id):
            if clip.event == "ring" and clip.picture.is_file():
                return clip.event_at, clip.picture.read_bytes()
        return None

    def _build_recorder(self) -> Recorder:
        async def source() -> str:
            return self.stream_source()

        return Recorder(
            self.id,
            ffmpeg=self._ffmpeg,
            source=source,
            settings=RecorderSettings(audio=self.audio),
            library=self._library,
            on_status=self._async_status,
            on_picture=self._async_picture,
            on_clip=self._async_clip,
            now=dt_util.utcnow,
        )

    async def _async_record(self) -> None:
        try:
            await self._recorder.run()
        except DoorstepError:
            _LOGGER.exception("Recording of %s has stopped", self.name)

    @callback
    def _async_status(self, _status: RecorderStatus) -> None:
        self._async_tell(DoorbellEvent("status", dt_util.utcnow()))

    @callback
    def _async_picture(self, clip: str, cause: EventKind, at: datetime, jpeg: bytes) -> None:
        self._async_tell(DoorbellEvent("picture", at, clip, cause, jpeg))

    @callback
    def _async_clip(self, clip: Clip) -> None:
        self._async_tell(DoorbellEvent("clip", clip.end, clip.id, clip.event))

    @callback
    def _async_tell(self, event: DoorbellEvent) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:
                # one bad listener must not silence the bell for the others
                _LOGGER.exception("A listener of %s failed", self.name)


async def _event_of(request: Request) -> str | None:
    if event := request.query.get("event"):
        return event
    if request.content_type == "application/json":
        try:
            body = await request.json()
        except ValueError:
            return None
        event = body.get("event") if isinstance(body, dict) else None
        return event if isinstance(event, str) else None
    posted = (await request.post()).get("event")
    return posted if isinstance(posted, str) else None
