"""Codec names as browsers want them (RFC 6381, ISO/IEC 14496-15 annex E), out of sample entries."""

from typing import Final

from ..errors import CameraError
from .boxes import Box, bad_stream

MJPEG: Final = "mp4v.6c"
"""JPEG pictures one after another: object type 0x6C, ISO/IEC 14496-1 table 5."""

_SAMPLE_ENTRY = {"video": 78, "audio": 28}  # Bytes of fields before the child boxes.
_DECODER_CONFIG, _DECODER_SPECIFIC = 4, 5  # Descriptor tags, ISO/IEC 14496-1 section 7.2.2.1.
_AUDIO_OBJECT_ESCAPE = 31


def codec_of(entry: Box, kind: str) -> str:
    """Name the codec of a sample entry; one we don't know keeps its four letters.

    `kind` is "video" or "audio". Malformed: CameraError.
    """
    match entry.name:
        case b"avc1" | b"avc3":
            return _avc(entry.child(b"avcC", _SAMPLE_ENTRY[kind]))
        case b"hvc1" | b"hev1":
            return _hevc(entry.child(b"hvcC", _SAMPLE_ENTRY[kind]))
        case b"mp4a":
            return _mp4a(entry, _SAMPLE_ENTRY[kind])
        case b"mp4v":
            return _mp4v(entry, _SAMPLE_ENTRY[kind])
    return entry.name.decode("latin-1").strip()


def _avc(config: Box) -> str:
    profile, compatibility, level = config.read("3B", 1)
    return f"avc1.{profile:02x}{compatibility:02x}{level:02x}"


def _hevc(config: Box) -> str:
    general, compatibility = config.read("BI", 1)
    *constraints, level = config.read("7B", 6)
    space = ("", "A", "B", "C")[general >> 6]
    tier = "H" if general & 0x20 else "L"
    reversed_flags = int(f"{compatibility:032b}"[::-1], 2)
    while constraints and constraints[-1] == 0:
        constraints.pop()
    parts = [f"hvc1.{space}{general & 31}", f"{reversed_flags:X}", f"{tier}{level}"]
    return ".".join(parts + [f"{byte:X}" for byte in constraints])


def _mp4v(entry: Box, skip: int) -> str:
    """Find the object type; where there is none, say just `mp4v`."""
    try:
        object_type, _ = _object_type(entry.child(b"esds", skip))
    except CameraError:
        return "mp4v"
    return f"mp4v.{object_type:x}"


def _mp4a(entry: Box, skip: int) -> str:
    """Find object type and audio object type; where QuickTime hides them, say just `mp4a`."""
    try:
        descriptors = entry.child(b"esds", skip)
        return _audio_object(descriptors)
    except CameraError:
        return "mp4a"


def _audio_object(esds: Box) -> str:
    object_type, at = _object_type(esds)
    tag, at, _ = _descriptor(esds, at)
    (first,) = esds.read("B", at)
    audio = first >> 3
    if tag != _DECODER_SPECIFIC or audio == _AUDIO_OBJECT_ESCAPE:
        return f"mp4a.{object_type:x}"
    return f"mp4a.{object_type:x}.{audio}"


def _object_type(esds: Box) -> tuple[int, int]:
    """Give the object type, and where what the decoder needs besides begins."""
    # Version and flags, then the ES descriptor: header, id (2), flags (1). ffmpeg sets no flags.
    at = _descriptor(esds, 4)[1] + 3
    tag, at, _ = _descriptor(esds, at)
    if tag != _DECODER_CONFIG:
        raise bad_stream("no decoder configuration")
    (object_type,) = esds.read("B", at)
    return object_type, at + 13


def _descriptor(esds: Box, at: int) -> tuple[int, int, int]:
    """Read a descriptor's tag, where its content begins, and its length (expandable, 4 bytes)."""
    (tag,) = esds.read("B", at)
    length = 0
    for _ in range(4):
        at += 1
        (byte,) = esds.read("B", at)
        length = length << 7 | byte & 0x7F
        if not byte & 0x80:
            break
    return tag, at + 1, length
