"""The right-moment picture, decoded by the real ffmpeg."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import av
import pytest

from custom_components.doorstep.errors import CameraError
from custom_components.doorstep.footage import still as module
from custom_components.doorstep.footage.ffmpeg import Form
from custom_components.doorstep.footage.moment import shown_at
from custom_components.doorstep.footage.ring import Received
from custom_components.doorstep.footage.still import still

from .conftest import run
from .synthetic import EPOCH, parsed, received, stream

# each frame is one shade brighter than the one before
GREYS = (
    "-f",
    "lavfi",
    "-i",
    "nullsrc=size=64x64:rate=10,geq=lum='20+5*N':cb=128:cr=128",
    "-t",
    "4",
)


@pytest.fixture(scope="session")
def greys(ffmpeg: str) -> list[Received]:
    """Four seconds, frame n of luma 20 + 5n, a key frame each second."""
    codec = ("-c:v", "libx264", "-g", "10", "-crf", "5", "-bf", "2", "-pix_fmt", "yuv420p")
    copied = Form().arguments()
    data = run(ffmpeg, *GREYS, *codec, *copied[copied.index("-f", 10) :])
    init, fragments = parsed(data)
    one = stream(init)
    return [Received(item, one) for item in fragments]


def frame_in(jpeg: bytes) -> float:
    """Number of the frame, by its shade in the full range of a JPEG."""
    with av.open(BytesIO(jpeg), "r") as picture:
        frame = next(picture.decode(video=0))
    shade = float(frame.to_ndarray(format="gray").mean()) * 219 / 255 + 16
    return (shade - 20) / 5


@pytest.mark.parametrize(
    ("second", "number"), [(0.0, 0), (0.31, 4), (0.95, 10), (1.0, 10), (2.5, 25), (3.89, 39)]
)
async def test_shows_the_instant(
    ffmpeg: str, greys: list[Received], second: float, number: int
) -> None:
    jpeg = await still(ffmpeg, greys, EPOCH + timedelta(seconds=second))
    assert jpeg.startswith(b"\xff\xd8")
    assert frame_in(jpeg) == pytest.approx(number, abs=0.5)


async def test_of_a_later_group(ffmpeg: str, greys: list[Received]) -> None:
    later = [item for item in greys if item.fragment.start_seconds >= 1.9]
    assert later[0].decodable
    jpeg = await still(ffmpeg, later, EPOCH + timedelta(seconds=2.5))
    assert frame_in(jpeg) == pytest.approx(25, abs=0.5)


@pytest.mark.parametrize(("second", "number"), [(60, 39), (-5, 0)])
async def test_beyond_what_there_is(
    ffmpeg: str, greys: list[Received], second: int, number: int
) -> None:
    jpeg = await still(ffmpeg, greys, EPOCH + timedelta(seconds=second))
    assert frame_in(jpeg) == pytest.approx(number, abs=0.5)


@pytest.mark.parametrize("name", ["hevc", "intra"])
async def test_other_codecs(ffmpeg: str, fragmented: Callable[..., bytes], name: str) -> None:
    init, fragments = parsed(fragmented(name, Form()))
    one = stream(init)
    items = [Received(item, one) for item in fragments]
    assert (await still(ffmpeg, items, EPOCH + timedelta(seconds=2))).startswith(b"\xff\xd8")


async def test_nothing_to_show(ffmpeg: str) -> None:
    with pytest.raises(CameraError, match="camera_no_picture"):
        await still(ffmpeg, [], EPOCH)
    with pytest.raises(CameraError, match="camera_no_picture"):
        await still(ffmpeg, received(stream(), [0]), EPOCH)


async def test_a_decoder_that_hangs(
    tmp_path: Path, greys: list[Received], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    (tmp_path / "ffmpeg").write_text("#!/bin/sh\nexec sleep 30\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    with pytest.raises(CameraError, match="camera_no_picture"):
        await still(str(tmp_path / "ffmpeg"), greys, EPOCH)


async def test_no_decoder(tmp_path: Path, greys: list[Received]) -> None:
    with pytest.raises(CameraError, match="ffmpeg_missing"):
        await still(str(tmp_path / "ffmpeg"), greys, EPOCH)


async def test_says_which_frame_it_shows(ffmpeg: str, greys: list[Received]) -> None:
    """Frames come every tenth of a second: the next one after the instant is shown, and said."""
    jpeg = await still(ffmpeg, greys, EPOCH + timedelta(seconds=2.33))
    assert shown_at(jpeg) == EPOCH + timedelta(seconds=2.4)
    jpeg = await still(ffmpeg, greys, EPOCH + timedelta(seconds=60))
    assert shown_at(jpeg) == EPOCH + timedelta(seconds=3.9)


async def test_a_decoder_that_does_not_say(tmp_path: Path, greys: list[Received]) -> None:
    (tmp_path / "ffmpeg").write_text("#!/bin/sh\ncat >/dev/null\nprintf '\\377\\330'\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    jpeg = await still(str(tmp_path / "ffmpeg"), greys, EPOCH)
    assert (jpeg, shown_at(jpeg)) == (b"\xff\xd8", None)
