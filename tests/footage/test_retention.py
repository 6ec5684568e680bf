"""What goes first, and why."""

from datetime import timedelta
from pathlib import Path

import pytest

from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.folder import Space, Usage
from custom_components.doorstep.footage.retention import RetentionPolicy, surplus

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


def chosen(
    held: int = 1000,
    free: int = 10000,
    total: int = 10000,
    spared: frozenset[str] = frozenset(),
) -> list[tuple[str, str]]:
    usage = Usage(10, held, Space(free, total))
    return [(clip.id, why) for clip, why in surplus(CLIPS, usage, POLICY, NOW, spared)]


@pytest.mark.parametrize(
    ("usage", "gone"),
    [
        ({}, [("clip0", "age"), ("clip1", "age")]),
        ({"held": 1201}, [("clip0", "age"), ("clip1", "age"), ("clip2", "size")]),
        ({"held": 1200}, [("clip0", "age"), ("clip1", "age")]),
        ({"total": 1400}, [("clip0", "age"), ("clip1", "age"), ("clip2", "size")]),
        ({"free": -200}, [("clip0", "age"), ("clip1", "age"), ("clip2", "free-space")]),
        ({"free": -100}, [("clip0", "age"), ("clip1", "age")]),
    ],
)
def test_oldest_first(usage: dict[str, int], gone: list[tuple[str, str]]) -> None:
    assert chosen(**usage) == gone


def test_others_go_in_place_of_the_spared() -> None:
    assert chosen(held=1101, spared=frozenset({"clip0", "clip2"})) == [
        ("clip1", "age"),
        ("clip3", "size"),
    ]


def test_age_is_judged_by_the_end() -> None:
    policy = RetentionPolicy(days=10)
    usage = Usage(1, 1, Space(10**12, 10**12))
    assert list(surplus(CLIPS, usage, policy, NOW + timedelta(seconds=30))) == []
    later = NOW + timedelta(seconds=31)
    assert [clip.id for clip, _ in surplus(CLIPS, usage, policy, later)] == ["clip0"]


def test_all_may_go() -> None:
    assert len(chosen(free=-5000)) == 10
