"""Everything Home Assistant says about its states, heard from the outside over one WebSocket."""

import asyncio
from collections import defaultdict
import contextlib
from typing import Any, Final, Self

import aiohttp

from scripts.house import HomeAssistant

from ..simulators.waiting import until

GONE: Final = {"state": "unavailable"}
SILENT: Final = {"unavailable", "unknown"}


class Ear:
    """`states` is what each entity says now, `told` all that it has ever said, oldest first."""

    def __init__(self, home: HomeAssistant) -> None:
        """Hear nothing yet."""
        self.states: dict[str, dict[str, Any]] = {}
        self.told: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._home = home
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Begin to listen; return when nothing can be missed any more."""
        session = await self._stack.enter_async_context(aiohttp.ClientSession())
        url = f"{self._home.url}/api/websocket"
        socket = await self._stack.enter_async_context(session.ws_connect(url, max_msg_size=0))
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": self._home.token})
        await socket.receive_json()
        await socket.send_json({"id": 1, "type": "subscribe_events", "event_type": "state_changed"})
        assert (await socket.receive_json())["success"]
        for state in await self._home.api("GET", "/api/states"):
            self._hear(state["entity_id"], state)
        listening = asyncio.create_task(self._listen(socket))
        self._stack.callback(listening.cancel)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Listen no more."""
        await self._stack.aclose()

    def rings(self, entity_id: str) -> int:
        """Count the events of an event entity: each has a time of its own as its state."""
        states = (state["state"] for state in self.told[entity_id])
        return len({state for state in states if state not in SILENT})

    async def state(self, entity_id: str, wanted: str, patience: float = 20) -> None:
        """Wait until an entity's state is what is WANTED."""

        def now() -> bool:
            return bool(self.states.get(entity_id, GONE)["state"] == wanted)

        try:
            await until(now, patience)
        except TimeoutError as error:
            said = [state["state"] for state in self.told[entity_id]]
            raise AssertionError(f"{entity_id} is not {wanted}, it said {said}") from error

    async def there(self, entity_id: str, patience: float = 20) -> None:
        """Wait until an entity is there and available."""

        def now() -> bool:
            return bool(self.states.get(entity_id, GONE)["state"] != GONE["state"])

        try:
            await until(now, patience)
        except TimeoutError as error:
            raise AssertionError(f"{entity_id} is not there, but {sorted(self.states)}") from error

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            data = message.json()["event"]["data"]
            self._hear(data["entity_id"], data["new_state"])

    def _hear(self, entity_id: str, state: dict[str, Any] | None) -> None:
        if state is None:
            self.states.pop(entity_id, None)
            return
        self.states[entity_id] = state
        self.told[entity_id].append(state)
