"""The cut: whole fragments inside the request's window, byte for byte as they were sealed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import BinaryIO, Self

from ..errors import ReleaseError, StorageError
from ..footage.clip import Clip
from ..footage.lines import ClipLines, FragmentLine
from .movie import index
from .samples import read_piece, track_defaults
from .seal import gaps, read_seal


@dataclass(frozen=True, slots=True)
class Window:
    """The past time a request asks for, aware UTC; both borders belong to it."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CutPlan:
    """What of one clip is released; `head` is what the cut's file begins with, times are UTC."""

    clip: Clip
    lines: ClipLines
    fragments: tuple[FragmentLine, ...]
    head: bytes
    start: datetime
    end: datetime
    seconds: float

    @property
    def bytes(self) -> int:
        """Size of the cut's file, in bytes."""
        return len(self.head) + sum(fragment.length for fragment in self.fragments)

    @property
    def audio(self) -> bool:
        """Whether there is sound in it."""
        return any(fragment.track != self.lines.video for fragment in self.fragments)

    @property
    def span(self) -> tuple[int, int]:
        """Leaf indexes of the first and the last fragment in it."""
        marks = self.lines.marks
        return marks[self.fragments[0].index], marks[self.fragments[-1].index]

    @property
    def leaves(self) -> list[int]:
        """Leaf indexes of the sealed lines that go with it: header, fragments, gaps, last line.

        The header stays at home (its hash is in the proofs) where it names the doorbell: that
        local id would link this release with others of the same home.
        """
        first, last = self.span
        released = {self.lines.marks[fragment.index] for fragment in self.fragments}
        for track in {fragment.track for fragment in self.fragments}:
            released |= {leaf for leaf in gaps(self.lines, track) if first < leaf < last}
        if self.clip.doorbell.encode() not in self.lines.raw[0]:
            released.add(0)
        return sorted(released | {len(self.lines.raw) - 1})


def plan(clip: Clip, window: Window, *, audio: bool) -> CutPlan:
    """Choose what of `clip` lies inside `window`: from its first key frame there.

    ReleaseError keys: `cut_empty`, `clip_broken`, `fragment_differs` and those of `read_seal`.
    """
    lines = read_seal(clip)
    video = _video(lines, window)
    if not video:
        raise ReleaseError("cut_empty", clip=clip.id)
    first, last = video[0], video[-1]
    init = lines.header["init"]
    assert isinstance(init, dict)
    with _Source(clip) as source:
        original = source.read(0, lines.fragments[0].offset, str(init.get("sha256")))
        defaults = track_defaults(original)
        opening = read_piece(source.fragment(first), first.start, defaults)
        # B-frames: the first picture is shown some time after it is decoded
        lead = opening.runs[0].offset / lines.timescales[first.track]
        shown, over = _start(lines, first) + lead, _end(lines, last) + lead
        heard = _audio(lines, window, shown, over) if audio else []
        chosen = sorted([*video, *heard], key=lambda fragment: fragment.index)
        pieces = [read_piece(source.fragment(one), one.start, defaults) for one in chosen]
    return CutPlan(
        clip=clip,
        lines=lines,
        fragments=tuple(chosen),
        head=index(original, pieces, shown),
        start=first.utc,
        end=_over(lines, last),
        seconds=round(over - shown, 3),
    )


def chunks(plan: CutPlan) -> Iterator[bytes]:
    """Stream the cut's file; each fragment is checked against its seal before it is handed on.

    A fragment that differs is a ReleaseError (`fragment_differs`).
    """
    yield plan.head
    with _Source(plan.clip) as source:
        for fragment in plan.fragments:
            yield source.fragment(fragment)


def write(plan: CutPlan, out: BinaryIO) -> str:
    """Write the cut to `out`; returns its SHA-256, in hex."""
    total = sha256()
    for chunk in chunks(plan):
        total.update(chunk)
        out.write(chunk)
    return total.hexdigest()


def digest(plan: CutPlan) -> str:
    """SHA-256 of the cut's file, in hex; reads and checks all of it."""
    total = sha256()
    for chunk in chunks(plan):
        total.update(chunk)
    return total.hexdigest()


def _video(lines: ClipLines, window: Window) -> list[FragmentLine]:
    """Video inside the window; after a hole it goes on with the next key frame."""
    chosen: list[FragmentLine] = []
    decodable = False
    for fragment in lines.footage:
        decodable = _inside(lines, fragment, window) and (fragment.key or decodable)
        if decodable:
            chosen.append(fragment)
    return chosen


def _audio(lines: ClipLines, window: Window, shown: float, over: float) -> list[FragmentLine]:
    """Audio inside the window that is heard while the chosen video is shown (media seconds)."""
    return [
        fragment
        for fragment in lines.fragments
        if fragment.track != lines.video
        and _inside(lines, fragment, window)
        and shown <= _start(lines, fragment)
        and _end(lines, fragment) <= over
    ]


def _inside(lines: ClipLines, fragment: FragmentLine, window: Window) -> bool:
    return window.start <= fragment.utc and _over(lines, fragment) <= window.end


def _over(lines: ClipLines, fragment: FragmentLine) -> datetime:
    """UTC at which the fragment's last frame is over."""
    return fragment.utc + timedelta(seconds=fragment.duration / lines.timescales[fragment.track])


def _start(lines: ClipLines, fragment: FragmentLine) -> float:
    return fragment.start / lines.timescales[fragment.track]


def _end(lines: ClipLines, fragment: FragmentLine) -> float:
    return (fragment.start + fragment.duration) / lines.timescales[fragment.track]


class _Source:
    """An open clip file that hands out nothing unchecked."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip

    def __enter__(self) -> Self:
        try:
            self._file = self._clip.video.open("rb")
        except FileNotFoundError as error:
            raise ReleaseError("clip_missing", clip=self._clip.id) from error
        except OSError as error:
            raise StorageError("clip_unreadable", clip=self._clip.id) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def fragment(self, fragment: FragmentLine) -> bytes:
        return self.read(fragment.offset, fragment.length, fragment.sha256)

    def read(self, offset: int, length: int, digest: str) -> bytes:
        try:
            self._file.seek(offset)
            data = self._file.read(length)
        except OSError as error:
            raise StorageError("clip_unreadable", clip=self._clip.id) from error
        if sha256(data).hexdigest() != digest:
            raise ReleaseError("fragment_differs", clip=self._clip.id, offset=offset)
        return data
