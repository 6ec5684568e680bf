"""A JPEG that says which instant it shows."""

from datetime import timedelta
from io import BytesIO

from PIL import Image
import pytest

from custom_components.doorstep.footage.mjpeg import size_of
from custom_components.doorstep.footage.moment import shown_at, stamped

from .synthetic import EPOCH

MOMENT = EPOCH + timedelta(milliseconds=1250)


@pytest.fixture
def plain() -> bytes:
    made = BytesIO()
    Image.effect_noise((160, 90), 50).save(made, "JPEG")
    return made.getvalue()


def test_it_is_said_and_the_picture_stays(plain: bytes) -> None:
    assert shown_at(plain) is None
    told = stamped(plain, MOMENT)
    assert shown_at(told) == MOMENT
    # JFIF's own segment stays the first
    assert told[:20] == plain[:20]
    assert told[20:].endswith(plain[20:])
    assert size_of(told) == size_of(plain) == (160, 90)
    with Image.open(BytesIO(told)) as one, Image.open(BytesIO(plain)) as other:
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(
    "jpeg", [b"", b"\xff\xd8", b"no picture", b"\xff\xd8\xff\xdb\0\2\xff\xda\0\2"]
)
def test_what_is_no_jfif(jpeg: bytes) -> None:
    told = stamped(jpeg, MOMENT)
    assert shown_at(told) == (MOMENT if jpeg.startswith(b"\xff\xd8") else None)
    assert shown_at(jpeg) is None
    assert told.endswith(jpeg[2:])


@pytest.mark.parametrize(
    "text", [b"Doorstep shows yesterday", b"Doorstep shows \xff", b"Lavc59", b""]
)
def test_other_comments(text: bytes) -> None:
    assert shown_at(b"\xff\xd8\xff\xfe\0" + bytes([len(text) + 2]) + text) is None


def test_after_the_scan_begins_is_no_comment() -> None:
    comment = stamped(b"\xff\xd8", MOMENT)[2:]
    assert shown_at(b"\xff\xd8\xff\xda\0\2" + comment) is None
    assert shown_at(b"\xff\xd8" + comment) == MOMENT
