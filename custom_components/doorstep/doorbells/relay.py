"""The way to a camera for everybody who looks at it live: one that can be closed.

Home Assistant's go2rtc lets a WebRTC session go on for as long as its viewer likes, whatever it is
told; what it has no way to fetch any more, it can't show.
"""

import asyncio
from contextlib import suppress
from typing import Final

from homeassistant.core import callback
from yarl import URL

_HERE: Final = "127.0.0.1"
_PORTS: Final = {"rtsp": 554, "rtsps": 322}
_CHUNK: Final = 1 << 16
_PATIENCE: Final = 10.0  # seconds in which the camera has to answer


class Relay:
    """Forwards connections of this machine to one camera, in Home Assistant's event loop."""

    def __init__(self) -> None:
        """Nothing is open yet."""
        self._lock = asyncio.Lock()
        self._ended = False
        self._camera: tuple[str, int] | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def async_open(self, url: str) -> str:
        """Return a URL that leads to the camera of `url` until `async_close`: a secret likewise."""
        target = URL(url)
        camera = target.host or "", target.port or _PORTS[target.scheme]
        async with self._lock:
            if self._server is None or camera != self._camera:
                self.async_close()
                self._camera = camera
                self._server = await asyncio.start_server(self._forward, _HERE, 0)
            port = self._server.sockets[0].getsockname()[1]
            if self._ended:
                self.async_close()
        return str(target.with_host(_HERE).with_port(port))

    @callback
    def async_end(self) -> None:
        """Close it for good: what is just being opened stays closed too."""
        self._ended = True
        self.async_close()

    @callback
    def async_close(self) -> None:
        """Cut everybody off; the next URL is another one, so that nobody comes back by himself."""
        if self._server:
            self._server.close()
            self._server = None
        for task in self._tasks:
            task.cancel()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # a server starts one for each connection
        assert self._camera is not None  # it was known before the server was there
        self._tasks.add(task)
        try:
            async with asyncio.timeout(_PATIENCE):
                there, back = await asyncio.open_connection(*self._camera)
            try:
                await _join((reader, back), (there, writer))
            finally:
                back.transport.abort()
        except OSError:
            pass  # the viewer hears it: the connection ends
        finally:
            self._tasks.discard(task)
            writer.transport.abort()


async def _join(*ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """Pour each reader into its writer until one of them ends."""
    pours = [asyncio.ensure_future(_pour(*way)) for way in ways]
    try:
        await asyncio.wait(pours, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pour in pours:
            pour.cancel()
        await asyncio.gather(*pours, return_exceptions=True)


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
