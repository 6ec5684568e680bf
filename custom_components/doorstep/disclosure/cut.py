"""The cut: whole fragments inside the request's window, byte for byte as they were sealed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import BinaryIO, Self

from ..errors import ReleaseError, StorageError
from .movie import index
from .samples import read_piece, track_defaults
from .seal import Fragment, Seal, SealedClip, read_seal


@dataclass(frozen=True, slots=True)
class Window:
    """The past time a request asks for, aware UTC; both borders belong to it."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CutPlan:
    """What of one clip is released; `init` is the cut's own init segment, times are UTC."""

    clip: SealedClip
    seal: Seal
    fragments: tuple[Fragment, ...]
    init: bytes
    start: datetime
    end: datetime
    seconds: float

    @property
    def bytes(self) -> int:
        """Size of the cut, in bytes."""
        return len(self.init) + sum(fragment.length for fragment in self.fragments)

    @property
    def tracks(self) -> list[str]:
        """Kinds of the tracks in it, in the order of the clip's."""
        released = {fragment.track.id for fragment in self.fragments}
        return [track.kind for track in self.seal.tracks.values() if track.id in released]

    @property
    def leaves(self) -> list[int]:
        """Leaf indexes of the sealed lines that go with it: header, fragments, gaps, last line.

        The header stays at home (its hash is in the proofs) where it names the doorbell: that
        local id would link this release with others of the same home.
        """
        tracks = {fragment.track.id for fragment in self.fragments}
        gaps = {
            gap.leaf
            for gap in self.seal.gaps
            if gap.track in tracks and gap.start < self.end and gap.end > self.start
        }
        named = self.clip.doorbell.encode() in self.seal.lines[0]
        ends = {len(self.seal.lines) - 1} if named else {0, len(self.seal.lines) - 1}
        return sorted(ends | gaps | {fragment.leaf for fragment in self.fragments})


def plan(clip: SealedClip, window: Window, *, audio: bool) -> CutPlan:
    """Choose what of `clip` lies inside `window`: from its first key frame there.

    ReleaseError keys: `cut_empty`, `clip_broken`, and those of `read_seal`.
    """
    seal = read_seal(clip)
    video = _video(seal, window)
    if not video:
        raise ReleaseError("cut_empty", clip=clip.id)
    first, last = video[0], video[-1]
    with _Source(clip) as source:
        original = source.read(0, seal.init_length, seal.init_sha256)
        defaults = track_defaults(original)
        opening = read_piece(source.fragment(first), first.start, defaults)
        # B-frames: the first picture is shown some time after it is decoded
        lead = opening.runs[0].offset / first.track.timescale
        heard = _audio(seal, window, _start(first) + lead, _end(last) + lead) if audio else []
        chosen = sorted([*video, *heard], key=lambda fragment: fragment.leaf)
        pieces = [read_piece(source.fragment(f), f.start, defaults) for f in chosen]
    return CutPlan(
        clip=clip,
        seal=seal,
        fragments=tuple(chosen),
        init=index(original, pieces, _start(first) + lead),
        start=first.utc,
        end=last.end,
        seconds=round(_end(last) - _start(first), 3),
    )


def chunks(plan: CutPlan) -> Iterator[bytes]:
    """Stream the cut; each fragment is checked against its seal before it is handed on.

    A fragment that differs is a ReleaseError (`fragment_differs`).
    """
    yield plan.init
    with _Source(plan.clip) as source:
        for fragment in plan.fragments:
            yield source.fragment(fragment)


def write(plan: CutPlan, out: BinaryIO) -> str:
    """Write the cut to `out`; returns its SHA-256, in hex."""
    digest = sha256()
    for chunk in chunks(plan):
        digest.update(chunk)
        out.write(chunk)
    return digest.hexdigest()


def digest(plan: CutPlan) -> str:
    """SHA-256 of the cut, in hex; reads and checks all of it."""
    total = sha256()
    for chunk in chunks(plan):
        total.update(chunk)
    return total.hexdigest()


def _video(seal: Seal, window: Window) -> list[Fragment]:
    """Video inside the window; after a hole it goes on with the next key frame."""
    chosen: list[Fragment] = []
    decodable = False
    for fragment in seal.fragments:
        if fragment.track.kind != "video":
            continue
        inside = _inside(fragment, window)
        decodable = inside and (fragment.key or decodable)
        if decodable:
            chosen.append(fragment)
    return chosen


def _audio(seal: Seal, window: Window, start: float, end: float) -> list[Fragment]:
    """Audio inside the window that is heard while the chosen video is shown (media seconds)."""
    return [
        fragment
        for fragment in seal.fragments
        if fragment.track.kind == "audio"
        and _inside(fragment, window)
        and start <= _start(fragment)
        and _end(fragment) <= end
    ]


def _inside(fragment: Fragment, window: Window) -> bool:
    return window.start <= fragment.utc and fragment.end <= window.end


def _start(fragment: Fragment) -> float:
    return fragment.start / fragment.track.timescale


def _end(fragment: Fragment) -> float:
    return (fragment.start + fragment.duration) / fragment.track.timescale


class _Source:
    """An open clip file that hands out nothing unchecked."""

    def __init__(self, clip: SealedClip) -> None:
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

    def fragment(self, fragment: Fragment) -> bytes:
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
