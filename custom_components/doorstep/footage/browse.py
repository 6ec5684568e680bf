"""Looking through the index: pages, days, hours, windows, and what all of it weighs."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time as clock, timedelta, tzinfo
from typing import Final

from .clip import Clip
from .index import Index, stamp, time

_FOREVER: Final = 1 << 62
_QUARTER: Final = 900_000  # milliseconds: no zone's hours or days begin in between

type Which = str | Collection[str] | None


class Browser:
    """Questions to an index. `which` are one doorbell, some, or None for all; all of it blocks."""

    def __init__(self, index: Index) -> None:
        """Ask `index`."""
        self._index = index

    def doorbells(self) -> list[str]:
        """List the ids of the doorbells that have clips."""
        found: list[str] = []
        with self._index.database.read() as tx:
            # one step for each doorbell, not for each clip
            query = "SELECT min(doorbell) FROM clip WHERE doorbell > ? AND deleted_at IS NULL"
            while (
                one := tx.execute(query, (found[-1] if found else "",)).fetchone()[0]
            ) is not None:
                found.append(one)
        return found

    def days(self, which: Which, zone: tzinfo) -> list[date]:
        """List the days with clips, as `zone` counts days, newest first."""
        found = {day for one in _each(which) for day in self._days(one, zone)}
        return sorted(found, reverse=True)

    def _days(self, doorbell: str | None, zone: tzinfo) -> list[date]:
        found: list[date] = []
        query, values = _select("max(start)", doorbell, None)
        before = _FOREVER
        with self._index.database.read() as tx:
            # one step for each day, not for each clip
            while (at := tx.execute(query, (*values, 0, before)).fetchone()[0]) is not None:
                found.append(time(at).astimezone(zone).date())
                before = min(at, stamp(_midnight(found[-1], zone)))
        return found

    def hours(self, which: Which, day: date, zone: tzinfo) -> list[tuple[datetime, int]]:
        """List the hours of a day with clips, as `zone` counts: start (UTC), clips; newest first.

        An hour that a change of the clock brings twice is two.
        """
        first, last = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
        query, values = _compound(
            "start / 900000, count(*)", which, None, (first, last), " GROUP BY 1"
        )
        with self._index.database.read() as tx:
            rows = tx.execute(query, values).fetchall() if query else []
        hours: Counter[datetime] = Counter()
        for quarter, clips in rows:
            hours[_hour(time(quarter * _QUARTER), zone)] += clips
        return sorted(hours.items(), reverse=True)

    def clips(
        self, which: Which, event: str | None, window: _Window, limit: int, offset: int
    ) -> list[Clip]:
        """List clips that begin in the window, newest first, a page at a time."""
        # the index alone says which rows the page is made of: what is skipped isn't read
        query, values = _compound("rowid AS place, start", which, event, window)
        if not query:
            return []
        with self._index.database.read() as tx:
            rows = tx.execute(
                f"SELECT clip.* FROM ({query} ORDER BY start DESC LIMIT ? OFFSET ?)"  # noqa: S608 - of constants
                " CROSS JOIN clip ON clip.rowid = place",
                (*values, limit, offset),
            )
            found = [self._index.clip(row) for row in rows]
        return sorted(found, key=lambda clip: clip.start, reverse=True)

    def count(self, which: Which, event: str | None, window: _Window) -> int:
        """Count clips that begin in the window."""
        query, values = _compound("count(*)", which, event, window)
        with self._index.database.read() as tx:
            return sum(count for (count,) in tx.execute(query, values)) if query else 0

    def between(self, doorbell: str, start: datetime, end: datetime) -> list[Clip]:
        """List clips that overlap [start, end), oldest first."""
        first, last = stamp(start), stamp(end)
        with self._index.database.read() as tx:
            # The longest clip bounds how early an overlapping one can begin: 100 times faster.
            # One during which the clock was set, which may last for years or end before it
            # begins, stands aside.
            (span,) = tx.execute(
                'SELECT ifnull(max("end" - start), 0) FROM clip'
                ' WHERE "end" - start BETWEEN 0 AND 3600000'
            ).fetchone()
            rows = tx.execute(
                "SELECT * FROM clip WHERE doorbell = ? AND start >= ? AND start < ?"
                ' AND "end" > ? AND deleted_at IS NULL'
                ' AND "end" - start BETWEEN 0 AND 3600000 ORDER BY start',
                (doorbell, first - span, last, first),
            ).fetchall()
            rows += tx.execute(
                "SELECT * FROM clip WHERE doorbell = ? AND deleted_at IS NULL"
                ' AND min(start, "end") < ? AND max(start, "end") > ?'
                ' AND "end" - start NOT BETWEEN 0 AND 3600000',
                (doorbell, last, first),
            ).fetchall()
        return sorted(map(self._index.clip, rows), key=lambda clip: clip.start)

    def weigh(self) -> dict[str, tuple[int, int]]:
        """Count clips and their bytes, by doorbell."""
        with self._index.database.read() as tx:
            rows = tx.execute(
                "SELECT doorbell, count(*), sum(size) FROM clip WHERE deleted_at IS NULL"
                " GROUP BY doorbell"
            )
            return {doorbell: (clips, size) for doorbell, clips, size in rows}

    def since(self, at: datetime) -> tuple[int, datetime | None]:
        """Sum the bytes of clips that began since then, and find the oldest one's start."""
        with self._index.database.read() as tx:
            size, oldest = tx.execute(
                "SELECT ifnull(sum(size), 0), min(start) FROM clip"
                " WHERE start >= ? AND deleted_at IS NULL",
                (stamp(at),),
            ).fetchone()
        return size, None if oldest is None else time(oldest)

    def binned(self) -> int:
        """Sum the bytes of what lies in the bin."""
        with self._index.database.read() as tx:
            (size,) = tx.execute(
                "SELECT ifnull(sum(size), 0) FROM clip WHERE until NOT NULL"
            ).fetchone()
        return int(size)


class Oldest:
    """A doorbell's clips, oldest first, a page at a time: others' questions come in between."""

    def __init__(self, index: Index, doorbell: str, page: int = 500) -> None:
        """Go through `index`, as often as wanted."""
        self._index = index
        self._doorbell = doorbell
        self._page = page

    def __iter__(self) -> Iterator[Clip]:
        """Begin with the oldest."""
        clips, place = self._index.oldest(self._doorbell, (0, 0), self._page)
        while clips:
            yield from clips
            clips, place = self._index.oldest(self._doorbell, place, self._page)


type _Window = tuple[datetime | None, datetime | None]


def _each(which: Which) -> Sequence[str | None]:
    if which is None or isinstance(which, str):
        return [which]
    return sorted(set(which))


def _select(what: str, doorbell: str | None, event: str | None) -> tuple[str, list[object]]:
    """Write a query of visible clips that start in a window, whose bounds are its last values."""
    values: list[object] = []
    query = f"SELECT {what} FROM clip WHERE deleted_at IS NULL"  # noqa: S608 - of constants
    for column, value in (("doorbell", doorbell), ("event", event)):
        if value is not None:
            query += f" AND {column} = ?"
            values.append(value)
    return f"{query} AND start >= ? AND start < ?", values


def _compound(
    what: str, which: Which, event: str | None, window: _Window, end: str = ""
) -> tuple[str, list[object]]:
    """Write a query of several doorbells; each part finds its index, and SQLite merges them."""
    start = stamp(window[0]) if window[0] else 0
    last = stamp(window[1]) if window[1] else _FOREVER
    parts = [_select(what, one, event) for one in _each(which)]
    values = [value for _, own in parts for value in (*own, start, last)]
    return " UNION ALL ".join(query + end for query, _ in parts), values


def _midnight(day: date, zone: tzinfo) -> datetime:
    """Find the instant a day begins, also where the clock leaves midnight out."""
    return datetime.combine(day, clock(), zone).astimezone(UTC)


def _hour(quarter: datetime, zone: tzinfo) -> datetime:
    """Find the instant at which the local hour begins that a quarter belongs to."""
    local = quarter.astimezone(zone)
    first = quarter - timedelta(minutes=local.minute)
    starts = (first + n * timedelta(milliseconds=_QUARTER) for n in range(4))
    return next(one for one in (*starts, quarter) if _name(one.astimezone(zone)) == _name(local))


def _name(local: datetime) -> tuple[int, timedelta | None]:
    return local.hour, local.utcoffset()
