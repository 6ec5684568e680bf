"""The whole way of a request through a running Home Assistant, with a real agency at the end."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from .homes import Home, Panel, add_clip, move_in, prepare
from .simulators.agency import AgencySimulator
from .simulators.waiting import until

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def agency(tmp_path: Path) -> AsyncIterator[AgencySimulator]:
    async with AgencySimulator(tmp_path / "agency") as agency:
        agency.publish_statement()
        yield agency


@pytest.fixture
async def home(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
    tmp_path: Path,
    recording: bytes,
) -> Home:
    """A household with a clip of the minute from 20 to 19 minutes ago."""
    home = await prepare(hass, hass_client, tmp_path / "library")
    add_clip(home.library, recording, datetime.now(UTC) - timedelta(minutes=20))
    await move_in(home, hass_admin_user)
    return home


@pytest.fixture
async def panel(home: Home, hass_ws_client: WebSocketGenerator) -> Panel:
    panel = Panel(await hass_ws_client(home.hass))
    await panel.open()
    return panel


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


async def test_from_request_to_receipt(home: Home, panel: Panel, agency: AgencySimulator) -> None:
    asked_for = agency.ask()
    handle = await asked(home, panel, agency)

    draft = await panel.ask("release/draft", handle=handle)
    print(draft)
    assert "Exampleville Police Department" in draft["sentence"]
    assert draft["identity"] == "none"
    assert draft["audio"] is False
    (clip,) = draft["clips"]
    response = await home.client.get(clip["video"], headers={"Range": "bytes=0-99"})
    assert response.status == HTTPStatus.PARTIAL_CONTENT
    assert len(await response.read()) == 100

    approval = {"handle": handle, "release": draft["release"], "digest": draft["digest"]}
    assert await panel.ask("release/approve", **approval, watched=True) is None
    granted = await panel.until(lambda snapshot: snapshot["releases"])
    assert granted["releases"][0]["state"] == "granted"
    assert agency.receiver.requests() == []

    await until(lambda: agency.packages() or agency.refused)
    assert agency.refused == {}
    (package,) = agency.packages()
    assert package.release["statement"]["request"] == asked_for["id"]
    assert package.release["decision"]["statement_sha256"] == draft["digest"]

    done = await panel.until(lambda snapshot: snapshot["releases"][0]["state"] == "acknowledged")
    assert done["releases"][0]["evidence_id"].startswith("EX-")
    assert done["requests"][0]["state"] == "answered"
    assert (await panel.ask("ledger/verify"))["ok"] is True
