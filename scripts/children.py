"""Child processes on loopback: free ports, tools, start, wait, stop."""

import asyncio
from collections.abc import Mapping
import contextlib
from itertools import count
import os
from pathlib import Path
import shutil
import signal
import socket
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
TOOLS: Final = ROOT / ".tools" / "bin"
LOOPBACK: Final = "127.0.0.1"
LAST_LINES: Final = 15
# below what Linux hands out by itself (32768 and up)
FIRST_PORT: Final = 12_000
PORTS: Final = 2_000
_WORKER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw9").removeprefix("gw")) % 10
_TURN: Final = count(os.getpid())


class HouseError(Exception):
    """A part did not start, or did not answer as it should; the text says which and how."""


def free_port() -> int:
    """Return a TCP port that is free on 127.0.0.1, and that nobody else will be given.

    Not one that the system hands out: a server that is restarted would find it taken. Each worker
    of a parallel test run has ports of its own.
    """
    for _ in range(PORTS):
        port = FIRST_PORT + PORTS * _WORKER + next(_TURN) % PORTS
        if is_free(port):
            return port
    raise HouseError("there is no free port left")


def is_free(port: int) -> bool:
    """Say whether PORT can be listened on at 127.0.0.1 right now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process' environment with the downloaded tools first on PATH."""
    path = os.pathsep.join((str(TOOLS), os.environ.get("PATH", os.defpath)))
    return {**os.environ, "PATH": path, **(extra or {})}


def tool(name: str) -> str:
    """Return the path of a tool that scripts/setup installed, or the machine's own."""
    found = shutil.which(name, path=environment()["PATH"])
    if found is None:
        raise HouseError(f"{name} is missing: run scripts/setup")
    return found


class Child:
    """One child process with its own process group and log file."""

    def __init__(
        self, name: str, command: list[str], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        """Remember what to run; nothing is started yet."""
        self.name = name
        self.log = log
        self._command = command
        self._env = environment(env)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Return the process id while it runs."""
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        """Say whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it. Its group is new, so that a Ctrl-C at the terminal reaches only us."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env=self._env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raise HouseError with the end of the log if it is not running."""
        if not self.running:
            lines = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
            raise HouseError("\n".join((f"{self.name} ended by itself; last lines:", *lines)))

    async def stop(self, patience: float = 20) -> None:
        """Ask it to end, wait PATIENCE seconds, then kill what is left of its group."""
        if self._process is None:
            return
        self._signal(signal.SIGTERM, group=False)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), patience)
        self._signal(signal.SIGKILL, group=True)
        await self._process.wait()

    async def kill(self) -> None:
        """End it and its children at once, as a power cut would."""
        self._signal(signal.SIGKILL, group=True)
        if self._process is not None:
            await self._process.wait()

    def _signal(self, number: signal.Signals, *, group: bool) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if group:
                os.killpg(self._process.pid, number)
            elif self.running:
                self._process.send_signal(number)


async def wait_for_port(child: Child, port: int, patience: float = 30) -> None:
    """Wait until CHILD listens on PORT. Raises HouseError if it ends or takes too long."""
    deadline = asyncio.get_running_loop().time() + patience
    while asyncio.get_running_loop().time() < deadline:
        child.check()
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return
    raise HouseError(
        f"{child.name} does not listen on port {port} after {patience} s; see {child.log}"
    )
