"""The simulated doorbell, judged by FFmpeg's libraries (PyAV) as any player would."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest

from .simulators.doorbell import DoorbellSimulator
from .simulators.webserver import Reply, WebServer

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def doorbell(tmp_path: Path) -> AsyncIterator[DoorbellSimulator]:
    async with DoorbellSimulator(tmp_path, user="door", password="p@ss:w/rd") as doorbell:
        yield doorbell


@pytest.fixture
async def open_doorbell(tmp_path: Path) -> AsyncIterator[DoorbellSimulator]:
    async with DoorbellSimulator(tmp_path, noisy=True) as doorbell:
        yield doorbell


def packets(url: str, count: int = 40) -> dict[str, int]:
    """Return how many packets of each codec arrive among the first COUNT."""
    options = {"rtsp_transport": "tcp", "analyzeduration": "100000"}
    with av.open(url, options=options, timeout=(1.5, 1)) as stream:
        seen: dict[str, int] = {}
        for packet in stream.demux():
            codec = packet.stream.codec_context.name
            seen[codec] = seen.get(codec, 0) + 1
            if sum(seen.values()) == count:
                break
        return seen


async def test_sends_h264_and_aac(doorbell: DoorbellSimulator) -> None:
    assert "p@ss" not in doorbell.url
    seen = await asyncio.to_thread(packets, doorbell.rtsp_url)
    assert seen.keys() == {"h264", "aac"}


async def test_asks_for_the_password(doorbell: DoorbellSimulator) -> None:
    wrong = doorbell.url.replace("rtsp://", "rtsp://door:wrong@")
    for url in (doorbell.url, wrong):
        with pytest.raises(av.error.HTTPUnauthorizedError):
            await asyncio.to_thread(packets, url)


async def test_freezes_and_thaws(doorbell: DoorbellSimulator) -> None:
    doorbell.freeze()
    with pytest.raises(av.error.FFmpegError) as frozen:
        await asyncio.to_thread(packets, doorbell.rtsp_url)
    assert not isinstance(frozen.value, av.error.ConnectionRefusedError)
    doorbell.thaw()
    assert await asyncio.to_thread(packets, doorbell.rtsp_url)


async def test_dies_and_comes_back(doorbell: DoorbellSimulator) -> None:
    await doorbell.kill()
    with pytest.raises(av.error.ConnectionRefusedError):
        await asyncio.to_thread(packets, doorbell.rtsp_url)
    await doorbell.start()
    assert await asyncio.to_thread(packets, doorbell.rtsp_url)


async def test_needs_no_password_unless_told(open_doorbell: DoorbellSimulator) -> None:
    assert open_doorbell.url == open_doorbell.rtsp_url
    assert await asyncio.to_thread(packets, open_doorbell.url)


async def test_calls_webhooks(tmp_path: Path) -> None:
    doorbell = DoorbellSimulator(tmp_path)
    async with WebServer() as home:
        home.replies["/hook"] = Reply(status=200)
        assert await doorbell.press(home.url + "hook") == 200
        assert await doorbell.motion(home.url + "hook") == 200
        bodies = [request.body for request in home.requests]
    assert bodies == [b'{"event": "ring"}', b'{"event": "motion"}']
