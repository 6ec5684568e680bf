"""Steps about room on the disk, shared by set-up, another folder, and the household's options."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryBaseFlow,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.core import callback
import voluptuous as vol

from .const import CONF_FREE_GB, CONF_LIBRARY
from .errors import StorageError
from .limits import household_policy
from .storage_advice import (
    Room,
    async_concerns,
    async_look,
    async_room_text,
    doorbells,
    size,
)
from .storage_forms import LIMITS_SCHEMA, OPTIONS_SCHEMA, whole
from .texts import async_load, async_texts

type Answers = dict[str, Any] | None

SURE: Final = ["save", "storage"]
"""What to do about limits that somebody may not have meant: keep them, or look again."""


class StorageSteps(ConfigEntryBaseFlow):
    """Ask for limits; what they would delete is said before they are saved."""

    _form: vol.Schema = LIMITS_SCHEMA
    _folder: Path
    _household: ConfigEntry | None = None
    _chosen: Mapping[str, Any] | None = None
    _worries = ""

    @abstractmethod
    def _finish(self, options: Mapping[str, Any]) -> ConfigFlowResult:
        """Save; OPTIONS are all of the household's."""

    async def async_step_storage(self, user_input: Answers = None) -> ConfigFlowResult:
        """Ask how long clips stay, and how much room they may take."""
        if user_input is not None:
            self._chosen = {**self._saved, **whole(user_input)}
        # a household that is just being set up, or fails to, has loaded none
        await async_load(self.hass)
        try:
            room = await async_look(self.hass, self._folder, self._household)
        except StorageError:
            room = None
        if user_input is None:
            return self._ask(room)
        if room is None:
            return await self.async_step_save()
        if not room.bounds(household_policy(self._limits)).bytes:
            return self._ask(room, {CONF_FREE_GB: "floor_too_high"})
        self._worries = self._concerns(room)
        return await (self.async_step_sure() if self._worries else self.async_step_save())

    async def async_step_sure(self, _: Answers = None) -> ConfigFlowResult:
        """Say what would be deleted, or that a day's clips would not stay."""
        return self.async_show_menu(
            step_id="sure", menu_options=SURE, description_placeholders={"concerns": self._worries}
        )

    async def async_step_save(self, _: Answers = None) -> ConfigFlowResult:
        """Take what was entered."""
        return self._finish(self._limits)

    @property
    def _saved(self) -> Mapping[str, Any]:
        return self._household.options if self._household else {}

    @property
    def _limits(self) -> Mapping[str, Any]:
        return self._saved if self._chosen is None else self._chosen

    @callback
    def _ask(self, room: Room | None, errors: dict[str, str] | None = None) -> ConfigFlowResult:
        told = {"folder": str(self._folder), "room": async_texts(self.hass)["storage_unknown"]}
        if room is not None:
            told |= {"room": self._room_text(room), "free": size(room.within_reach)}
        return self.async_show_form(
            step_id="storage",
            data_schema=self.add_suggested_values_to_schema(self._form, self._limits),
            description_placeholders=told,
            errors=errors,
            last_step=True,
        )

    @callback
    def _room_text(self, room: Room) -> str:
        bounds = room.bounds(household_policy(self._limits))
        return async_room_text(
            self.hass, room, bounds, doorbells(self._household), running=self._stays
        )

    @callback
    def _concerns(self, room: Room) -> str:
        new = room.bounds(household_policy(self._limits))
        old = room.bounds(household_policy(self._saved)) if self._stays else None
        return async_concerns(self.hass, room, new, old, doorbells(self._household))

    @property
    def _stays(self) -> bool:
        """Whether clips lie in this folder already because they were recorded into it."""
        return bool(self._household and self._household.data[CONF_LIBRARY] == str(self._folder))


class HouseholdOptions(StorageSteps, OptionsFlow):
    """Change limits, and who may watch clips; nothing is started anew for that."""

    _form = OPTIONS_SCHEMA

    async def async_step_init(self, _: Answers = None) -> ConfigFlowResult:
        """Begin with what there is."""
        self._household = self.config_entry
        self._folder = Path(self.config_entry.data[CONF_LIBRARY])
        return await self.async_step_storage()

    @override
    def _finish(self, options: Mapping[str, Any]) -> ConfigFlowResult:
        return self.async_create_entry(data=options)
