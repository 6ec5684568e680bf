"""What goes first, and why."""

from datetime import timedelta
from math import inf
from pathlib import Path

import pytest

from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.folder import Space, Usage
from custom_components.doorstep.footage.retention import (
    Estimate,
    RetentionPolicy,
    estimate,
    surplus,
)

from .synthetic import EPOCH

NOW = EPOCH + timedelta(days=10)
POLICY = RetentionPolicy(days=8, max_bytes=1000, share=0.5, floor=100)


def a_clip(day: int, size: int = 100) -> Clip:
    start = EPOCH + timedelta(days=day)
    return Clip(
        id=f"clip{day}",
        doorbell="door",
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
