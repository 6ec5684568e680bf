"""`fragments.jsonl`: what a clip says about itself, one canonical JSON object a line.

Line 0 is the header; then a line per fragment, in the order of the file, and one per gap; the last
line says why the clip ended. The lines are the leaves of the clip's seal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
import re
from typing import Final, Literal, Self

import orjson

from ..encoding import JSON, canonical_json, format_time, parse_time
from ..errors import StorageError
from ..ledger.merkle import leaf_hash, root_hash
from .clock import host_ntp
from .fragments import InitSegment

RECORDER: Final = "0.1.0"

type EventKind = Literal["ring", "motion", "manual"]
type Ending = Literal[
    "post-roll",
    "longest",
    "shutdown",
    "stream-lost",
    "clock-jump",
    "disk-full",
    "disk-failed",
    "recovered",
]

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def doorbell_mark(clip: str, doorbell: str) -> str:
    """Name a doorbell in a line that may be given away: by it nobody can link two clips."""
    return sha256(f"{clip}:{doorbell}".encode()).hexdigest()


def header(
    clip: str, doorbell: str, event: EventKind, at: datetime, init: InitSegment
) -> dict[str, JSON]:
    """Make line 0. The camera's own clock is unknown over RTSP."""
    return {
        "v": 1,
        "clip": clip,
        "doorbell": doorbell_mark(clip, doorbell),
        "event": event,
        "event_at": format_time(at),
        "tracks": [
            {"id": track.id, "kind": track.kind, "codec": track.codec, "timescale": track.timescale}
            for track in init.tracks
        ],
        "init": {"sha256": sha256(init.data).hexdigest(), "length": len(init.data)},
        "camera_clock_offset": None,
        "camera_clock_measured": None,
        "host_ntp": host_ntp(),
        "recorder": RECORDER,
    }


def gap(track: int, start: datetime, end: datetime, reason: str) -> dict[str, JSON]:
    """Make the line of a gap; after a step back of the clock `from` is later than `to`."""
    return {
        "gap": True,
        "track": track,
        "from": format_time(start),
        "to": format_time(end),
        "reason": reason,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class FragmentLine:
    """One fragment's line; `start` and `duration` in ticks, `offset` and `length` in bytes."""

    index: int
    track: int
    utc: datetime
    start: int
    duration: int
    key: bool
    offset: int
    length: int
    sha256: str

    def json(self) -> dict[str, JSON]:
        """Give the line's object."""
        return {
            "i": self.index,
            "track": self.track,
            "utc": format_time(self.utc),
            "how": "arrival",
            "start": self.start,
            "duration": self.duration,
            "key": self.key,
            "offset": self.offset,
            "length": self.length,
            "sha256": self.sha256,
        }

    @classmethod
    def parse(cls, value: Mapping[str, object]) -> Self:
        """Read a line's object; anything amiss: ValueError, KeyError or TypeError."""
        digest = str(value["sha256"])
        if not _SHA256.fullmatch(digest):
            raise ValueError(digest)
        return cls(
            index=_count(value["i"]),
            track=_count(value["track"]),
            utc=parse_time(str(value["utc"])),
            start=_count(value["start"]),
            duration=_count(value["duration"]),
            key=value["key"] is True,
            offset=_count(value["offset"]),
            length=_count(value["length"]),
            sha256=digest,
        )


@dataclass(slots=True)
class ClipLines:
    """The lines of a clip as far as they make sense, read in order.

    `add` refuses (StorageError `clip_unreadable`) what doesn't continue the clip; what was added
    before stays.
    """

    raw: list[bytes] = field(default_factory=list)
    fragments: list[FragmentLine] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)  # which of `raw` the fragments are
    header: Mapping[str, object] = field(default_factory=dict)
    event_at: datetime | None = None
    timescales: dict[int, int] = field(default_factory=dict)
    video: int = 0
    size: int = 0
    ending: str | None = None

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a whole file, which must end with its last line."""
        lines = cls()
        for line in whole_lines(data):
            lines.add(line)
        if lines.ending is None or not data.endswith(b"\n"):
            raise StorageError("clip_unreadable")
        return lines

    def add(self, line: bytes) -> None:
        """Take the next line, without its line feed."""
        try:
            self._add(orjson.loads(line))
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise StorageError("clip_unreadable") from error
        self.raw.append(line)

    def extend(self, fragment: FragmentLine, line: bytes) -> None:
        """Add the line of a fragment that continues the clip; ValueError if it doesn't."""
        self._continue(fragment)
        self.raw.append(line)

    def _add(self, value: Mapping[str, object]) -> None:
        if self.ending is not None:
            raise ValueError(self.ending)
        if not self.raw:
            self._begin(value)
        elif "i" in value:
            self._continue(FragmentLine.parse(value))
        elif "end" in value:
            if value["fragments"] != len(self.fragments):
                raise ValueError(value)
            self.ending = str(value["end"])
        elif value["gap"] is not True:
            raise ValueError(value)

    def _begin(self, value: Mapping[str, object]) -> None:
        if value["v"] != 1:
            raise ValueError(value)
        tracks, init = value["tracks"], value["init"]
        if not isinstance(tracks, list) or not isinstance(init, Mapping):
            raise TypeError(value)
        self.timescales = {_count(track["id"]): _count(track["timescale"]) for track in tracks}
        if 0 in self.timescales.values():
            raise ValueError(value)
        self.video = next((track["id"] for track in tracks if track["kind"] == "video"), 0)
        self.event_at = parse_time(str(value["event_at"]))
        self.size = _count(init["length"])
        self.header = value

    def _continue(self, fragment: FragmentLine) -> None:
        expected = (len(self.fragments), self.size)
        if (fragment.index, fragment.offset) != expected or fragment.track not in self.timescales:
            raise ValueError(fragment)
        # a time or length that no calendar holds is none that was recorded
        fragment.utc + timedelta(seconds=fragment.duration / self.timescales[fragment.track])
        self.fragments.append(fragment)
        self.marks.append(len(self.raw))
        self.size += fragment.length

    def root(self) -> str:
        """Give the seal: the RFC 6962 root over the lines, in hex."""
        return root_hash([leaf_hash(line) for line in self.raw]).hex()

    def shortened(self) -> ClipLines:
        """Give the lines before the last fragment's; nothing without fragments."""
        lines = ClipLines()
        for line in self.raw[: self.marks[-1] if self.marks else 0]:
            lines.add(line)
        return lines

    @property
    def footage(self) -> list[FragmentLine]:
        """The video fragments."""
        return [fragment for fragment in self.fragments if fragment.track == self.video]


def encode(value: JSON) -> bytes:
    """Give a line, without its line feed."""
    return canonical_json(value)


def whole_lines(data: bytes) -> list[bytes]:
    """Split off the lines; what follows the last line feed is not whole and is left out."""
    return data.split(b"\n")[:-1]


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(value)
    return value
