"""Writing a clip as its fragments come: rewritten to start at zero, hashed, described, appended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from hashlib import sha256
from typing import Final

from ..encoding import JSON
from .clip import Clip, finish
from .files import ClipFiles, append, storage
from .fragments import Track, rewritten
from .lines import ClipLines, Ending, EventKind, FragmentLine, encode, gap, header
from .ring import Received, Stream

_MISSING: Final = 0.5  # seconds between fragments that count as missing frames
_FROZEN: Final = timedelta(seconds=2)  # a frame shown longer hides missing ones
_STEP: Final = 1.0  # seconds by which a clip's UTC may move against its media time unmentioned


@dataclass(frozen=True, slots=True)
class _Reached:
    """How far a track of the clip has come: ticks of the file, and UTC.

    `began` is the UTC of its last fragment's first frame.
    """

    ticks: int
    utc: datetime
    began: datetime


class ClipWriter:
    """Writes one clip. Blocks; a full or failing disk is a StorageError.

    After an error only `close` may be called: it keeps what was written whole.
    """

    def __init__(
        self, files: ClipFiles, doorbell: str, event: EventKind, at: datetime, first: Received
    ) -> None:
        """Create the clip's files, `.partial` until it closes; `first` begins it."""
        self._files = files
        self._lines = ClipLines()
        self._init = first.stream.init
        self._stream: Stream | None = None
        self._zero = Fraction(0)  # second of the file at which the present stream begins
        self._media_zero = Fraction(0)  # that instant in the stream's media time
        self._reached: dict[int, _Reached] = {}
        self._joined: set[int] = set()
        with storage():
            files.folder.mkdir(parents=True, exist_ok=True)
            self._video = files.open_video.open("xb", buffering=0)
            self._text = files.open_lines.open("xb", buffering=0)
            append(self._video, self._init.data)
        self._say(header(files.clip, doorbell, event, at, self._init))

    def accepts(self, item: Received) -> bool:
        """Whether the fragment can be decoded with this clip's init segment."""
        return item.stream.init.data == self._init.data

    def write(self, item: Received) -> None:
        """Append a fragment. One that nothing before it lets decode or place is left out."""
        if item.stream is not self._stream:
            if not item.decodable:
                return
            self._join(item)
        fragment, track = item.fragment, item.fragment.track
        begins = round(self._zero * track.timescale)
        start = fragment.start + begins - round(self._media_zero * track.timescale)
        if start < begins:
            return
        utc = item.start
        self._explain(track, start, utc)
        data = rewritten(fragment, start, len(self._lines.fragments) + 1)
        with storage():
            append(self._video, data)
        line = FragmentLine(
            index=len(self._lines.fragments),
            track=track.id,
            utc=utc,
            start=start,
            duration=fragment.duration,
            key=fragment.key,
            offset=self._lines.size,
            length=len(data),
            sha256=sha256(data).hexdigest(),
        )
        self._lines.extend(line, self._put(line.json()))
        self._reached[track.id] = _Reached(start + fragment.duration, item.end, utc)
        frozen = timedelta(seconds=fragment.last / track.timescale)
        if frozen > _FROZEN:
            self._say(gap(track.id, item.end - frozen, item.end, "missing"))

    def close(self, ending: Ending) -> Clip | None:
        """Finish the clip; None where no fragment was written, and no file is left then."""
        self._video.close()
        self._text.close()
        return finish(self._files, self._lines, ending)

    def _join(self, item: Received) -> None:
        """Continue with another stream, as much later in the file as it is in UTC."""
        if self._stream is not None:
            video = self._reached[item.fragment.track.id]
            seconds = max((item.start - video.utc).total_seconds(), 0)
            ends = [
                Fraction(self._reached[track.id].ticks, track.timescale)
                for track in self._init.tracks
                if track.id in self._reached
            ]
            self._zero = max(*ends, Fraction(0)) + Fraction(seconds).limit_denominator(1000)
            self._joined = set(self._reached)
        self._stream = item.stream
        self._media_zero = Fraction(item.fragment.start, item.fragment.track.timescale)

    def _explain(self, track: Track, start: int, utc: datetime) -> None:
        """Say why a fragment doesn't begin where the track's last one ended, if it doesn't."""
        reached = self._reached.get(track.id)
        if reached is None:
            return
        missing = (start - reached.ticks) / track.timescale
        step = (utc - reached.utc).total_seconds() - missing
        if track.id in self._joined:
            reason = "restart"
        elif missing > _MISSING:
            reason = "missing"
        elif abs(step) > _STEP or utc < reached.began:
            reason = "clock-jump"
        else:
            return
        self._joined.discard(track.id)
        self._say(gap(track.id, reached.utc, utc, reason))

    def _say(self, value: dict[str, JSON]) -> None:
        self._lines.add(self._put(value))

    def _put(self, value: dict[str, JSON]) -> bytes:
        line = encode(value)
        with storage():
            append(self._text, line + b"\n")
        return line
