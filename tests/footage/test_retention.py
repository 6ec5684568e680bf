"""What goes first, and why."""

from collections.abc import Iterator
from datetime import timedelta
from math import inf
from pathlib import Path

import pytest

from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.folder import Space, Usage
from custom_components.doorstep.footage.retention import (
    Estimate,
    Limits,
    Pressure,
    RetentionPolicy,
    estimate,
    pressure,
    spare,
    surplus,
)

from .synthetic import EPOCH

NOW = EPOCH + timedelta(days=10)
POLICY = RetentionPolicy(days=8, max_bytes=1000, share=0.5, floor=100)


def a_clip(day: int, size: int = 100, doorbell: str = "door") -> Clip:
    start = EPOCH + timedelta(days=day)
    return Clip(
        id=f"clip{day}" if doorbell == "door" else f"{doorbell}{day}",
        doorbell=doorbell,
        event="ring",
        event_at=start,
        start=start,
        end=start + timedelta(seconds=30),
        seconds=30.0,
        size=size,
        root="00",
        folder=Path("day"),
    )


CLIPS = [a_clip(day) for day in range(10)]


def chosen(usage: Usage, *spared: str) -> list[tuple[str, str]]:
    return [
        (clip.id, why)
        for clip, why in surplus({"door": CLIPS}, usage, POLICY, NOW, frozenset(spared))
    ]


def usage(held: int = 1000, free: int = 10000, total: int = 10000) -> Usage:
    return Usage(10, held, Space(free, total))


@pytest.mark.parametrize(
    ("given", "gone"),
    [
        (usage(), [("clip0", "age"), ("clip1", "age")]),
        (usage(held=1201), [("clip0", "age"), ("clip1", "age"), ("clip2", "size")]),
        (usage(held=1200), [("clip0", "age"), ("clip1", "age")]),
        (usage(total=1400), [("clip0", "age"), ("clip1", "age"), ("clip2", "size")]),
        (usage(free=-200), [("clip0", "age"), ("clip1", "age"), ("clip2", "free-space")]),
        (usage(free=-100), [("clip0", "age"), ("clip1", "age")]),
    ],
)
def test_oldest_first(given: Usage, gone: list[tuple[str, str]]) -> None:
    assert chosen(given) == gone


def test_others_go_in_place_of_the_spared() -> None:
    assert chosen(usage(held=1101), "clip0", "clip2") == [
        ("clip1", "age"),
        ("clip3", "size"),
    ]


def test_age_is_judged_by_the_end() -> None:
    policy = RetentionPolicy(days=10)
    roomy = Usage(1, 1, Space(10**12, 10**12))
    assert list(surplus({"door": CLIPS}, roomy, policy, NOW + timedelta(seconds=30))) == []
    later = NOW + timedelta(seconds=31)
    assert [clip.id for clip, _ in surplus({"door": CLIPS}, roomy, policy, later)] == ["clip0"]


def test_all_may_go() -> None:
    assert len(chosen(usage(free=-5000))) == 10


def test_what_recording_takes() -> None:
    assert estimate(250_000, 30, 20, 20 * 10**9) == Estimate(7_500_000, 150_000_000, 400 / 3)
    assert estimate(0.5, 1, 0.5, 10) == Estimate(0, 0, 40)
    assert estimate(250_000, 30, 0, 10**9) == Estimate(7_500_000, 0, inf)


def test_the_budget_is_the_smaller_of_bytes_and_share() -> None:
    policy = RetentionPolicy(max_bytes=100, share=0.25)
    assert policy.budget(Space(0, 1000)) == 100
    assert policy.budget(Space(0, 399)) == 99


BACK = [a_clip(day, doorbell="back") for day in range(10)]
ROOMY = Usage(20, 2000, Space(10**6, 10**6))


def gone(policy: RetentionPolicy, usage: Usage = ROOMY, *spared: str) -> list[tuple[str, str]]:
    clips = {"back": BACK, "door": CLIPS}
    sizes = {"back": 1000, "door": 1000}
    found = surplus(clips, usage, policy, NOW, frozenset(spared), sizes=sizes)
    return [(clip.id, why) for clip, why in found]


def own(**limits: Limits) -> RetentionPolicy:
    return RetentionPolicy(days=9.5, max_bytes=10**6, share=1, floor=0, doorbells=limits)


def test_a_doorbell_keeps_its_own_days() -> None:
    first = [("clip0", "age")]
    assert gone(own()) == [("back0", "age"), *first]
    assert gone(own(back=Limits(days=20))) == first
    assert gone(own(back=Limits(days=8.5))) == [("back0", "age"), *first, ("back1", "age")]
    assert gone(own(back=Limits(max_bytes=10**6))) == [("back0", "age"), *first]
    assert gone(own(back=Limits(days=0)))[-1] == ("back9", "age")


def test_a_doorbell_keeps_within_its_own_bytes() -> None:
    kept = own(back=Limits(days=20, max_bytes=850), door=Limits(days=20))
    assert gone(kept) == [("back0", "size"), ("back1", "size")]
    assert gone(kept, ROOMY, "back0", "back2") == [("back1", "size"), ("back3", "size")]
    exact = own(back=Limits(days=20, max_bytes=800), door=Limits(days=20))
    assert gone(exact) == [("back0", "size"), ("back1", "size")]
    none = own(back=Limits(days=20, max_bytes=0), door=Limits(days=20))
    assert len(gone(none)) == 10
    aged = own(back=Limits(days=9.5, max_bytes=800), door=Limits(days=20))
    assert gone(aged) == [("back0", "age"), ("back1", "size")]


def test_what_one_doorbell_must_give_counts_for_all() -> None:
    policy = RetentionPolicy(20, 1700, 1, 0, {"back": Limits(max_bytes=800)})
    assert gone(policy) == [("back0", "size"), ("clip0", "size"), ("back1", "size")]
    enough = RetentionPolicy(20, 1800, 1, 0, {"back": Limits(max_bytes=800)})
    assert gone(enough) == [("back0", "size"), ("back1", "size")]
    full = Usage(20, 2000, Space(0, 10**6))
    floor = RetentionPolicy(20, 10**6, 1, 300, {"back": Limits(max_bytes=800)})
    assert gone(floor, full) == [("back0", "size"), ("clip0", "free-space"), ("back1", "size")]


def test_unknown_sizes_are_none() -> None:
    policy = own(door=Limits(days=20, max_bytes=1))
    assert surplus({"door": CLIPS}, ROOMY, policy, NOW) == []


def test_only_as_far_as_need_be() -> None:
    seen: list[str] = []

    class Clips:
        def __iter__(self) -> Iterator[Clip]:
            for clip in CLIPS:
                seen.append(clip.id)
                yield clip

    surplus({"door": Clips()}, ROOMY, RetentionPolicy(9.5, 10**6, 1, 0), NOW)
    assert seen == ["clip0", "clip1", "clip0"]


def test_spared_within_a_quarter_and_a_tenth_for_each_agency() -> None:
    clips = [a_clip(day) for day in range(9)]
    assert spare([], 1000) == frozenset()
    assert spare([("A", clip) for clip in clips], 1000) == {"clip0"}
    assert spare([("A", clip) for clip in clips], 2000) == {"clip0", "clip1"}
    assert spare([("A", clip) for clip in clips], 1999) == {"clip0"}
    many = [(agency, clip) for agency, clip in zip("ABCDEFGHI", clips, strict=True)]
    assert spare(many, 1000) == {"clip0", "clip1"}
    assert spare(many, 1200) == {"clip0", "clip1", "clip2"}
    assert spare(many, 999) == frozenset()


def test_a_clip_that_several_ask_for_counts_once() -> None:
    one, two, small = a_clip(0), a_clip(1), a_clip(2, 50)
    assert spare([("A", one), ("B", one), ("B", two)], 1000) == {"clip0", "clip1"}
    assert spare([("A", one), ("A", two), ("B", two)], 1000) == {"clip0", "clip1"}
    # what doesn't fit leaves room for what is asked for less newly
    assert spare([("A", a_clip(3, 101)), ("A", small), ("A", one)], 1000) == {"clip2"}


@pytest.mark.parametrize(
    ("held", "free", "found"),
    [
        (0, 500, Pressure(0.0, full=False)),
        (400, 500, Pressure(0.4, full=False)),
        (1000, 500, Pressure(1.0, full=True)),
        (999, 500, Pressure(0.999, full=False)),
        (300, -500, Pressure(0.75, full=False)),
        (400, -500, Pressure(1.0, full=True)),
        (1, -900, Pressure(inf, full=True)),
        (0, -900, Pressure(0.0, full=True)),
        (0, -899, Pressure(0.0, full=False)),
    ],
)
def test_pressure(held: int, free: int, found: Pressure) -> None:
    """Of 1000 bytes the budget gives, a disk that is full of other things leaves less."""
    policy = RetentionPolicy(max_bytes=1000, share=1, floor=100)
    assert pressure(Usage(1, 1000, Space(free, 10**6)), held, policy) == found


def test_from_four_fifths_on_a_household_is_warned() -> None:
    assert Pressure(0.8, full=False).high
    assert not Pressure(0.799, full=False).high
