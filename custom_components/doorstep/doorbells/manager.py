"""All doorbells of the home, kept in step with the config subentries."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from homeassistant.config_entries import SOURCE_REAUTH, ConfigFlowContext, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ..const import CAPTURE_STILLS, DOMAIN, SUBENTRY_DOORBELL
from ..footage.library import Library
from ..problems import async_clear, async_report
from ..texts import reason_text
from .doorbell import Doorbell
from .model import DoorbellEvent
from .switches import PRIVATE, Switches

_TOO_OFTEN: Final = 3
"""Times a recorder may break down in a row before somebody is told."""

_SOURCE_ISSUES: Final = ("source_missing", "source_unavailable")

type EntityFactory = Callable[[Doorbell], Entity | None]


class Doorbells:
    """Starts, changes and stops doorbells one by one: the others record on without a gap."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry_id: str,
        library: Library,
        ffmpeg: str,
        switches: Switches,
    ) -> None:
        """Prepare an empty home; reads the switches, so it blocks."""
        self._hass = hass
        self._entry_id = entry_id
        self._library = library
        self._ffmpeg = ffmpeg
        self._switches = switches
        self._on = set(switches.on())
        self._turned: dict[tuple[str, str], bool] = {}
        self._turning = asyncio.Lock()
        self.on_clip: Callable[[], None] = lambda: None
        self._doorbells: dict[str, Doorbell] = {}
        self._platforms: list[tuple[AddConfigEntryEntitiesCallback, EntityFactory]] = []

    def __iter__(self) -> Iterator[Doorbell]:
        """Go through the doorbells."""
        return iter(tuple(self._doorbells.values()))

    def get(self, doorbell_id: str) -> Doorbell | None:
        """Return the doorbell with this id, if there is one."""
        return self._doorbells.get(doorbell_id)

    @callback
    def async_add_platform(
        self, async_add_entities: AddConfigEntryEntitiesCallback, factory: EntityFactory
    ) -> None:
        """Make an entity for each doorbell, now and later, that should have one."""
        self._platforms.append((async_add_entities, factory))
        for doorbell in self:
            _add(async_add_entities, factory, doorbell)

    @callback
    def async_is_on(self, doorbell: Doorbell, switch: str) -> bool:
        """Whether a switch of the doorbell is on."""
        return (doorbell.id, switch) in self._on

    async def async_switch(self, doorbell: Doorbell, switch: str, *, is_on: bool) -> None:
        """Turn a switch, on disk first; StorageError leaves it as it was.

        Where several turn it at once, the last one has it. Cancelling doesn't stop it half way.
        """
        turning = self._async_turn(doorbell, switch, is_on=is_on)
        await asyncio.shield(self._hass.async_create_task(turning, f"{DOMAIN} {switch}"))

    async def _async_turn(self, doorbell: Doorbell, switch: str, *, is_on: bool) -> None:
        key = doorbell.id, switch
        self._turned[key] = is_on
        written = self._hass.async_create_task(
            self._async_write(key, is_on=is_on), f"{DOMAIN} write {switch}"
        )
        if is_on and switch == PRIVATE:
            # privacy doesn't wait for the disk
            await doorbell.async_set_private(private=True)
        await written
        if switch == PRIVATE and self._turned[key] == is_on:
            await doorbell.async_set_private(private=is_on)

    async def _async_write(self, key: tuple[str, str], *, is_on: bool) -> None:
        async with self._turning:
            await self._hass.async_add_executor_job(partial(self._switches.set, *key, is_on=is_on))
            (self._on.add if is_on else self._on.discard)(key)

    async def async_follow(self, subentries: Mapping[str, ConfigSubentry]) -> None:
        """Make the doorbells what the subentries say; untouched ones are left alone."""
        wanted = {
            key: subentry
            for key, subentry in subentries.items()
            if subentry.subentry_type == SUBENTRY_DOORBELL
        }
        for key in self._doorbells.keys() - wanted.keys():
            await self._async_remove(self._doorbells.pop(key))
        for key, subentry in wanted.items():
            if (doorbell := self._doorbells.get(key)) is None:
                self._async_add(subentry)
            elif doorbell.subentry != subentry:
                await self._async_change(doorbell, subentry)

    async def async_stop(self) -> None:
        """Stop them all."""
        for doorbell in self:
            await doorbell.async_stop()
            self._async_clear(doorbell)
        self._doorbells.clear()
        self._platforms.clear()

    @callback
    def _async_add(self, subentry: ConfigSubentry) -> None:
        private = (subentry.subentry_id, PRIVATE) in self._on
        doorbell = Doorbell(self._hass, subentry, self._library, self._ffmpeg, private=private)
        doorbell.async_subscribe(partial(self._async_heard, doorbell))
        doorbell.async_start()
        self._doorbells[doorbell.id] = doorbell
        self._async_move(doorbell)
        for async_add_entities, factory in self._platforms:
            _add(async_add_entities, factory, doorbell)

    async def _async_remove(self, doorbell: Doorbell) -> None:
        await doorbell.async_stop()
        self._async_clear(doorbell)
        self._on = {(key, switch) for key, switch in self._on if key != doorbell.id}
        await self._hass.async_add_executor_job(self._switches.forget, doorbell.id)
        self._async_ask_passwords()

    async def _async_change(self, doorbell: Doorbell, subentry: ConfigSubentry) -> None:
        await doorbell.async_update(subentry)
        if own := self._own_device(doorbell):
            dr.async_get(self._hass).async_update_device(own.id, name=subentry.title)

    def _own_device(self, doorbell: Doorbell) -> dr.DeviceEntry | None:
        registry = dr.async_get(self._hass)
        for device in dr.async_entries_for_config_entry(registry, self._entry_id):
            if (DOMAIN, doorbell.id) in device.identifiers:
                return device
        return None

    @callback
    def _async_heard(self, doorbell: Doorbell, event: DoorbellEvent) -> None:
        """Pass on that a clip is there, and report what stays broken."""
        if event.kind == "clip":
            self.on_clip()
        elif event.kind == "status":
            self._async_judge_camera(doorbell)
        elif event.kind == "change":
            self._async_judge_camera(doorbell)
            self._async_judge_sources(doorbell)
            self._async_move(doorbell)

    @callback
    def _async_judge_camera(self, doorbell: Doorbell) -> None:
        status = doorbell.status
        self._async_issue(doorbell, "disk_full", wanted=status.reason == "disk_full")
        self._async_issue(doorbell, "recorder_failed", wanted=doorbell.breakdowns >= _TOO_OFTEN)
        asleep = doorbell.transport.capture == CAPTURE_STILLS and doorbell.failing
        reason = reason_text(self._hass, status.reason)
        self._async_issue(doorbell, "camera_failed", wanted=doorbell.away or asleep, reason=reason)
        if status.state in {"filling", "ready"}:
            self._async_stop_asking(doorbell)
        self._async_ask_passwords()

    @callback
    def _async_ask_passwords(self) -> None:
        locked_out = [bell for bell in self if bell.status.reason == "camera_unauthorized"]
        for bell in locked_out:
            if not bell.adopted:
                self._async_ask_password(bell)

    @callback
    def _async_judge_sources(self, doorbell: Doorbell) -> None:
        problem = doorbell.transport.problem()
        for issue in _SOURCE_ISSUES:
            wanted = problem is not None and problem.issue == issue
            placeholders = problem.placeholders if problem and wanted else {}
            self._async_issue(doorbell, issue, wanted=wanted, **placeholders)

    @callback
    def _async_move(self, doorbell: Doorbell) -> None:
        """Keep the entities on the device of an adopted camera, whichever that is now.

        What was made for it while its camera had none is not needed any more.
        """
        if not doorbell.adopted or (device_id := doorbell.transport.device_id) is None:
            return
        registry = er.async_get(self._hass)
        for entity in er.async_entries_for_config_entry(registry, self._entry_id):
            if entity.config_subentry_id == doorbell.id and entity.device_id != device_id:
                registry.async_update_entity(entity.entity_id, device_id=device_id)
        if own := self._own_device(doorbell):
            # only now: what is still on a device goes with it
            dr.async_get(self._hass).async_remove_device(own.id)

    @callback
    def _async_issue(
        self, doorbell: Doorbell, issue: str, *, wanted: bool, **placeholders: str
    ) -> None:
        if wanted:
            # whatever it was called when the problem began
            placeholders |= {"name": doorbell.name}
            async_report(self._hass, issue, subject=doorbell.id, **placeholders)
        else:
            async_clear(self._hass, issue, subject=doorbell.id)

    @callback
    def _async_clear(self, doorbell: Doorbell) -> None:
        for issue in ("disk_full", "recorder_failed", "camera_failed", *_SOURCE_ISSUES):
            async_clear(self._hass, issue, subject=doorbell.id)
        self._async_stop_asking(doorbell)

    @callback
    def _async_ask_password(self, doorbell: Doorbell) -> None:
        """Ask for the camera's new password; one doorbell after another."""
        if entry := self._hass.config_entries.async_get_entry(self._entry_id):
            context = ConfigFlowContext(
                unique_id=doorbell.id, title_placeholders={"name": doorbell.name}
            )
            entry.async_start_reauth(self._hass, context, {"doorbell": doorbell.id})

    @callback
    def _async_stop_asking(self, doorbell: Doorbell) -> None:
        entry = self._hass.config_entries.async_get_entry(self._entry_id)
        for flow in entry.async_get_active_flows(self._hass, {SOURCE_REAUTH}) if entry else ():
            if flow["context"].get("unique_id") == doorbell.id:
                self._hass.config_entries.flow.async_abort(flow["flow_id"])


def _add(
    async_add_entities: AddConfigEntryEntitiesCallback, factory: EntityFactory, doorbell: Doorbell
) -> None:
    if entity := factory(doorbell):
        async_add_entities([entity], config_subentry_id=doorbell.id)
