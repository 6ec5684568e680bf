"""Small pictures out of large ones."""

from io import BytesIO

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
import pytest

from custom_components.doorstep.errors import CameraError
from custom_components.doorstep.footage.thumbnail import thumbnail


def jpeg(width: int, height: int, mode: str = "RGB", **options: object) -> bytes:
    made = BytesIO()
    image = Image.linear_gradient("L").resize((width, height)).convert(mode)
    image.save(made, "JPEG", **options)
    return made.getvalue()


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ((1920, 1080), (320, 180)),
        ((2560, 1920), (320, 240)),
        ((1536, 2048), (320, 427)),
        ((640, 4000), (77, 480)),
        ((160, 90), (160, 90)),
    ],
)
def test_it_fits(given: tuple[int, int], made: tuple[int, int]) -> None:
    small = Image.open(BytesIO(thumbnail(jpeg(*given))))
    assert (small.format, small.mode, small.size) == ("JPEG", "RGB", made)
    grey = small.convert("L").tobytes()
    assert max(grey[: 2 * made[0]]) < 40
    assert min(grey[-2 * made[0] :]) > 215


def test_it_is_small_and_plain() -> None:
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (48.0, 12.0, 0.0)}
    given = jpeg(1920, 1080, quality=95, exif=exif)
    made = thumbnail(given)
    assert len(made) < 6000
    assert b"Exif" in given
    assert b"Exif" not in made
    assert tables(made) == tables(jpeg(8, 8, quality=70))


def tables(data: bytes) -> object:
    """Give what the quality of a JPEG is made of."""
    image = Image.open(BytesIO(data))
    assert isinstance(image, JpegImageFile)
    return image.quantization


def test_grey_and_printers_colours() -> None:
    for mode in ("L", "CMYK"):
        assert Image.open(BytesIO(thumbnail(jpeg(640, 480, mode)))).mode == "RGB"


def test_it_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    assert Image.open(BytesIO(thumbnail(jpeg(640, 480, exif=exif)))).size == (320, 427)


def test_what_is_no_jpeg() -> None:
    png = BytesIO()
    Image.new("RGB", (8, 8)).save(png, "PNG")
    whole = jpeg(640, 480)
    for bad in (b"", b"\xff\xd8", b"nonsense", png.getvalue(), whole[: len(whole) // 2]):
        with pytest.raises(CameraError, match="camera_no_picture"):
            thumbnail(bad)


def test_a_picture_too_large_to_be_one() -> None:
    whole = jpeg(16, 16)
    at = whole.index(b"\xff\xc0") + 5
    bomb = whole[:at] + b"\xff\xff\xff\xff" + whole[at + 4 :]
    with pytest.raises(CameraError, match="camera_no_picture"):
        thumbnail(bomb)
