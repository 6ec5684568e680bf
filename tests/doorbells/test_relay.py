"""The way of live view to the camera: once it is closed, nobody comes back by it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from yarl import URL

from custom_components.doorstep.doorbells.relay import Relay

from ..simulators.waiting import until

pytestmark = pytest.mark.usefixtures("socket_enabled")


class Echo:
    """A camera that says back what it hears."""

    def __init__(self) -> None:
        """Not listening yet."""
        self.connected = 0
        self.url = ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one viewer."""
        self.connected += 1
        while data := await reader.read(1 << 16):
            writer.write(data)
        self.connected -= 1
        writer.close()


@pytest.fixture
async def camera() -> AsyncIterator[Echo]:
    echo = Echo()
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    echo.url = f"rtsp://door:s%3Dcret@127.0.0.1:{server.sockets[0].getsockname()[1]}/ch/1?sub=2"
    yield echo
    server.close()
    await until(lambda: echo.connected == 0)


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    relay = Relay()
    yield relay
    relay.async_close()
    await until(lambda: not relay._tasks)


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(URL(url).host, URL(url).port)


async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> bytes:
    writer.write(data)
    return await reader.readexactly(len(data))


async def test_all_of_the_url_but_the_way_stays(relay: Relay, camera: Echo) -> None:
    url = URL(await relay.async_open(camera.url))
    assert url.with_port(URL(camera.url).port) == URL(camera.url)
    assert url.port != URL(camera.url).port
    assert await relay.async_open(camera.url) == str(url)


async def test_several_look_at_once(relay: Relay, camera: Echo) -> None:
    url = await relay.async_open(camera.url)
    first, second = await connect(url), await connect(url)
    picture = bytes(range(256)) * 4096
    heard = await asyncio.gather(said(*first, picture), said(*second, b"x"))
    assert list(heard) == [picture, b"x"]
    first[1].close()
    await until(lambda: camera.connected == 1)
    assert await said(*second, b"still there") == b"still there"
    second[1].close()
    await until(lambda: camera.connected == 0)


async def test_closed_for_everybody_at_once_and_for_good(relay: Relay, camera: Echo) -> None:
    url = await relay.async_open(camera.url)
    viewer = await connect(url)
    assert await said(*viewer, b"door") == b"door"
    relay.async_close()
    with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
        await said(*viewer, b"door")
    await until(lambda: camera.connected == 0)
    with pytest.raises(ConnectionRefusedError):
        await connect(url)
    again = await relay.async_open(camera.url)
    assert again != url
    viewer = await connect(again)
    assert await said(*viewer, b"door") == b"door"
    viewer[1].close()


async def test_what_is_being_opened_at_the_end_stays_closed(relay: Relay, camera: Echo) -> None:
    relay.async_end()
    url = await relay.async_open(camera.url)
    with pytest.raises(ConnectionRefusedError):
        await connect(url)


async def test_another_camera_is_another_way(relay: Relay, camera: Echo) -> None:
    nowhere = await relay.async_open("rtsp://127.0.0.1:1/door")
    reader, _ = await connect(nowhere)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
        await reader.readexactly(1)
    url = await relay.async_open(camera.url)
    assert url != nowhere
    viewer = await connect(url)
    assert await said(*viewer, b"door") == b"door"
    viewer[1].close()


@pytest.mark.parametrize(
    ("url", "camera"),
    [
        ("rtsp://camera.home/door", ("camera.home", 554)),
        ("rtsps://[fd00::7]/door", ("fd00::7", 322)),
        ("rtsps://camera.home:8322/door", ("camera.home", 8322)),
    ],
)
async def test_where_it_leads(relay: Relay, url: str, camera: tuple[str, int]) -> None:
    assert URL(await relay.async_open(url)).scheme == URL(url).scheme
    assert relay._camera == camera
