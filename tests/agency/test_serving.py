"""The demonstration server over real HTTP: files, tus 1.0.0, receipts, restarts."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
import hashlib
import json
from pathlib import Path
import socket
import ssl
import subprocess
import sys
import time
from typing import Any

import aiohttp
import pytest

from agency import receipt, requests
from agency.desk import Desk
from agency.errors import AgencyError
from agency.server import Server, Settings
from agency.uploads import Uploads
from agency.web import Handler, Site
from scripts.children import ROOT, free_port

from .conftest import ASK, INIT
from .judge import audited, statement, verified
from .packages import RELEASE, Home

pytestmark = pytest.mark.usefixtures("socket_enabled")

TUS = {"Tus-Resumable": "1.0.0"}
PATCH = TUS | {"Content-Type": "application/offset+octet-stream"}
LIMIT = 1 << 20

type Run = Callable[..., tuple[int, str]]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def folder(tmp_path: Path, run: Run, port: int) -> Path:
    """An agency with one request, whose base URL is the port it is served on."""
    folder = tmp_path / "desk"
    run("init", folder, *INIT, "--base-url", f"http://127.0.0.1:{port}")
    run("statement", folder)
    run("ask", folder, *ASK)
    return folder


@pytest.fixture
def package(folder: Path, tmp_path: Path) -> bytes:
    return Home(folder).pack(tmp_path / "release.age").read_bytes()


def settings(**changes: Any) -> Settings:
    return Settings(**{"host": "127.0.0.1", "port": None, "max_bytes": LIMIT, **changes})


@pytest.fixture
async def http(folder: Path, port: int) -> AsyncIterator[aiohttp.ClientSession]:
    server = Server(Desk(folder), settings())
    server.start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session
    await asyncio.to_thread(server.stop)


def announced(folder: Path, package: bytes, **changes: str) -> dict[str, str]:
    """Return the headers of a creation as the protocol wants them."""
    facts = {
        "request": requests.find(Desk(folder), "last").urn,
        "release": RELEASE,
        "sha256": hashlib.sha256(package).hexdigest(),
        "filename": "release.age",
        **changes,
    }
    pairs = [f"{name} {b64encode(value.encode()).decode()}" for name, value in facts.items()]
    return TUS | {"Upload-Length": str(len(package)), "Upload-Metadata": ",".join(pairs)}


async def create(http: aiohttp.ClientSession, folder: Path, package: bytes) -> str:
    async with http.post("/uploads/", headers=announced(folder, package)) as answer:
        assert answer.status == 201
        assert answer.headers["Tus-Resumable"] == "1.0.0"
        return answer.headers["Location"]


async def send(http: aiohttp.ClientSession, url: str, offset: int, data: bytes) -> int:
    headers = PATCH | {"Upload-Offset": str(offset)}
    async with http.patch(url, headers=headers, data=data) as answer:
        return answer.status


async def offset(http: aiohttp.ClientSession, url: str) -> int:
    async with http.head(url, headers=TUS) as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        return int(answer.headers["Upload-Offset"])


async def receipt_of(http: aiohttp.ClientSession, package: bytes) -> bytes:
    url = f"/receipts/{hashlib.sha256(package).hexdigest()}.jws"
    for _ in range(200):
        async with http.get(url) as answer:
            if answer.status == 200:
                return await answer.read()
        await asyncio.sleep(0.02)
    pytest.fail("no receipt")


async def test_the_whole_public_folder_and_nothing_else(
    http: aiohttp.ClientSession, folder: Path
) -> None:
    for path in (folder / "public").rglob("*"):
        if path.is_file():
            name = path.relative_to(folder / "public").as_posix()
            async with http.get(f"/{name}") as answer:
                assert answer.status == 200
                assert await answer.read() == path.read_bytes()
            async with http.head(f"/{name}") as answer:
                assert answer.headers["Content-Length"] == str(path.stat().st_size)
    async with http.get("/feed.json") as answer:
        assert answer.content_type == "application/json"


@pytest.mark.parametrize(
    "path",
    [
        "/../private/log.pem",
        "/%2e%2e/private/log.pem",
        "/..%2fprivate%2flog.pem",
        "/2026/../../private/log.pem",
        "//etc/passwd",
        "/%00",
        "/" + "x" * 5000,
        "/",
        "/2026",
        "/none",
        "/uploads/",
        "/uploads/..%2f..%2fagency",
    ],
)
async def test_paths_that_lead_nowhere(http: aiohttp.ClientSession, port: int, path: str) -> None:
    """Sent raw: a client library would tidy such paths up."""
    assert not http.closed
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"PRIVATE" not in answer


async def test_what_of_tus_is_spoken(http: aiohttp.ClientSession) -> None:
    async with http.options("/uploads/") as answer:
        assert answer.status == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Extension"] == "creation"
        assert answer.headers["Tus-Max-Size"] == str(LIMIT)


async def test_a_package_in_pieces_gets_a_receipt(
    http: aiohttp.ClientSession, folder: Path, package: bytes, port: int
) -> None:
    url = await create(http, folder, package)
    assert url.startswith(f"http://127.0.0.1:{port}/uploads/")
    assert await offset(http, url) == 0
    assert await send(http, url, 0, package[:1000]) == 204
    assert await send(http, url, 0, package[:1000]) == 409
    assert await offset(http, url) == 1000
    assert await send(http, url, 1000, package[1000:]) == 204
    token = await receipt_of(http, package)
    assert await offset(http, url) == len(package)
    header, said = verified(token, statement(folder)["keys"][0]["jwk"])
    assert header["typ"] == "receipt+jws"
    [evidence] = (folder / "evidence").iterdir()
    release = evidence / "opened" / f"release-{RELEASE}" / "metadata" / "release.json"
    assert said == {
        "v": 1,
        "release": RELEASE,
        "request": requests.find(Desk(folder), "last").urn,
        "package_sha256": hashlib.sha256(package).hexdigest(),
        "release_sha256": hashlib.sha256(release.read_bytes()).hexdigest(),
        "received_at": said["received_at"],
        "evidence_id": evidence.name,
        "terms_accepted": True,
    }
    for _ in range(100):
        if (evidence / "release.age").exists():
            break
        await asyncio.sleep(0.02)
    assert (evidence / "release.age").read_bytes() == package
    assert "GOOD" in (evidence / "report.txt").read_text()


async def test_the_same_package_again_changes_no_receipt(
    http: aiohttp.ClientSession, folder: Path, package: bytes
) -> None:
    for _ in range(2):
        url = await create(http, folder, package)
        assert await send(http, url, 0, package) == 204
    first = await receipt_of(http, package)
    for _ in range(100):
        if not list((folder / "incoming").glob("*.part")):
            break
        await asyncio.sleep(0.02)
    assert await receipt_of(http, package) == first
    assert len(list((folder / "evidence").iterdir())) == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Tus-Resumable": "0.9.0"}, 412),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "\u0661"}, 400),
        ({"Upload-Length": str(LIMIT + 1)}, 413),
        ({"Upload-Metadata": ""}, 403),
        ({"Upload-Metadata": "request !"}, 400),
        ({"Upload-Metadata": "request /w=="}, 400),
        ({"Upload-Metadata": "a " * 3000}, 400),
    ],
)
async def test_uploads_that_are_not_wanted(
    http: aiohttp.ClientSession, folder: Path, changes: dict[str, str], status: int
) -> None:
    headers = announced(folder, b"x") | changes
    async with http.post("/uploads/", headers=headers) as answer:
        assert answer.status == status
    assert list((folder / "incoming").iterdir()) == []


async def test_uploads_for_nothing_we_asked(http: aiohttp.ClientSession, folder: Path) -> None:
    headers = announced(folder, b"x", request="urn:uuid:00000000-0000-4000-8000-000000000000")
    async with http.post("/uploads/", headers=headers) as answer:
        assert answer.status == 403
    async with http.post("/uploads/", headers=announced(folder, b"x", sha256="x")) as answer:
        assert answer.status == 400
    async with http.post("/elsewhere/", headers=announced(folder, b"x")) as answer:
        assert answer.status == 404


async def test_patches_that_do_not_fit(
    http: aiohttp.ClientSession, folder: Path, package: bytes
) -> None:
    url = await create(http, folder, package)
    assert await send(http, url, 1, b"x") == 409
    assert await send(http, url, 0, package + b"x") == 413
    assert await send(http, f"{url[:-32]}{'0' * 32}", 0, b"x") == 404
    async with http.head(f"{url[:-1]}", headers=TUS) as answer:
        assert answer.status == 404
    async with http.patch(url, headers=TUS | {"Upload-Offset": "0"}, data=b"x") as answer:
        assert answer.status == 415
    async with http.patch(url, headers={"Upload-Offset": "0"}, data=b"x") as answer:
        assert answer.status == 412

    async def chunked() -> AsyncIterator[bytes]:
        yield b"x"

    headers = PATCH | {"Upload-Offset": "0"}
    async with http.patch(url, headers=headers, data=chunked()) as answer:
        assert answer.status == 411
    assert await offset(http, url) == 0


async def test_a_broken_line_keeps_what_came(
    http: aiohttp.ClientSession, folder: Path, package: bytes, port: int
) -> None:
    url = await create(http, folder, package)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = [f"PATCH {url} HTTP/1.1", "Host: a", f"Content-Length: {len(package)}"]
    head += [f"{name}: {value}" for name, value in PATCH.items()]
    writer.write("\r\n".join([*head, "Upload-Offset: 0", "", ""]).encode() + package[:3000])
    await writer.drain()
    part = folder / "incoming" / f"{url[-32:]}.part"
    for _ in range(200):
        if part.stat().st_size == 3000:
            break
        await asyncio.sleep(0.01)
    assert await send(http, url, 3000, b"x") == 423
    writer.transport.abort()
    assert await offset(http, url) == 3000
    status = 423
    while status == 423:
        status = await send(http, url, 3000, package[3000:])
    assert status == 204
    await receipt_of(http, package)


async def test_damaged_and_bad_packages_get_no_receipt(
    http: aiohttp.ClientSession, folder: Path, package: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    url = await create(http, folder, package)
    await send(http, url, 0, bytes(len(package)))
    noise = bytes(5000)
    url = await create(http, folder, noise)
    await send(http, url, 0, noise)
    for _ in range(100):
        if len(list((folder / "evidence").rglob("*.age"))) == 2:
            break
        await asyncio.sleep(0.02)
    said = capsys.readouterr().out
    assert "arrived damaged" in said
    assert "NOT answered" in said
    assert not (folder / "public" / "receipts").exists()
    [report] = (folder / "evidence").rglob("report.txt")
    assert "no age file" in report.read_text()


def test_what_an_earlier_run_left_is_taken_up(folder: Path, package: bytes) -> None:
    uploads = Uploads(folder / "incoming", LIMIT)
    digest = hashlib.sha256(package).hexdigest()
    upload = uploads.create(len(package), {"sha256": digest})
    upload.path.write_bytes(package)
    (folder / "evidence" / f"E-{digest[:16].upper()}" / "opening").mkdir(parents=True)
    server = Server(Desk(folder), settings())
    server.start()
    for _ in range(200):
        if not upload.path.exists():
            break
        time.sleep(0.02)
    server.stop()
    server.wait()
    assert (folder / "public" / "receipts" / f"{digest}.jws").exists()
    assert uploads.find(upload.id) is not None
    assert not upload.complete


def test_a_power_cut_during_taking_in(
    folder: Path, package: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(package).hexdigest()
    upload = Uploads(folder / "incoming", LIMIT).create(len(package), {"sha256": digest})
    upload.path.write_bytes(package)
    replace = Path.replace

    def cut(*_: object) -> None:
        raise OSError(5, "power cut")

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(OSError, match="power cut"):
        receipt.take_in(Desk(folder), upload)
    monkeypatch.setattr(Path, "replace", replace)
    token = (folder / "public" / "receipts" / f"{digest}.jws").read_bytes()
    assert "answered with a receipt" in receipt.take_in(Desk(folder), upload)
    assert (folder / "public" / "receipts" / f"{digest}.jws").read_bytes() == token


def test_too_many_unfinished_uploads(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agency.uploads._MAX_OPEN", 2)
    uploads = Uploads(folder / "incoming", LIMIT)
    for _ in range(2):
        uploads.create(1, {"sha256": "0" * 64})
    with pytest.raises(AgencyError, match="too many"):
        uploads.create(1, {"sha256": "0" * 64})


def test_a_server_survives_what_goes_wrong_behind_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise AgencyError("the disk is full")

    monkeypatch.setattr(requests, "refresh", broken)
    monkeypatch.setattr(receipt, "take_in", broken)
    upload = Uploads(folder / "incoming", LIMIT).create(0, {"sha256": "0" * 64})
    assert upload.complete
    server = Server(Desk(folder), settings())
    server.start()
    said = ""
    for _ in range(100):
        said += capsys.readouterr().out
        if said.count("the disk is full") == 2:
            break
        time.sleep(0.02)
    server.stop()
    assert "Could not cosign the log: the disk is full" in said
    assert "Could not take in an upload: the disk is full" in said


def test_a_port_that_is_taken(folder: Path, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(AgencyError, match="cannot listen on"):
            Server(Desk(folder), settings())


def self_signed(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-subj", "/CN=desk", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


async def test_tls(folder: Path, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    tls = free_port()
    server = Server(Desk(folder), settings(port=tls, certificate=certificate, key=key))
    server.start()
    # A client that never says anything must not keep the others waiting.
    silent = socket.create_connection(("127.0.0.1", tls))
    context = ssl.create_default_context(cafile=str(certificate))
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"https://127.0.0.1:{tls}/feed.json", ssl=context) as answer,
    ):
        assert json.loads(await answer.text())["version"] == 1
    silent.close()
    await asyncio.to_thread(server.stop)
    with pytest.raises(AgencyError, match="cannot use the certificate"):
        Server(Desk(folder), settings(port=free_port(), certificate=key))


async def test_killed_in_the_middle_of_an_upload(folder: Path, package: bytes, port: int) -> None:
    """The command as people start it, ended by SIGKILL and by SIGINT."""
    command = [sys.executable, "-m", "agency", "serve", str(folder)]
    first = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=subprocess.PIPE)
    assert first.stdout is not None
    assert b"Serving Example Police" in await first.stdout.readline()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        url = await create(http, folder, package)
        assert await send(http, url, 0, package[:2000]) == 204
    first.kill()
    await first.wait()
    again = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=subprocess.PIPE)
    assert again.stdout is not None
    await again.stdout.readline()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        assert await offset(http, url) == 2000
        assert await send(http, url, 2000, package[2000:]) == 204
        await receipt_of(http, package)
    again.send_signal(2)
    assert await again.wait() == 0
    assert len(audited(folder, max_age=60)) == 2


def test_serve_until_interrupted(
    folder: Path, run: Run, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: Server) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, "wait", interrupt)
    code, told = run("serve", folder)
    assert code == 0
    assert f"Homes are given http://127.0.0.1:{port}/feed.json" in told


async def test_faults_are_told_and_hang_ups_are_not(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for fault in (ConnectionResetError(), ValueError("a fault of ours")):

        def break_down(_: Handler, fault: Exception = fault) -> None:
            raise fault

        monkeypatch.setattr(Handler, "_file", break_down)
        with pytest.raises(aiohttp.ClientError):
            await http.get("/feed.json")
        told.append("".join(capsys.readouterr()))
    assert told[0] == ""
    assert "a fault of ours" in told[1]
    assert "127.0.0.1" not in told[1]


def test_site_knows_its_path(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, 1)
    site = Site(tmp_path, uploads, "https://a.example/x/up/", bool, print)
    assert site.path == "/x/up/"
