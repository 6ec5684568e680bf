"""The clips of a film laid end to end: each fragment rewritten to begin when it is shown there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Final

from .film import HOLE, Film, over, proven, proven_bytes, proven_init, readable
from .fragments import FragmentParser, Track, rewritten
from .lines import ClipLines, FragmentLine

_SECOND: Final = timedelta(seconds=1)
_SLACK: Final = Fraction(1, 100)  # seconds by which sound may come late where clips meet


@dataclass(frozen=True, slots=True)
class _Placed:
    """A fragment and where it begins in the film, in ticks."""

    line: FragmentLine
    start: int


class Timeline:
    """Lays runs of fragments one after another; in each, sound and picture keep their distance."""

    def __init__(self, film: Film) -> None:
        """Begin at zero."""
        self._film = film
        self._scale = film.init.video.timescale
        self._reached = 0  # video ticks
        self._heard = Fraction(0)  # seconds of sound

    @property
    def seconds(self) -> float:
        """How long what was laid so far is shown."""
        return round(self._reached / self._scale, 3)

    def stream(self) -> Iterator[tuple[bytes, int]]:
        """Give the film as fragmented MP4, each piece with the bytes of video in it. Blocks.

        What isn't as sealed: StorageError `clip_unreadable`.
        """
        yield self._film.init.data, 0
        sequence, before = 0, self._film.start
        for part in self._film.parts:
            lines = proven(part.clip)
            with readable(part.clip), part.clip.video.open("rb") as file:
                parser = FragmentParser()
                list(parser.feed(proven_init(lines, file.read(lines.fragments[0].offset))))
                chosen = part.choose(lines)
                apart = chosen[0].utc - before > HOLE
                for placed in self.lay(lines, chosen, apart=apart):
                    one = placed.line
                    file.seek(one.offset)
                    data = proven_bytes(file.read(one.length), one.sha256)
                    ((_, fragment),) = parser.feed(data)
                    sequence += 1
                    video = one.length if one.track == lines.video else 0
                    yield rewritten(fragment, placed.start, sequence), video
                before = over(lines, chosen[-1])

    def lay(
        self, lines: ClipLines, video: Sequence[FragmentLine], *, apart: bool
    ) -> Iterator[_Placed]:
        """Lay a clip's chosen video and its sound, holes left out; `apart` where one is before."""
        for run in _runs(video, round(HOLE / _SECOND * self._scale)):
            if apart:
                # the last picture stays until the last sound is over: neither is lost
                self._reached = max(self._reached, ceil(self._heard * self._scale))
            yield from self._lay(lines, run)
            apart = True

    def _lay(self, lines: ClipLines, run: Sequence[FragmentLine]) -> Iterator[_Placed]:
        shift = self._reached - run[0].start
        placed = [_Placed(one, one.start + shift) for one in run]
        if audio := self._film.audio:
            placed += self._sound(audio, lines, run)
        self._reached = run[-1].start + run[-1].duration + shift
        yield from sorted(placed, key=lambda one: one.line.index)

    def _sound(
        self, audio: Track, lines: ClipLines, run: Sequence[FragmentLine]
    ) -> Iterator[_Placed]:
        """Place the sound that begins while the run is shown and wasn't heard before."""
        tick = Fraction(1, audio.timescale)
        opening, closing = (
            Fraction(one, self._scale) for one in (run[0].start, run[-1].start + run[-1].duration)
        )
        shift = Fraction(self._reached, self._scale) - opening
        heard = [
            one
            for one in lines.fragments
            # the recorder rounds to ticks
            if one.track == audio.id and opening - tick <= one.start * tick < closing
            if one.start * tick + shift >= self._heard - _SLACK
        ]
        if heard:
            late = max(shift, self._heard - heard[0].start * tick)
            ticks = ceil(late / tick)
            yield from (_Placed(one, one.start + ticks) for one in heard)
            self._heard = (heard[-1].start + heard[-1].duration + ticks) * tick


def _runs(video: Sequence[FragmentLine], hole: int) -> Iterator[list[FragmentLine]]:
    """Split video where more than `hole` ticks are missing."""
    run = list(video[:1])
    for one, following in pairwise(video):
        if following.start - one.start - one.duration > hole:
            yield run
            run = []
        run.append(following)
    yield run
