"""JPEG pictures as the frames of a fragmented MP4: the pictures themselves stay as they are.

Sections are those of ISO/IEC 14496-12; `esds` and its object type 0x6C are of ISO/IEC 14496-1.
"""

import struct
from typing import Final

from ..errors import CameraError
from .boxes import HEADER
from .fragments import Fragment, InitSegment, parse_fragment, parse_init

TIMESCALE: Final = 1000  # ticks a second
MAX_PICTURE: Final = 16 << 20  # bytes

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_MARK, _SOS = 0xFF, 0xDA
_FRAMES: Final = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive: what decoders know
_TRACK: Final = 1
_KEY: Final = 0x2000000  # sample_depends_on 2: on no other
_MATRIX: Final = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)


def size_of(jpeg: bytes) -> tuple[int, int]:
    """Read a picture's width and height, in pixels (ITU-T T.81, annex B).

    No whole JPEG that decoders know, or one of more than 16 MiB: CameraError
    `camera_bad_picture`.
    """
    try:
        size = _size(jpeg)
    except struct.error:
        size = None
    if size is None or not all(size):
        raise CameraError("camera_bad_picture")
    return size


def _size(jpeg: bytes) -> tuple[int, int] | None:
    if len(jpeg) > MAX_PICTURE or not jpeg.startswith(_SOI):
        return None
    size, at, code = None, len(_SOI), 0
    while code != _SOS:
        mark, code = struct.unpack_from(">BB", jpeg, at)
        if mark != _MARK:
            return None
        if code == _MARK:  # any number of these may come before a marker
            at += 1
            continue
        length, height, width = struct.unpack_from(">HxHH", jpeg, at + 2)
        if code in _FRAMES:
            size = width, height
        at += 2 + length
    # inside the scan every 0xFF is followed by a zero
    return size if jpeg.find(_EOI, at) > 0 else None


def init_segment(width: int, height: int) -> InitSegment:
    """Write `ftyp` and `moov` for pictures of one size, in pixels."""
    kind = _box(b"ftyp", b"iso5", _u32(512), b"iso5iso6mp41")
    header = _full(
        *(b"mvhd", 0, _u32(0, 0, TIMESCALE, 0, 1 << 16), b"\1\0", bytes(10)),
        *(_MATRIX, bytes(24), _u32(_TRACK + 1)),
    )
    defaults = _full(b"trex", 0, _u32(_TRACK, 1, 0, 0, _KEY))
    track = _track(width, height)
    return parse_init(kind + _box(b"moov", header, track, _box(b"mvex", defaults)))


def fragment(init: InitSegment, start: int, duration: int, jpeg: bytes) -> Fragment:
    """Write the fragment of one picture; `start` and `duration` in ticks of a millisecond."""

    def moof(offset: int) -> bytes:
        header = _full(b"tfhd", 0x20000, _u32(_TRACK))
        time = _full(b"tfdt", 1 << 24, struct.pack(">Q", start))
        run = _full(b"trun", 0x301, struct.pack(">IiII", 1, offset, duration, len(jpeg)))
        return _box(b"moof", _full(b"mfhd", 0, _u32(0)), _box(b"traf", header, time, run))

    index = moof(len(moof(0)) + HEADER)
    return parse_fragment(init, index, _box(b"mdat", jpeg))


def _track(width: int, height: int) -> bytes:
    header = _full(
        *(b"tkhd", 3, _u32(0, 0, _TRACK, 0, 0), bytes(16), _MATRIX),
        _u32(width << 16, height << 16),
    )
    handler = _full(b"hdlr", 0, bytes(4), b"vide", bytes(12), b"stills\0")
    return _box(
        b"trak",
        header,
        _box(
            b"mdia",
            _full(b"mdhd", 0, _u32(0, 0, TIMESCALE, 0), b"\x55\xc4\0\0"),  # language: und
            handler,
            _media(width, height),
        ),
    )


def _media(width: int, height: int) -> bytes:
    here = _box(b"dinf", _full(b"dref", 0, _u32(1), _full(b"url ", 1)))
    tables = _box(
        b"stbl",
        _full(b"stsd", 0, _u32(1), _sample_entry(width, height)),
        _full(b"stts", 0, _u32(0)),
        _full(b"stsc", 0, _u32(0)),
        _full(b"stsz", 0, _u32(0, 0)),
        _full(b"stco", 0, _u32(0)),
    )
    return _box(b"minf", _full(b"vmhd", 1, bytes(8)), here, tables)


def _sample_entry(width: int, height: int) -> bytes:
    """Section 12.1.3, 72 dpi; the descriptors are those of ISO/IEC 14496-1, section 7.2.6."""
    fields = struct.pack(">6xH16xHHII4xH32xHh", 1, width, height, 72 << 16, 72 << 16, 1, 24, -1)
    decoder = _descriptor(4, b"\x6c\x11", bytes(11))  # JPEG, a visual stream
    stream = _descriptor(3, struct.pack(">HB", _TRACK, 0), decoder, _descriptor(6, b"\2"))
    return _box(b"mp4v", fields, _full(b"esds", 0, stream))


def _descriptor(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes((tag, len(body))) + body


def _box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", HEADER + len(body)) + name + body


def _full(name: bytes, version_and_flags: int, *parts: bytes) -> bytes:
    return _box(name, _u32(version_and_flags), *parts)


def _u32(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)
