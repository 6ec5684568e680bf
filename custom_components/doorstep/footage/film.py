"""One film of several clips: which fragments of each, whether with sound, and what is missing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise, zip_longest
from typing import Final

import orjson

from ..encoding import format_time, parse_time
from ..errors import CameraError, StorageError
from .boxes import HEADER, Box
from .clip import Clip
from .codecs import MJPEG
from .fragments import InitSegment, Track, parse_init
from .lines import ClipLines, FragmentLine
from .verify import Finding, read_lines

HOLE: Final = timedelta(seconds=0.5)  # what the recorder calls missing frames
_CONFIGURATION: Final = (b"avcC", b"hvcC", b"esds")
_SIZE, _ENTRY = 24, 78  # where a visual sample entry says width and height; its fields in all

type Gap = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Part:
    """One clip's share of a film: what is in [start, end), up to where the `following` begins."""

    clip: Clip
    start: datetime
    end: datetime
    following: datetime | None

    def choose(self, lines: ClipLines) -> list[FragmentLine]:
        """Choose the video fragments, from the last key frame at or before the start on."""
        video = lines.footage
        inside = [n for n, one in enumerate(video) if self._holds(one, over(lines, one))]
        if not inside:
            return []
        first = inside[0]
        while first and not video[first].key:
            first -= 1
        return video[first : inside[-1] + 1]

    def _holds(self, one: FragmentLine, end: datetime) -> bool:
        # clips that follow one another share fragments, whose times may differ a little
        middle = one.utc + (end - one.utc) / 2
        mine = self.following is None or middle < self.following
        return mine and end > self.start and one.utc < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """What a film will be: `init` decodes it all, `size` is its video's in bytes, times are UTC.

    `audio` is None where it is silent; `gaps` are the times without pictures.
    """

    parts: tuple[Part, ...]
    init: InitSegment
    audio: Track | None
    size: int
    start: datetime
    end: datetime
    gaps: tuple[Gap, ...]


def plan(clips: Sequence[Clip], start: datetime, end: datetime) -> Film:
    """Plan a film of one doorbell's clips in [start, end). Blocks; reads one clip at a time.

    StorageError keys: `export_empty`, `export_pictures`, `export_mixed` (names the instant from
    which on one decoder can't go on), `clip_unreadable`.
    """
    shots = [shot for part in _parts(clips, start, end) if (shot := _shot(part))]
    if not shots:
        raise StorageError("export_empty")
    first, last = shots[0], shots[-1]
    for shot in shots:
        if shot.video != first.video:
            raise StorageError("export_mixed", at=format_time(shot.start))
    alike = all(shot.audio == first.audio for shot in shots)
    between = ((one.end, other.start) for one, other in pairwise(shots))
    return Film(
        parts=tuple(shot.part for shot in shots),
        init=first.init,
        audio=first.audio[0] if alike and first.audio else None,
        size=sum(shot.size for shot in shots),
        start=first.start,
        end=last.end,
        gaps=tuple(
            sorted(
                [
                    *(gap for shot in shots for gap in shot.gaps),
                    *(gap for gap in between if gap[1] - gap[0] > HOLE),
                ]
            )
        ),
    )


@contextmanager
def readable(clip: Clip) -> Iterator[None]:
    """Turn whatever shows that a clip isn't what was sealed into StorageError `clip_unreadable`."""
    try:
        yield
    except (OSError, CameraError, LookupError, TypeError, ValueError) as error:
        raise StorageError("clip_unreadable", clip=clip.id) from error


def proven(clip: Clip) -> ClipLines:
    """Read a clip's lines, which must have its root."""
    lines = read_lines(clip.files, clip.root)
    if isinstance(lines, Finding):
        raise StorageError("clip_unreadable", clip=clip.id)
    return lines


def proven_bytes(data: bytes, digest: object) -> bytes:
    """Give what was read from a clip, if it has this SHA-256 (hex); else ValueError."""
    if sha256(data).hexdigest() != digest:
        raise ValueError(digest)
    return data


def proven_init(lines: ClipLines, data: bytes) -> bytes:
    """Give a clip's init segment, the beginning of `data`, if it is what was sealed."""
    init = lines.header["init"]
    assert isinstance(init, dict)
    return proven_bytes(data[: init["length"]], init.get("sha256"))


def over(lines: ClipLines, one: FragmentLine) -> datetime:
    """UTC at which a fragment's last frame is over."""
    return one.utc + timedelta(seconds=one.duration / lines.timescales[one.track])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shot:
    """What is known of a part once its clip was read."""

    part: Part
    init: InitSegment
    video: tuple[Track, tuple[bytes, ...]]
    audio: tuple[Track, bytes] | None
    size: int
    start: datetime
    end: datetime
    gaps: tuple[Gap, ...]


def _parts(clips: Sequence[Clip], start: datetime, end: datetime) -> Iterator[Part]:
    """Put clips in order; what lies within another's time is there already."""
    inside = [clip for clip in clips if clip.end > start and clip.start < end]
    chosen: list[Clip] = []
    for clip in sorted(inside, key=lambda clip: (clip.start, -clip.end.timestamp())):
        if not chosen or clip.end > chosen[-1].end:
            chosen.append(clip)
    for clip, following in zip_longest(chosen, chosen[1:]):
        yield Part(clip, start, end, following.start if following else None)


def _shot(part: Part) -> _Shot | None:
    lines = proven(part.clip)
    video = part.choose(lines)
    if not video:
        return None
    with readable(part.clip):
        with part.clip.video.open("rb") as file:
            init = parse_init(proven_init(lines, file.read(lines.fragments[0].offset)))
        if init.video.codec == MJPEG:
            raise StorageError("export_pictures")
        entries = dict(zip(init.tracks, _entries(init), strict=True))
        begin, end = video[0].utc, over(lines, video[-1])
        sound = next((track for track in init.tracks if track.kind == "audio"), None)
        return _Shot(
            part=part,
            init=init,
            video=(init.video, _configuration(entries[init.video])),
            audio=(sound, _raw(entries[sound])) if sound else None,
            size=sum(one.length for one in video),
            start=begin,
            end=end,
            gaps=tuple(gap for gap in _gaps(lines) if begin <= gap[0] < gap[1] <= end),
        )


def _gaps(lines: ClipLines) -> Iterator[Gap]:
    """Times for which a clip says that pictures are missing."""
    marks = set(lines.marks)
    for number, raw in enumerate(lines.raw[1:-1], 1):
        if number not in marks:
            value = orjson.loads(raw)
            if value["track"] == lines.video and value["reason"] != "clock-jump":
                yield parse_time(value["from"]), parse_time(value["to"])


def _entries(init: InitSegment) -> Iterator[Box]:
    """The sample entry of each track."""
    for trak in Box(init.data, b"", 0, len(init.data)).child(b"moov").children():
        if trak.name == b"trak":
            table = trak.child(b"mdia").child(b"minf").child(b"stbl").child(b"stsd")
            yield next(table.children(8))


def _configuration(entry: Box) -> tuple[bytes, ...]:
    """What a decoder of the entry's pictures has to know; QuickTime says more than that."""
    size = entry.data[entry.start + _SIZE :][:4]
    needed = (_raw(child) for child in entry.children(_ENTRY) if child.name in _CONFIGURATION)
    return entry.name, size, *needed


def _raw(box: Box) -> bytes:
    return box.data[box.start - HEADER : box.end]
