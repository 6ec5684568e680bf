"""Set-up by hand: the household, its doorbells, the feeds it reads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, override

from homeassistant.components import ffmpeg, webhook
from homeassistant.components.http import KEY_HASS_USER
from homeassistant.components.http.const import KEY_HASS_REFRESH_TOKEN_ID
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import (
    CONF_NAME,
    CONF_PASSWORD,
    CONF_URL,
    CONF_USERNAME,
    CONF_WEBHOOK_ID,
)
from homeassistant.core import callback
from homeassistant.helpers.http import current_request
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.helpers.selector import (
    BooleanSelector,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol
from yarl import URL

from .approvers import is_person
from .const import (
    CONF_APPROVERS,
    CONF_AUDIO,
    CONF_LIBRARY,
    DOMAIN,
    SUBENTRY_DOORBELL,
    SUBENTRY_FEED,
)
from .doorbells.direct import stream_url
from .errors import DoorstepError
from .footage.folder import check_folder
from .footage.probe import probe
from .inbox.feed import FeedDescriptor
from .inbox.web import MAX_DESCRIPTOR, check_url, fetch, session
from .texts import plain

PATIENCE = 10.0
"""Seconds a camera gets to show its first picture."""

HOUSEHOLD_SCHEMA = vol.Schema({vol.Required(CONF_LIBRARY): TextSelector()})
DOORBELL_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL)),
        vol.Optional(CONF_USERNAME): TextSelector(TextSelectorConfig(autocomplete="off")),
        vol.Optional(CONF_PASSWORD): TextSelector(
            TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
        ),
        vol.Required(CONF_AUDIO, default=False): BooleanSelector(),
    }
)
FEED_SCHEMA = vol.Schema(
    {vol.Required(CONF_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL))}
)


class DoorstepFlow(ConfigFlow, domain=DOMAIN):
    """Ask where clips are to lie; who answers becomes the first approver."""

    VERSION = 1

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Doorbells and feeds are added to the household one by one."""
        return {SUBENTRY_DOORBELL: DoorbellFlow, SUBENTRY_FEED: FeedFlow}

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Choose the library folder."""
        request = current_request.get()
        user = request.get(KEY_HASS_USER) if request else None
        token = request.get(KEY_HASS_REFRESH_TOKEN_ID) if request else None
        if user is None or not is_person(self.hass, user, token):
            return self.async_abort(reason="needs_person")
        refused = [
            Path(self.hass.config.path("www")),
            *map(Path, self.hass.config.media_dirs.values()),
        ]
        errors: dict[str, str] = {}
        placeholders = {"user": user.name or user.id}
        if user_input is not None:
            folder = Path(user_input[CONF_LIBRARY])
            try:
                await self.hass.async_add_executor_job(check_folder, folder, refused)
            except DoorstepError as error:
                errors[CONF_LIBRARY] = error.key
                placeholders |= error.placeholders
            else:
                return self.async_create_entry(
                    title="Doorstep",
                    data={CONF_LIBRARY: str(folder), CONF_APPROVERS: [user.id]},
                )
        default = await self.hass.async_add_executor_job(
            _default_folder, Path(self.hass.config.cache_path(DOMAIN))
        )
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(
                HOUSEHOLD_SCHEMA, user_input or {CONF_LIBRARY: str(default)}
            ),
            description_placeholders=placeholders,
            errors=errors,
        )


class DoorbellFlow(ConfigSubentryFlow):
    """Add or change a doorbell; its stream is tried before anything is kept."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._data: dict[str, Any] = {}

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the stream and try it."""
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := await self._async_try(user_input)):
            self._data[CONF_WEBHOOK_ID] = webhook.async_generate_id()
            return await self.async_step_webhook()
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(DOORBELL_SCHEMA, user_input),
            errors=errors,
        )

    async def async_step_webhook(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show where the device must report ring and motion."""
        if user_input is None:
            return self.async_show_form(
                step_id="webhook",
                data_schema=vol.Schema({}),
                description_placeholders={"url": self._webhook_url()},
            )
        return self.async_create_entry(title=self._data.pop(CONF_NAME), data=self._data)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change the stream; the webhook stays what it is."""
        subentry = self._get_reconfigure_subentry()
        errors: dict[str, str] = {}
        if user_input is not None and CONF_PASSWORD not in user_input:
            # the form never shows the password: left empty, it stays what it is
            user_input = {CONF_PASSWORD: subentry.data.get(CONF_PASSWORD, ""), **user_input}
        if user_input is not None and not (errors := await self._async_try(user_input)):
            title = self._data.pop(CONF_NAME)
            webhook_id = subentry.data[CONF_WEBHOOK_ID]
            return self.async_update_and_abort(
                self._get_entry(),
                subentry,
                title=title,
                data={**self._data, CONF_WEBHOOK_ID: webhook_id},
            )
        self._data[CONF_WEBHOOK_ID] = subentry.data[CONF_WEBHOOK_ID]
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                DOORBELL_SCHEMA, _shown(user_input or {CONF_NAME: subentry.title, **subentry.data})
            ),
            description_placeholders={"url": self._webhook_url()},
            errors=errors,
        )

    async def _async_try(self, user_input: Mapping[str, Any]) -> dict[str, str]:
        """Keep the input as data if a stream with video answers there."""
        try:
            data = _without_credentials(user_input)
        except ValueError:
            return {CONF_URL: "url_not_rtsp"}
        try:
            await probe(
                ffmpeg.get_ffmpeg_manager(self.hass).binary,
                stream_url(data),
                PATIENCE,
                audio=data[CONF_AUDIO],
            )
        except DoorstepError as error:
            field = CONF_PASSWORD if error.key == "camera_unauthorized" else CONF_URL
            return {field: error.key}
        self._data = data
        return {}

    def _webhook_url(self) -> str:
        webhook_id = self._data[CONF_WEBHOOK_ID]
        try:
            return webhook.async_generate_url(
                self.hass, webhook_id, allow_external=False, prefer_external=False
            )
        except NoURLAvailableError:
            return webhook.async_generate_path(webhook_id)


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


def _default_folder(cache: Path) -> Path:
    """Prefer Home Assistant OS's share, which is outside its backups; so is the cache."""
    share = Path("/share")
    return share / DOMAIN if share.is_dir() else cache


def _without_credentials(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Move user and password out of a pasted URL into their own fields; not RTSP: ValueError."""
    url = URL(user_input[CONF_URL].strip())
    if url.scheme not in {"rtsp", "rtsps"} or not url.host:
        raise ValueError(user_input[CONF_URL])
    data = {**user_input, CONF_URL: str(url.with_user(None))}
    if url.user and not data.get(CONF_USERNAME):
        data |= {CONF_USERNAME: url.user, CONF_PASSWORD: url.password or ""}
    return data


def _shown(data: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what no form may give back."""
    return {key: value for key, value in data.items() if key != CONF_PASSWORD}


def _groups(fingerprint: str) -> list[str]:
    return [fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4)]
