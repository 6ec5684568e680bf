"""A webhook of a doorbell in a Home Assistant that has nothing else of Doorstep."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp.test_utils import TestClient
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.doorstep.doorbells.model import Signal
from custom_components.doorstep.doorbells.webhook import DirectSource

WEBHOOK_ID = "b2" * 32
PATH = f"/api/webhook/{WEBHOOK_ID}"
DATA = {
    "url": "rtsp://192.168.1.20:554/stream1",
    "username": "door",
    "password": "p@ss:w/rd",
    "webhook_id": WEBHOOK_ID,
}
PROXIED = {"http": {"use_x_forwarded_for": True, "trusted_proxies": ["127.0.0.1"]}}
"""Lets a test say where a call comes from, as a reverse proxy does."""


@dataclass
class Bell:
    """What the source told, and a client that is nobody in particular."""

    hass: HomeAssistant
    client: TestClient[Any, Any]
    source: DirectSource
    heard: list[Signal] = field(default_factory=list)

    async def report(self, method: str = "GET", query: str = "", **kwargs: Any) -> tuple[int, str]:
        """Call the webhook: status and text of the answer."""
        async with self.client.request(method, f"{PATH}{query}", **kwargs) as answer:
            return answer.status, await answer.text()

    @property
    def kinds(self) -> list[str]:
        return [signal.kind for signal in self.heard]


async def listening(
    hass: HomeAssistant, client: ClientSessionGenerator, data: dict[str, Any] = DATA
) -> Bell:
    """Start a source and listen to it."""
    for integration in ("http", "webhook", "websocket_api"):
        assert await async_setup_component(hass, integration, PROXIED)
    bell = Bell(hass, await client(), DirectSource(hass, "Front door", data))
    bell.source.async_start(bell.heard.append, lambda: None)
    return bell
