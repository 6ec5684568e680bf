"""Whoever knows the address may ring the bell; nothing that is posted does more than that."""

import asyncio
from datetime import UTC, datetime
import gzip
from time import perf_counter
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.doorstep.doorbells.dedupe import Deduplicator

from ..doorbells.devices import alert
from ..doorbells.reporting import Bell, listening

pytestmark = pytest.mark.usefixtures("socket_enabled")

BOMB = b"""<?xml version="1.0"?><!DOCTYPE e [<!ENTITY a "VMD">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">]>
<EventNotificationAlert><eventType>&e;</eventType><eventState>active</eventState>
</EventNotificationAlert>"""
OUTSIDE = b"""<!DOCTYPE e [<!ENTITY a SYSTEM "%s">]><EventNotificationAlert>
<eventType>&a;</eventType><eventState>active</eventState></EventNotificationAlert>"""
XML = {"Content-Type": "application/xml"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def bell(hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator) -> Bell:
    return await listening(hass, hass_client_no_auth)


@pytest.mark.parametrize(
    "body", [BOMB, OUTSIDE % b"file:///etc/passwd", OUTSIDE % b"http://127.0.0.1:1/"]
)
async def test_xml_that_wants_to_be_expanded(bell: Bell, body: bytes) -> None:
    """Nothing is expanded, read or fetched: the egress ledger hears of it if it were."""
    assert (await bell.report("POST", data=body, headers=XML))[0] == 400
    assert bell.heard == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"event=ring&" + b"a" * 300_000, {}),
        (b'{"event": "ring", "x": "' + b"a" * 300_000 + b'"}', JSON),
        (alert("VMD") + b" " * 300_000, XML),
        (b"--b\r\n\r\n" + b"a" * 300_000, {"Content-Type": "multipart/form-data; boundary=b"}),
        (gzip.compress(b"event=ring&a=" + b"a" * 12_000_000), {"Content-Encoding": "gzip"}),
    ],
)
async def test_bodies_that_never_end(bell: Bell, body: bytes, headers: dict[str, str]) -> None:
    assert (await bell.report("POST", data=body, headers=headers))[0] == 413
    assert bell.heard == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"[" * 60_000, JSON),
        (b'{"event":' * 7_000, JSON),
        (b'{"event": "ring", "id": ' + b"9" * 60_000 + b"}e", JSON),
        (b"&" * 60_000, {}),
        (b"<EventNotificationAlert>" + b"<eventType>" * 5_000, XML),
        (b"--" + b"\r\n--" * 15_000, {"Content-Type": "multipart/form-data"}),
        (b"\xff" * 60_000, {"Content-Type": "\u00ff; charset=utf-7"}),
    ],
)
async def test_bodies_that_want_to_keep_it_busy(
    bell: Bell, body: bytes, headers: dict[str, str]
) -> None:
    started = perf_counter()
    assert (await bell.report("POST", data=body, headers=headers))[0] == 400
    assert perf_counter() - started < 1
    assert bell.heard == []


async def test_many_who_never_finish_hold_up_nobody(bell: Bell) -> None:
    async def endless() -> None:
        _, writer = await asyncio.open_connection(bell.client.host, bell.client.port)
        path = f"/api/webhook/{bell.source._data['webhook_id']}"
        writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\ne".encode())
        await asyncio.Event().wait()

    stuck = [asyncio.create_task(endless()) for _ in range(50)]
    try:
        async with asyncio.timeout(3):
            assert (await bell.report("POST", data=b"event=ring"))[0] == 200
    finally:
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
    assert bell.kinds == ["ring"]


async def test_a_report_that_is_sent_again_is_the_same_event(bell: Bell) -> None:
    """Recorded on the network and posted later, however it is wrapped."""
    recorded: list[dict[str, Any]] = [
        {"json": {"event": "ring", "id": "4711"}},
        {"data": {"event": "doorbell", "event_id": "4711"}},
        {"query": "?event=press&id=4711&time=2026-11-23T12:00:00Z"},
        {"json": {"event": "ring", "timestamp": 1795435200}},
        {"json": {"event": "ring", "time": "2026-11-23T13:00:00+01:00"}},
        {"data": alert("doorbell"), "headers": XML},
    ]
    for call in recorded:
        assert (await bell.report("POST", **call))[0] == 200
    known = Deduplicator()
    now = datetime.now(UTC)
    assert [known.is_new(signal, now) for signal in bell.heard] == [
        True,
        False,
        False,
        True,
        False,
        False,
    ]


async def test_nothing_that_is_posted_is_shown(
    bell: Bell, caplog: pytest.LogCaptureFixture
) -> None:
    marked = {"event": "<script>marked</script>", "id": "marked"}
    _, text = await bell.report("POST", "?event=marked", json=marked)
    assert "marked" not in text
    assert "marked" not in str(bell.source.describe())
    assert "script" not in caplog.text
