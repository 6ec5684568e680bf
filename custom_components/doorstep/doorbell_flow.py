"""Adding and changing a doorbell; nothing is saved that was not tried."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from homeassistant.components import webhook
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME, CONF_WEBHOOK_ID
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.helpers.selector import QrCodeSelector, QrCodeSelectorConfig
import voluptuous as vol
from yarl import URL

from .const import CONF_CAPTURE, CONF_KIND, KIND_DIRECT
from .doorbell_forms import (
    CONNECTION,
    CONNECTION_SCHEMA,
    OPTIONS,
    AnswerError,
    chosen_options,
    connection,
    options,
    options_schema,
    replaced,
    shown,
)
from .doorbell_trial import async_try_direct
from .texts import plain

_QR_CODE = "qr_code"


class DoorbellFlow(ConfigSubentryFlow):
    """Ask step by step; what is said of a doorbell that is there is saved at each step's end."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._name = ""
        self._data: dict[str, Any] = {}
        self._webhook_id = webhook.async_generate_id()

    async def async_step_user(self, _: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask how the doorbell is reached."""
        return self.async_show_menu(step_id="user", menu_options=["direct"])

    async def async_step_reconfigure(self, _: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what is to be changed."""
        subentry = self._get_reconfigure_subentry()
        self._name, self._data = subentry.title, dict(subentry.data)
        return self.async_show_menu(
            step_id="reconfigure",
            menu_options=["connection", "options", "webhook", "rotate"],
            description_placeholders={"name": plain(self._name)},
        )

    async def async_step_direct(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask where the stream of a new doorbell is."""
        return await self._async_connect("direct", user_input)

    async def async_step_connection(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask where the stream is now."""
        return await self._async_connect("connection", user_input)

    async def async_step_webhook(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show where the device must report ring and motion."""
        if user_input is None:
            webhook_id = self._data.setdefault(CONF_WEBHOOK_ID, self._webhook_id)
            return self._show_addresses("webhook", webhook_id)
        if self.source == SOURCE_RECONFIGURE:
            return self.async_abort(reason="unchanged")
        return await self.async_step_options()

    async def async_step_rotate(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show new addresses; they hold, and the old ones stop, once they are saved."""
        if user_input is None:
            return self._show_addresses("rotate", self._webhook_id)
        return await self._async_keep(frozenset(), {CONF_WEBHOOK_ID: self._webhook_id})

    async def async_step_options(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask how it is to be recorded, and where it hangs."""
        if user_input is not None:
            config = self.hass.config
            chosen = options(user_input, (config.latitude, config.longitude))
            return await self._async_keep(OPTIONS, chosen, self._async_create)
        return self.async_show_form(
            step_id="options",
            data_schema=self.add_suggested_values_to_schema(
                options_schema(self._data.get(CONF_CAPTURE)), chosen_options(self._data)
            ),
            description_placeholders={"estimate": ""},
            last_step=True,
        )

    async def _async_connect(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        """Ask for the stream and try it."""
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            try:
                data = connection(user_input, self._data)
                await async_try_direct(self.hass, data)
            except AnswerError as error:
                errors, placeholders = error.errors, error.placeholders
            else:
                self._name = user_input[CONF_NAME].strip()
                data[CONF_KIND] = KIND_DIRECT
                return await self._async_keep(CONNECTION, data, self.async_step_webhook)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                CONNECTION_SCHEMA, shown(user_input or {CONF_NAME: self._name, **self._data})
            ),
            errors=errors,
            description_placeholders=placeholders,
            last_step=self.source == SOURCE_RECONFIGURE,
        )

    async def _async_keep(
        self,
        decided: frozenset[str],
        chosen: Mapping[str, Any],
        then: Callable[[], Awaitable[SubentryFlowResult]] | None = None,
    ) -> SubentryFlowResult:
        """Save at once what is changed; of a new doorbell all is saved at the end."""
        if self.source != SOURCE_RECONFIGURE and then:
            self._data = replaced(self._data, decided, chosen)
            return await then()
        subentry = self._get_reconfigure_subentry()
        return self.async_update_and_abort(
            self._get_entry(),
            subentry,
            title=self._name,
            data=replaced(subentry.data, decided, chosen),
        )

    async def _async_create(self) -> SubentryFlowResult:
        return self.async_create_entry(title=self._name, data=self._data)

    def _show_addresses(self, step_id: str, webhook_id: str) -> SubentryFlowResult:
        """Show the addresses to paste, and a QR code of the one that rings."""
        try:
            url = webhook.async_generate_url(
                self.hass, webhook_id, allow_external=False, prefer_external=False
            )
        except NoURLAvailableError:
            url = webhook.async_generate_path(webhook_id)
        code = QrCodeSelector(QrCodeSelectorConfig(data=f"{url}?event=ring", scale=5))
        schema = vol.Schema({vol.Optional(_QR_CODE): code} if URL(url).absolute else {})
        return self.async_show_form(
            step_id=step_id,
            data_schema=schema,
            description_placeholders={"url": url},
            last_step=self.source == SOURCE_RECONFIGURE,
        )
