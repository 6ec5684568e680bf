"""A picture over HTTP from a camera that asks for a password in one way or another."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import md5, sha256
import logging
import re
import traceback

from aiohttp import ClientSession, encode_basic_auth, web
from aiohttp.test_utils import TestServer, unused_port
import pytest

from custom_components.doorstep.doorbells import snapshot
from custom_components.doorstep.doorbells.snapshot import MAX_PICTURE, fetch_snapshot
from custom_components.doorstep.errors import CameraError

pytestmark = pytest.mark.usefixtures("socket_enabled")

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 300 + b"\xff\xd9"
USER = "door"
PASSWORD = 'p@ss:w/rd "ü"'
SECRET = "s3cret-in-the-query"
NONCE = 'n0n"ce'
BASIC = 'Basic realm="camera"'
DIGEST = 'Digest realm="cam, era", qop="auth", nonce="n0n\\"ce", opaque="o"'

type Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Camera:
    """Answers as it is told and remembers how it was asked."""

    def __init__(self, *challenges: str) -> None:
        self.challenges = challenges
        self.seen: list[str] = []

    async def __call__(self, request: web.Request) -> web.Response:
        login = request.headers.get("Authorization", "")
        self.seen.append(login.partition(" ")[0])
        if self.challenges and not self._lets_in(login, request.path_qs):
            answer = web.Response(status=401, text="<html>who are you?</html>")
            for challenge in self.challenges:
                answer.headers.add("WWW-Authenticate", challenge)
            return answer
        return web.Response(body=JPEG, content_type="image/jpeg")

    def _lets_in(self, login: str, path: str) -> bool:
        if login.startswith("Basic "):
            return bool(login == encode_basic_auth(USER, PASSWORD))
        said = dict(re.findall(r'(\w+)="?((?:\\"|[^",])*)', login))
        if not said:
            return False
        hash_of = sha256 if said["algorithm"] == "SHA-256" else md5
        who, what = (
            hash_of(text.encode()).hexdigest()
            for text in (f"{USER}:cam, era:{PASSWORD}", f"GET:{path}")
        )
        text = f"{who}:{NONCE}:{said['nc']}:{said['cnonce']}:{said['qop']}:{what}"
        return bool(said["response"] == hash_of(text.encode()).hexdigest())


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[str]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url(f"/snap.jpg?key={SECRET}&a=%20b"))


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def ask(session: ClientSession, answer: Answer, password: str = PASSWORD) -> bytes:
    async with serving(answer) as url:
        return await fetch_snapshot(session, url, USER, password)


async def refused(session: ClientSession, answer: Answer) -> CameraError:
    with pytest.raises(CameraError) as caught:
        await ask(session, answer)
    return caught.value


@pytest.mark.parametrize(
    ("challenges", "seen"),
    [
        ((), [""]),
        ((BASIC,), ["", "Basic"]),
        ((BASIC.lower(),), ["", "Basic"]),
        ((DIGEST,), ["", "Digest"]),
        ((DIGEST.replace("Digest", "DIGEST"),), ["", "Digest"]),
        ((f"{DIGEST}, algorithm=SHA-256",), ["", "Digest"]),
        # never in the open where it needn't be
        ((DIGEST, BASIC), ["", "Digest"]),
        ((BASIC, DIGEST), ["", "Digest"]),
        ((f"{BASIC}, {DIGEST}",), ["", "Digest"]),
        ((f"{DIGEST}, {BASIC}",), ["", "Digest"]),
        (("Bearer", BASIC), ["", "Basic"]),
    ],
)
async def test_as_the_camera_asks(
    session: ClientSession, challenges: tuple[str, ...], seen: list[str]
) -> None:
    camera = Camera(*challenges)
    assert await ask(session, camera) == JPEG
    assert camera.seen == seen


@pytest.mark.parametrize("challenge", [BASIC, DIGEST])
async def test_a_wrong_password_is_tried_once(session: ClientSession, challenge: str) -> None:
    camera = Camera(challenge)
    with pytest.raises(CameraError) as caught:
        await ask(session, camera, "wrong")
    assert caught.value.key == "camera_unauthorized"
    assert len(camera.seen) == 2


@pytest.mark.parametrize("challenges", [("Bearer",), ('Negotiate realm="my basic digest x"',)])
async def test_no_way_to_say_who_asks(session: ClientSession, challenges: tuple[str, ...]) -> None:
    camera = Camera(*challenges)
    assert (await refused(session, camera)).key == "camera_unauthorized"
    assert camera.seen == [""]


async def test_no_user_to_ask_as(session: ClientSession) -> None:
    camera = Camera(DIGEST)
    async with serving(camera) as url:
        with pytest.raises(CameraError, match="camera_unauthorized"):
            await fetch_snapshot(session, url)
        assert camera.seen == [""]
        with pytest.raises(CameraError, match="camera_unauthorized"):
            await fetch_snapshot(session, url, USER)
    assert camera.seen == ["", "", "Digest"]


@pytest.mark.parametrize(
    ("challenge", "user", "key"),
    [
        ("Digest nonsense", USER, "camera_unauthorized"),
        ('Digest realm="x"', USER, "snapshot_failed"),
        ('Digest realm="x", nonce="y", algorithm=ROT13', USER, "snapshot_failed"),
        (DIGEST, "who:knows", "camera_unauthorized"),
        (BASIC, "who:knows", "camera_unauthorized"),
    ],
)
async def test_questions_that_have_no_answer(
    session: ClientSession, challenge: str, user: str, key: str
) -> None:
    camera = Camera(challenge)
    async with serving(camera) as url:
        with pytest.raises(CameraError) as caught:
            await fetch_snapshot(session, url, user, PASSWORD)
    assert caught.value.key == key
    assert camera.seen in ([""], [])


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (web.Response(status=403), "camera_unauthorized"),
        (web.Response(status=404), "snapshot_status"),
        (web.Response(status=204), "snapshot_status"),
        (web.Response(status=503, body=JPEG), "snapshot_status"),
        (web.Response(body=b""), "snapshot_not_jpeg"),
        (web.Response(body=b"\xff\xd8"), "snapshot_not_jpeg"),
        (web.Response(body=b"\x89PNG\r\n\x1a\n"), "snapshot_not_jpeg"),
        (web.Response(text="<html>log in</html>", content_type="image/jpeg"), "snapshot_not_jpeg"),
    ],
)
async def test_answers_that_are_no_picture(
    session: ClientSession, answer: web.Response, key: str
) -> None:
    async def once(_request: web.Request) -> web.Response:
        return answer

    error = await refused(session, once)
    assert error.key == key
    assert error.placeholders == ({"status": str(answer.status)} if "status" in key else {})


async def test_nobody_is_followed_elsewhere(session: ClientSession) -> None:
    asked: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    error = await refused(session, elsewhere)
    assert (error.key, error.placeholders) == ("snapshot_status", {"status": "302"})
    assert asked == ["/snap.jpg"]


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
async def test_a_picture_has_an_end(
    session: ClientSession, monkeypatch: pytest.MonkeyPatch, extra: int, *, fits: bool
) -> None:
    assert MAX_PICTURE == 16 * 1024 * 1024
    monkeypatch.setattr(snapshot, "MAX_PICTURE", len(JPEG) - extra)
    if fits:
        assert await ask(session, Camera()) == JPEG
    else:
        assert (await refused(session, Camera())).key == "snapshot_too_large"


async def test_what_is_no_picture_is_not_read_to_its_end(session: ClientSession) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"<html>")
        await asyncio.Event().wait()
        return answer

    async with asyncio.timeout(5):
        assert (await refused(session, endless)).key == "snapshot_not_jpeg"


async def test_a_picture_that_breaks_off(session: ClientSession) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": str(len(JPEG))})
        await answer.prepare(request)
        await answer.write(JPEG[:1000])
        assert request.transport is not None
        request.transport.abort()
        return answer

    assert (await refused(session, half)).key == "snapshot_failed"


@pytest.mark.parametrize("begun", [False, True])
async def test_a_camera_that_sleeps(
    session: ClientSession, monkeypatch: pytest.MonkeyPatch, *, begun: bool
) -> None:
    monkeypatch.setattr(snapshot, "PATIENCE", 0.1)

    async def sleeping(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        if begun:
            await answer.prepare(request)
            await answer.write(JPEG)
        await asyncio.Event().wait()
        return answer

    assert (await refused(session, sleeping)).key == "camera_timeout"


async def test_a_camera_that_sleeps_once_it_knows_who_asks(
    session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = Camera(DIGEST)

    async def sleeping(request: web.Request) -> web.Response:
        if "Authorization" in request.headers:
            await asyncio.Event().wait()
        return await camera(request)

    monkeypatch.setattr(snapshot, "PATIENCE", 0.1)
    assert (await refused(session, sleeping)).key == "camera_timeout"


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/{secret}", "http://[::1/{secret}", "x:/"])
async def test_no_error_and_no_log_tells_a_secret(
    session: ClientSession, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    address = url.format(port=unused_port(), secret=SECRET)
    with pytest.raises(CameraError) as caught:
        await fetch_snapshot(session, address, USER, PASSWORD)
    assert caught.value.key == "snapshot_failed"
    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert SECRET not in told
    assert PASSWORD not in told
