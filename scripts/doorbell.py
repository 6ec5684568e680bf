"""A simulated doorbell camera: H.264 and AAC over RTSP on loopback, served by go2rtc."""

import asyncio
import json
from pathlib import Path
from typing import Final, Self

from .children import LOOPBACK, Child, HouseError, free_port, tool, wait_for_port

SECONDS: Final = 60
PICTURE: Final = "testsrc2=size=640x360:rate=15"
VIDEO: Final = (
    "-c:v libx264 -preset veryfast -profile:v high -pix_fmt yuv420p -g 15 -bf 0 -b:v 500k"
)
AUDIO: Final = "-c:a aac -b:a 48k -ar 16000 -ac 1"


class Doorbell:
    """One RTSP server with the streams `/door` (picture and sound) and `/silent` (picture only).

    The picture shows a running time code. It is encoded once into FOLDER and looped without
    re-encoding afterwards, so a running doorbell costs next to no CPU.
    """

    def __init__(self, folder: Path, *, port: int, user: str, password: str) -> None:
        """Prepare to serve on PORT; go2rtc's own API gets a free port."""
        self.folder = folder
        self.user = user
        self.password = password
        self.port = port
        self.child = Child(
            "the doorbell (go2rtc)",
            [tool("go2rtc"), "-config", str(folder / "go2rtc.yaml")],
            folder / "go2rtc.log",
        )

    @property
    def url(self) -> str:
        """Return the stream's URL without credentials."""
        return f"rtsp://{LOOPBACK}:{self.port}/door"

    async def __aenter__(self) -> Self:
        """Start it and wait until it answers."""
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        await self.stop()

    async def start(self) -> None:
        """Encode the loop if there is none yet, serve it, return when the port listens."""
        self.folder.mkdir(parents=True, exist_ok=True)
        loop = self.folder / "loop.mp4"
        if not loop.exists():
            await _encode(loop)
        await asyncio.to_thread(self._configure, loop)
        await self.child.start()
        await wait_for_port(self.child, self.port)

    async def stop(self) -> None:
        """End the server and its ffmpeg."""
        await self.child.stop(patience=3)

    def _configure(self, loop: Path) -> None:
        play = f"exec:{tool('ffmpeg')} -v error -re -stream_loop -1 -i '{loop}' -c copy"
        output = "-rtsp_transport tcp -f rtsp {output}"
        # JSON is YAML, and needs no quoting rules of our own.
        config = {
            "api": {"listen": f"{LOOPBACK}:{free_port()}"},
            "rtsp": {
                "listen": f"{LOOPBACK}:{self.port}",
                "username": self.user,
                "password": self.password,
            },
            "webrtc": {"listen": ""},
            "srtp": {"listen": ""},
            "streams": {"door": f"{play} {output}", "silent": f"{play} -an {output}"},
        }
        (self.folder / "go2rtc.yaml").write_text(json.dumps(config))


async def _encode(loop: Path) -> None:
    part = loop.with_suffix(".part.mp4")
    sound = f"sine=frequency=440:beep_factor=4:sample_rate=16000:duration={SECONDS}"
    inputs = ("-f", "lavfi", "-i", f"{PICTURE}:duration={SECONDS}", "-f", "lavfi", "-i", sound)
    process = await asyncio.create_subprocess_exec(
        tool("ffmpeg"),
        *("-v", "error", "-y", *inputs, *VIDEO.split(), *AUDIO.split(), str(part)),
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await process.communicate()
    if process.returncode:
        raise HouseError(f"ffmpeg could not make the doorbell's picture: {complaint.decode()}")
    part.rename(loop)
