"""TCP forwarding that can be cut: the process behind `cutter.py`."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
from typing import Final

from scripts.children import LOOPBACK

from .orders import obey, settings

CHUNK: Final = 1 << 16

type Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Proxy:
    """Forwards each of ROUTES, pairs of ports, from the first to the second."""

    def __init__(self, routes: list[tuple[int, int]]) -> None:
        """Nothing listens before `listen`."""
        self._routes = routes
        self._servers: list[asyncio.Server] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = asyncio.Event()
        self._open.set()

    async def listen(self) -> None:
        """Accept on all ports that are forwarded."""
        for here, there in self._routes:
            server = await asyncio.start_server(self._forwards(there), LOOPBACK, here)
            self._servers.append(server)

    async def obey(self, order: str) -> str:
        """Cut, refuse or restore."""
        match order:
            case "cut":
                self._open.clear()
            case "refuse":
                self._close()
            case "restore":
                self._open.set()
                if not self._servers:
                    await self.listen()
        return order

    def _close(self) -> None:
        """End all connections as a machine without a listener does: reset, no farewell."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        for writer in self._writers:
            writer.transport.abort()
        self._open.set()

    def _forwards(self, there: int) -> Handler:
        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers.add(writer)
            try:
                await self._join(there, reader, writer)
            except OSError:
                writer.transport.abort()
            finally:
                self._writers.discard(writer)

        return forward

    async def _join(
        self, there: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await self._open.wait()
        there_reader, there_writer = await asyncio.open_connection(LOOPBACK, there)
        self._writers.add(there_writer)
        try:
            await asyncio.gather(self._pour(reader, there_writer), self._pour(there_reader, writer))
        finally:
            self._writers.discard(there_writer)

    async def _pour(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(CHUNK):
                await self._open.wait()
                sink.write(data)
                await sink.drain()
        await self._open.wait()
        sink.close()


async def main(control: int, routes: list[tuple[int, int]]) -> None:
    """Forward until killed."""
    proxy = Proxy(routes)
    await proxy.listen()
    await obey(control, proxy.obey)


if __name__ == "__main__":
    asyncio.run(main(**settings()))
