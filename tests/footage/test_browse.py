"""Pages, days, hours and windows of clips, for one doorbell, some, or all."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.doorstep.footage.browse import Oldest
from custom_components.doorstep.footage.clip import Clip

from .house import SECOND, House, ids
from .synthetic import EPOCH

HOUR = timedelta(hours=1)


def rows(house: House, *clips: tuple[datetime, str, str], seconds: float = 30) -> None:
    """Put clips into the index: start, doorbell, event; there are no files."""
    house.library._index.put(
        (
            Clip(
                id=f"{at:%Y%m%dT%H%M%SZ}-{n:08x}",
                doorbell=doorbell,
                event=event,
                event_at=at,
                start=at,
                end=at + timedelta(seconds=seconds),
                seconds=30,
                size=10 + n,
                root="00",
                folder=house.folder,
            ),
            None,
        )
        for n, (at, doorbell, event) in enumerate(clips)
    )


def utc(day: int, hour: int, minute: int = 0, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_pages_of_some(house: House) -> None:
    kinds = ["ring", "motion", "manual"]
    rows(house, *((EPOCH + n * SECOND, f"door{n % 3}", kinds[n // 3 % 3]) for n in range(18)))
    clips = house.library.clips()
    assert len(clips) == 18
    assert clips == sorted(clips, key=lambda clip: clip.start, reverse=True)

    def those(*doors: str, event: str | None = None) -> list[str]:
        return [clip.id for clip in clips if clip.doorbell in doors and event in (None, clip.event)]

    library = house.library
    assert ids(library.clips(["door0", "door2"])) == those("door0", "door2")
    assert ids(library.clips({"door2", "door0"}, limit=5, offset=3)) == those("door0", "door2")[3:8]
    assert ids(library.clips(["door1", "door1"])) == those("door1")
    assert ids(library.clips(["door1"], event="ring")) == those("door1", event="ring")
    assert (
        ids(library.clips(event="manual", limit=2))
        == ids(clip for clip in clips if clip.event == "manual")[:2]
    )
    middle = EPOCH + 9 * SECOND
    assert ids(library.clips(["door0", "door1"], middle)) == those("door0", "door1")[:6]
    assert ids(library.clips(["door0", "door1"], end=middle)) == those("door0", "door1")[6:]
    assert library.clips([]) == []
    assert library.count() == 18
    assert library.count([]) == 0
    assert library.count("door1", event="ring") == 2
    assert library.count(["door1", "door2"], event="ring") == 4
    assert library.count(None, middle) == 9
    assert library.count(None, middle, EPOCH + 11 * SECOND) == 2
    assert library.doorbells() == ["door0", "door1", "door2"]


def test_an_empty_library(house: House) -> None:
    library = house.library
    assert library.doorbells() == []
    assert library.days() == []
    assert library.hours(None, EPOCH.date()) == []
    assert library.hours([], EPOCH.date()) == []
    assert library.usage_by_doorbell() == {}
    assert library.recorded_since(EPOCH) == (0, None)


def test_days_of_some(house: House) -> None:
    rows(house, *((utc(day, 12), f"door{day % 3}", "ring") for day in range(1, 10)))
    assert house.library.days() == [date(2026, 10, day) for day in range(9, 0, -1)]
    assert house.library.days(["door0", "door1"]) == [date(2026, 10, d) for d in (9, 7, 6, 4, 3, 1)]
    assert house.library.days("door2") == [date(2026, 10, d) for d in (8, 5, 2)]


def test_days_and_doorbells_cost_a_step_each(house: House) -> None:
    rows(house, *((utc(1 + n % 2, 12, n), f"door{n % 2}", "ring") for n in range(50)))
    asked: list[str] = []
    house.library._index.database._connection.set_trace_callback(asked.append)
    assert len(house.library.days()) == 2
    assert len(house.library.doorbells()) == 2
    house.library._index.database._connection.set_trace_callback(None)
    assert len([one for one in asked if one.startswith("SELECT")]) == 6


@pytest.mark.parametrize(
    ("zone", "instant", "days"),
    [
        ("Europe/Vienna", utc(24, 22), [25]),
        ("Europe/Vienna", utc(24, 21, 59), [24]),
        ("Asia/Kolkata", utc(24, 18, 30), [25]),
        ("Asia/Kolkata", utc(24, 18, 29), [24]),
        # midnight of 1 November comes twice in Havana
        ("America/Havana", utc(1, 4, month=11), [1]),
        ("America/Havana", utc(1, 5, month=11), [1]),
        ("America/Havana", utc(1, 3, 59, month=11), [31]),
        # and not at all on 8 March
        ("America/Havana", utc(8, 5, month=3), [8]),
        ("America/Havana", utc(8, 4, 59, month=3), [7]),
    ],
)
def test_a_day_begins_at_its_own_midnight(
    house: House, zone: str, instant: datetime, days: list[int]
) -> None:
    rows(house, (instant, "door", "ring"), (instant + timedelta(milliseconds=1), "door", "ring"))
    assert [day.day for day in house.library.days("door", ZoneInfo(zone))] == days
    (day,) = house.library.days("door", ZoneInfo(zone))
    assert sum(n for _, n in house.library.hours("door", day, ZoneInfo(zone))) == 2
    for other in (day - timedelta(days=1), day + timedelta(days=1)):
        assert house.library.hours("door", other, ZoneInfo(zone)) == []


def test_the_hour_that_comes_twice_is_two(house: House) -> None:
    vienna = ZoneInfo("Europe/Vienna")
    rows(house, *((utc(25, 0, 10 * n), "door", "ring") for n in range(6)))
    rows(house, *((utc(25, 1, 5 * n), "door", "ring") for n in range(12)))
    hours = house.library.hours("door", date(2026, 10, 25), vienna)
    assert hours == [(utc(25, 1), 12), (utc(25, 0), 6)]
    assert [start.astimezone(vienna).hour for start, _ in hours] == [2, 2]
    assert house.library.days("door", vienna) == [date(2026, 10, 25)]


def test_hours_that_begin_at_half_past(house: House) -> None:
    rows(house, (utc(25, 6, 29), "a", "ring"), (utc(25, 6, 30), "b", "ring"))
    kolkata = ZoneInfo("Asia/Kolkata")
    day = date(2026, 10, 25)
    assert house.library.hours(None, day, kolkata) == [(utc(25, 6, 30), 1), (utc(25, 5, 30), 1)]
    assert house.library.hours(["a", "b"], day, kolkata) == house.library.hours(None, day, kolkata)
    assert house.library.hours("a", day, kolkata) == [(utc(25, 5, 30), 1)]
    assert house.library.hours("a", day) == [(utc(25, 6), 1)]


def test_half_an_hour_that_comes_twice(house: House) -> None:
    """Lord Howe Island sets its clocks by 30 minutes: on 5 April 01:30 comes twice."""
    zone = ZoneInfo("Australia/Lord_Howe")
    rows(house, *((utc(4, 14, 15 * n, month=4), "door", "ring") for n in range(4)))
    rows(house, *((utc(4, 15, 15 * n, month=4), "door", "ring") for n in range(4)))
    hours = house.library.hours("door", date(2026, 4, 5), zone)
    assert hours == [
        (utc(4, 15, 30, month=4), 2),
        (utc(4, 15, 0, month=4), 2),
        (utc(4, 14, 0, month=4), 4),
    ]
    assert [start.astimezone(zone).hour for start, _ in hours] == [2, 1, 1]


def test_between_finds_clips_during_which_the_clock_was_set(house: House) -> None:
    library = house.library
    rows(house, (EPOCH, "door", "ring"), (EPOCH, "other", "ring"), seconds=3 * 24 * 3600)
    back = EPOCH + timedelta(days=10)
    rows(house, (back, "door", "ring"), seconds=-3600)
    rows(house, (EPOCH + HOUR, "door", "ring"), seconds=3600)
    later = EPOCH + timedelta(days=2)
    assert [clip.start for clip in library.between("door", later, later + HOUR)] == [EPOCH]
    day = EPOCH + timedelta(days=3)
    assert library.between("door", day, day + SECOND) == []
    assert len(library.between("door", day - SECOND, day)) == 1
    assert [clip.start for clip in library.between("door", back - SECOND, back)] == [back]
    assert library.between("door", back, back + HOUR) == []
    assert library.between("door", back - HOUR - SECOND, back - HOUR) == []
    both = library.between("door", EPOCH + 2 * HOUR - SECOND, EPOCH + 2 * HOUR)
    assert [clip.start for clip in both] == [EPOCH, EPOCH + HOUR]
    assert library.between("other", EPOCH, EPOCH + SECOND)[0].doorbell == "other"
    assert library.between("door", EPOCH - HOUR, EPOCH) == []


def test_what_it_weighs(house: House) -> None:
    rows(house, *((EPOCH + n * HOUR, f"door{n % 2}", "ring") for n in range(4)))
    library = house.library
    assert library.usage_by_doorbell() == {"door0": (2, 22), "door1": (2, 24)}
    assert (library.usage().clips, library.usage().bytes) == (4, 46)
    assert library.recorded_since(EPOCH) == (46, EPOCH)
    assert library.recorded_since(EPOCH + SECOND) == (36, EPOCH + HOUR)
    assert library.recorded_since(EPOCH + 4 * HOUR) == (0, None)


@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_oldest_first_a_page_at_a_time(house: House, page: int) -> None:
    starts = [EPOCH + (n // 3) * SECOND for n in range(9)]  # three at once
    rows(house, *((start, "door", "ring") for start in starts), (EPOCH, "other", "ring"))
    oldest = Oldest(house.library._index, "door", page)
    assert [clip.start for clip in oldest] == starts
    assert len(set(ids(oldest))) == 9
