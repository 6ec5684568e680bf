"""The cut's own index: an ordinary MP4 around fragments that stay as they are.

The released file is `ftyp`, a `moov` with complete sample tables, and one `mdat` that holds the
sealed fragments (`moof` and `mdat`), byte for byte, one after another. Players find an ordinary
file that starts at 0 and has its true length; whoever verifies finds the fragments at its end. (A
fragmented file can't start late: FFmpeg and every browser would add the lead to its length.)
The index keeps only what a player needs, so that names and notes a camera wrote into the file
(`udta`, `meta`) stay at home. Sections are those of ISO/IEC 14496-12.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
import struct

from ..errors import CameraError, ReleaseError
from ..footage.boxes import HEADER, Box
from .samples import Piece

_MAX_32 = (1 << 32) - 1


def index(original: bytes, pieces: Sequence[Piece], origin: float) -> bytes:
    """Make everything that stands before the fragments; `original` is the clip's init segment.

    `pieces` are the fragments in the order they follow; `origin` is when the first picture is
    shown, in seconds of the clip. Malformed: ReleaseError (`clip_broken`).
    """
    try:
        root = Box(original, b"", 0, len(original))
        kind, movie = _raw(root.child(b"ftyp")), root.child(b"moov")
        content = sum(piece.length for piece in pieces)
        length = len(kind) + len(_movie(movie, pieces, 0, origin)) + len(_media_header(content))
        return kind + _movie(movie, pieces, length, origin) + _media_header(content)
    except (CameraError, struct.error) as error:
        raise ReleaseError("clip_broken") from error


def _movie(movie: Box, pieces: Sequence[Piece], base: int, origin: float) -> bytes:
    header = movie.child(b"mvhd")
    (scale,) = header.read("I", _times(header) - 4)
    parts, longest = [], 0
    for track in (box for box in movie.children() if box.name == b"trak"):
        track_id = _track_id(track)
        own = [(at, piece) for at, piece in _placed(pieces, base) if piece.track == track_id]
        if own:
            made, duration = _track(track, own, origin, scale)
            parts.append(made)
            longest = max(longest, duration)
    return _box(b"moov", _lasting(header, longest), *parts)


def _track(
    track: Box, placed: Sequence[tuple[int, Piece]], origin: float, movie_scale: int
) -> tuple[bytes, int]:
    """One `trak` and how long it lasts, in the movie's timescale, from the movie's start."""
    pieces = [piece for _, piece in placed]
    scale = _timescale(track)
    deltas = list(_deltas(pieces))
    total = sum(count * delta for count, delta in deltas)
    lead = pieces[0].runs[0].offset
    lasting = round(total / scale * movie_scale)
    # what starts after the first picture waits that long: an edit of nothing (section 8.6.6)
    wait = max(0, round(((pieces[0].start + lead) / scale - origin) * movie_scale))
    rate = 1 << 16
    edits = [(wait, -1, rate)] if wait else []
    edits.append((lasting, lead, rate))
    media = track.child(b"mdia")
    tables = _tables(media.child(b"minf").child(b"stbl"), placed, deltas)
    made = _box(
        b"trak",
        _lasting(track.child(b"tkhd"), wait + lasting, skip=4),
        _box(b"edts", _table(b"elst", edits, "QqI", version=1)),
        _box(b"mdia", *_media(media, total, tables)),
    )
    return made, wait + lasting


def _media(media: Box, total: int, tables: bytes) -> Iterator[bytes]:
    yield _lasting(media.child(b"mdhd"), total)
    yield _raw(media.child(b"hdlr"))
    kept = [_raw(box) for box in media.child(b"minf").children() if box.name != b"stbl"]
    yield _box(b"minf", *kept, tables)


def _tables(
    original: Box, placed: Sequence[tuple[int, Piece]], deltas: Iterable[tuple[int, int]]
) -> bytes:
    """The sample tables (section 8.5 to 8.7); one chunk is one fragment."""
    pieces = [piece for _, piece in placed]
    runs = [run for piece in pieces for run in piece.runs]
    parts = [_raw(original.child(b"stsd")), _table(b"stts", deltas, "II")]
    if any(run.offset for run in runs):
        parts.append(_table(b"ctts", _merged((r.count, r.offset) for r in runs), "Ii", version=1))
    if not all(run.key for run in runs):
        parts.append(_table(b"stss", [(n,) for n in _key_numbers(pieces)], "I"))
    chunks = [(at + piece.media,) for at, piece in placed]
    parts += [
        _sizes(pieces),
        _table(b"stsc", _chunk_runs(pieces), "III"),
        _table(b"co64", chunks, "Q"),
    ]
    return _box(b"stbl", *parts)


def _deltas(pieces: Sequence[Piece]) -> Iterator[tuple[int, int]]:
    """(samples, ticks from one to the next); before a hole the last sample stays until its end."""

    def each() -> Iterator[tuple[int, int]]:
        for piece, following in zip(pieces, [*pieces[1:], None], strict=True):
            *most, last = piece.runs
            yield from ((run.count, run.duration) for run in most)
            lasts = last.duration
            if following is not None:
                lasting = sum(run.count * run.duration for run in piece.runs)
                lasts = max(0, lasts + following.start - piece.start - lasting)
            yield from ((last.count - 1, last.duration), (1, lasts))

    return _merged(each())


def _merged(pairs: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for value, group in groupby(pairs, key=lambda pair: pair[1]):
        if count := sum(count for count, _ in group):
            yield count, value


def _key_numbers(pieces: Sequence[Piece]) -> Iterator[int]:
    number = 1
    for run in (run for piece in pieces for run in piece.runs):
        if run.key:
            yield from range(number, number + run.count)
        number += run.count


def _chunk_runs(pieces: Sequence[Piece]) -> Iterator[tuple[int, int, int]]:
    number = 1
    for count, group in groupby(piece.count for piece in pieces):
        yield number, count, 1
        number += len(list(group))


def _sizes(pieces: Sequence[Piece]) -> bytes:
    runs = [run for piece in pieces for run in piece.runs]
    count = sum(run.count for run in runs)
    if len({run.size for run in runs}) == 1:
        return _box(b"stsz", struct.pack(">III", 0, runs[0].size, count))
    sizes = array("I", (run.size for run in runs for _ in range(run.count)))
    sizes.byteswap()
    return _box(b"stsz", struct.pack(">III", 0, 0, count), sizes.tobytes())


def _placed(pieces: Sequence[Piece], base: int) -> Iterator[tuple[int, Piece]]:
    for piece in pieces:
        yield base, piece
        base += piece.length


def _media_header(content: int) -> bytes:
    if content + HEADER <= _MAX_32:
        return struct.pack(">I4s", content + HEADER, b"mdat")
    return struct.pack(">I4sQ", 1, b"mdat", content + 2 * HEADER)


def _track_id(track: Box) -> int:
    header = track.child(b"tkhd")
    (track_id,) = header.read("I", _times(header) - 4)
    return track_id


def _timescale(track: Box) -> int:
    header = track.child(b"mdia").child(b"mdhd")
    (scale,) = header.read("I", _times(header) - 4)
    if not scale:
        raise ReleaseError("clip_broken")
    return scale


def _times(header: Box) -> int:
    """Where the word after creation and modification time and one more word begins."""
    return 24 if header.versioned()[0] else 16


def _lasting(header: Box, duration: int, skip: int = 0) -> bytes:
    """Write `mvhd`, `mdhd` (or `tkhd`, with a reserved word more) again with another duration."""
    at = HEADER + _times(header) + skip
    layout = ">Q" if header.versioned()[0] else ">I"
    data = bytearray(_raw(header))
    struct.pack_into(layout, data, at, duration)
    return bytes(data)


def _table(name: bytes, rows: Iterable[tuple[int, ...]], layout: str, *, version: int = 0) -> bytes:
    """A full box of counted rows."""
    row = struct.Struct(f">{layout}")
    packed = [row.pack(*values) for values in rows]
    return _box(name, struct.pack(">II", version << 24, len(packed)), *packed)


def _box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", HEADER + len(body)) + name + body


def _raw(box: Box) -> bytes:
    return box.data[box.start - HEADER : box.end]
