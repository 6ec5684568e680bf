"""Fragmented MP4 written by hand, box by box, and fragments of it: frames nobody decodes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
import struct
from typing import TypedDict, Unpack

from custom_components.doorstep.footage.fragments import Fragment, FragmentParser, InitSegment
from custom_components.doorstep.footage.ring import Received, Stream

EPOCH = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
AVC = b"\x01\x64\x00\x1f\xff\xe1"
SYNC, NOT_SYNC = 0x2000000, 0x1010000


def box(name: bytes, *parts: bytes) -> bytes:
    payload = b"".join(parts)
    return struct.pack(">I", 8 + len(payload)) + name + payload


def full(name: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(name, struct.pack(">I", version << 24 | flags), *parts)


def u32(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


def video_entry(name: bytes = b"avc1", config: bytes = box(b"avcC", AVC)) -> bytes:
    return box(name, bytes(78), config)


def esds(object_type: int = 0x40, specific: bytes = b"\x05\x02\x14\x08") -> bytes:
    decoder = bytes([object_type]) + bytes(12) + specific
    return full(b"esds", 0, 0, b"\x03\x19\x00\x01\x00\x04\x80\x80\x11", decoder)


def audio_entry(name: bytes = b"mp4a", *children: bytes) -> bytes:
    return box(name, bytes(28), *children)


@dataclass(frozen=True)
class TrackSpec:
    """What a `trak` says; version 1 of its headers has 64-bit times."""

    id: int = 1
    handler: bytes = b"vide"
    timescale: int = 1000
    entry: bytes = video_entry()
    version: int = 0
    trex: tuple[int, int, int] = (0, 0, 0)

    def trak(self) -> bytes:
        times = bytes(16 if self.version else 8)
        return box(
            b"trak",
            full(b"tkhd", self.version, 3, times, u32(self.id, 0), bytes(64)),
            box(
                b"mdia",
                full(b"mdhd", self.version, 0, times, u32(self.timescale), bytes(8)),
                full(b"hdlr", 0, 0, bytes(4), self.handler, bytes(13)),
                box(b"minf", box(b"stbl", full(b"stsd", 0, 0, u32(1), self.entry))),
            ),
        )


VIDEO = TrackSpec()
AUDIO = TrackSpec(id=2, handler=b"soun", entry=audio_entry(b"mp4a", esds()))


def init_segment(*tracks: TrackSpec) -> bytes:
    trexes = [full(b"trex", 0, 0, u32(track.id, 1, *track.trex)) for track in tracks]
    return box(b"ftyp", b"iso5") + box(
        b"moov",
        full(b"mvhd", 0, 0, bytes(96)),
        *(t.trak() for t in tracks),
        box(b"mvex", full(b"mehd", 0, 0, u32(0)), *trexes),
    )


class How(TypedDict, total=False):
    """What a fragment may be like; `size` bytes a frame, `version` of its `tfdt`."""

    track: int
    key: bool
    samples: int
    size: int
    version: int


def fragment(start: int, duration: int = 500, **how: Unpack[How]) -> bytes:
    """Build `moof` + `mdat` of frames of equal size and duration."""
    track, key = how.get("track", 1), how.get("key", True)
    samples, size, version = how.get("samples", 5), how.get("size", 20), how.get("version", 1)
    each = [duration // samples] * (samples - 1)
    each.append(duration - sum(each))
    flags = [SYNC if key else NOT_SYNC] + [NOT_SYNC] * (samples - 1)
    rows = b"".join(u32(length, size, flag) for length, flag in zip(each, flags, strict=True))
    time = struct.pack(">Q" if version else ">I", start)

    def moof(offset: int) -> bytes:
        return box(
            b"moof",
            full(b"mfhd", 0, 0, u32(7)),
            box(
                b"traf",
                full(b"tfhd", 0, 0x20000, u32(track)),
                full(b"tfdt", version, 0, time),
                full(b"trun", 0, 0x701, u32(samples, offset), rows),
            ),
        )

    return moof(len(moof(0)) + 8) + box(b"mdat", b"f" * size * samples)


def parsed(data: bytes) -> tuple[InitSegment, list[Fragment]]:
    """Parse a whole stream at once."""
    parser = FragmentParser()
    found = [fragment for _, fragment in parser.feed(data)]
    assert parser.init is not None
    return parser.init, found


INIT = parsed(init_segment(VIDEO))[0]
INIT_AV = parsed(init_segment(VIDEO, AUDIO))[0]


def a_fragment(
    start: int, duration: int = 500, *, init: InitSegment = INIT, **how: Unpack[How]
) -> Fragment:
    """Make one parsed fragment."""
    data = fragment(start, duration, **how)
    return parsed(init.data + data)[1][0]


def stream(init: InitSegment = INIT, *, at: datetime = EPOCH) -> Stream:
    """Make a stream whose media time 0 is the instant `at`."""
    made = Stream(init)
    made.clock.observe(0, 0, at.timestamp())
    return made


def received(
    made: Stream, starts: Iterable[int], keys: Sequence[int] = (), **how: Unpack[How]
) -> list[Received]:
    """Half-second fragments at `starts`; those in `keys` (all, if empty) begin decodable."""
    return [
        Received(
            a_fragment(start, init=made.init, **(how | {"key": start in keys or not keys})), made
        )
        for start in starts
    ]
