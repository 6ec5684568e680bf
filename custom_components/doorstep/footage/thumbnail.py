"""Thumbnails: small pictures that a list of clips shows."""

from io import BytesIO
from typing import Final

from PIL import Image, ImageOps

from ..errors import CameraError

_SIZE: Final = (320, 480)  # widest and highest, in pixels
_QUALITY: Final = 70


def thumbnail(jpeg: bytes) -> bytes:
    """Make a JPEG of at most 320 pixels' width; blocks. What is no JPEG: CameraError."""
    made = BytesIO()
    try:
        with Image.open(BytesIO(jpeg), formats=["JPEG"]) as image:
            image.draft("RGB", _SIZE)
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail(_SIZE)
            upright.convert("RGB").save(made, "JPEG", quality=_QUALITY)
    except Exception as error:  # Pillow has many ways to say no
        raise CameraError("camera_no_picture") from error
    return made.getvalue()
