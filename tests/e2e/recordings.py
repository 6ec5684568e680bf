"""What lies in a library, read from its sealed lines alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
import json
from pathlib import Path

# Fragments are dated by when they arrived: a little early, a little late.
JITTER = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time, UTC."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end - self.start).total_seconds()

    def within(self, start: datetime, end: datetime) -> bool:
        """Whether it lies between two instants, as well as anybody can tell."""
        return start - JITTER <= self.start and self.end <= end + JITTER


def recorded(library: Path, doorbell: str) -> Span:
    """Return the time from the first to the last picture of a DOORBELL's clips."""
    spans = sorted(_pictures(library, doorbell), key=lambda span: span.start)
    return Span(spans[0].start, spans[-1].end)


def gaps(library: Path, doorbell: str) -> list[Span]:
    """Return the times between them in which there are no pictures, oldest first."""
    spans = sorted(_pictures(library, doorbell), key=lambda span: span.start)
    found = []
    reached = spans[0].end
    for span in spans[1:]:
        if span.start - reached > JITTER:
            found.append(Span(reached, span.start))
        reached = max(reached, span.end)
    return found


def _pictures(library: Path, doorbell: str) -> Iterator[Span]:
    """Yield the time that each fragment of video covers."""
    for file in (library / doorbell).rglob("*.jsonl"):
        head, *lines = map(json.loads, file.read_text().splitlines())
        video = next(track for track in head["tracks"] if track["kind"] == "video")
        for line in lines:
            if "i" in line and line["track"] == video["id"]:
                start = datetime.fromisoformat(line["utc"])
                length = timedelta(seconds=line["duration"] / video["timescale"])
                yield Span(start, start + length)
