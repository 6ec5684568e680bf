"""A static web server in memory that remembers every request it was sent."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Self

from aiohttp import web

from scripts.children import LOOPBACK, free_port

CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came: PATH with its query; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a path answers instead of its file.

    With LENGTH the body is repeated up to that many bytes and sent without a Content-Length, as a
    server would that wants to fill its reader's memory. With HANG nothing is ever answered.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    hang: bool = False


type Answer = Callable[[Request], Reply]


class WebServer:
    """`files` are answered to GET and HEAD, `replies` take their place, `answers` are asked last.

    All three are keyed by path; a key of `answers` counts for every path that begins with it.
    """

    def __init__(self) -> None:
        """Choose a port; nothing listens before `start`."""
        self.port = free_port()
        self.files: dict[str, bytes] = {}
        self.replies: dict[str, Reply] = {}
        self.answers: dict[str, Answer] = {}
        self.requests: list[Request] = []
        self._runner: web.ServerRunner | None = None
        self._stopping = asyncio.Event()

    @property
    def url(self) -> str:
        """Return the base URL, with a slash at its end."""
        return f"http://{LOOPBACK}:{self.port}/"

    @property
    def paths(self) -> list[str]:
        """Return the paths that were asked for, oldest first."""
        return [request.path for request in self.requests]

    async def __aenter__(self) -> Self:
        """Listen."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Listen no more."""
        await self.stop()

    async def start(self) -> None:
        """Listen on loopback."""
        self._stopping.clear()
        self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self.port).start()

    async def stop(self) -> None:
        """Close every connection and the port; `start` opens the same port again."""
        self._stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        told = Request(
            method=request.method,
            path=request.path_qs,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
            at=datetime.now(UTC),
        )
        self.requests.append(told)
        reply = self._reply(told)
        if reply.hang:
            await self._stopping.wait()
        return await _send(request, reply)

    def _reply(self, request: Request) -> Reply:
        path = request.path.partition("?")[0]
        if path in self.replies:
            return self.replies[path]
        if path in self.files and request.method in {"GET", "HEAD"}:
            return Reply(body=self.files[path])
        for prefix, answer in self.answers.items():
            if path.startswith(prefix):
                return answer(request)
        return Reply(status=404)


async def _send(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    if reply.length is None:
        return web.Response(body=reply.body, status=reply.status, headers=reply.headers)
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.enable_chunked_encoding()
    await response.prepare(request)
    for part in _repeat(reply.body or b"\0", reply.length):
        await response.write(part)
    return response


def _repeat(pattern: bytes, length: int) -> Iterable[bytes]:
    chunk = pattern * max(1, CHUNK // len(pattern))
    for start in range(0, length, len(chunk)):
        yield chunk[: length - start]
