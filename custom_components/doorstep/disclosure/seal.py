"""Read a clip's `fragments.jsonl` and prove its lines: what was sealed, before anything is cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import orjson

from ..encoding import canonical_json, parse_time
from ..errors import ReleaseError, StorageError
from ..ledger.merkle import leaf_hash, node_hash, root_hash


class SealedClip(Protocol):
    """What a cut needs to know of a clip of the library."""

    @property
    def id(self) -> str:
        """Name of the clip."""
        ...

    @property
    def doorbell(self) -> str:
        """Local id of the doorbell; never released."""
        ...

    @property
    def root(self) -> str:
        """The seal, in hex."""
        ...

    @property
    def video(self) -> Path:
        """The fragmented MP4."""
        ...

    @property
    def lines(self) -> Path:
        """Its `fragments.jsonl`."""
        ...


@dataclass(frozen=True, slots=True)
class Track:
    """One track of the clip; `timescale` is its ticks a second."""

    id: int
    kind: str
    timescale: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """One sealed fragment: its leaf index, place in the clip file, UTC and media times (ticks)."""

    leaf: int
    track: Track
    utc: datetime
    start: int
    duration: int
    key: bool
    offset: int
    length: int
    sha256: str

    @property
    def end(self) -> datetime:
        """UTC at which its last frame is over."""
        return self.utc + timedelta(seconds=self.duration / self.track.timescale)


@dataclass(frozen=True, slots=True)
class Gap:
    """Where frames are missing, as it was sealed."""

    leaf: int
    track: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """All lines of a clip, checked against its root; `header` is line 0."""

    lines: tuple[bytes, ...]
    header: Mapping[str, Any]
    init_length: int
    init_sha256: str
    tracks: Mapping[int, Track]
    fragments: tuple[Fragment, ...]
    gaps: tuple[Gap, ...]


def read_seal(clip: SealedClip) -> Seal:
    """Read and check the lines of `clip`.

    ReleaseError keys: `clip_missing`, `seal_differs` (the lines don't give the clip's root),
    `seal_unreadable` (they do, but aren't understood); StorageError when the disk fails.
    """
    data = read_bytes(clip.lines, clip.id)
    lines = tuple(data.removesuffix(b"\n").split(b"\n"))
    if root_hash([leaf_hash(line) for line in lines]).hex() != clip.root:
        raise ReleaseError("seal_differs", clip=clip.id)
    try:
        return _parse(lines)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ReleaseError("seal_unreadable", clip=clip.id) from error


def prove(seal: Seal, leaves: Sequence[int]) -> bytes:
    """Write the lines at `leaves` as JSON lines, each with its inclusion proof (RFC 6962, 2.1.1).

    A line is `{"index","line","proof","root","size"}`: hashes in hex, the proof from the leaf up,
    `line` exactly as sealed (its UTF-8 text without the newline is the leaf's data).
    """
    hashes = [leaf_hash(line) for line in seal.lines]

    @cache
    def subtree(low: int, high: int) -> bytes:
        if high - low == 1:
            return hashes[low]
        split = _split(low, high)
        return node_hash(subtree(low, split), subtree(split, high))

    def path(leaf: int) -> list[str]:
        low, high, siblings = 0, len(hashes), list[bytes]()
        while high - low > 1:
            split = _split(low, high)
            if leaf < split:
                siblings.append(subtree(split, high))
                high = split
            else:
                siblings.append(subtree(low, split))
                low = split
        return [sibling.hex() for sibling in reversed(siblings)]

    size, root = len(hashes), subtree(0, len(hashes)).hex()
    return b"".join(
        canonical_json(
            {
                "index": leaf,
                "line": seal.lines[leaf].decode(),
                "proof": path(leaf),
                "root": root,
                "size": size,
            }
        )
        + b"\n"
        for leaf in leaves
    )


def read_bytes(path: Path, clip: str) -> bytes:
    """Read a file of the library; ReleaseError `clip_missing` when it is gone."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ReleaseError("clip_missing", clip=clip) from error
    except OSError as error:
        raise StorageError("clip_unreadable", clip=clip) from error


def _split(low: int, high: int) -> int:
    """Where RFC 6962 divides leaves [low, high): at the largest power of two below their number."""
    return low + (1 << (high - low - 1).bit_length() - 1)


def _parse(lines: Sequence[bytes]) -> Seal:
    header, *rest = [orjson.loads(line) for line in lines]
    tracks = {track["id"]: _track(track) for track in header["tracks"]}
    if header["v"] != 1 or "end" not in rest[-1]:
        msg = "not a closed clip of version 1"
        raise ValueError(msg)
    fragments: list[Fragment] = []
    gaps: list[Gap] = []
    for leaf, line in enumerate(rest[:-1], start=1):
        if line.get("gap"):
            gaps.append(
                Gap(leaf, int(line["track"]), parse_time(line["from"]), parse_time(line["to"]))
            )
        else:
            fragments.append(_fragment(leaf, line, tracks))
    return Seal(
        lines=tuple(lines),
        header=header,
        init_length=_count(header["init"]["length"]),
        init_sha256=str(header["init"]["sha256"]),
        tracks=tracks,
        fragments=tuple(fragments),
        gaps=tuple(gaps),
    )


def _track(track: Mapping[str, Any]) -> Track:
    if not (timescale := _count(track["timescale"])):
        msg = "no timescale"
        raise ValueError(msg)
    return Track(_count(track["id"]), str(track["kind"]), timescale)


def _fragment(leaf: int, line: Mapping[str, Any], tracks: Mapping[int, Track]) -> Fragment:
    return Fragment(
        leaf=leaf,
        track=tracks[line["track"]],
        utc=parse_time(line["utc"]),
        start=_count(line["start"]),
        duration=_count(line["duration"]),
        key=line["key"] is True,
        offset=_count(line["offset"]),
        length=_count(line["length"]),
        sha256=str(line["sha256"]),
    )


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        msg = "not a count"
        raise ValueError(msg)
    return value
