"""A doorbell: H.264 and AAC over RTSP, a button and a motion sensor that call a webhook."""

import asyncio
import contextlib
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
from typing import Final, Self
from urllib.parse import quote

import aiohttp

from scripts.children import LOOPBACK, ROOT, Child, free_port, tool, wait_for_port
from scripts.doorbell import Doorbell

CACHE: Final = ROOT / ".cache"
NOISE: Final = (
    "-f lavfi -i testsrc2=size=640x360:rate=15,noise=alls=80:allf=t "
    "-f lavfi -i sine=frequency=440:sample_rate=16000 -t 20 "
    "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 15 -bf 0 -b:v 8M -maxrate 8M -bufsize 8M "
    "-c:a aac -b:a 48k -ac 1"
)
GATE: Final = Path(__file__).with_name("gate.py")


class DoorbellSimulator:
    """A camera (go2rtc, one encoded loop) that can also break in the ways that cameras break.

    With USER and PASSWORD its stream asks for them; `url` never holds them, `rtsp_url` does. A
    NOISY one sends 8 Mbit/s instead of 0.5, as cameras with big pictures do.
    """

    def __init__(
        self, folder: Path, *, user: str | None = None, password: str = "", noisy: bool = False
    ) -> None:
        """Prepare a doorbell that keeps its files in FOLDER."""
        self.user = user
        self.password = password
        self._folder = folder
        self._noisy = noisy
        self._camera = Doorbell(folder, port=free_port(), user="", password="")
        self.port = free_port() if user else self._camera.port
        settings = str(folder / "gate.json")
        self._gate = Child("the gate", [sys.executable, str(GATE), settings], folder / "gate.log")

    @property
    def url(self) -> str:
        """Return the stream's URL without credentials."""
        return self._url("")

    @property
    def rtsp_url(self) -> str:
        """Return the stream's URL with the credentials that it asks for."""
        if self.user is None:
            return self.url
        return self._url(f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@")

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop it."""
        await self.stop()

    async def start(self) -> None:
        """Serve the stream; after `stop` or `kill` at the same URL again."""
        self._folder.mkdir(parents=True, exist_ok=True)
        loop = self._folder / "loop.mp4"
        cached = CACHE / f"doorbell-{'noise' if self._noisy else 'loop'}.mp4"
        if cached.exists() and not loop.exists():
            loop.symlink_to(cached)
        if self._noisy and not loop.exists():
            command = [tool("ffmpeg"), "-v", "error", *NOISE.split(), str(loop)]
            await asyncio.to_thread(subprocess.run, command, check=True)
        await self._camera.start()
        if not cached.exists():
            _keep(loop, cached)
        if self.user is not None:
            await self._start_gate(self.user)

    async def stop(self) -> None:
        """Go off the network politely."""
        await self._gate.stop(patience=1)
        await self._camera.stop()

    async def kill(self) -> None:
        """Lose power: connections are cut, new ones refused."""
        await self._gate.kill()
        await self._camera.child.kill()

    def freeze(self) -> None:
        """Hang: connections stay open and new ones are accepted, but nothing comes any more."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._send(signal.SIGCONT)

    async def reboot(self, seconds: float) -> None:
        """Be away for SECONDS, as after a power cut."""
        await self.kill()
        await asyncio.sleep(seconds)
        await self.start()

    async def change_password(self, password: str) -> None:
        """Ask for another password from now on; whoever is connected is cut off."""
        self.password = password
        await self._gate.kill()
        if self.user is not None:
            await self._start_gate(self.user)

    async def press(self, webhook: str, **details: str) -> int:
        """Press the button: call the WEBHOOK; return the HTTP status.

        DETAILS are members of the body besides the event, e.g. `event_id` and `time`.
        """
        return await _call(webhook, "ring", **details)

    async def motion(self, webhook: str) -> int:
        """See motion: call the WEBHOOK; return the HTTP status."""
        return await _call(webhook, "motion")

    def _url(self, credentials: str) -> str:
        return f"rtsp://{credentials}{LOOPBACK}:{self.port}/door"

    async def _start_gate(self, user: str) -> None:
        settings = {
            "host": LOOPBACK,
            "port": self.port,
            "upstream": self._camera.port,
            "user": user,
            "password": self.password,
        }
        (self._folder / "gate.json").write_text(json.dumps(settings))
        await self._gate.start()
        await wait_for_port(self._gate, self.port)

    def _send(self, number: signal.Signals) -> None:
        for child in (self._gate, self._camera.child):
            if child.pid is not None:
                os.killpg(child.pid, number)


def _keep(loop: Path, cached: Path) -> None:
    """Keep an encoded loop for the next doorbell; another process may do the same just now."""
    cached.parent.mkdir(exist_ok=True)
    part = cached.with_suffix(f".{os.getpid()}")
    part.write_bytes(loop.read_bytes())
    with contextlib.suppress(OSError):
        part.rename(cached)


async def _call(webhook: str, event: str, **details: str) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(webhook, json={"event": event, **details}) as answer,
    ):
        return answer.status
