"""What the back end would say about the library: clips of two days and two doorbells."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from . import scenes
from .scenes import Document

NEWEST: Final = datetime(2026, 11, 24, 13, 41, 7, tzinfo=UTC)
NAMES: Final = {"front": "Front door", "garden": "Garden gate"}
EVENTS: Final = ("ring", "motion", "motion", "manual")


def text(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def clip(at: datetime = NEWEST, number: int = 0, **changes: Any) -> Document:
    start, seconds = at - timedelta(seconds=10), 31.5
    return {
        "id": f"{at:%Y%m%dT%H%M%SZ}-{number:08x}",
        "doorbell": "front",
        "doorbell_name": NAMES.get(changes.get("doorbell", "front")),
        "event": EVENTS[number % 4],
        "event_at": text(at),
        "start": text(start),
        "end": text(start + timedelta(seconds=seconds)),
        "seconds": seconds,
        "size": 14_823_300,
        "video": f"/media/clip-{number % 2}.mp4",
        "picture": "/media/clip.jpg",
        "thumbnail": "/media/clip.jpg",
        "pictures": False,
        "held": False,
        "asked_for": False,
        "deleted": None,
    } | changes


def clips(count: int = 9) -> list[Document]:
    """Return COUNT clips, the newest first: half an hour apart, the last one of the day before."""
    found = [
        clip(
            NEWEST - timedelta(minutes=31 * i) if i < count - 1 else NEWEST - timedelta(hours=20),
            i,
            doorbell="garden" if i % 3 == 2 else "front",
            held=i == 1,
            asked_for=i in {1, 3},
        )
        for i in range(count)
    ]
    found[0]["pictures"] = count > 1
    return found


def storage(**changes: Any) -> Document:
    return {
        "used": 12_400_000_000,
        "limit": 20_000_000_000,
        "free": 212_000_000_000,
        "floor": 5_000_000_000,
        "clips": 931,
        "held": 4,
        "binned": 2,
        "days_left": 17.4,
        "indexing": None,
        "full": False,
    } | changes


def crowded() -> Document:
    """Return storage that is full while the folder is still being read."""
    indexing = {"done": 1200, "total": 100_000}
    return storage(full=True, used=20_100_000_000, days_left=0.0, indexing=indexing)


def snapshot(**changes: Any) -> Document:
    """Return what an approver sees."""
    bells = [{"id": key, "name": name, "status": "ready"} for key, name in NAMES.items()]
    return scenes.snapshot(**{"clips": True, "storage": storage(), "doorbells": bells} | changes)


def other(**changes: Any) -> Document:
    """Return what somebody sees who does not decide."""
    return {
        "approver": False,
        "counts": {"open": 1, "waiting": 1},
        "clips": True,
        "storage": storage(),
    } | changes


def finding(number: int = 0) -> Document:
    return {
        "clip": clips()[number]["id"],
        "problem": "Frames of this clip are not what was recorded.",
        "at": text(NEWEST),
    }


def exported(**changes: Any) -> Document:
    return {
        "path": "/media/clip-0.mp4",
        "name": "Front door 2026-11-24.mp4",
        "seconds": 63.0,
        "size": 29_646_600,
        "start": text(NEWEST - timedelta(minutes=31)),
        "end": text(NEWEST),
        "gaps": [{"start": text(NEWEST - timedelta(minutes=30)), "end": text(NEWEST)}],
    } | changes
