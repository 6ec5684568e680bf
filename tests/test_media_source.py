"""The media browser: what lies in each folder, how it is called, and what a search finds."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
import json
from pathlib import Path
from zoneinfo import ZoneInfo

from homeassistant.components.media_player import BrowseMedia, MediaClass
from homeassistant.util import dt as dt_util
import pytest

from custom_components import doorstep
from custom_components.doorstep import media_search
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.files import ClipFiles
from custom_components.doorstep.footage.library import Library
from custom_components.doorstep.media_identifier import Identifier
from custom_components.doorstep.media_items import Names
from custom_components.doorstep.media_listing import Listing, hour_end
from custom_components.doorstep.media_search import Reader, find

BERLIN = ZoneInfo("Europe/Berlin")
ROOT = "media-source://doorstep"
STRINGS = json.loads((Path(doorstep.__file__).parent / "translations/en.json").read_text())
NAMES = Names({"front": "Front door", "second": "Door 2", "third": "Ring"}, STRINGS["common"])
NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def berlin() -> Iterator[None]:
    """Live where clocks are set twice a year."""
    before = dt_util.get_default_time_zone()
    dt_util.set_default_time_zone(BERLIN)
    yield
    dt_util.set_default_time_zone(before)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path, lambda _: None)
    yield library
    library.close()


def add(
    library: Library, at: datetime, doorbell: str = "front", event: str = "ring", number: int = 0
) -> Clip:
    """Put a clip of half a minute into the index; its event was ten seconds after it began."""
    clip_id = f"{at:%Y%m%dT%H%M%SZ}-{number:08x}"
    clip = Clip(
        id=clip_id,
        doorbell=doorbell,
        event=event,
        event_at=at + timedelta(seconds=10),
        start=at,
        end=at + timedelta(seconds=30),
        seconds=30.0,
        size=1000,
        root=f"{number:064x}",
        folder=ClipFiles.place(library.folder, doorbell, clip_id).folder,
    )
    library.add(clip)
    return clip


def shown(library: Library, path: str = "") -> BrowseMedia:
    """Open a folder."""
    return Listing(library, NAMES).open(Identifier.parse(path))


def titles(library: Library, path: str = "") -> list[str]:
    return [child.title for child in shown(library, path).children or ()]


def found(library: Library, query: str, doorbell: str = "", day: date | None = None) -> list[str]:
    """Search as somebody in Berlin does on the evening of November 24th."""
    reader = Reader(NAMES, date(2026, 11, 24), month_first=False)
    clips = find(library, reader.read(query).within(doorbell, day), BERLIN)
    return [clip.id for clip in clips]


def test_doorbells_then_those_that_were_removed(library: Library) -> None:
    clip = add(library, NOON)
    add(library, NOON, "01JD3ZK7Q2W8V5N4M6P9R0S1T2", number=1)
    root = shown(library)
    assert titles(library) == ["Front door", "Door 2", "Ring", "Removed doorbell (S1T2)"]
    assert [child.thumbnail is None for child in root.children or ()] == [False, True, True, False]
    assert (root.children or [])[0].thumbnail == f"/api/doorstep/thumbnail/{clip.id}"
    assert (root.title, root.can_search) == ("Doorstep", True)
    assert root.search_media_classes == [MediaClass.VIDEO, MediaClass.IMAGE]
    assert root.children_media_class is MediaClass.DIRECTORY


def test_days_are_the_homes(library: Library) -> None:
    now = dt_util.now().replace(hour=12)
    for day in range(3):
        add(library, (now - timedelta(days=day)).astimezone(UTC))
    today, yesterday, before = ((now - timedelta(days=day)).date() for day in range(3))
    assert titles(library, "front") == [
        f"Today ({today})",
        f"Yesterday ({yesterday})",
        str(before),
    ]
    folder = shown(library, f"front/{yesterday}")
    assert folder.title == f"Front door Yesterday ({yesterday})"
    assert folder.can_search
    late = add(library, datetime(2026, 6, 1, 22, 30, tzinfo=UTC))
    (clip,) = shown(library, "front/2026-06-02").children or ()
    assert clip.media_content_id == f"{ROOT}/front/2026-06-02/{late.id}"
    assert titles(library, "front/2026-06-01") == []


def test_a_clip_is_named_for_its_event(library: Library) -> None:
    clip = add(library, NOON, event="motion")
    add(library, NOON + timedelta(minutes=1), event="explosion")
    folder = shown(library, "front/2026-11-24")
    odd, item = folder.children or ()
    assert (item.title, odd.title) == ("12:00:10 Motion (30 s)", "12:01:10 explosion (30 s)")
    assert (item.can_play, item.can_expand, item.media_content_type) == (True, False, "video/mp4")
    assert item.thumbnail == f"/api/doorstep/thumbnail/{clip.id}"
    assert folder.children_media_class is MediaClass.VIDEO


def test_many_clips_lie_in_hours_and_pages(library: Library) -> None:
    for number in range(100):
        add(library, NOON + timedelta(seconds=10 * number), number=number)
    day = "front/2026-11-24"
    assert len(titles(library, day)) == 100
    newest = add(library, NOON + timedelta(hours=1, minutes=59))
    assert titles(library, day) == ["13:00 (1)", "12:00 (100)"]
    later, noon = shown(library, day).children or ()
    assert noon.media_content_id == f"{ROOT}/{day}/20261124T1100Z"
    assert later.thumbnail == f"/api/doorstep/thumbnail/{newest.id}"
    assert (later.can_play, later.can_expand, later.can_search) == (False, True, False)
    hour = f"{day}/20261124T1100Z"
    assert shown(library, hour).title == "Front door 12:00"
    assert len(titles(library, hour)) == 100
    for number in range(100, 201):
        add(library, NOON + timedelta(seconds=10 * number), number=number)
    first = shown(library, hour).children or ()
    assert (len(first), first[200].title) == (201, "More")
    assert first[200].media_content_id == f"{ROOT}/{hour}/1"
    assert titles(library, f"{hour}/1") == ["12:00:10 Ring (30 s)"]
    assert titles(library, f"{hour}/2") == []


def test_two_hours_of_the_same_name_are_told_apart(library: Library) -> None:
    """In the night in which clocks go back, 2 o'clock comes twice."""
    twice = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    for number, hours in enumerate((-1, 0, 1, 2)):
        add(library, twice + timedelta(hours=hours), number=number)
    day = "front/2026-10-25"
    assert [title.removesuffix(" Ring (30 s)") for title in titles(library, day)] == [
        *("03:30:10", "02:30:10 CET", "02:30:10 CEST", "01:30:10"),
    ]
    for number in range(97):
        add(library, twice + timedelta(hours=9, seconds=number), number=10 + number)
    assert titles(library, day) == [
        *("10:00 (97)", "03:00 (1)", "02:00 CET (1)", "02:00 CEST (1)", "01:00 (1)"),
    ]
    assert titles(library, f"{day}/20261025T0000Z") == ["02:30:10 CEST Ring (30 s)"]
    assert titles(library, f"{day}/20261025T0100Z") == ["02:30:10 CET Ring (30 s)"]
    assert shown(library, f"{day}/20261025T0100Z").title == "Front door 02:00 CET"


def test_hours_end_where_clocks_are_set_by_half_an_hour() -> None:
    dt_util.set_default_time_zone(ZoneInfo("Australia/Lord_Howe"))
    back = datetime(2026, 4, 4, 14, 0, tzinfo=UTC)
    ends = [hour_end(back), hour_end(back + timedelta(hours=1))]
    assert [end - back for end in ends] == [timedelta(hours=1), timedelta(hours=1.5)]


@pytest.mark.parametrize(
    "text",
    [
        *("door/yesterday", "door/2026-02-31", "door/9999-12-31", "door/0001-01-01"),
        *("door/2026-11-24/20261399T0000Z", "door/2026-11-24/clip/x", "door/2026-11-24/clip/-1"),
        *(
            "door/2026-11-24/clip/1/2",
            "door/2026-11-24/clip/1234567",
            "door/2026-11-24/clip/\u0663",
        ),
    ],
)
def test_no_identifier(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        Identifier.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "door", "door/2026-11-24", "door/2026-11-24/20261124T1100Z"),
        *("door/2026-11-24/20261124T1100Z/3", "door/2026-11-24/20261124T110000Z-00000000"),
        "door/2026-11-24/20261124T110000Z-00000000/0",
    ],
)
def test_an_identifier_is_read_as_it_is_written(text: str) -> None:
    assert str(Identifier.parse(text)) == text


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", "fsme"),
        ("ring", "fe"),
        ("RING", "fe"),
        ("Motion", "m"),
        ("manual", "s"),
        ("front", "fme"),
        ("door", "fsme"),
        ("FRONT door", "fme"),
        ("door 2", "s"),
        ("Door 2 ring", ""),
        ("front 2", ""),
        ("front ring", "fe"),
        ("garage", ""),
        ("12front door", ""),
        ("front door12", ""),
        ("2026-11-24", "fs"),
        ("24.11.2026", "fs"),
        ("24/11/2026", "fs"),
        ("11/24/2026", "fs"),
        ("2026-02-31", ""),
        ("24.13.2026", ""),
        ("today ring", "f"),
        ("yesterday", "m"),
        ("12:00", "fm"),
        ("12:01", "s"),
        ("12", "fsm"),
        ("2026-11-24 12:00", "f"),
        ("12 motion", "m"),
        ("front 12", "fm"),
        ("0", "e"),
        ("0:00 ring", "e"),
        ("24", ""),
        ("12:60", ""),
        ("13", ""),
    ],
)
def test_words_that_are_searched_for(library: Library, query: str, wanted: str) -> None:
    """All words have to hold; newest first."""
    clips = {
        add(library, NOON).id: "f",
        add(library, NOON - timedelta(days=1), event="motion").id: "m",
        add(library, NOON + timedelta(seconds=70), "second", "manual").id: "s",
        # began before midnight of a day without a clip of its own
        add(library, datetime(2026, 11, 20, 22, 59, 50, tzinfo=UTC)).id: "e",
    }
    order = [clips[one] for one in found(library, query)]
    assert "".join(sorted(order, key="fsme".index)) == wanted
    assert order == [one for one in "sfme" if one in wanted]


def test_a_search_stays_where_it_is_made(library: Library) -> None:
    front, second = add(library, NOON), add(library, NOON, "second", number=1)
    early = add(library, NOON - timedelta(days=1))
    assert found(library, "ring", "front") == [front.id, early.id]
    assert found(library, "ring", "second") == [second.id]
    assert found(library, "front", "second") == []
    assert found(library, "12", "front", date(2026, 11, 23)) == [early.id]
    assert found(library, "2026-11-23", "front", date(2026, 11, 23)) == [early.id]
    assert found(library, "2026-11-24", "front", date(2026, 11, 23)) == []


def test_clips_that_ran_at_an_hour_that_comes_twice(library: Library) -> None:
    twice = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    clips = [add(library, twice + timedelta(hours=hours)).id for hours in (0, 1)]
    assert found(library, "2026-10-25 02:30") == clips[::-1]
    skipped = add(library, datetime(2026, 3, 29, 1, 0, tzinfo=UTC))
    assert found(library, "29.3.2026 2") == []
    assert found(library, "29.3.2026 3") == [skipped.id]


def test_dates_as_the_country_writes_them() -> None:
    for month_first, wanted in ((True, date(2026, 3, 2)), (False, date(2026, 2, 3))):
        reader = Reader(NAMES, date(2026, 11, 24), month_first=month_first)
        assert reader.read("3/2/2026").day == wanted
        assert reader.read("3.2.2026").day == date(2026, 2, 3)
        assert reader.read("13/2/2026").day == date(2026, 2, 13)


def test_the_longest_name_is_meant() -> None:
    names = Names({"one": "Door", "two": "Back door"}, STRINGS["common"])
    reader = Reader(names, date(2026, 11, 24), month_first=False)
    assert reader.read("back door").doorbells == ["two"]
    assert reader.read("door").doorbells == ["one"]


def test_a_search_ends(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Older clips than those it goes through are found by naming their day."""
    for number in range(205):
        add(library, NOON + timedelta(seconds=number), number=number)
    assert len(found(library, "ring")) == 205
    monkeypatch.setattr(media_search, "_LOOKED_AT", 203)
    assert len(found(library, "ring")) == 203
