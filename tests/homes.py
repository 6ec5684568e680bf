"""A household set up in the test's own Home Assistant, the way its owner would: over HTTP."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from aiohttp.test_utils import TestClient
from homeassistant.auth.models import User
from homeassistant.config_entries import ConfigSubentryDataWithId
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    MockHAClientWebSocket,
)

from custom_components.doorstep.footage.clip import Clip

from .disclosure import clips
from .simulators.agency import AgencySimulator
from .simulators.waiting import until

FLOW: Final = "/api/config/config_entries/flow"
SUBENTRY_FLOW: Final = "/api/config/config_entries/subentries/flow"
SUBENTRY_LIST: Final = "config_entries/subentries/list"

COMPONENTS: Final = (
    *(
        "auth",
        "config",
        "diagnostics",
        "media_source",
        "mobile_app",
        "repairs",
        "stream",
        "webhook",
    ),
    *("websocket_api", "binary_sensor", "camera", "event", "image", "sensor", "doorstep"),
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
        await self.post(f"{FLOW}/{step['flow_id']}", {"library": str(self.library)})
        # other limits stay as they are proposed
        done = await self.post(f"{FLOW}/{step['flow_id']}", {"free_gb": 1})
        assert done["type"] == "create_entry", done
        self.entries.append(done["result"]["entry_id"])
        await self.hass.async_block_till_done()

    async def begin(self, kind: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Start adding a (direct) doorbell or feed; returns what is shown next."""
        step = await self.post(SUBENTRY_FLOW, {"handler": [self.entry_id, kind]})
        if step["type"] == "menu":
            step = await self.answer(step, {"next_step_id": "direct"})
        return await self.answer(step, answers)

    async def answer(self, step: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one step of a subentry flow; returns what is shown next."""
        return await self.post(f"{SUBENTRY_FLOW}/{step['flow_id']}", answers)

    async def finish(self, step: Mapping[str, Any], **answers: Mapping[str, Any]) -> None:
        """Confirm what is shown up to the end; ANSWERS are those to single steps, by their id."""
        while step["type"] == "form":
            step = await self.answer(step, answers.get(step["step_id"], {}))
        assert step["type"] == "create_entry", step
        await self.hass.async_block_till_done()

    async def change(self, subentry_id: str, part: str) -> dict[str, Any]:
        """Start changing a PART of a doorbell; returns its form."""
        kind = {"handler": [self.entry_id, "doorbell"], "subentry_id": subentry_id}
        return await self.answer(await self.post(SUBENTRY_FLOW, kind), {"next_step_id": part})


async def prepare(hass: HomeAssistant, hass_client: ClientSessionGenerator, library: Path) -> Home:
    """Start what Doorstep needs; nothing is set up yet."""
    # all that registers views has to come before the client: the test server's router is frozen
    for component in COMPONENTS:
        assert await async_setup_component(hass, component, {})
    return Home(hass=hass, client=await hass_client(), library=library)


DOORBELL: Final = "01JD3ZK7Q2W8V5N4M6P9R0S1T2"
CHECKPOINT: Final = "/2026/checkpoint"
LATITUDE: Final = 52.3731
LONGITUDE: Final = 4.8922


def add_clip(library: Path, recording: bytes, start: datetime) -> Clip:
    """Put a sealed clip of a minute into a library, as an earlier run would have left it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clips, "START", start)
        clip_id = f"{start + timedelta(seconds=10):%Y%m%dT%H%M%SZ}-0a1b2c3d"
        folder = library / DOORBELL / f"{start:%Y-%m-%d}"
        return clips.Sealer(recording).write(folder, clip_id, DOORBELL)


ROOMY: Final = {"free_gb": 0, "disk_share": 90}
"""No limit of the disk that happens to be under the tests."""


async def move_in(home: Home, approver: User, **options: Any) -> MockConfigEntry:
    """Start a household that was set up before: one doorbell whose camera is away just now."""
    home.hass.config.latitude, home.hass.config.longitude = LATITUDE, LONGITUDE
    doorbell = ConfigSubentryDataWithId(
        data={"url": "rtsp://127.0.0.1:1/door", "audio": False, "webhook_id": "w" * 64},
        subentry_id=DOORBELL,
        subentry_type="doorbell",
        title="Front door",
        unique_id=None,
    )
    entry = MockConfigEntry(
        domain="doorstep",
        title="Doorstep",
        data={"library": str(home.library), "approvers": [approver.id]},
        options=ROOMY | options,
        subentries_data=[doorbell],
    )
    entry.add_to_hass(home.hass)
    assert await home.hass.config_entries.async_setup(entry.entry_id)
    await home.hass.async_block_till_done()
    home.entries.append(entry.entry_id)
    return entry


class Panel:
    """What the panel does over its websocket: it keeps the newest snapshot and asks."""

    def __init__(self, socket: MockHAClientWebSocket) -> None:
        self._socket = socket
        self.snapshot: dict[str, Any] = {}
        self._subscription = 0

    async def open(self) -> dict[str, Any]:
        """Subscribe and take the first snapshot."""
        await self._socket.send_json_auto_id({"type": "doorstep/subscribe"})
        answer = await self._socket.receive_json()
        assert answer["success"], answer
        self._subscription = answer["id"]
        return await self.until(bool)

    async def until(self, wanted: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Read snapshots until one is as wanted."""
        async with asyncio.timeout(20):
            while not (self.snapshot and wanted(self.snapshot)):
                self._take(await self._socket.receive_json())
        return self.snapshot

    async def ask(self, command: str, **members: Any) -> Any:
        """Send a command; returns its result, or its error where it has none."""
        await self._socket.send_json_auto_id({"type": f"doorstep/{command}", **members})
        while True:
            answer = await self._socket.receive_json()
            if answer["type"] == "result":
                return answer["result"] if answer["success"] else answer["error"]
            self._take(answer)

    def _take(self, message: dict[str, Any]) -> None:
        assert message["id"] == self._subscription, message
        self.snapshot = message["event"]


async def asked(home: Home, panel: Panel, agency: AgencySimulator) -> str:
    """Follow the feed, confirm the agency; returns the handle of its one open request."""
    await home.finish(await home.begin("feed", {"url": agency.feed_url}))
    snapshot = await panel.until(lambda snapshot: snapshot["requests"])
    (request,) = snapshot["requests"]
    if request["state"] == "quarantined":
        (body,) = snapshot["agencies"]
        await panel.ask(
            "agency/confirm", agency=body["id"], statement_sha256=body["statement_sha256"]
        )
    await panel.until(lambda snapshot: snapshot["requests"][0]["state"] == "open")
    return str(request["handle"])


async def poll(home: Home, agency: AgencySimulator) -> None:
    """Let the next poll of the feed come, and wait until it has asked."""
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    # once the one before has set its timer: none sooner would be heard
    await until(lambda: all(feed._unsub_refresh for feed in entry.runtime_data.feeds))
    before = agency.web.paths.count(CHECKPOINT)
    async_fire_time_changed(home.hass, datetime.now(UTC) + timedelta(minutes=7))
    await until(lambda: agency.web.paths.count(CHECKPOINT) > before)
