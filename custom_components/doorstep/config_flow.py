"""Set-up by hand: the household, its doorbells, the feeds it reads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, override

from homeassistant.components.http import KEY_HASS_USER
from homeassistant.components.http.const import KEY_HASS_REFRESH_TOKEN_ID
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentry,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME, CONF_URL
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.http import current_request
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig, TextSelectorType
import voluptuous as vol
from yarl import URL

from .approvers import is_person
from .const import (
    CONF_APPROVERS,
    CONF_KIND,
    CONF_LIBRARY,
    DOMAIN,
    KIND_DIRECT,
    SUBENTRY_DOORBELL,
    SUBENTRY_FEED,
)
from .doorbell_flow import DoorbellFlow
from .doorbell_forms import CREDENTIALS_SCHEMA, AnswerError, shown, signed_in
from .doorbell_trial import async_try_stream
from .errors import DoorstepError, StorageError
from .inbox.feed import FeedDescriptor
from .inbox.web import MAX_DESCRIPTOR, check_url, fetch, session
from .library_folder import check_library, default_folder
from .storage_flow import HouseholdOptions, StorageSteps
from .storage_forms import FOLDER_SCHEMA
from .texts import plain

FEED_SCHEMA = vol.Schema(
    {vol.Required(CONF_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL))}
)


class DoorstepFlow(StorageSteps, ConfigFlow, domain=DOMAIN):
    """Ask where clips are to lie and how many; who answers becomes the first approver."""

    VERSION = 1
    _doorbell = ""
    _user = ""

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Doorbells and feeds are added to the household one by one."""
        return {SUBENTRY_DOORBELL: DoorbellFlow, SUBENTRY_FEED: FeedFlow}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> HouseholdOptions:
        """Limits can be changed while everything records on."""
        return HouseholdOptions()

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Choose the library folder."""
        request = current_request.get()
        user = request.get(KEY_HASS_USER) if request else None
        token = request.get(KEY_HASS_REFRESH_TOKEN_ID) if request else None
        if user is None or not is_person(self.hass, user, token):
            return self.async_abort(reason="needs_person")
        self._user = user.id
        default = await self.hass.async_add_executor_job(default_folder, self.hass)
        return await self._async_ask_folder(
            "user", user_input, default, {"user": user.name or user.id}
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose another folder; clips stay where they are."""
        self._household = self._get_reconfigure_entry()
        present = Path(self._household.data[CONF_LIBRARY])
        return await self._async_ask_folder(
            "reconfigure", user_input, present, {"folder": str(present)}
        )

    async def _async_ask_folder(
        self,
        step_id: str,
        user_input: dict[str, Any] | None,
        proposed: Path,
        placeholders: dict[str, str],
    ) -> ConfigFlowResult:
        errors: dict[str, str] = {}
        if user_input is not None:
            folder = Path(user_input[CONF_LIBRARY].strip())
            try:
                await self.hass.async_add_executor_job(check_library, self.hass, folder)
            except StorageError as error:
                errors[CONF_LIBRARY] = error.key
                placeholders |= error.placeholders
            else:
                self._folder = folder
                return await self.async_step_storage()
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                FOLDER_SCHEMA, user_input or {CONF_LIBRARY: str(proposed)}
            ),
            description_placeholders=placeholders,
            errors=errors,
            last_step=False,
        )

    @override
    def _finish(self, options: Mapping[str, Any]) -> ConfigFlowResult:
        """Create the household, or open it anew at another folder."""
        folder = {CONF_LIBRARY: str(self._folder)}
        if self._household is None:
            data = {**folder, CONF_APPROVERS: [self._user]}
            return self.async_create_entry(title="Doorstep", data=data, options=options)
        moves = not self._stays
        done = self.async_update_and_abort(self._household, data_updates=folder, options=options)
        if moves:
            self.hass.config_entries.async_schedule_reload(self._household.entry_id)
        return done

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Remember which doorbell's camera refuses its password."""
        self._doorbell = str(entry_data.get(SUBENTRY_DOORBELL))
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the camera's user and password, and try them."""
        doorbell = self._refused()
        errors: dict[str, str] = {}
        placeholders = {CONF_NAME: doorbell.title}
        # what the list of things that want attention calls it
        self.context["title_placeholders"] = {CONF_NAME: doorbell.title}
        if user_input is not None:
            try:
                await async_try_stream(self.hass, signed_in(doorbell.data, user_input))
            except AnswerError as error:
                errors = error.errors(CREDENTIALS_SCHEMA)
                placeholders |= error.placeholders
            else:
                return self._sign_in(user_input)
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=self.add_suggested_values_to_schema(
                CREDENTIALS_SCHEMA, shown(user_input or doorbell.data)
            ),
            description_placeholders=placeholders,
            errors=errors,
        )

    def _refused(self) -> ConfigSubentry:
        """Find the doorbell as it is now; without a password of its own, that ends the flow."""
        subentry = self._get_reauth_entry().subentries.get(self._doorbell)
        if subentry is None or subentry.data.get(CONF_KIND, KIND_DIRECT) != KIND_DIRECT:
            raise AbortFlow("doorbell_gone")
        return subentry

    def _sign_in(self, answers: Mapping[str, Any]) -> ConfigFlowResult:
        """Save what works; the doorbell may have been changed or removed while it was tried."""
        doorbell = self._refused()
        self.hass.config_entries.async_update_subentry(
            self._get_reauth_entry(), doorbell, data=signed_in(doorbell.data, answers)
        )
        return self.async_abort(reason="reauth_successful")


class FeedFlow(ConfigSubentryFlow):
    """Add a feed: who runs it and its key are shown before it is kept."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._url = ""
        self._raw = b""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the address and read the feed's description."""
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            try:
                return await self._async_read(user_input[CONF_URL])
            except DoorstepError as error:
                errors[CONF_URL] = error.key
                placeholders = error.placeholders
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(FEED_SCHEMA, user_input),
            description_placeholders=placeholders,
            errors=errors,
        )

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show who runs the feed and its key's fingerprint."""
        feed = FeedDescriptor.parse(self._raw)
        if user_input is not None:
            return self.async_create_entry(
                title=feed.name,
                data={CONF_URL: self._url, "descriptor": self._raw.decode()},
                unique_id=feed.log_key.fingerprint,
            )
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            description_placeholders={
                "name": plain(feed.name),
                "operator": plain(feed.operator),
                "host": plain(URL(self._url).host or ""),
                "fingerprint": " ".join(_groups(feed.log_key.fingerprint)),
            },
        )

    async def _async_read(self, text: str) -> SubentryFlowResult:
        url = check_url(text.strip())
        if url.name != "feed.json":
            url = url / "feed.json"
        async with session() as client:
            self._raw = await fetch(client, url, MAX_DESCRIPTOR)
        feed = FeedDescriptor.parse(self._raw)
        known = {subentry.unique_id for subentry in self._get_entry().subentries.values()}
        if feed.log_key.fingerprint in known:
            return self.async_abort(reason="already_configured")
        self._url = str(url)
        return await self.async_step_confirm()


def _groups(fingerprint: str) -> list[str]:
    return [fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4)]
