"""What keeps the recorder of one doorbell running, whatever breaks it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
import logging
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import CAPTURE_STILLS, DOMAIN
from ..errors import CameraError
from ..footage.clip import Clip
from ..footage.library import Library
from ..footage.lines import EventKind
from ..footage.recorder import Recorder, RecorderStatus
from ..footage.stills import StillsRecorder
from .model import Settings, Transport

_LOGGER = logging.getLogger(__name__)

_LONGEST_PAUSE: Final = 60.0  # seconds before a recorder that broke down is started again
_STEADY: Final = 300.0  # seconds after which a recorder counts as running well


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Whom a recorder tells; see `Recorder`. `broke_down` when the count of breakdowns changes."""

    status: Callable[[RecorderStatus], None]
    picture: Callable[[str | None, EventKind, datetime, bytes], None]
    clip: Callable[[Clip], None]
    broke_down: Callable[[], None]


class Recording:
    """Starts, stops and supervises a recorder; its buffer goes whenever it stops."""

    def __init__(
        self,
        hass: HomeAssistant,
        doorbell_id: str,
        listener: Listener,
        *,
        library: Library,
        ffmpeg: str,
        settings: Settings,
        transport: Transport,
    ) -> None:
        """Prepare; nothing runs before `async_start`."""
        self._hass = hass
        self._doorbell_id = doorbell_id
        self._listener = listener
        self._library = library
        self._ffmpeg = ffmpeg
        self._settings = settings
        self._transport = transport
        self._task: asyncio.Task[None] | None = None
        self.breakdowns = 0
        self.recorder = self._build()

    @property
    def status(self) -> RecorderStatus:
        """How recording goes."""
        return self.recorder.status

    @callback
    def async_start(self) -> None:
        """Record from now on; again is harmless."""
        if self._task is None:
            self._task = self._hass.async_create_background_task(
                self._async_run(), f"{DOMAIN} recorder {self._doorbell_id}"
            )

    async def async_stop(self) -> None:
        """Stop; an open clip is closed, the buffer forgotten."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
            self.recorder = self._build()

    @callback
    def async_trigger(self, kind: EventKind, at: datetime) -> str | None:
        """Open or extend a clip, return its id; None while nothing can be recorded."""
        try:
            return self.recorder.trigger(kind, at)
        except CameraError:
            return None
        except Exception:
            # the bell rings, whatever recording does
            _LOGGER.exception("An event of doorbell %s is not recorded", self._doorbell_id)
            return None

    async def _async_run(self) -> None:
        while True:
            steady = self._hass.loop.call_later(_STEADY, self._runs_well)
            try:
                await self.recorder.run()
            except Exception:
                _LOGGER.exception(
                    "Recording of doorbell %s broke down; it is started again", self._doorbell_id
                )
                if (task := asyncio.current_task()) and task.cancelling():
                    # it broke down while it was being stopped: who stops it waits
                    return
            finally:
                steady.cancel()
            pause = min(2**self.breakdowns, _LONGEST_PAUSE)
            self.breakdowns += 1
            self._listener.broke_down()
            await asyncio.sleep(pause)

    def _runs_well(self) -> None:
        self.breakdowns = 0
        self._listener.broke_down()

    def _build(self) -> Recorder | StillsRecorder:
        if self._transport.capture == CAPTURE_STILLS:
            return StillsRecorder(
                self._doorbell_id,
                take=self._transport.async_still,
                settings=self._settings.recorder(),
                library=self._library,
                on_status=self._listener.status,
                on_picture=self._listener.picture,
                on_clip=self._listener.clip,
                now=dt_util.utcnow,
            )
        return Recorder(
            self._doorbell_id,
            ffmpeg=self._ffmpeg,
            source=self._transport.async_stream_source,
            settings=self._settings.recorder(),
            library=self._library,
            on_status=self._listener.status,
            on_picture=self._listener.picture,
            on_clip=self._listener.clip,
            now=dt_util.utcnow,
        )
