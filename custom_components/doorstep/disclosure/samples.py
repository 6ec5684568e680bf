"""Read where the samples of a sealed fragment lie: enough of ISO/IEC 14496-12 to index them."""

from collections.abc import Mapping
from dataclasses import dataclass
import struct

from ..errors import CameraError, ReleaseError
from ..footage.boxes import HEADER, Box, walk
from ..footage.fragments import MAX_SAMPLES

_DEFAULTS = (0x8, 0x10, 0x20)
_FIELDS = (0x100, 0x200, 0x400, 0x800)
_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_NOT_SYNC = 0x10000


@dataclass(frozen=True, slots=True)
class Run:
    """`count` samples alike: duration and composition offset in ticks, size in bytes."""

    count: int
    duration: int
    size: int
    key: bool
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One fragment as a player's index sees it.

    `start` is its decode time in ticks, `length` its size, `media` where in it the media begin.
    """

    track: int
    start: int
    length: int
    media: int
    runs: tuple[Run, ...]

    @property
    def count(self) -> int:
        """Number of samples."""
        return sum(run.count for run in self.runs)


def track_defaults(init: bytes) -> dict[int, tuple[int, int, int]]:
    """Read each track's defaults (`trex`, section 8.8.3): sample duration, size, flags.

    An init segment that has none, or is malformed: ReleaseError (`clip_broken`).
    """
    try:
        extends = Box(init, b"", 0, len(init)).child(b"moov").child(b"mvex")
        found = [box.read("5I", 4) for box in extends.children() if box.name == b"trex"]
    except CameraError as error:
        raise ReleaseError("clip_broken") from error
    return {track: (duration, size, flags) for track, _, duration, size, flags in found}


def read_piece(fragment: bytes, start: int, defaults: Mapping[int, tuple[int, int, int]]) -> Piece:
    """Index one `moof` + `mdat` whose first sample is decoded at `start`, in ticks.

    Anything but a fragment whose samples fill its `mdat` is a ReleaseError (`clip_broken`).
    """
    try:
        moof, mdat = walk(fragment, 0, len(fragment))
        if (moof.name, mdat.name) != (b"moof", b"mdat"):
            raise ReleaseError("clip_broken")
        part = moof.child(b"traf")
        track, own = _defaults(part.child(b"tfhd"), defaults)
        runs = tuple(
            run for box in part.children() if box.name == b"trun" for run in _runs(box, own)
        )
    except (CameraError, ValueError, KeyError) as error:
        raise ReleaseError("clip_broken") from error
    if not runs or sum(run.count * run.size for run in runs) != mdat.end - mdat.start:
        raise ReleaseError("clip_broken")
    return Piece(track=track, start=start, length=len(fragment), media=mdat.start, runs=runs)


def _defaults(header: Box, defaults: Mapping[int, tuple[int, int, int]]) -> tuple[int, list[int]]:
    """Section 8.8.7: what the fragment says overrides what the track says."""
    _, flags = header.versioned()
    (track,) = header.read("I", 4)
    values = list(defaults[track])
    at = HEADER + 8 * bool(flags & 0x1) + 4 * bool(flags & 0x2)
    for index, flag in enumerate(_DEFAULTS):
        if flags & flag:
            (values[index],) = header.read("I", at)
            at += 4
    return track, values


def _runs(box: Box, defaults: list[int]) -> list[Run]:
    """Section 8.8.8. Without fields of their own all samples are one run: G.711 has thousands."""
    version, flags = box.versioned()
    (count,) = box.read("I", 4)
    if count > MAX_SAMPLES:
        raise ReleaseError("clip_broken")
    at = HEADER + 4 * bool(flags & _DATA_OFFSET)
    first = None
    if flags & _FIRST_FLAGS:
        (first,) = box.read("I", at)
        at += 4
    columns = [index for index, flag in enumerate(_FIELDS) if flags & flag]
    if not columns:
        return [_run(count, [*defaults, 0], None)] if count else []
    layout = ("I", "I", "I", "i" if version else "I")
    row = struct.Struct(">" + "".join(layout[column] for column in columns))
    body = box.data[box.start + at : box.end]
    if len(body) != row.size * count:
        raise ReleaseError("clip_broken")
    runs = []
    for number, cells in enumerate(row.iter_unpack(body)):
        values = [*defaults, 0]
        for column, value in zip(columns, cells, strict=True):
            values[column] = value
        runs.append(_run(1, values, None if number else first))
    return runs


def _run(count: int, values: list[int], first_flags: int | None) -> Run:
    duration, size, flags, offset = values
    flags = flags if first_flags is None else first_flags
    return Run(count, duration, size, not flags & _NOT_SYNC, offset)
