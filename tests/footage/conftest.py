"""Streams as ffmpeg really makes them, encoded once a session."""

from collections.abc import Callable, Iterator
import functools
from pathlib import Path
import subprocess

import pytest

from custom_components.doorstep.footage.ffmpeg import Form
from scripts.children import tool

from .house import House

PICTURE = "testsrc2=size=160x90:rate=10"
SOUND = "sine=frequency=440:sample_rate=8000"
CODECS = {
    "plain": ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-c:a", "aac"),
    "bframes": ("-c:v", "libx264", "-preset", "veryfast", "-g", "20", "-bf", "2", "-c:a", "aac"),
    "intra": ("-c:v", "libx264", "-preset", "ultrafast", "-g", "1", "-an"),
    "hevc": ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=10", "-an"),
    "g711": ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-c:a", "pcm_mulaw"),
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "library")
    yield made
    made.library.close()


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    return tool("ffmpeg")


@pytest.fixture(scope="session")
def encoded(ffmpeg: str) -> Callable[[str], bytes]:
    """Four seconds of a test picture in one of `CODECS`."""

    @functools.cache
    def encode(name: str) -> bytes:
        source = ("-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", SOUND, "-t", "4")
        return run(ffmpeg, *source, *CODECS[name], "-pix_fmt", "yuv420p", "-f", "nut", "-")

    return encode


@pytest.fixture(scope="session")
def fragmented(ffmpeg: str, encoded: Callable[[str], bytes]) -> Callable[..., bytes]:
    """The same as the recorder's own ffmpeg command pipes it."""

    @functools.cache
    def make(name: str = "plain", form: Form = Form(audio=True)) -> bytes:  # noqa: B008 - frozen
        arguments = form.arguments()
        copy = arguments[arguments.index("-map") :]
        return run(ffmpeg, "-i", "-", *copy, stdin=encoded(name))

    return make


def run(program: str, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run to the end; what it wrote to stdout."""
    done = subprocess.run(
        [program, "-v", "error", *arguments], input=stdin, capture_output=True, check=True
    )
    return done.stdout


@pytest.fixture(scope="session")
def jpegs(ffmpeg: str) -> Callable[..., list[bytes]]:
    """Eight different pictures of a size."""

    @functools.cache
    def make(size: str = "160x90", *options: str) -> list[bytes]:
        source = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=1", "-frames:v", "8")
        data = run(ffmpeg, *source, *options, "-f", "image2pipe", "-c:v", "mjpeg", "-")
        return [b"\xff\xd8" + one for one in data.split(b"\xff\xd8")[1:]]

    return make
