"""All doorbells of the home, kept in step with the config subentries."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later

from ..const import DOMAIN, SUBENTRY_DOORBELL
from ..footage.library import Library
from ..problems import async_clear, async_report
from ..texts import reason_text
from .direct import DirectDoorbell, DoorbellEvent

PATIENCE: Final = timedelta(minutes=1)
"""How long a camera may be away before somebody is told."""

type EntityFactory = Callable[[DirectDoorbell], Entity]


class Doorbells:
    """Starts, changes and stops doorbells one by one: the others record on without a gap."""

    def __init__(self, hass: HomeAssistant, entry_id: str, library: Library, ffmpeg: str) -> None:
        """Prepare an empty home."""
        self._hass = hass
        self._entry_id = entry_id
        self._library = library
        self._ffmpeg = ffmpeg
        self.on_clip: Callable[[], None] = lambda: None
        self._doorbells: dict[str, DirectDoorbell] = {}
        self._failing: dict[str, CALLBACK_TYPE] = {}
        self._platforms: list[tuple[AddConfigEntryEntitiesCallback, EntityFactory]] = []

    def __iter__(self) -> Iterator[DirectDoorbell]:
        """Go through the doorbells."""
        return iter(tuple(self._doorbells.values()))

    def get(self, doorbell_id: str) -> DirectDoorbell | None:
        """Return the doorbell with this id, if there is one."""
        return self._doorbells.get(doorbell_id)

    @callback
    def async_add_platform(
        self, async_add_entities: AddConfigEntryEntitiesCallback, factory: EntityFactory
    ) -> None:
        """Make one entity for every doorbell there is and for each that comes."""
        self._platforms.append((async_add_entities, factory))
        for doorbell in self:
            async_add_entities([factory(doorbell)], config_subentry_id=doorbell.id)

    async def async_follow(self, subentries: Mapping[str, ConfigSubentry]) -> None:
        """Make the doorbells what the subentries say; untouched ones are left alone."""
        wanted = {
            key: subentry
            for key, subentry in subentries.items()
            if subentry.subentry_type == SUBENTRY_DOORBELL
        }
        for key in self._doorbells.keys() - wanted.keys():
            gone = self._doorbells.pop(key)
            await gone.async_stop()
            self._async_calm(gone)
        for key, subentry in wanted.items():
            if (doorbell := self._doorbells.get(key)) is None:
                self._async_add(subentry)
            elif doorbell.subentry != subentry:
                await self._async_change(doorbell, subentry)

    async def async_stop(self) -> None:
        """Stop them all."""
        for doorbell in self:
            await doorbell.async_stop()
            self._async_calm(doorbell)
        self._doorbells.clear()
        self._platforms.clear()

    @callback
    def _async_add(self, subentry: ConfigSubentry) -> None:
        doorbell = DirectDoorbell(self._hass, subentry, self._library, self._ffmpeg)
        doorbell.async_subscribe(partial(self._async_heard, doorbell))
        doorbell.async_start()
        self._doorbells[doorbell.id] = doorbell
        for async_add_entities, factory in self._platforms:
            async_add_entities([factory(doorbell)], config_subentry_id=doorbell.id)

    async def _async_change(self, doorbell: DirectDoorbell, subentry: ConfigSubentry) -> None:
        await doorbell.async_update(subentry)
        registry = dr.async_get(self._hass)
        for device in dr.async_entries_for_config_entry(registry, self._entry_id):
            if (DOMAIN, doorbell.id) in device.identifiers:
                registry.async_update_device(device.id, name=subentry.title)

    @callback
    def _async_heard(self, doorbell: DirectDoorbell, event: DoorbellEvent) -> None:
        """Pass on that a clip is there, and report a camera or disk that stays broken."""
        if event.kind == "clip":
            self.on_clip()
        elif event.kind == "status":
            self._async_judge(doorbell)

    @callback
    def _async_judge(self, doorbell: DirectDoorbell) -> None:
        status = doorbell.status
        if status.reason == "disk_full":
            async_report(self._hass, "disk_full", subject=doorbell.id, name=doorbell.name)
        else:
            async_clear(self._hass, "disk_full", subject=doorbell.id)
        if status.state != "failed":
            self._async_calm(doorbell)
        elif doorbell.id not in self._failing:
            self._failing[doorbell.id] = async_call_later(
                self._hass, PATIENCE, partial(self._async_complain, doorbell)
            )

    @callback
    def _async_complain(self, doorbell: DirectDoorbell, _now: datetime) -> None:
        async_report(
            self._hass,
            "camera_failed",
            subject=doorbell.id,
            name=doorbell.name,
            reason=reason_text(self._hass, doorbell.status.reason),
        )

    @callback
    def _async_calm(self, doorbell: DirectDoorbell) -> None:
        if cancel := self._failing.pop(doorbell.id, None):
            cancel()
        async_clear(self._hass, "camera_failed", subject=doorbell.id)
