"""Orders to a simulator that runs as a process of its own: one line of JSON there, one back."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
import json
from pathlib import Path
import sys
from typing import Any

from scripts.children import LOOPBACK, ROOT, Child, wait_for_port


class Servant(Child):
    """A child that runs MODULE, beside this one, with SETTINGS, and obeys orders."""

    def __init__(self, name: str, module: str, folder: Path, control: int) -> None:
        """Prepare it; it gets its settings from a file in FOLDER, its orders at port CONTROL."""
        self._settings = folder / f"{module}.json"
        self._control = control
        command = [sys.executable, "-m", f"{__package__}.{module}", str(self._settings)]
        super().__init__(name, command, folder / f"{module}.log", {"PYTHONPATH": str(ROOT)})

    async def serve(self, **settings: object) -> None:
        """Start it with SETTINGS; return when it takes orders."""
        self._settings.parent.mkdir(parents=True, exist_ok=True)
        self._settings.write_text(json.dumps({**settings, "control": self._control}))
        await self.start()
        await wait_for_port(self, self._control)

    async def tell(self, order: str, *details: object) -> Any:
        """Give an order; return the answer, which comes once the order holds."""
        reader, writer = await asyncio.open_connection(LOOPBACK, self._control)
        writer.write(json.dumps([order, *details]).encode() + b"\n")
        answer = await reader.readline()
        writer.close()
        return json.loads(answer)


async def obey(port: int, obeys: Callable[..., Awaitable[object]]) -> None:
    """Listen for orders and let OBEYS answer each; until killed."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                writer.write(json.dumps(await obeys(*json.loads(line))).encode() + b"\n")
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, port)
    await server.serve_forever()


def settings() -> dict[str, Any]:
    """Read what `Servant.serve` was given."""
    told: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    return told
