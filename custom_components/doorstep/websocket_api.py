"""The panel's commands: for approvers who are logged in as themselves."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers.dispatcher import async_dispatcher_connect
import voluptuous as vol

from .const import DOMAIN, SIGNAL_DESK
from .data import DoorstepConfigEntry, DoorstepData, async_entry
from .errors import DoorstepError
from .inbox.values import Actor
from .problems import home_assistant_error

type Message = dict[str, Any]
type Answer = Callable[[DoorstepData, Actor, Message], Awaitable[Any]]

_TEXT: Final = vol.All(str, vol.Length(max=500))
_PAGE: Final = vol.All(int, vol.Range(min=1, max=500))

COMMANDS: Final[dict[str, tuple[dict[Any, Any], Answer]]] = {
    "request": (
        {vol.Required("handle"): _TEXT},
        lambda data, _, msg: data.queries.async_request(msg["handle"]),
    ),
    "request/decline": (
        {vol.Required("handle"): _TEXT},
        lambda data, actor, msg: data.desk.async_decline(msg["handle"], actor),
    ),
    "request/undo_decline": (
        {vol.Required("handle"): _TEXT},
        lambda data, actor, msg: data.desk.async_undo_decline(msg["handle"], actor),
    ),
    "release/draft": (
        {vol.Required("handle"): _TEXT},
        lambda data, _, msg: data.desk.async_draft(msg["handle"]),
    ),
    "release/approve": (
        {
            vol.Required("handle"): _TEXT,
            vol.Required("release"): _TEXT,
            vol.Required("digest"): _TEXT,
            vol.Optional("watched", default=False): bool,
        },
        lambda data, actor, msg: data.desk.async_approve(
            msg["handle"], msg["release"], msg["digest"], actor, watched=msg["watched"]
        ),
    ),
    "release/undo": (
        {vol.Required("release"): _TEXT},
        lambda data, actor, msg: data.desk.async_undo(msg["release"], actor),
    ),
    "release/stop": (
        {vol.Required("release"): _TEXT},
        lambda data, actor, msg: data.desk.async_stop_release(msg["release"], actor),
    ),
    "release/retry": (
        {vol.Required("release"): _TEXT},
        lambda data, actor, msg: data.desk.async_retry(msg["release"], actor),
    ),
    "agency/confirm": (
        {vol.Required("agency"): _TEXT, vol.Required("statement_sha256"): _TEXT},
        lambda data, actor, msg: data.desk.async_confirm_agency(
            msg["agency"], msg["statement_sha256"], actor
        ),
    ),
    "agency/check": (
        {vol.Required("agency"): _TEXT},
        lambda data, actor, msg: data.desk.async_check_agency(msg["agency"], actor),
    ),
    "ledger/list": (
        {vol.Optional("before"): int, vol.Optional("limit", default=100): _PAGE},
        lambda data, _, msg: data.queries.async_ledger(msg.get("before"), msg["limit"]),
    ),
    "ledger/verify": ({}, lambda data, _actor, _msg: data.queries.async_verify_ledger()),
}


@callback
def async_register_commands(hass: HomeAssistant) -> None:
    """Register every command, once."""
    websocket_api.async_register_command(hass, _async_subscribe)
    for name, (schema, answer) in COMMANDS.items():
        websocket_api.async_register_command(hass, _command(name, schema, answer))


def _command(
    name: str, schema: dict[Any, Any], answer: Answer
) -> websocket_api.const.WebSocketCommandHandler:
    """Make a command that only a person who decides gets an answer from."""

    @websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/{name}", **schema})
    @websocket_api.async_response
    async def handle(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
        entry = _entry(hass, connection, msg)
        if entry is None:
            return
        actor = _person(entry, connection)
        if actor is None:
            raise Unauthorized
        try:
            result = await answer(entry.runtime_data, actor, msg)
        except DoorstepError as error:
            raise home_assistant_error(error) from error
        connection.send_result(msg["id"], result)

    return handle


@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/subscribe"})
@websocket_api.async_response
async def _async_subscribe(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Send all a panel shows, now and at each change; counts only to those who don't decide."""
    entry = _entry(hass, connection, msg)
    if entry is None:
        return

    turn = asyncio.Lock()

    async def send() -> None:
        # one after the other: an older snapshot must never follow a newer one
        async with turn:
            if (current := async_entry(hass)) is None:
                return
            full = _person(current, connection) is not None
            snapshot = await current.runtime_data.queries.async_snapshot(full=full)
            connection.send_event(msg["id"], snapshot)

    @callback
    def changed() -> None:
        hass.async_create_task(send(), f"{DOMAIN} snapshot", eager_start=True)

    connection.subscriptions[msg["id"]] = async_dispatcher_connect(hass, SIGNAL_DESK, changed)
    connection.send_result(msg["id"])
    await send()


def _entry(
    hass: HomeAssistant, connection: ActiveConnection, msg: Message
) -> DoorstepConfigEntry | None:
    entry = async_entry(hass)
    if entry is None:
        connection.send_error(
            msg["id"],
            websocket_api.ERR_NOT_FOUND,
            "Doorstep is not set up",
            translation_key="not_loaded",
            translation_domain=DOMAIN,
        )
    return entry


def _person(entry: DoorstepConfigEntry, connection: ActiveConnection) -> Actor | None:
    return entry.runtime_data.approvers.person(connection.user, connection.refresh_token_id)
