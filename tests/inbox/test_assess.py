from dataclasses import replace
from datetime import timedelta

import pytest

from custom_components.doorstep.inbox.assess import (
    Assessment,
    is_around,
    matching_clips,
    matching_doorbells,
)
from custom_components.doorstep.inbox.rules import Outcome, Verdict
from custom_components.doorstep.inbox.values import Doorbell, Home

from .test_rules import case
from .world import FRONT, HOUR, NOW, PLACE, Clip

SECOND = timedelta(seconds=1)
METRE = 1 / 111_195


def home(*doorbells: Doorbell, clips: tuple[Clip, ...] = ()) -> Home:
    return Home(
        latitude=PLACE[0],
        longitude=PLACE[1],
        doorbells=doorbells,
        clips=lambda doorbell, _start, _end: [clip for clip in clips if clip.doorbell == doorbell],
    )


@pytest.mark.parametrize(
    ("north", "near"), [(0, True), (299, True), (395, True), (405, False), (5000, False)]
)
def test_doorbells_match_up_to_a_hundred_metres_away(north: float, near: bool) -> None:
    bell = replace(FRONT, latitude=PLACE[0] + north * METRE)
    assert bool(matching_doorbells(case().request, home(bell))) is near


def test_indoor_doorbells_are_not_asked_to_volunteer() -> None:
    indoor = replace(FRONT, id="hall", indoor=True)
    both = home(FRONT, indoor)
    assert matching_doorbells(case().request, both) == (FRONT,)
    emergency = case({"legal_basis": "emergency"}).request
    assert matching_doorbells(emergency, both) == (FRONT, indoor)


def test_clips_match_that_overlap_the_window() -> None:
    start, end = NOW - HOUR, NOW
    clips = (
        Clip("before", "front", start - HOUR, start),
        Clip("into", "front", start - HOUR, start + SECOND),
        Clip("inside", "front", start + SECOND, end - SECOND),
        Clip("out", "front", end - SECOND, end + HOUR),
        Clip("after", "front", end, end + HOUR),
        Clip("back", "back", start, end),
    )
    found = matching_clips(case().request, (FRONT,), home(FRONT, clips=clips))
    assert found == ("into", "inside", "out")


@pytest.mark.parametrize(("north", "around"), [(0, True), (5200, True), (5400, False)])
def test_around_is_five_kilometres(north: float, around: bool) -> None:
    here = replace(home(), latitude=PLACE[0] + north * METRE)
    assert is_around(case().request, here) is around


def test_an_assessment_survives_the_database() -> None:
    found = Assessment(
        doorbells=("front",),
        clips=("c1", "c2"),
        verdicts=(Verdict("kind", None, {"kind": "é"}), Verdict("area", Outcome.DECLINE, {})),
    )
    again = Assessment.from_json(found.to_json())
    assert again == found
    assert [verdict.outcome for verdict in again.verdicts] == [None, Outcome.DECLINE]
