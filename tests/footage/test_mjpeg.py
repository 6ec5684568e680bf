"""Pictures as frames of a film: judged by ffprobe and PyAV, and taken out again unchanged."""

from collections.abc import Callable
import json
from pathlib import Path
import struct
import subprocess

import av
import pytest

from custom_components.doorstep.errors import CameraError
from custom_components.doorstep.footage.codecs import MJPEG
from custom_components.doorstep.footage.fragments import parse_init, sample_sizes
from custom_components.doorstep.footage.mjpeg import MAX_PICTURE, fragment, init_segment, size_of
from scripts.children import tool

from .synthetic import parsed

type Jpegs = Callable[..., list[bytes]]


def segment(code: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, code, 2 + len(body)) + body


def frame_header(code: int, height: int = 90, width: int = 160) -> bytes:
    return segment(code, struct.pack(">BHHB", 8, height, width, 1) + bytes(3))


SOI, EOI = b"\xff\xd8", b"\xff\xd9"
SCAN = segment(0xDA, b"\1\1\0\0\x3f\0") + b"scan"
WHOLE = SOI + frame_header(0xC0) + SCAN + EOI


@pytest.mark.parametrize("size", ["160x90", "64x96", "2560x1440"])
def test_the_size_of_a_picture(jpegs: Jpegs, size: str) -> None:
    assert "x".join(map(str, size_of(jpegs(size)[0]))) == size


@pytest.mark.parametrize(
    "jpeg",
    [
        pytest.param(WHOLE, id="baseline"),
        pytest.param(SOI + frame_header(0xC1) + SCAN + EOI, id="extended"),
        pytest.param(SOI + frame_header(0xC2) + SCAN + EOI, id="progressive"),
        pytest.param(SOI + b"\xff\xff" + frame_header(0xC0) + SCAN + EOI, id="filled"),
        pytest.param(WHOLE + b"\0\0", id="padded"),
        pytest.param(
            SOI + segment(0xE1, frame_header(0xC0, 1, 1)) + frame_header(0xC0) + SCAN + EOI,
            id="thumbnail",
        ),
        pytest.param(WHOLE + bytes(MAX_PICTURE - len(WHOLE)), id="largest"),
    ],
)
def test_whole_pictures(jpeg: bytes) -> None:
    assert size_of(jpeg) == (160, 90)


@pytest.mark.parametrize(
    "jpeg",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>401 Unauthorized</html>", id="page"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(64), id="png"),
        pytest.param(SOI, id="begin"),
        pytest.param(SOI + EOI, id="empty"),
        pytest.param(WHOLE[1:], id="no begin"),
        pytest.param(WHOLE[:-2], id="cut off"),
        pytest.param(SOI + segment(0xE1, EOI) + frame_header(0xC0) + SCAN, id="end elsewhere"),
        pytest.param(SOI + SCAN + EOI, id="no frame"),
        pytest.param(SOI + frame_header(0xC0) + EOI, id="no scan"),
        pytest.param(SOI + b"\0" + frame_header(0xC0) + SCAN + EOI, id="no marker"),
        pytest.param(SOI + frame_header(0xC3) + SCAN + EOI, id="lossless"),
        pytest.param(SOI + frame_header(0xC9) + SCAN + EOI, id="arithmetic"),
        pytest.param(SOI + frame_header(0xC0, height=0) + SCAN + EOI, id="no height"),
        pytest.param(SOI + frame_header(0xC0, width=0) + SCAN + EOI, id="no width"),
        pytest.param(SOI + segment(0xE1, bytes(9))[:-4], id="short segment"),
        pytest.param(WHOLE + bytes(MAX_PICTURE - len(WHOLE) + 1), id="too large"),
    ],
)
def test_refused(jpeg: bytes) -> None:
    with pytest.raises(CameraError) as caught:
        size_of(jpeg)
    assert (caught.value.key, caught.value.placeholders) == ("camera_bad_picture", {})


def test_a_film_of_pictures(jpegs: Jpegs, tmp_path: Path) -> None:
    """Times are true to the millisecond, and every packet is the JPEG itself."""
    pictures = jpegs()[:3]
    init = init_segment(160, 90)
    starts = (0, 2000, 3501)
    pieces = [
        fragment(init, start, 1500 if start else 2000, jpeg)
        for start, jpeg in zip(starts, pictures, strict=True)
    ]
    path = tmp_path / "film.mp4"
    path.write_bytes(init.data + b"".join(piece.data for piece in pieces))
    assert parse_init(init.data) == init
    assert init.video.codec == MJPEG
    assert parsed(path.read_bytes()) == (init, pieces)
    assert [(one.start, one.duration, one.key, one.samples) for one in pieces] == [
        (0, 2000, True, 1),
        (2000, 1500, True, 1),
        (3501, 1500, True, 1),
    ]
    assert sample_sizes(init, pieces[0].data) == [len(pictures[0])]
    assert pieces[0].data.endswith(pictures[0])
    with av.open(str(path)) as film:
        packets = [packet for packet in film.demux(video=0) if packet.size]
        assert [bytes(packet) for packet in packets] == pictures
        assert [float((packet.pts or 0) * packet.time_base) for packet in packets] == [0, 2, 3.501]
    with av.open(str(path)) as film:
        assert [(frame.width, frame.height) for frame in film.decode(video=0)] == [(160, 90)] * 3
    command = [tool("ffprobe"), "-v", "warning", "-of", "json", "-show_streams", str(path)]
    done = subprocess.run(command, check=True, capture_output=True)
    assert not done.stderr
    (stream,) = json.loads(done.stdout)["streams"]
    assert (stream["codec_name"], stream["codec_tag_string"]) == ("mjpeg", "mp4v")
    assert (stream["width"], stream["height"], stream["time_base"]) == (160, 90, "1/1000")


def test_the_codec_is_named_as_ffmpeg_means_it(ffmpeg: str, jpegs: Jpegs, tmp_path: Path) -> None:
    path = tmp_path / "muxed.mp4"
    command = [ffmpeg, "-v", "error", "-f", "mjpeg", "-i", "-", "-c", "copy"]
    flags = ["-movflags", "+empty_moov+default_base_moof+frag_keyframe", str(path)]
    subprocess.run([*command, *flags], input=b"".join(jpegs()), check=True)
    init, _ = parsed(path.read_bytes().partition(b"mfra")[0][:-4])
    assert init.video.codec == MJPEG == "mp4v.6c"
