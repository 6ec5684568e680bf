"""Streams over HTTP and RTMP, and cameras that would have ffmpeg read what isn't theirs."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from custom_components.doorstep.errors import CameraError
from custom_components.doorstep.footage import ffmpeg as module, probe as probing
from custom_components.doorstep.footage.codecs import MJPEG
from custom_components.doorstep.footage.ffmpeg import Form, receive
from custom_components.doorstep.footage.fragments import Fragment
from custom_components.doorstep.footage.probe import Probe, probe
from scripts.children import LOOPBACK, free_port
from tests.simulators.waiting import until

from .conftest import run

pytestmark = pytest.mark.usefixtures("socket_enabled")

type Pages = Mapping[str, bytes]

OK: Final = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
ASK: Final = (
    b"HTTP/1.1 401 Unauthorized\r\n"
    b'WWW-Authenticate: Basic realm="door"\r\nConnection: close\r\n\r\n'
)
NOT_FOUND: Final = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"
M3U: Final = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{}\n#EXT-X-ENDLIST\n"


class Web:
    """A web server of a camera: whole answers by path, perhaps behind a password."""

    def __init__(self, pages: Pages, password: str = "") -> None:
        self.pages = dict(pages)
        self.password = password

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = request.split(" ")[1].partition("?")[0]
        if self.password and self.password not in request:
            writer.write(ASK)
        else:
            writer.write(self.pages.get(path, NOT_FOUND))
        await writer.drain()
        writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self.serve, LOOPBACK, 0)
        async with server:
            yield f"{LOOPBACK}:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def remuxed(ffmpeg: str, encoded: Callable[[str], bytes]) -> Callable[[str], bytes]:
    """Four seconds of video and sound in the container of that name."""

    def make(name: str) -> bytes:
        return run(ffmpeg, "-i", "-", "-c", "copy", "-f", name, "-", stdin=encoded("plain"))

    return make


async def tried(ffmpeg: str, pages: Pages, path: str) -> Probe:
    async with Web(pages).running() as host:
        return await probe(ffmpeg, f"http://{host}{path}", audio=True)


@pytest.mark.parametrize("container", ["mpegts", "flv"])
async def test_a_stream(ffmpeg: str, remuxed: Callable[[str], bytes], container: str) -> None:
    data = remuxed(container)
    found = await tried(ffmpeg, {"/live": OK + data}, "/live?channel=0")
    assert [track.codec[:4] for track in found.tracks] == ["avc1", "mp4a"]
    assert found.bytes_per_second == pytest.approx(len(data) / 4, rel=0.4)


async def test_segments(ffmpeg: str, remuxed: Callable[[str], bytes]) -> None:
    pages = {"/live.m3u8": OK + M3U.format("a.ts").encode(), "/a.ts": OK + remuxed("mpegts")}
    assert len((await tried(ffmpeg, pages, "/live.m3u8")).tracks) == 2


def elsewhere(location: str) -> bytes:
    answer = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nConnection: close\r\n\r\n"
    return answer.encode()


async def test_led_elsewhere_on_the_web(ffmpeg: str, remuxed: Callable[[str], bytes]) -> None:
    pages = {"/live": elsewhere("/there"), "/there": OK + remuxed("mpegts")}
    assert len((await tried(ffmpeg, pages, "/live")).tracks) == 2


TRAPS = {
    "segments": (OK, M3U.format("file://{path}")),
    "segments by name": (OK, M3U.format("{path}")),
    "a list": (OK, "ffconcat version 1.0\nfile '{path}'\n"),
    "a list by address": (OK, "ffconcat version 1.0\nfile 'file:{path}'\n"),
    "another protocol's list": (OK, "ffconcat version 1.0\nfile 'subfile,,start,0,end,0,,:{path}'"),
    "a redirect": (b"HTTP/1.1 302 Found\r\nLocation: file://", "{path}\r\n\r\n"),
    "a redirect by name": (b"HTTP/1.1 302 Found\r\nLocation: ", "{path}\r\n\r\n"),
    "a redirect to a list": (b"HTTP/1.1 302 Found\r\nLocation: concat:", "{path}\r\n\r\n"),
}


@pytest.fixture
def secret(tmp_path: Path, remuxed: Callable[[str], bytes]) -> Path:
    """A film of this host that no camera may have us read."""
    path = tmp_path / "secret.ts"
    path.write_bytes(remuxed("mpegts"))
    return path


def trap(name: str, secret: Path) -> Pages:
    head, rest = TRAPS[name]
    return {"/live.m3u8": head + rest.replace("{path}", str(secret)).encode()}


@pytest.mark.parametrize("name", TRAPS)
async def test_no_file_is_read(ffmpeg: str, secret: Path, name: str) -> None:
    with pytest.raises(CameraError, match="camera_unreachable"):
        await tried(ffmpeg, trap(name, secret), "/live.m3u8")


async def test_the_traps_are_ones(
    ffmpeg: str, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were files allowed, what the camera names would be read."""
    monkeypatch.setitem(module._PROTOCOLS, "http", "http,tcp,file")
    assert (await tried(ffmpeg, trap("segments", secret), "/live.m3u8")).tracks


async def test_the_password_is_for_the_camera_only(
    ffmpeg: str, remuxed: Callable[[str], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    basic = f"Authorization: Basic {b64encode(b'bell:s3cr@et').decode()}"
    async with Web({"/live": OK + remuxed("mpegts")}, basic).running() as host:
        assert (await probe(ffmpeg, f"http://bell:s3cr%40et@{host}/live")).tracks
        with pytest.raises(CameraError, match="camera_unauthorized"):
            await probe(ffmpeg, f"http://bell:wrong@{host}/live")
    assert "s3cr" not in caplog.text


async def test_pictures_one_after_another(ffmpeg: str, jpegs: Callable[..., list[bytes]]) -> None:
    """Over HTTP they have no times; with those of their arrival they are as long as they took."""
    ended, closed = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        kind = b"Content-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
        writer.write(OK[:-2] + kind)
        for jpeg in [*jpegs(), *jpegs(), *jpegs()]:
            part = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
            writer.write(part % len(jpeg) + jpeg + b"\r\n")
            await asyncio.sleep(0.1)
        await ended.wait()
        writer.close()
        closed.set()

    async def take(host: str) -> list[Fragment]:
        found: list[Fragment] = []
        form = Form(sparse=True, untimed=True)
        received = receive(ffmpeg, f"http://{host}/", form, connect=10, stall=10)
        async with aclosing(received):
            async for init, one in received:
                assert init.video.codec == MJPEG
                found.append(one)
                if one.end_seconds >= 1.5:
                    return found
        raise AssertionError

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    async with server:
        found = await take(f"{LOOPBACK}:{server.sockets[0].getsockname()[1]}")
        ended.set()
        await closed.wait()
    assert found[0].start_seconds < 0.2
    frames = sum(one.samples for one in found)
    assert found[-1].end_seconds / frames == pytest.approx(0.1, abs=0.05)


async def test_rtmp(
    monkeypatch: pytest.MonkeyPatch,
    ffmpeg: str,
    remuxed: Callable[[str], bytes],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(probing, "_MEASURING", 0.1)
    (tmp_path / "a.flv").write_bytes(remuxed("flv"))
    address = f"rtmp://{LOOPBACK}:{free_port()}/live/door"
    source = ("-re", "-stream_loop", "-1", "-i", str(tmp_path / "a.flv"))
    camera = await asyncio.create_subprocess_exec(
        *(ffmpeg, "-v", "error", *source, "-c", "copy", "-f", "flv", "-listen", "1", address),
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        found: list[Probe] = []

        async def look() -> None:
            while not found:
                try:
                    found.append(await probe(ffmpeg, address))
                except CameraError as error:
                    assert error.key == "camera_unreachable"  # noqa: PT017 - it listens soon

        task = asyncio.create_task(look())
        await until(lambda: found)
        await task
    finally:
        # it may have ended by itself, when nobody looked any more
        with suppress(ProcessLookupError):
            camera.kill()
        await camera.wait()
    assert found[0].tracks[0].codec.startswith("avc1")
