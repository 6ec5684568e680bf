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

from . import clip_commands
from .const import DOMAIN, LOGGER, SIGNAL_DESK
from .data import DoorstepConfigEntry, DoorstepData, async_entry
from .errors import DoorstepError
from .inbox.values import Actor
from .problems import home_assistant_error
from .texts import error_text
from .viewers import may_view

type Message = dict[str, Any]
type Answer = Callable[[DoorstepData, Actor, Message], Awaitable[Any]]
type Reply = Callable[[DoorstepConfigEntry, ActiveConnection, Message], Awaitable[Any]]

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
    for name, (schema, answer) in (COMMANDS | clip_commands.DECIDE).items():
        websocket_api.async_register_command(hass, _command(name, schema, answer))
    for name, (schema, look) in clip_commands.VIEW.items():
        websocket_api.async_register_command(hass, _view(name, schema, look))
    for name, (schema, work) in clip_commands.WORK.items():
        websocket_api.async_register_command(hass, _work(name, schema, work))


def _command(
    name: str, schema: dict[Any, Any], answer: Answer
) -> websocket_api.const.WebSocketCommandHandler:
    """Make a command that only a person who decides gets an answer from."""

    async def reply(entry: DoorstepConfigEntry, connection: ActiveConnection, msg: Message) -> Any:
        return await answer(entry.runtime_data, _decides(entry, connection), msg)

    return _answering(name, schema, reply)


def _view(
    name: str, schema: dict[Any, Any], look: clip_commands.Look
) -> websocket_api.const.WebSocketCommandHandler:
    """Make a command that answers whoever may view clips."""

    async def reply(entry: DoorstepConfigEntry, connection: ActiveConnection, msg: Message) -> Any:
        if not may_view(entry, connection.user):
            raise Unauthorized
        decides = _person(entry, connection) is not None
        return await look(entry.runtime_data, msg, decides)

    return _answering(name, schema, reply)


def _answering(
    name: str, schema: dict[Any, Any], reply: Reply
) -> websocket_api.const.WebSocketCommandHandler:
    """Make a command out of what it replies; a room's error is the one that the panel shows."""

    @websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/{name}", **schema})
    @websocket_api.async_response
    async def handle(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
        if (entry := _entry(hass, connection, msg)) is None:
            return
        try:
            answer = await reply(entry, connection, msg)
        except DoorstepError as error:
            raise home_assistant_error(error) from error
        connection.send_result(msg["id"], answer)

    return handle


def _work(
    name: str, schema: dict[Any, Any], work: clip_commands.Work
) -> websocket_api.const.WebSocketCommandHandler:
    """Make a command whose work goes on until it is done, or nobody listens any more."""

    @websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/{name}", **schema})
    @callback
    def handle(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
        if (entry := _entry(hass, connection, msg)) is None:
            return
        actor = _decides(entry, connection)

        @callback
        def tell(news: dict[str, Any]) -> None:
            if msg["id"] in connection.subscriptions:
                connection.send_event(msg["id"], news)

        async def run() -> None:
            try:
                tell(await work(entry.runtime_data, actor, msg, tell))
            except asyncio.CancelledError:
                # the house closes, or nobody listens
                tell({"error": error_text(hass, DoorstepError("not_loaded"))})
                raise
            except DoorstepError as error:
                tell({"error": error_text(hass, error)})
            except Exception:
                # whoever waits for the end must hear of it
                LOGGER.exception("%s broke down", name)
                tell({"error": error_text(hass, DoorstepError("broke_down"))})

        @callback
        def end() -> None:
            task.cancel()

        # first, since work that is quick is done before its task is known
        connection.subscriptions[msg["id"]] = end
        connection.send_result(msg["id"])
        task = entry.async_create_background_task(hass, run(), f"{DOMAIN} {name}")

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
            snapshot = await current.runtime_data.queries.async_snapshot(
                full=_person(current, connection) is not None,
                clips=may_view(current, connection.user),
            )
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


def _decides(entry: DoorstepConfigEntry, connection: ActiveConnection) -> Actor:
    if (actor := _person(entry, connection)) is None:
        raise Unauthorized
    return actor
