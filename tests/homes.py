"""A household set up in the test's own Home Assistant, the way its owner would: over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from aiohttp.test_utils import TestClient
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

FLOW: Final = "/api/config/config_entries/flow"
SUBENTRY_FLOW: Final = "/api/config/config_entries/subentries/flow"
SUBENTRY_LIST: Final = "config_entries/subentries/list"

COMPONENTS: Final = (
    *("auth", "config", "media_source", "repairs", "stream", "webhook", "websocket_api"),
    *("binary_sensor", "camera", "event", "image", "sensor", "doorstep"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Home Assistant with Doorstep in it; CLIENT is logged in as the person who set it up."""

    hass: HomeAssistant
    client: TestClient[Any, Any]
    library: Path
    entries: list[str] = field(default_factory=list)

    @property
    def entry_id(self) -> str:
        """The household's config entry."""
        return self.entries[0]

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST as the owner; anything but 200 fails the test."""
        response = await self.client.post(path, json=body)
        assert response.status == HTTPStatus.OK, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer

    async def set_up(self) -> None:
        """Go through the config flow."""
        step = await self.post(FLOW, {"handler": "doorstep"})
        done = await self.post(f"{FLOW}/{step['flow_id']}", {"library": str(self.library)})
        assert done["type"] == "create_entry", done
        self.entries.append(done["result"]["entry_id"])
        await self.hass.async_block_till_done()

    async def begin(self, kind: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Start adding a doorbell or feed; returns what is shown next."""
        step = await self.post(SUBENTRY_FLOW, {"handler": [self.entry_id, kind]})
        return await self.post(f"{SUBENTRY_FLOW}/{step['flow_id']}", answers)

    async def finish(self, step: Mapping[str, Any]) -> None:
        """Confirm what is shown."""
        done = await self.post(f"{SUBENTRY_FLOW}/{step['flow_id']}", {})
        assert done["type"] == "create_entry", done
        await self.hass.async_block_till_done()


async def prepare(hass: HomeAssistant, hass_client: ClientSessionGenerator, library: Path) -> Home:
    """Start what Doorstep needs; nothing is set up yet."""
    # all that registers views has to come before the client: the test server's router is frozen
    for component in COMPONENTS:
        assert await async_setup_component(hass, component, {})
    return Home(hass=hass, client=await hass_client(), library=library)
