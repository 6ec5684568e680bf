"""Fragmented MP4 as ffmpeg pipes it: one init segment, then fragments of one track each.

`FragmentParser` takes bytes in any portions and gives whole fragments. Malformed or oversized
input ends as `CameraError("camera_bad_stream")`, never as anything else. Sections are those of
ISO/IEC 14496-12.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from .boxes import HEADER, Box, bad_stream, only, walk
from .codecs import codec_of

MAX_INIT: Final = 1 << 20  # ftyp and moov
MAX_INDEX: Final = 1 << 20  # one moof, or a box we skip
MAX_MEDIA: Final = 32 << 20  # one mdat
MAX_SAMPLES: Final = 1 << 16  # G.711 counts every byte as a sample

type Kind = Literal["video", "audio"]

_HANDLERS: Final[dict[bytes, Kind]] = {b"vide": "video", b"soun": "audio"}
_NOT_SYNC: Final = 0x10000  # sample_is_non_sync_sample, section 8.8.3.1
_U32: Final = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One track of a stream; `timescale` is ticks a second, `defaults` those of its `trex`."""

    id: int
    kind: Kind
    codec: str
    timescale: int
    defaults: tuple[int, int, int] = (0, 0, 0)  # sample duration, size, flags


@dataclass(frozen=True, slots=True)
class InitSegment:
    """What a decoder needs before the first fragment: `ftyp` and `moov`."""

    data: bytes
    tracks: tuple[Track, ...]

    @property
    def video(self) -> Track:
        """The video track."""
        return next(track for track in self.tracks if track.kind == "video")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A run of frames of one track (`moof` + `mdat`); times are ticks of the track's timescale."""

    track: Track
    start: int
    duration: int
    key: bool  # begins with a frame that can be decoded alone
    samples: int
    last: int  # duration of the last sample
    data: bytes
    places: tuple[int, int, int]  # where number and decode time stand in it, and the latter's width

    @property
    def start_seconds(self) -> float:
        """Decode time of the first frame, in seconds of the stream's own clock."""
        return self.start / self.track.timescale

    @property
    def duration_seconds(self) -> float:
        """Length in seconds."""
        return self.duration / self.track.timescale

    @property
    def end_seconds(self) -> float:
        """End of the last frame, in seconds of the stream's own clock."""
        return (self.start + self.duration) / self.track.timescale


class FragmentParser:
    """Bytes in, fragments out, each with the init segment it belongs to.

    What comes in one piece is not copied: a stream's bytes are most of the work.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self.init: InitSegment | None = None
        self._parts: list[bytes] = []
        self.missing = HEADER  # bytes without which there is nothing new to read
        self._ftyp = b""

    def feed(self, data: bytes) -> Iterator[tuple[InitSegment, Fragment]]:
        """Take the next bytes of the stream and give each fragment they complete."""
        self._parts.append(data)
        self.missing -= len(data)
        if self.missing > 0:
            return
        data, at = b"".join(self._parts), 0
        while (end := _end_of_unit(data, at)) <= len(data):
            yield from self._take(data[at + 4 : at + HEADER], data[at:end])
            at = end
        self._parts = [data[at:]] if at < len(data) else []
        self.missing = end - len(data)

    def _take(self, name: bytes, unit: bytes) -> Iterator[tuple[InitSegment, Fragment]]:
        if name == b"ftyp":
            self._ftyp = unit
        elif name == b"moov":
            if self.init is not None:
                raise bad_stream("second moov box")
            self.init = parse_init(self._ftyp + unit)
        elif name == b"moof":
            if self.init is None:
                raise bad_stream("moof box without moov")
            yield self.init, parse_fragment(self.init, unit)


def _end_of_unit(data: bytes, at: int) -> int:
    """Find where a box ends, or a `moof` with its `mdat`: beyond the data, as far as is known."""
    name, end = _end_of_box(data, at)
    if name == b"mdat":
        raise bad_stream("mdat box without moof")
    if name == b"moof" and end + HEADER <= len(data):
        name, end = _end_of_box(data, end)
        if name != b"mdat":
            raise bad_stream("moof box without mdat")
    elif name == b"moof":
        end += HEADER
    return end


def _end_of_box(data: bytes, at: int) -> tuple[bytes, int]:
    """Read a box's name and where it ends; without its whole header, where that ends."""
    if at + HEADER > len(data):
        return b"", at + HEADER
    size, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + HEADER]
    cap = {b"mdat": MAX_MEDIA, b"moov": MAX_INIT}.get(name, MAX_INDEX)
    if not HEADER <= size <= cap:
        raise bad_stream("box size")
    return name, at + size


def parse_init(data: bytes) -> InitSegment:
    """Read `ftyp` + `moov` (section 8.2); needs one video track. Malformed: CameraError."""
    boxes = list(walk(data, 0, len(data)))
    if [box.name for box in boxes] != [b"ftyp", b"moov"]:
        raise bad_stream("no init segment")
    moov = boxes[1]
    defaults = {}
    for trex in moov.child(b"mvex").children():
        if trex.name == b"trex":
            identity, _, duration, size, flags = trex.read("5I", 4)
            defaults[identity] = (duration, size, flags)
    tracks = tuple(_track(box, defaults) for box in moov.children() if box.name == b"trak")
    if [track.kind for track in tracks].count("video") != 1:
        raise bad_stream("not one video track")
    if len({track.id for track in tracks}) != len(tracks):
        raise bad_stream("track ids")
    return InitSegment(_as_hvc1(data, moov), tracks)


def _track(trak: Box, defaults: dict[int, tuple[int, int, int]]) -> Track:
    header = trak.child(b"tkhd")
    (identity,) = header.read("I", 20 if header.versioned()[0] else 12)
    media = trak.child(b"mdia")
    kind = _HANDLERS.get(bytes(media.data[media.child(b"hdlr").start + 8 :][:4]))
    times = media.child(b"mdhd")
    (timescale,) = times.read("I", 20 if times.versioned()[0] else 12)
    if kind is None or timescale == 0 or identity not in defaults:
        raise bad_stream("track header")
    return Track(
        id=identity,
        kind=kind,
        codec=codec_of(_sample_entry(media), kind),
        timescale=timescale,
        defaults=defaults[identity],
    )


def _sample_entry(media: Box) -> Box:
    entries = media.child(b"minf").child(b"stbl").child(b"stsd").children(skip=8)
    entry = next(entries, None)
    if entry is None:
        raise bad_stream("no sample entry")
    return entry


def _as_hvc1(data: bytes, moov: Box) -> bytes:
    """Name H.265 `hvc1`, the only name Apple's players take; parameter sets are in the `hvcC`."""
    for trak in moov.children():
        if trak.name == b"trak":
            entry = _sample_entry(trak.child(b"mdia"))
            if entry.name == b"hev1":
                at = entry.start - 4
                return data[:at] + b"hvc1" + data[at + 4 :]
    return data


def parse_fragment(init: InitSegment, *boxes: bytes) -> Fragment:
    """Read one `moof` (section 8.8) that describes all of the one `mdat` after it.

    Malformed: CameraError.
    """
    data = b"".join(boxes)
    moof = next(walk(data, 0, len(data)))
    parts = list(moof.children())
    traf = list(only(parts, b"traf").children())
    identity, samples = _contents(init, traf, moof.end)
    track = next((track for track in init.tracks if track.id == identity), None)
    if track is None:
        raise bad_stream("unknown track")
    if not samples or sum(size for _, size, _ in samples) + HEADER != len(data) - moof.end:
        raise bad_stream("samples don't fill the fragment")
    start, time, width = _decode_time(only(traf, b"tfdt"))
    number = only(parts, b"mfhd")
    number.read("I", 4)
    return Fragment(
        track=track,
        start=start,
        duration=sum(duration for duration, _, _ in samples),
        key=not samples[0][2] & _NOT_SYNC,
        samples=len(samples),
        last=samples[-1][0],
        data=data,
        places=(number.start + 4, time, width),
    )


def sample_sizes(init: InitSegment, fragment: bytes) -> list[int]:
    """Bytes of each sample of a `moof` + `mdat`; they fill its end. Malformed: CameraError."""
    moof = next(walk(fragment, 0, len(fragment)))
    _, samples = _contents(init, list(moof.child(b"traf").children()), moof.end)
    return [size for _, size, _ in samples]


def _contents(
    init: InitSegment, traf: Sequence[Box], length: int
) -> tuple[int, list[tuple[int, int, int]]]:
    """Id of the track, and duration, size and flags of each sample; `length` that of the `moof`."""
    identity, defaults = _fragment_defaults(init, only(traf, b"tfhd"))
    samples: list[tuple[int, int, int]] = []
    position = length + HEADER
    for run in traf:
        if run.name == b"trun":
            samples += (found := _samples(run, position, defaults))
            position += sum(size for _, size, _ in found)
    return identity, samples


def _fragment_defaults(init: InitSegment, header: Box) -> tuple[int, tuple[int, int, int]]:
    """Section 8.8.7: a `tfhd` overrides what the `trex` says. Absolute offsets are refused."""
    _, flags = header.versioned()
    if flags & 1:
        raise bad_stream("absolute data offset")
    (identity,) = header.read("I", 4)
    defaults = next((track.defaults for track in init.tracks if track.id == identity), (0, 0, 0))
    at = 8 + 4 * bool(flags & 0x2)
    values = list(defaults)
    for index, bit in enumerate((0x8, 0x10, 0x20)):
        if flags & bit:
            (values[index],) = header.read("I", at)
            at += 4
    return identity, (values[0], values[1], values[2])


def _samples(
    run: Box, position: int, defaults: tuple[int, int, int]
) -> Sequence[tuple[int, int, int]]:
    """Duration, size and flags of each sample of a `trun` (section 8.8.8) found at `position`."""
    _, flags = run.versioned()
    (count,) = run.read("I", 4)
    at = 8
    if flags & 0x1:
        (offset,) = run.read("i", at)
        at += 4
        if offset != position:
            raise bad_stream("data offset")
    first = None
    if flags & 0x4:
        (first,) = run.read("I", at)
        at += 4
    fields = [index for index, bit in enumerate((0x100, 0x200, 0x400)) if flags & bit]
    stride = len(fields) + bool(flags & 0x800)
    if count > MAX_SAMPLES or run.start + at + 4 * stride * count > run.end:
        raise bad_stream("sample count")
    table = run.read(f"{stride * count}I", at)
    samples = []
    for index in range(count):
        values = list(defaults)
        if index == 0 and first is not None:
            values[2] = first
        for column, field in enumerate(fields):
            values[field] = table[index * stride + column]
        samples.append((values[0], values[1], values[2]))
    return samples


def _decode_time(box: Box) -> tuple[int, int, int]:
    """The decode time of a `tfdt` (section 8.8.12), where it stands in the data, and its width."""
    layout, width = ("Q", 8) if box.versioned()[0] else ("I", 4)
    (time,) = box.read(layout, 4)
    return time, box.start + 4, width


def rewritten(fragment: Fragment, start: int, sequence: int) -> bytes:
    """Give the fragment's bytes with another decode time and sequence number (section 8.8.5)."""
    number, time, width = fragment.places
    if not 0 <= start < 1 << 8 * width:
        raise bad_stream("decode time")
    end = max(time + width, number + 4)
    head = bytearray(fragment.data[:end])
    head[time : time + width] = start.to_bytes(width)
    head[number : number + 4] = (sequence % _U32).to_bytes(4)
    return b"".join((head, memoryview(fragment.data)[end:]))
