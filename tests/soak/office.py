"""The agency's office: a tus 1.0.0 receiver whose uploads lie on disk, and the receipts for them.

Before each answer it asks its `trouble` what to do instead; it keeps one upload per file, as long
as what has arrived of it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
import os
from pathlib import Path

from aiohttp import web

from tests.simulators.signing import Signer

LOOPBACK = "127.0.0.1"
type Trouble = Callable[[str], str | None]


@dataclass
class Office:
    """`whole` are the uploads that ever had all their bytes; `receipt` is what a receipt says."""

    folder: Path
    port: int
    signer: Signer
    receipt: dict[str, object] = field(default_factory=dict)
    trouble: Trouble = lambda _: None
    heard: Callable[[int], None] = lambda _: None
    whole: list[str] = field(default_factory=list)
    _busy: set[str] = field(default_factory=set)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def base(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Listen while the block lasts."""
        self.folder.mkdir(exist_ok=True)
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.05)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, self.port, reuse_address=True).start()
        try:
            yield
        finally:
            self._over.set()
            await runner.cleanup()

    def uploads(self) -> list[bytes]:
        """What lies there, whole or not."""
        return [path.read_bytes() for path in sorted(self.folder.glob("*.part"))]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.heard(0)
        trouble = self.trouble(request.method) or ""
        match trouble.partition(" "):
            case ("status", _, code):
                return web.Response(status=int(code), headers={"Location": "/files/9"})
            case ("stall", _, _):
                await self._over.wait()
            case ("hang-up", _, _):
                return _hang_up(request)
            case ("forget", _, code):
                await request.read()
                self._part(request).unlink(missing_ok=True)
                return web.Response(status=int(code))
            case ("swallow", _, _):
                end = int(request.headers.get("Upload-Offset", 0)) + len(await request.read())
                return web.Response(status=204, headers={"Upload-Offset": str(end)})
        response = await self._serve(request, trouble)
        if trouble.startswith("lie"):
            response.headers["Upload-Offset"] = trouble.removeprefix("lie ")
        elif trouble.startswith("move"):
            response.headers["Location"] = trouble.removeprefix("move ")
        elif trouble.startswith("then status"):
            response.set_status(int(trouble.removeprefix("then status ")))
        elif trouble == "then forget":
            self._part(request).unlink(missing_ok=True)
        return _hang_up(request) if trouble in {"then hang-up", "then forget"} else response

    async def _serve(self, request: web.Request, trouble: str) -> web.Response:
        match request.method:
            case "POST":
                return self._create(request)
            case "HEAD":
                return self._head(request)
            case "PATCH":
                return await self._patch(request, trouble)
        return self._receipt(request)

    def _create(self, request: web.Request) -> web.Response:
        number = len(list(self.folder.glob("*.size")))
        (self.folder / f"{number}.size").write_text(request.headers["Upload-Length"])
        (self.folder / f"{number}.part").touch()
        return web.Response(status=201, headers={"Location": f"/files/{number}"})

    def _part(self, request: web.Request) -> Path:
        return self.folder / f"{request.path.rpartition('/')[2]}.part"

    def _head(self, request: web.Request) -> web.Response:
        part = self._part(request)
        if not part.exists():
            return web.Response(status=404)
        offset, size = part.stat().st_size, part.with_suffix(".size").read_text()
        return web.Response(headers={"Upload-Offset": str(offset), "Upload-Length": size})

    async def _patch(self, request: web.Request, trouble: str) -> web.Response:
        part = self._part(request)
        if not part.exists():
            return web.Response(status=404)
        if request.path in self._busy:
            return web.Response(status=423)
        if request.headers["Upload-Offset"] != str(part.stat().st_size):
            return web.Response(status=409)
        self._busy.add(request.path)
        try:
            await self._take(request, part, trouble)
        finally:
            self._busy.discard(request.path)
        return web.Response(status=204, headers={"Upload-Offset": str(part.stat().st_size)})

    async def _take(self, request: web.Request, part: Path, trouble: str) -> None:
        kind, _, count = trouble.partition(" ")
        left = int(count) if kind in {"cut", "short"} else None
        with suppress(ConnectionError), part.open("ab", buffering=0) as file:
            async for chunk in request.content.iter_any():
                file.write(chunk if left is None else chunk[:left])
                self.heard(len(chunk))
                left = None if left is None else max(0, left - len(chunk))
                if left == 0 and kind == "cut":
                    _hang_up(request)
                    break
        if str(part.stat().st_size) == part.with_suffix(".size").read_text():
            self.whole.append(sha256(part.read_bytes()).hexdigest())

    def _receipt(self, request: web.Request) -> web.Response:
        digest = request.path.rpartition("/")[2].removesuffix(".jws")
        if digest not in {sha256(upload).hexdigest() for upload in self.uploads()}:
            return web.Response(status=404)
        told = {**self.receipt, "package_sha256": digest}
        return web.Response(body=self.signer.sign(told, "receipt+jws"))


def die_after(left: int) -> Callable[[int], None]:
    """Make a `heard` that kills its own process at the LEFT-th byte or request."""

    def heard(count: int) -> None:
        nonlocal left
        left -= count or 1
        if left <= 0:
            os.kill(os.getpid(), 9)

    return heard


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
