"""A scene in which every frame can be told: 1080p, 15 frames and 4 Mbit a second, a key each 2 s.

The number of the frame stands in its upper left corner, as ten squares that are black or white. So
a picture or a clip says by itself which moment it shows, and an `Observer` beside the recorders
says when that moment was.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
import subprocess
from threading import Event, Thread
from time import monotonic
from typing import Any, Final

import av
from PIL import Image

from scripts.children import ROOT, free_port, tool
from scripts.doorbell import Doorbell
from tests.simulators.waiting import until

SECONDS: Final = 60
FPS: Final = 15
_SQUARE: Final = 96  # pixels
_BITS: Final = 10
_CACHED: Final = ROOT / ".cache" / "bench-scene.mp4"
_SOURCE: Final = f"testsrc2=size=1920x1080:rate={FPS}"
_ENCODE: Final = (
    f"-t {SECONDS} -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g {2 * FPS} -keyint_min "
    f"{2 * FPS} -sc_threshold 0 -bf 0 -b:v 4M -maxrate 4M -bufsize 4M"
)


@asynccontextmanager
async def camera(folder: Path) -> AsyncIterator[str]:
    """Show the scene over RTSP while the block lasts; gives the URL."""
    folder.mkdir(parents=True)
    await asyncio.to_thread(_link, folder / "loop.mp4")
    async with Doorbell(folder, port=free_port(), user="", password="") as bell:
        yield bell.url.replace("/door", "/silent")


def _link(loop: Path) -> None:
    if not _CACHED.exists():
        part = _CACHED.with_suffix(".part.mp4")
        part.parent.mkdir(exist_ok=True)
        squares = [
            f"drawbox=x={n * _SQUARE}:y=0:w={_SQUARE}:h={_SQUARE}:color=white:t=fill:"
            f"enable='mod(floor(n/{2**n}),2)'"
            for n in range(_BITS)
        ]
        black = f"drawbox=x=0:y=0:w={_BITS * _SQUARE}:h={_SQUARE}:color=black:t=fill"
        filters = ",".join(("noise=alls=12:allf=t", black, *squares))
        command = ["-v", "error", "-y", "-f", "lavfi", "-i", _SOURCE, "-vf", filters]
        subprocess.run([tool("ffmpeg"), *command, *_ENCODE.split(), str(part)], check=True)
        part.rename(_CACHED)
    loop.symlink_to(_CACHED)


def number(picture: Image.Image) -> int:
    """Read the number of the frame that a picture shows."""
    middles = [((2 * n + 1) * _SQUARE // 2, _SQUARE // 2) for n in range(_BITS)]
    grey = picture.convert("L")
    return sum((int(str(grey.getpixel(at))) > 127) << n for n, at in enumerate(middles))


def first(film: Path) -> int:
    """Read the number of a film's first frame."""
    with av.open(film) as container:
        frame: Any = next(container.decode(video=0))
        return number(frame.to_image())


@dataclass
class Observer:
    """Watches the camera, and tells when a frame was seen: seconds of CLOCK_MONOTONIC."""

    url: str
    _seen: list[tuple[float, int]] = field(default_factory=list)  # when a key frame came, which
    _over: Event = field(default_factory=Event)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Observer]:
        """Watch while the block lasts."""
        thread = Thread(target=self._watch)
        thread.start()
        try:
            await until(lambda: len(self._seen) > 2)
            yield self
        finally:
            self._over.set()
            await asyncio.to_thread(thread.join)

    def moment(self, frame: int, near: float) -> float:
        """Tell when FRAME was there, of all its times the one nearest to NEAR."""
        zeros = [at - which / FPS for at, which in self._seen if abs(at - near) < SECONDS]
        # what came late came late; the earliest is nearest to the truth
        turns = [zero + SECONDS * round((zeros[0] - zero) / SECONDS) for zero in zeros]
        at = min(turns) + frame / FPS
        return at + SECONDS * round((near - at) / SECONDS)

    def _watch(self) -> None:
        options = {"rtsp_transport": "tcp"}
        with av.open(self.url, options=options, timeout=20) as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            stream.codec_context.skip_frame = "NONKEY"
            arrived: dict[int, float] = {}
            for packet in container.demux(stream):
                if self._over.is_set():
                    return
                if packet.is_keyframe and packet.pts is not None:
                    arrived[packet.pts] = monotonic()
                    self._seen += self._decoded(packet, arrived)

    @staticmethod
    def _decoded(packet: Any, arrived: dict[int, float]) -> Iterator[tuple[float, int]]:
        for frame in packet.decode():
            yield arrived.pop(frame.pts), number(frame.to_image())
