"""A small tus 1.0.0 server on loopback that misbehaves as a test tells it to."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

type Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


@dataclass
class FakeReceiver:
    """Uploads in memory; `faults` answer instead of it, one request each, while they last.

    `requests` are (method, path); `uploads` map a path to what has arrived there.
    """

    requests: list[tuple[str, str]] = field(default_factory=list)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    metadata: list[str] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    receipts: dict[str, bytes] = field(default_factory=dict)
    port: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.over.set()
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/files"

    @property
    def template(self) -> str:
        return f"http://127.0.0.1:{self.port}/receipts/{{package_sha256}}.jws"

    def fault(self, method: str, answer: Fault, times: int = 1) -> None:
        """Answer the next requests of a method like this."""
        self.faults.setdefault(method, []).extend([answer] * times)

    def methods(self) -> list[str]:
        return [method for method, _ in self.requests]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path))
        waiting = self.faults.get(request.method)
        if waiting and (answer := await waiting.pop(0)(request)):
            return answer
        match request.method:
            case "POST":
                return self._create(request)
            case "HEAD":
                return self._head(request)
            case "PATCH":
                return await self._patch(request)
        token = self.receipts.get(request.path)
        return web.Response(body=token) if token else web.Response(status=404)

    def _create(self, request: web.Request) -> web.Response:
        path = f"/files/{len(self.sizes)}"
        self.sizes[path] = int(request.headers["Upload-Length"])
        self.uploads[path] = bytearray()
        self.metadata.append(request.headers["Upload-Metadata"])
        return web.Response(status=201, headers={"Location": path})

    def _head(self, request: web.Request) -> web.Response:
        if request.path not in self.uploads:
            return web.Response(status=404)
        offset, size = len(self.uploads[request.path]), self.sizes[request.path]
        headers = {"Upload-Offset": str(offset), "Upload-Length": str(size)}
        return web.Response(status=200, headers=headers)

    async def _patch(self, request: web.Request) -> web.Response:
        got = self.uploads.get(request.path)
        if got is None:
            return web.Response(status=404)
        if request.headers["Upload-Offset"] != str(len(got)):
            return web.Response(status=409)
        assert request.headers["Content-Type"] == "application/offset+octet-stream"
        assert request.headers["Tus-Resumable"] == "1.0.0"
        with contextlib.suppress(ConnectionError):
            async for chunk in request.content.iter_any():
                got += chunk
        return web.Response(status=204, headers={"Upload-Offset": str(len(got))})


def status(code: int, **headers: str) -> Fault:
    """Answer with a status and headers (`_` stands for `-`), the body unread."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=code, headers=named)

    return answer


def swallow(code: int, **headers: str) -> Fault:
    """Read the body, keep nothing of it, answer with a status."""
    after = status(code, **headers)

    async def answer(request: web.Request) -> web.StreamResponse | None:
        await request.read()
        return await after(request)

    return answer


async def hang_up(request: web.Request) -> web.Response:
    """Close the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
