"""Searching clips by words: a doorbell's name, a kind of event, a day, a time of day."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
import re
from typing import Final

from .footage.clip import Clip
from .footage.library import Library
from .media_items import Names

_DATE: Final = re.compile(r"([0-9]{1,2})([./])([0-9]{1,2})\2([0-9]{4})")
_ISO: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?")
_YEARS: Final = range(1970, 9999)
_EVENTS: Final = ("ring", "motion", "manual")
_LONGEST: Final = 200
_STEP: Final = 200
_LOOKED_AT: Final = 2000
"""Clips that a search goes through: what is older is found by naming its day."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time of day, and for how long: an hour or a minute."""

    begin: time
    length: timedelta

    def of(self, day: date, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
        """Find it on a day, latest first: twice where clocks go back, never where they skip it."""
        folds = (self.begin.replace(fold=fold) for fold in (1, 0))
        starts = (datetime.combine(day, begin, zone).astimezone(UTC) for begin in folds)
        for start in dict.fromkeys(starts):
            if start.astimezone(zone).time() == self.begin:
                yield start, start + self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for; None is any. `doorbells` are ids."""

    doorbells: Collection[str] | None = None
    event: str | None = None
    day: date | None = None
    span: Span | None = None
    nothing: bool = False

    def within(self, doorbell: str, day: date | None) -> Wanted:
        """Narrow it to where somebody searches."""
        known = self.doorbells is None or doorbell in self.doorbells
        apart = self.day is not None and day is not None and self.day != day
        return Wanted(
            doorbells=[doorbell] if doorbell else self.doorbells,
            event=self.event,
            day=self.day or day,
            span=self.span,
            nothing=self.nothing or apart or bool(doorbell and not known),
        )


class Reader:
    """Reads what people type. `month_first` says how the country writes dates with slashes."""

    def __init__(self, names: Names, today: date, *, month_first: bool) -> None:
        """Learn the words."""
        self._names = names
        self._month_first = month_first
        self._days = {
            "today": today,
            names.texts["media_today"].casefold(): today,
            "yesterday": today - timedelta(days=1),
            names.texts["media_yesterday"].casefold(): today - timedelta(days=1),
        }
        self._events = {event: event for event in _EVENTS}
        self._events |= {names.event(event).casefold(): event for event in _EVENTS}

    def read(self, query: str) -> Wanted:
        """Make sense of a query: all of its words have to hold."""
        text = query.casefold()[:_LONGEST]
        text, named = self._named(text)
        event, day, span, rest = None, None, None, []
        for word in text.split():
            if found := self._events.get(word):
                event = found
            elif found_day := self._day(word):
                day = found_day
            elif found_span := _span(word):
                span = found_span
            else:
                rest.append(word)
        bells = self._like(rest, named)
        return Wanted(
            doorbells=bells,
            event=event,
            day=day,
            span=span,
            nothing=bells is not None and not bells,
        )

    def _named(self, text: str) -> tuple[str, list[str] | None]:
        """Take a doorbell's whole name out of the text: it may hold other words with a meaning."""
        for name in sorted({name.casefold() for name in self._names.bells.values()}, key=len)[::-1]:
            found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
            if found and name not in self._events:
                bells = self._names.bells.items()
                rest = f"{text[: found.start()]} {text[found.end() :]}"
                return rest, [bell for bell, its in bells if its.casefold() == name]
        return text, None

    def _like(self, words: list[str], named: list[str] | None) -> list[str] | None:
        """Find the doorbells whose names hold all words."""
        if not words:
            return named
        candidates = self._names.bells if named is None else named
        return [
            bell
            for bell in candidates
            if all(word in self._names.bells[bell].casefold() for word in words)
        ]

    def _day(self, word: str) -> date | None:
        if word in self._days:
            return self._days[word]
        if _ISO.fullmatch(word):
            return _date(*map(int, word.split("-")))
        if not (found := _DATE.fullmatch(word)):
            return None
        first, mark, second, year = found.groups()
        month_day = _date(int(year), int(first), int(second))
        day_month = _date(int(year), int(second), int(first))
        if self._month_first and mark == "/":
            return month_day or day_month
        return day_month or month_day


def find(library: Library, wanted: Wanted, zone: tzinfo) -> Iterator[Clip]:
    """Go through the clips that are wanted, newest first; blocks."""
    if wanted.nothing:
        return iter(())
    found = _by_time(library, wanted, zone) if wanted.span else _by_day(library, wanted, zone)
    return islice(found, _LOOKED_AT)


def _by_day(library: Library, wanted: Wanted, zone: tzinfo) -> Iterator[Clip]:
    start = _midnight(wanted.day, zone) if wanted.day else None
    end = _midnight(wanted.day + timedelta(days=1), zone) if wanted.day else None
    offset = 0
    while page := library.clips(wanted.doorbells, start, end, _STEP, offset, event=wanted.event):
        yield from page
        offset += _STEP


def _by_time(library: Library, wanted: Wanted, zone: tzinfo) -> Iterator[Clip]:
    """Go through the clips that ran at a time of day, day by day."""
    assert wanted.span is not None
    bells = library.doorbells() if wanted.doorbells is None else wanted.doorbells
    known = library.days(bells, zone)
    # a clip that ran after midnight may have begun before
    days = [wanted.day] if wanted.day else sorted({*known, *map(_next, known)})[::-1]
    for day in days:
        for start, end in wanted.span.of(day, zone):
            clips = [clip for bell in bells for clip in library.between(bell, start, end)]
            yield from sorted(
                (clip for clip in clips if wanted.event in {None, clip.event}),
                key=lambda clip: clip.start,
                reverse=True,
            )


def _next(day: date) -> date:
    return day + timedelta(days=1)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _span(word: str) -> Span | None:
    if not (found := _TIME.fullmatch(word)):
        return None
    try:
        begin = time(int(found[1]), int(found[2] or 0))
    except ValueError:
        return None
    return Span(begin, timedelta(minutes=1) if found[2] else timedelta(hours=1))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year in _YEARS else None
    except ValueError:
        return None
