"""A doorbell that Home Assistant already has: another integration's camera and its buttons."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from homeassistant.components.camera import async_get_image, async_get_stream_source
from homeassistant.components.event import DOMAIN as EVENT_DOMAIN, EventDeviceClass
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_call_later, async_track_state_change_event
from homeassistant.helpers.start import async_at_started

from ..const import (
    CAPTURE_STILLS,
    CAPTURE_STREAM,
    CONF_CAMERA,
    CONF_CAPTURE,
    CONF_MOTIONS,
    CONF_RINGS,
    LOGGER,
)
from ..errors import CameraError
from .model import Capture, Problem, Signal
from .signals import MOMENTARY
from .source import Source

PATIENCE: Final = timedelta(minutes=10)
"""How long a source may be unavailable before a person is asked to look."""

MOMENT: Final = timedelta(minutes=1)
"""How long motion lasts that is told of as an event: nothing says when it ends."""

_TIMEOUT: Final = 10  # seconds that a camera's integration may think
_JPEG: Final = b"\xff\xd8\xff"


class AdoptedSource:
    """Follows a camera and the entities of its buttons and motion, each for itself.

    They are given as ids of the entity registry, or as entity ids where they aren't registered.
    """

    def __init__(self, hass: HomeAssistant, name: str, data: Mapping[str, Any]) -> None:
        """Look the sources up; nothing is followed before `async_start`."""
        self.capture: Capture = (
            CAPTURE_STILLS if data.get(CONF_CAPTURE) == CAPTURE_STILLS else CAPTURE_STREAM
        )
        self._hass = hass
        self._name = name
        self._camera = Source(hass, data[CONF_CAMERA], "camera")
        self._rings = [Source(hass, ring, "ring") for ring in data.get(CONF_RINGS, ())]
        self._motions = [Source(hass, motion, "motion") for motion in data.get(CONF_MOTIONS, ())]
        self._heard: Callable[[Signal], None] = lambda _signal: None
        self._changed: Callable[[], None] = lambda: None
        self._told: object = None
        self._started = False
        self._followed: frozenset[str] = frozenset()
        self._unfollow: CALLBACK_TYPE | None = None
        self._listeners: list[CALLBACK_TYPE] = []
        self._watches: dict[Source, CALLBACK_TYPE] = {}
        self._overdue: set[Source] = set()
        self._endings: dict[str, CALLBACK_TYPE] = {}

    @property
    def available(self) -> bool:
        """Whether a ring can come; without a ring source motion, without both a picture."""
        return any(source.available for source in self._rings or self._motions or [self._camera])

    @property
    def device_id(self) -> str | None:
        """The camera's device in the registry."""
        return self._camera.entry.device_id if self._camera.entry else None

    @property
    def ring_is_doorbell_event(self) -> bool:
        """Whether a source of rings is already what ours would be: a doorbell's event entity."""
        return any(
            source.domain == EVENT_DOMAIN and source.device_class == EventDeviceClass.DOORBELL
            for source in self._rings
        )

    @callback
    def async_start(self, heard: Callable[[Signal], None], changed: Callable[[], None]) -> None:
        """Follow the sources; what they say now is what later changes are compared with."""
        self._heard, self._changed = heard, changed
        self._listeners = [
            self._hass.bus.async_listen(
                er.EVENT_ENTITY_REGISTRY_UPDATED,
                self._async_registry_updated,
                event_filter=self._concerns,
            ),
        ]
        self._follow()
        self._told = self._condition()
        self._listeners.append(async_at_started(self._hass, self._async_started))

    @callback
    def async_stop(self) -> None:
        """Follow nothing, and forget what nobody has been told yet."""
        for cancel in (*self._listeners, *self._watches.values(), *self._endings.values()):
            cancel()
        self._listeners.clear()
        self._watches.clear()
        self._endings.clear()
        self._overdue.clear()
        if self._unfollow:
            self._unfollow()
        self._unfollow, self._followed, self._started = None, frozenset(), False

    async def async_stream_source(self) -> str:
        """Ask the camera's integration for the stream's URL, a secret: it may be another now."""
        if self.capture == CAPTURE_STILLS:
            raise CameraError("camera_no_stream")
        url = await self._ask(async_get_stream_source, "camera_unavailable")
        if not url:
            raise CameraError("camera_no_stream")
        return url

    async def async_still(self) -> bytes:
        """Ask the camera's integration for a picture of now."""
        image = await self._ask(async_get_image, "camera_no_picture")
        if not image.content.startswith(_JPEG):
            raise CameraError("camera_no_picture")
        return image.content

    def problem(self) -> Problem | None:
        """Say which sources are gone or off, else which have been silent for too long."""
        if not self._started:
            return None
        if missing := [source.label for source in self._sources() if source.missing]:
            return self._problem("source_missing", missing)
        if overdue := [source.label for source in self._sources() if source in self._overdue]:
            return self._problem("source_unavailable", overdue)
        return None

    def describe(self) -> dict[str, Any]:
        """Tell which integrations it hangs on, and which of their entities answer."""
        return {
            "transport": "adopted",
            "capture": self.capture,
            "available": self.available,
            "sources": [source.describe() for source in self._sources()],
        }

    def _problem(self, issue: str, labels: list[str]) -> Problem:
        return Problem(issue, {"name": self._name, "entities": ", ".join(dict.fromkeys(labels))})

    def _sources(self) -> Iterator[Source]:
        yield self._camera
        yield from self._rings
        yield from self._motions

    def _condition(self) -> tuple[bool, bool, str | None, Problem | None]:
        return self.available, self._camera.available, self.device_id, self.problem()

    def _follow(self) -> None:
        """Listen to the entities as they are called now; new ones begin with a baseline."""
        followed = frozenset(
            source.entity_id for source in self._sources() if source.entity_id is not None
        )
        if followed == self._followed:
            return
        if self._unfollow:
            self._unfollow()
        before, self._followed = self._followed, followed
        self._unfollow = async_track_state_change_event(
            self._hass, sorted(followed), self._async_state_changed
        )
        for source in self._sources():
            if source.entity_id not in before and (state := source.state) is not None:
                self._hear(source, None, state)

    @callback
    def _concerns(self, data: er.EventEntityRegistryUpdatedData) -> bool:
        if data["action"] == "create":
            return any(source.entry is None for source in self._sources())
        return data.get("old_entity_id", data["entity_id"]) in self._followed

    @callback
    def _async_registry_updated(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        new = event.data["entity_id"]
        old = event.data.get("old_entity_id", new)
        for source in self._sources():
            source.look_up(renamed=new if source.entity_id == old else None)
        self._follow()
        self._review()

    @callback
    def _async_state_changed(self, event: Event[EventStateChangedData]) -> None:
        self._review()
        for source in self._sources():
            if source.entity_id == event.data["entity_id"]:
                self._hear(source, event.data["old_state"], event.data["new_state"])

    def _hear(self, source: Source, old: State | None, new: State | None) -> None:
        if (signal := source.hear(old, new)) is None:
            return
        if signal.kind == "motion_on" and source.domain in MOMENTARY:
            if cancel := self._endings.pop(signal.source, None):
                cancel()
            self._endings[signal.source] = async_call_later(
                self._hass, MOMENT, partial(self._async_over, signal.source)
            )
        self._heard(signal)

    @callback
    def _async_over(self, source: str, _now: datetime) -> None:
        self._endings.pop(source)
        self._heard(Signal(kind="motion_off", source=source))

    @callback
    def _async_started(self, _hass: HomeAssistant) -> None:
        """Begin to lose patience only now: before, nobody could be there."""
        self._started = True
        self._review()

    @callback
    def _async_lost_patience(self, source: Source, _now: datetime) -> None:
        del self._watches[source]
        self._overdue.add(source)
        self._review()

    def _review(self) -> None:
        """Watch who is away, and tell if something is different now."""
        for source in self._sources():
            if source.missing or source.available:
                self._overdue.discard(source)
                if cancel := self._watches.pop(source, None):
                    cancel()
            elif self._started and source not in {*self._watches, *self._overdue}:
                self._watches[source] = async_call_later(
                    self._hass, PATIENCE, partial(self._async_lost_patience, source)
                )
        if (condition := self._condition()) != self._told:
            self._told = condition
            self._changed()

    async def _ask[T](self, ask: Callable[[HomeAssistant, str], Awaitable[T]], otherwise: str) -> T:
        """Let the camera's integration answer; whatever goes wrong there is CameraError."""
        if not self._camera.available or (entity_id := self._camera.entity_id) is None:
            raise CameraError("camera_unavailable")
        try:
            async with asyncio.timeout(_TIMEOUT):
                return await ask(self._hass, entity_id)
        except Exception as error:  # noqa: BLE001 - other integrations raise what they like
            # not its text, and not as a cause: it may hold the address with the password
            LOGGER.debug("%s failed with %s", entity_id, type(error).__name__)
        if (task := asyncio.current_task()) and task.cancelling():
            # Home Assistant 2026.10 takes being cancelled for a picture that failed
            raise asyncio.CancelledError
        raise CameraError(otherwise)
