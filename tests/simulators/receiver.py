"""The agency's upload receiver: npm's @tus/server, a child process that can crash and come back."""

from collections import defaultdict
from dataclasses import dataclass
import json
from pathlib import Path
import shutil
from typing import Final

from scripts.children import LOOPBACK, ROOT, Child, free_port, tool, wait_for_port

SCRIPT: Final = Path(__file__).with_name("receiver.mjs")
MODULES: Final = ROOT / ".tools" / "npm" / "node_modules"
PATH: Final = "/uploads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One upload as it lies on the receiver's disk; sizes in bytes."""

    id: str
    path: Path
    offset: int
    size: int
    metadata: dict[str, str]

    @property
    def complete(self) -> bool:
        """Say whether the last byte has arrived."""
        return self.offset == self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class TusRequest:
    """One request; bytes RECEIVED and STATUS are None while it lasts, or if it was cut."""

    method: str
    path: str
    headers: dict[str, str]
    received: int | None
    status: int | None


class Receiver:
    """A tus 1.0.0 server (core, creation, termination) without authentication.

    `bytes_per_second` and `location` (another URL that created uploads are said to be at) count
    from the next `start` on.
    """

    def __init__(self, folder: Path) -> None:
        """Keep uploads in FOLDER; nothing runs before `start`."""
        self.folder = folder / "uploads"
        self.bytes_per_second: int | None = None
        self.location: str | None = None
        self._port = free_port()
        self._log = folder / "requests.jsonl"
        self._settings = folder / "receiver.json"
        command = [tool("node"), str(SCRIPT), str(self._settings)]
        self._child = Child("the upload receiver", command, folder / "receiver.log")

    @property
    def base(self) -> str:
        """Return the receiver's site, with a slash at its end."""
        return f"http://{LOOPBACK}:{self._port}/"

    @property
    def url(self) -> str:
        """Return the URL at which uploads are created."""
        return f"http://{LOOPBACK}:{self._port}{PATH}"

    async def start(self) -> None:
        """Listen; the second time on the same port with the same uploads."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "modules": str(MODULES),
            "folder": str(self.folder),
            "log": str(self._log),
            "host": LOOPBACK,
            "port": self._port,
            "path": PATH,
            "bytesPerSecond": self.bytes_per_second,
            "location": self.location,
        }
        self._settings.write_text(json.dumps(settings))
        await self._child.start()
        await wait_for_port(self._child, self._port)

    async def stop(self) -> None:
        """End it politely."""
        await self._child.stop(patience=3)

    async def kill(self) -> None:
        """End it as a power cut would: unfinished uploads stay as they are."""
        await self._child.kill()

    async def restart(self) -> None:
        """Kill it and start it again."""
        await self.kill()
        await self.start()

    def uploads(self) -> list[Upload]:
        """Return all uploads, oldest first."""
        files = sorted(self.folder.glob("*.json"), key=lambda path: path.stat().st_ctime_ns)
        # An empty one is being written just now.
        return [_read(path) for path in files if path.stat().st_size]

    def forget(self, upload: Upload) -> None:
        """Lose an upload, as a receiver does that tidies up too early."""
        upload.path.unlink()
        upload.path.with_suffix(".json").unlink()

    def clear(self) -> None:
        """Lose all uploads."""
        shutil.rmtree(self.folder)
        self.folder.mkdir()

    def requests(self) -> list[TusRequest]:
        """Return every request so far, oldest first."""
        told: defaultdict[str, dict[str, object]] = defaultdict(dict)
        if self._log.exists():
            for line in self._log.read_text().splitlines():
                part = json.loads(line)
                told[part["number"]] |= part
        return [_request(parts) for parts in told.values()]


def _read(config: Path) -> Upload:
    told = json.loads(config.read_text())
    path = config.with_suffix("")
    return Upload(
        id=told["id"],
        path=path,
        offset=path.stat().st_size,
        size=told["size"],
        metadata=told.get("metadata") or {},
    )


def _request(parts: dict[str, object]) -> TusRequest:
    headers, received, status = parts["headers"], parts.get("received"), parts.get("status")
    assert isinstance(headers, dict)
    return TusRequest(
        method=str(parts["method"]),
        path=str(parts["url"]),
        headers=headers,
        received=received if isinstance(received, int) else None,
        status=status if isinstance(status, int) else None,
    )
