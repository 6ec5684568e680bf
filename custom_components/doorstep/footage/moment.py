"""The instant that a picture shows, noted in the JPEG itself: where the picture goes, it goes too.

It stands in a comment (marker COM; ITU-T T.81, annex B.2.4.5), which no decoder looks at.
"""

from datetime import datetime
import struct
from typing import Final

from ..encoding import format_time, parse_time

_SOI: Final = b"\xff\xd8"
_APP0, _COM, _SOS = 0xE0, 0xFE, 0xDA
_MARK: Final = 0xFF
_NOTE: Final = b"Doorstep shows "


def stamped(jpeg: bytes, at: datetime) -> bytes:
    """Note in a JPEG when what it shows was seen (UTC); what is none stays as it is."""
    if not jpeg.startswith(_SOI):
        return jpeg
    text = _NOTE + format_time(at).encode()
    note = struct.pack(">BBH", _MARK, _COM, len(text) + 2) + text
    # JFIF wants its own segment first
    first = next(iter(_segments(jpeg)), None)
    place = first[2] if first and first[0] == _APP0 else len(_SOI)
    return jpeg[:place] + note + jpeg[place:]


def shown_at(jpeg: bytes) -> datetime | None:
    """Read when what a JPEG shows was seen; None where nobody noted it."""
    for code, start, end in _segments(jpeg):
        if code == _COM and jpeg.startswith(_NOTE, start):
            try:
                return parse_time(jpeg[start + len(_NOTE) : end].decode())
            except ValueError:
                return None
    return None


def _segments(jpeg: bytes) -> list[tuple[int, int, int]]:
    """Find the segments before the scan: marker, and where the content begins and ends."""
    found, at, code = [], len(_SOI), 0
    while at + 4 <= len(jpeg) and jpeg[at] == _MARK and code != _SOS:
        code, length = struct.unpack_from(">xBH", jpeg, at)
        found.append((code, at + 4, at + 2 + length))
        at += 2 + length
    return found
