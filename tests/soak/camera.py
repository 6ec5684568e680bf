"""A camera on loopback that can be killed with: a live film over HTTP, encoded once, at its pace.

Every connection gets it from its beginning, as from a camera that restarts its clock.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
import subprocess

from scripts.children import LOOPBACK, tool

SECONDS = 120
_AHEAD = 1.5  # seconds sent at once: what makes ffmpeg begin at once
_TICK = 0.1
_OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
_MAKE = (
    "-v error -f lavfi -i testsrc2=size=128x96:rate=10 -c:v libx264 -preset ultrafast "
    f"-pix_fmt yuv420p -g 5 -bf 0 -b:v 60k -t {SECONDS} -f matroska -live 1 "
    "-cluster_time_limit 500 -"
)


@cache
def film() -> bytes:
    """Encode the film, once."""
    return subprocess.run([tool("ffmpeg"), *_MAKE.split()], check=True, capture_output=True).stdout


@dataclass
class Camera:
    """Serves while the block of `on` lasts; while it `hangs`, connections stay and are silent."""

    port: int
    hangs: bool = False
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/live"

    @asynccontextmanager
    async def on(self) -> AsyncIterator[None]:
        """Be on the network while the block lasts; then all connections are cut."""
        server = await asyncio.start_server(self._serve, LOOPBACK, self.port)
        try:
            yield
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()
            await server.wait_closed()

    async def forever(self) -> None:
        """Be on until this process is killed."""
        async with self.on():
            await asyncio.Event().wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(_OK)
            await self._play(writer)
        self._writers.discard(writer)
        writer.close()

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        data, begun, sent, hung = film(), asyncio.get_running_loop().time(), 0, 0.0
        while sent < len(data) and not writer.is_closing():
            seconds = asyncio.get_running_loop().time() - begun - hung + _AHEAD
            if self.hangs:
                hung += _TICK
            else:
                due = round(len(data) * seconds / SECONDS)
                writer.write(data[sent:due])
                sent = max(sent, due)
                await writer.drain()
            await asyncio.sleep(_TICK)
