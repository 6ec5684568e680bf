"""Adding and changing a doorbell; nothing is saved that was not tried."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from homeassistant.components import webhook
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowResult,
    UnknownSubEntry,
)
from homeassistant.const import CONF_NAME, CONF_WEBHOOK_ID
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.selector import QrCodeSelector, QrCodeSelectorConfig
import voluptuous as vol
from yarl import URL

from .const import (
    CAPTURE_STILLS,
    CAPTURE_STREAM,
    CONF_CAMERA,
    CONF_CAPTURE,
    CONF_KIND,
    KIND_ADOPTED,
    KIND_DIRECT,
)
from .doorbell_advice import async_capture_text, async_estimate_text, async_lodging
from .doorbell_forms import (
    CONNECTION,
    CONNECTION_SCHEMA,
    OPTIONS,
    SOURCES,
    AnswerError,
    camera_schema,
    chosen_options,
    connection,
    named,
    options,
    options_schema,
    replaced,
    shown,
    sources_schema,
)
from .doorbell_sources import (
    async_chosen,
    async_own_entities,
    async_present,
    async_present_sources,
    async_sources,
    proposed,
)
from .doorbell_trial import async_try_adopted, async_try_snapshot, async_try_stream
from .doorbells.candidates import cameras, candidates
from .doorbells.webhook import webhook_urls
from .storage_forms import DOORBELL_LIMITS, DOORBELL_SCHEMA, whole
from .texts import async_texts, plain

type Answers = dict[str, Any] | None

_WAYS: Final = ["adopt", "direct"]
_CHANGES: Final = {
    KIND_DIRECT: ["connection", "options", "limits", "webhook", "rotate"],
    KIND_ADOPTED: ["sources", "adopt", "options", "limits"],
}


class DoorbellFlow(ConfigSubentryFlow):
    """Ask step by step; what is said of a doorbell that is there is saved at each step's end."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._name = ""
        self._data: dict[str, Any] = {}
        self._camera: str | None = None
        self._answers: dict[str, Any] = {}
        self._rate: float | None = None
        self._limits: dict[str, Any] | None = None
        self._worries = ""
        self._webhook_id = webhook.async_generate_id()

    @property
    def _changing(self) -> bool:
        return self.source == SOURCE_RECONFIGURE

    async def async_step_user(self, _: Answers = None) -> SubentryFlowResult:
        """Ask how the doorbell is reached."""
        return self.async_show_menu(step_id="user", menu_options=_WAYS)

    async def async_step_reconfigure(self, _: Answers = None) -> SubentryFlowResult:
        """Ask what is to be changed."""
        subentry = self._get_reconfigure_subentry()
        self._name, self._data = subentry.title, dict(subentry.data)
        return self.async_show_menu(
            step_id="reconfigure",
            menu_options=_CHANGES[self._data.get(CONF_KIND, KIND_DIRECT)],
            description_placeholders={"name": self._name},
        )

    async def async_step_adopt(self, user_input: Answers = None) -> SubentryFlowResult:
        """Ask for the camera that Home Assistant has."""
        if user_input is not None:
            self._camera = user_input[CONF_CAMERA]
            self._refuse_twice(async_chosen(self.hass, user_input[CONF_CAMERA]))
            return await self.async_step_sources()
        if not (offered := cameras(self.hass, self._adopted())):
            if self._changing:
                return self.async_abort(reason="no_camera")
            return await self.async_step_no_camera()
        gone = self._changing and not async_present(self.hass, self._data[CONF_CAMERA])
        return self.async_show_form(
            step_id="adopt",
            data_schema=camera_schema(offered),
            errors={CONF_CAMERA: "camera_gone"} if gone else {},
            last_step=False,
        )

    async def async_step_no_camera(self, _: Answers = None) -> SubentryFlowResult:
        """Say what to do first."""
        return self.async_show_menu(step_id="no_camera", menu_options=_WAYS)

    async def async_step_sources(self, user_input: Answers = None) -> SubentryFlowResult:
        """Ask what rings and sees motion, and what is recorded."""
        if self._camera is None:
            self._camera = async_present(self.hass, self._data[CONF_CAMERA])
        if self._camera is None:
            return await self.async_step_adopt()
        if user_input is None:
            return self._ask_sources()
        self._answers = user_input
        found = candidates(self.hass, self._camera)
        awake = user_input[CONF_CAPTURE] == CAPTURE_STREAM
        if awake and found.why == "battery" and self._data.get(CONF_CAPTURE) != CAPTURE_STREAM:
            return await self.async_step_battery()
        return await self.async_step_use_stream()

    async def async_step_battery(self, _: Answers = None) -> SubentryFlowResult:
        """Warn before a battery is drained."""
        assert self._camera is not None
        return self.async_show_menu(
            step_id="battery",
            menu_options=["use_stills", "use_stream"],
            description_placeholders={"camera": plain(candidates(self.hass, self._camera).name)},
        )

    async def async_step_use_stills(self, _: Answers = None) -> SubentryFlowResult:
        """Let the camera sleep."""
        self._answers[CONF_CAPTURE] = CAPTURE_STILLS
        return await self.async_step_use_stream()

    async def async_step_use_stream(self, _: Answers = None) -> SubentryFlowResult:
        """Take what was chosen, stream or stills, if it works."""
        assert self._camera is not None
        try:
            name = named(self._answers)
            data = async_sources(self.hass, self._camera, self._answers)
            if data[CONF_CAPTURE] == CAPTURE_STREAM:
                found = await async_try_adopted(self.hass, data)
                self._rate = found.bytes_per_second
        except AnswerError as error:
            return self._ask_sources(error)
        self._refuse_twice(data[CONF_CAMERA])
        self._name = name
        data[CONF_KIND] = KIND_ADOPTED
        return await self._async_keep(SOURCES, data, self.async_step_options)

    async def async_step_direct(self, user_input: Answers = None) -> SubentryFlowResult:
        """Ask where the stream of a new doorbell is."""
        return await self._async_connect("direct", user_input)

    async def async_step_connection(self, user_input: Answers = None) -> SubentryFlowResult:
        """Ask where the stream is now."""
        return await self._async_connect("connection", user_input)

    async def async_step_webhook(self, user_input: Answers = None) -> SubentryFlowResult:
        """Show where the device must report ring and motion."""
        if user_input is None:
            webhook_id = self._data.setdefault(CONF_WEBHOOK_ID, self._webhook_id)
            return self._show_addresses("webhook", webhook_id)
        if self._changing:
            return self.async_abort(reason="unchanged")
        return await self.async_step_options()

    async def async_step_rotate(self, user_input: Answers = None) -> SubentryFlowResult:
        """Show new addresses; they hold, and the old ones stop, once they are saved."""
        if user_input is None:
            return self._show_addresses("rotate", self._webhook_id)
        return self._save({CONF_WEBHOOK_ID: self._webhook_id})

    async def async_step_options(self, user_input: Answers = None) -> SubentryFlowResult:
        """Ask how it is to be recorded, and where it hangs."""
        if user_input is not None:
            config = self.hass.config
            chosen = options(user_input, (config.latitude, config.longitude))
            return await self._async_keep(OPTIONS, chosen, self._async_create)
        estimate = await async_estimate_text(
            self.hass,
            self._get_entry(),
            self._data,
            rate=self._rate,
            doorbell=self._reconfigure_subentry_id if self._changing else None,
        )
        return self.async_show_form(
            step_id="options",
            data_schema=self.add_suggested_values_to_schema(
                options_schema(self._data.get(CONF_CAPTURE)), chosen_options(self._data)
            ),
            description_placeholders={"estimate": estimate},
            last_step=True,
        )

    async def async_step_limits(self, user_input: Answers = None) -> SubentryFlowResult:
        """Ask for limits of this doorbell's own; what they would delete is said first."""
        mine = await async_lodging(self.hass, self._get_entry(), self._reconfigure_subentry_id)
        if user_input is not None:
            self._limits = whole(user_input)
            self._worries = mine.concerns(self.hass, self._data, self._limits) if mine else ""
            return await (self.async_step_sure() if self._worries else self.async_step_save())
        chosen = self._data if self._limits is None else self._limits
        told = mine.text(self.hass) if mine else async_texts(self.hass)["storage_unknown"]
        return self.async_show_form(
            step_id="limits",
            data_schema=self.add_suggested_values_to_schema(DOORBELL_SCHEMA, chosen),
            description_placeholders={"limits": told},
            last_step=True,
        )

    async def async_step_sure(self, _: Answers = None) -> SubentryFlowResult:
        """Say what would be deleted, or that a day's clips would not stay."""
        return self.async_show_menu(
            step_id="sure",
            menu_options=["save", "limits"],
            description_placeholders={"concerns": self._worries},
        )

    async def async_step_save(self, _: Answers = None) -> SubentryFlowResult:
        """Take limits that somebody was warned of, or that harm nothing."""
        return self._save(self._limits or {}, DOORBELL_LIMITS)

    async def _async_connect(self, step_id: str, user_input: Answers) -> SubentryFlowResult:
        """Ask for the stream and try it."""
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            try:
                name, data = named(user_input), connection(user_input, self._data)
                found = await async_try_stream(self.hass, data)
                await async_try_snapshot(self.hass, data)
            except AnswerError as error:
                errors, placeholders = error.errors(CONNECTION_SCHEMA), error.placeholders
            else:
                self._name, self._rate = name, found.bytes_per_second
                data[CONF_KIND] = KIND_DIRECT
                return await self._async_keep(CONNECTION, data, self.async_step_webhook)
        known = {CONF_NAME: self._name, **self._data} if self._name else {}
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                CONNECTION_SCHEMA, shown(user_input or known)
            ),
            errors=errors,
            description_placeholders=placeholders,
            last_step=self._changing,
        )

    def _ask_sources(self, problem: AnswerError | None = None) -> SubentryFlowResult:
        """Show what was answered, else what is saved, else what looks right."""
        assert self._camera is not None
        found = candidates(self.hass, self._camera)
        form = sources_schema(async_own_entities(self.hass), streams=found.why != "no_stream")
        errors = problem.errors(form) if problem else {}
        answers = self._answers
        if not answers and self._data.get(CONF_CAMERA) == async_chosen(self.hass, self._camera):
            answers, errors = async_present_sources(self.hass, self._name, self._data)
        elif not answers:
            answers = proposed(self._name, found)
        return self.async_show_form(
            step_id="sources",
            data_schema=self.add_suggested_values_to_schema(form, answers),
            errors=errors,
            description_placeholders={
                "camera": found.name,
                "capture": async_capture_text(self.hass, found),
                **(problem.placeholders if problem else {}),
            },
            last_step=self._changing,
        )

    async def _async_keep(
        self,
        decided: frozenset[str],
        chosen: Mapping[str, Any],
        then: Callable[[], Awaitable[SubentryFlowResult]],
    ) -> SubentryFlowResult:
        """Save at once what is changed; of a new doorbell all is saved at the end."""
        if self._changing:
            return self._save(chosen, decided)
        self._data = replaced(self._data, decided, chosen)
        return await then()

    @callback
    def _save(
        self, chosen: Mapping[str, Any], decided: frozenset[str] = frozenset()
    ) -> SubentryFlowResult:
        """Change the doorbell as it is now: something else may have been changed meanwhile."""
        try:
            subentry = self._get_reconfigure_subentry()
        except UnknownSubEntry:
            return self.async_abort(reason="doorbell_gone")
        data = replaced(subentry.data, decided, chosen)
        return self.async_update_and_abort(
            self._get_entry(),
            subentry,
            title=self._name,
            data=data,
            unique_id=data.get(CONF_CAMERA),
        )

    async def _async_create(self) -> SubentryFlowResult:
        adopted = self._data[CONF_KIND] == KIND_ADOPTED
        return self.async_create_entry(
            title=self._name,
            data=self._data,
            description=KIND_ADOPTED if adopted else None,
            unique_id=self._data.get(CONF_CAMERA),
        )

    def _adopted(self) -> set[str]:
        """Cameras of the other doorbells."""
        mine = self._reconfigure_subentry_id if self._changing else None
        return {
            subentry.data[CONF_CAMERA]
            for subentry in self._get_entry().subentries.values()
            if CONF_CAMERA in subentry.data and subentry.subentry_id != mine
        }

    def _refuse_twice(self, camera: str) -> None:
        if camera in self._adopted():
            raise AbortFlow("already_configured")

    def _show_addresses(self, step_id: str, webhook_id: str) -> SubentryFlowResult:
        """Show the addresses to paste, and a QR code of the one that rings."""
        urls = {str(kind): url for kind, url in webhook_urls(self.hass, webhook_id).items()}
        code = QrCodeSelector(QrCodeSelectorConfig(data=urls["ring"], scale=5))
        # without a host there is nothing that a phone could open
        schema = {vol.Optional("qr_code"): code} if URL(urls["ring"]).absolute else {}
        return self.async_show_form(
            step_id=step_id,
            data_schema=vol.Schema(schema),
            description_placeholders={**urls, "url": urls["ring"].partition("?")[0]},
            last_step=self._changing,
        )
