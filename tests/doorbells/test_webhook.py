"""A device reports through Home Assistant's own HTTP; a picture comes from its snapshot URL."""

import asyncio
from datetime import UTC, datetime, timedelta
import gzip
from pathlib import Path
import ssl
from statistics import median
from time import perf_counter
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from homeassistant.components.webhook import async_handle_webhook
from homeassistant.core import HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.util.aiohttp import MockRequest
import pytest
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.doorstep.doorbells import webhook
from custom_components.doorstep.doorbells.model import Signal
from custom_components.doorstep.doorbells.webhook import (
    DirectSource,
    async_snapshot,
    stream_url,
    webhook_urls,
)
from custom_components.doorstep.errors import CameraError

from .devices import JPEG_PART, NOON, XML_PART, alert, multipart
from .reporting import DATA, PATH, WEBHOOK_ID, Bell, listening

pytestmark = pytest.mark.usefixtures("socket_enabled")

OK = (200, "ok\n")
IGNORED = (200, "ignored\n")
HINT = "event must be one of: ring, motion, motion_on, motion_off\n"
MULTIPART = {"Content-Type": "multipart/form-data; boundary=boundary"}
PICTURE = b"\xff\xd8\xff" + b"\0" * 70_000


@pytest.fixture
async def bell(hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator) -> Bell:
    return await listening(hass, hass_client_no_auth)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
async def test_a_plain_call(bell: Bell, method: str) -> None:
    for kind in ("ring", "motion_on", "motion_off"):
        assert await bell.report(method, f"?event={kind}") == OK
    assert bell.kinds == ["ring", "motion_on", "motion_off"]
    assert bell.heard[0] == Signal(kind="ring", source="webhook")
    assert bell.source.describe()["last_method"] == method


async def test_everything_a_report_can_say(bell: Bell) -> None:
    said = {"event": "ding", "id": 7, "time": "2026-11-23T12:00:00Z", "test": True}
    assert await bell.report("POST", json=said) == OK
    assert bell.heard == [
        Signal(kind="ring", source="webhook", event_id="7", device_time=NOON, test=True)
    ]


@pytest.mark.parametrize(
    "call",
    [
        {"json": {"event": "ring"}},
        {"data": {"event": "ring"}},
        # a body says what it is: what its header says is often wrong
        {"data": b'{"event": "ring"}', "headers": {"Content-Type": "text/plain"}},
        {"data": b'{"event": "ring"}', "headers": {"Content-Type": "x-www-form-urlencoded"}},
        {"data": b"event=ring", "headers": {"Content-Type": ""}},
        {"data": gzip.compress(b"event=ring"), "headers": {"Content-Encoding": "gzip"}},
        {"query": "?event=ring", "data": PICTURE, "headers": {"Content-Type": "image/jpeg"}},
        {"query": "?event=ring", "data": PICTURE},
        {"query": "?event=ring", "json": {"picture": "A" * 70_000}},
    ],
)
async def test_bodies(bell: Bell, call: dict[str, Any]) -> None:
    assert await bell.report("POST", **call) == OK
    assert bell.heard == [Signal(kind="ring", source="webhook")]


async def test_a_body_in_pieces(bell: Bell) -> None:
    async def pieces() -> Any:
        for piece in (b'{"eve', b'nt": "ri', b'ng"}'):
            yield piece
            await asyncio.sleep(0)

    assert await bell.report("POST", data=pieces()) == OK
    assert bell.kinds == ["ring"]


async def test_a_hikvision_camera(bell: Bell) -> None:
    with_picture = multipart((XML_PART, alert("VMD")), (JPEG_PART, PICTURE))
    assert await bell.report("POST", data=with_picture, headers=MULTIPART) == OK
    xml = {"Content-Type": "application/xml"}
    over = alert("VMD", "inactive")
    assert await bell.report("POST", "?event=motion_on", data=over, headers=xml) == OK
    alive = alert("videoloss", "inactive")
    assert await bell.report("POST", "?event=motion_on", data=alive, headers=xml) == IGNORED
    assert bell.kinds == ["motion_on", "motion_off"]
    assert bell.heard[0].device_time == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert bell.source.describe()["refused"] == 0


async def test_reports_that_make_no_sense(bell: Bell) -> None:
    for call in (
        {},
        {"query": "?event=explode"},
        {"method": "POST", "json": {"event": 7}},
        {"method": "POST", "json": ["ring"]},
        {"method": "POST", "data": "{", "headers": {"Content-Type": "application/json"}},
        {"method": "POST", "data": PICTURE, "headers": {"Content-Type": "image/jpeg"}},
        {"method": "POST", "data": b"no gzip", "headers": {"Content-Encoding": "gzip"}},
    ):
        assert await bell.report(**call) == (400, HINT)
    assert bell.heard == []


async def test_what_was_refused_is_counted(bell: Bell) -> None:
    assert bell.source.describe() == {
        "transport": "webhook",
        "last_method": None,
        "snapshot": False,
        "refused": 0,
    }
    assert await bell.report("PUT", data=b"event=ring" + b" " * 70_000) == (413, HINT)
    assert await bell.report() == (400, HINT)
    assert bell.source.describe()["refused"] == 2
    assert bell.source.describe()["last_method"] is None
    assert bell.heard == []


async def test_a_body_that_does_not_come(bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "PATIENCE", 0.1)

    async def stuck() -> Any:
        yield b"event="
        await asyncio.Event().wait()

    assert await bell.report("POST", data=stuck()) == (408, HINT)
    assert bell.heard == []


async def test_a_device_that_hangs_up(bell: Bell) -> None:
    host, port = bell.client.host, bell.client.port
    _, writer = await asyncio.open_connection(host, port)
    head = f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99\r\n\r\nevent=ring"
    writer.write(head.encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert await bell.report(query="?event=motion_on") == OK
    assert bell.kinds == ["motion_on"]


async def test_a_look_whether_it_is_there_does_nothing(bell: Bell) -> None:
    assert await bell.report("HEAD", "?event=ring") == (200, "")
    assert (await bell.report("DELETE", "?event=ring"))[0] == 405
    assert bell.heard == []


async def test_a_call_through_home_assistants_websocket(
    bell: Bell, hass_ws_client: WebSocketGenerator
) -> None:
    socket = await hass_ws_client(bell.hass)
    await socket.send_json_auto_id(
        {
            "type": "webhook/handle",
            "webhook_id": WEBHOOK_ID,
            "method": "POST",
            "body": '{"event": "ring"}',
            "headers": {"Content-Type": "application/json"},
            "query": "",
        }
    )
    answer = await socket.receive_json()
    assert (answer["result"]["status"], answer["result"]["body"]) == OK
    assert bell.kinds == ["ring"]


async def test_starting_and_stopping_again_is_harmless(bell: Bell) -> None:
    again: list[Signal] = []
    bell.source.async_start(again.append, lambda: None)
    assert await bell.report(query="?event=ring") == OK
    assert (len(bell.heard), len(again)) == (0, 1)
    bell.source.async_stop()
    bell.source.async_stop()
    # as for an id that nobody has
    assert await bell.report(query="?event=ring") == (200, "")
    bell.source.async_start(bell.heard.append, lambda: None)
    assert await bell.report(query="?event=ring") == OK
    assert (len(bell.heard), len(again)) == (1, 1)


async def test_one_that_never_started_stops_no_other(bell: Bell) -> None:
    DirectSource(bell.hass, "Its twin", DATA).async_stop()
    assert await bell.report(query="?event=ring") == OK


async def test_a_report_that_is_still_coming_when_it_stops(bell: Bell) -> None:
    rest = asyncio.Event()
    begun = asyncio.Event()

    async def slow() -> Any:
        yield b"event="
        begun.set()
        await rest.wait()
        yield b"ring"

    call = asyncio.create_task(bell.report("POST", data=slow()))
    await begun.wait()
    # the server has begun with the first call once it has answered another
    await bell.report("HEAD")
    bell.source.async_stop()
    rest.set()
    assert await call == (200, "")
    assert bell.heard == []


async def test_it_is_handed_over_in_no_time(bell: Bell) -> None:
    took = []
    for method, query, body in (("GET", "event=ring", b""), ("POST", "", b'{"event": "ring"}')):
        for _ in range(200):
            request = MockRequest(body, "test", method, query_string=query, remote="127.0.0.1")
            started = perf_counter()
            await async_handle_webhook(bell.hass, WEBHOOK_ID, request)
            took.append(perf_counter() - started)
    assert len(bell.heard) == 400
    assert median(took) < 0.0005


async def test_addresses_to_paste(bell: Bell) -> None:
    hass = bell.hass
    await async_process_ha_core_config(hass, {"internal_url": "http://192.168.1.2:8123"})
    assert webhook_urls(hass, WEBHOOK_ID) == {
        kind: f"http://192.168.1.2:8123{PATH}?event={kind}"
        for kind in ("ring", "motion_on", "motion_off")
    }


async def test_addresses_where_home_assistant_knows_none_of_its_own(hass: HomeAssistant) -> None:
    await async_process_ha_core_config(hass, {"external_url": "https://home.example"})
    assert webhook_urls(hass, "abc")["ring"] == "/api/webhook/abc?event=ring"


@pytest.mark.parametrize(
    ("data", "url"),
    [
        (DATA, "rtsp://door:p%40ss%3Aw%2Frd@192.168.1.20:554/stream1"),
        ({"url": "rtsps://cam/1?a=b"}, "rtsps://cam/1?a=b"),
        ({"url": "rtsp://cam/1", "username": "", "password": "x"}, "rtsp://cam/1"),
        ({"url": "rtsp://cam/1", "username": "me"}, "rtsp://me@cam/1"),
    ],
)
async def test_the_stream_and_who_asks_for_it(
    hass: HomeAssistant, data: dict[str, str], url: str
) -> None:
    assert stream_url(data) == url
    assert await DirectSource(hass, "Front door", data).async_stream_source() == url


async def test_what_it_always_is(hass: HomeAssistant) -> None:
    source = DirectSource(hass, "Front door", DATA)
    assert (source.capture, source.available, source.device_id) == ("stream", True, None)
    assert source.problem() is None


async def test_a_picture_from_the_snapshot_url(hass: HomeAssistant) -> None:
    asked: list[str | None] = []

    async def camera(request: web.Request) -> web.Response:
        asked.append(request.headers.get("Authorization"))
        if asked == [None]:
            return web.Response(status=401, headers={"WWW-Authenticate": "Basic realm=x"})
        return web.Response(body=PICTURE)

    app = web.Application()
    app.router.add_get("/snap.jpg", camera)
    async with TestServer(app, host="127.0.0.1") as server:
        data = DATA | {"snapshot_url": str(server.make_url("/snap.jpg"))}
        source = DirectSource(hass, "Front door", data)
        assert await source.async_still() == PICTURE
    assert asked == [None, "Basic ZG9vcjpwQHNzOncvcmQ="]
    assert source.describe()["snapshot"] is True


def self_signed(folder: Path) -> ssl.SSLContext:
    """As a camera has it out of the box."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "camera")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "camera.pem"
    pem = serialization.Encoding.PEM
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(pem, form, serialization.NoEncryption())
    file.write_bytes(secret + certificate.public_bytes(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


async def test_a_camera_that_signed_its_own_certificate(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    async def camera(_request: web.Request) -> web.Response:
        return web.Response(body=PICTURE)

    app = web.Application()
    app.router.add_get("/snap.jpg", camera)
    server = TestServer(app, host="127.0.0.1", scheme="https")
    await server.start_server(ssl=self_signed(tmp_path))
    try:
        url = str(server.make_url("/snap.jpg"))
        assert await async_snapshot(hass, {"snapshot_url": url}) == PICTURE
    finally:
        await server.close()


@pytest.mark.parametrize("data", [DATA, DATA | {"snapshot_url": ""}])
async def test_no_snapshot_url(hass: HomeAssistant, data: dict[str, str]) -> None:
    with pytest.raises(CameraError, match="camera_no_picture"):
        await DirectSource(hass, "Front door", data).async_still()
    with pytest.raises(CameraError, match="camera_no_picture"):
        await async_snapshot(hass, data)


async def test_diagnostics_hold_no_secret(bell: Bell) -> None:
    await bell.report("POST", "?event=ring&id=abc")
    text = str(bell.source.describe())
    for secret in (WEBHOOK_ID, "p@ss", "door", "192.168", "abc"):
        assert secret not in text
