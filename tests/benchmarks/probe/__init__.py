"""A Home Assistant integration for benchmarks only: it says what happened in its process, and when.

It is linked into the configuration of the Home Assistant that a benchmark starts. Instants are
seconds of CLOCK_MONOTONIC, which all processes of the machine share.
"""

import asyncio
import gc
from pathlib import Path
from time import monotonic
from typing import Any

from homeassistant.components import webhook, websocket_api
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED, EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .names import BUTTON, STARTED
from .steps import Steps

_WATCHED = ("event.", "input_boolean.")
_RING = "Ring"
_PAUSE = 0.01  # seconds between two changes of a source


class Probe:
    """What was heard so far: (what, when) in the order in which it happened."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Listen to webhooks and states from now on."""
        self._hass = hass
        self._heard: list[tuple[str, float]] = []
        self._steps: list[Steps] = []
        _listen_to_webhooks(self._heard)
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._changed)
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STARTED, self._started)
        hass.states.async_set(BUTTON, "off", {"device_class": "occupancy"})

    def tell(self) -> list[tuple[str, float]]:
        """Hand out what was heard, and forget it."""
        told = list(self._heard)
        self._heard.clear()
        return told

    def begin(self) -> None:
        """Begin to time the steps of the event loop."""
        self._steps.append(Steps())

    def end(self) -> dict[str, Any]:
        """End it; tell how long the steps took."""
        return self._steps.pop().end()

    def rings(self) -> list[int]:
        """Tell how many bytes each recorder keeps of its stream."""
        return [found.size for found in gc.get_objects() if type(found).__name__ == _RING]

    async def visit(self, times: int) -> list[tuple[str, float]]:
        """Turn the button on and off; tell when it was turned on, and what followed."""
        self._heard.clear()
        for _ in range(times):
            self._heard.append(("source", monotonic()))
            self._hass.states.async_set(BUTTON, "on", {"device_class": "occupancy"})
            await asyncio.sleep(_PAUSE)
            self._hass.states.async_set(BUTTON, "off", {"device_class": "occupancy"})
            await asyncio.sleep(_PAUSE)
        return self.tell()

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        entity_id = event.data["entity_id"]
        if entity_id.startswith(_WATCHED):
            self._heard.append((entity_id.partition(".")[0], monotonic()))

    async def _started(self, _event: Event) -> None:
        told = f"{monotonic()} {len(self._hass.states.async_entity_ids('camera'))}"
        file = Path(self._hass.config.path(STARTED))
        await self._hass.async_add_executor_job(file.write_text, told)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Offer what was heard over the websocket."""
    probe = Probe(hass)

    @websocket_api.websocket_command({vol.Required("type"): "doorstep_probe/heard"})
    @callback
    def heard(_: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
        connection.send_result(message["id"], probe.tell())

    @websocket_api.websocket_command({vol.Required("type"): "doorstep_probe/begin_steps"})
    @callback
    def begin(_: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
        probe.begin()
        connection.send_result(message["id"])

    @websocket_api.websocket_command({vol.Required("type"): "doorstep_probe/end_steps"})
    @callback
    def end(_: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
        connection.send_result(message["id"], probe.end())

    @websocket_api.websocket_command(
        {vol.Required("type"): "doorstep_probe/visit", vol.Required("times"): int}
    )
    @websocket_api.async_response
    async def visit(
        _: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]
    ) -> None:
        told = await probe.visit(message["times"])
        connection.send_result(message["id"], told)

    @websocket_api.websocket_command({vol.Required("type"): "doorstep_probe/rings"})
    @callback
    def rings(_: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
        connection.send_result(message["id"], probe.rings())

    for command in (heard, begin, end, rings, visit):
        websocket_api.async_register_command(hass, command)
    return True


def _listen_to_webhooks(heard: list[tuple[str, float]]) -> None:
    """Note when a parsed request comes to Home Assistant's webhooks, whosever they are."""
    handle = webhook.async_handle_webhook

    async def noted(hass: HomeAssistant, webhook_id: str, request: Any) -> Any:
        heard.append(("request", monotonic()))
        return await handle(hass, webhook_id, request)

    webhook.async_handle_webhook = noted
