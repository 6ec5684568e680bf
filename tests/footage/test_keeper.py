"""Pictures of many events at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from custom_components.doorstep.footage.event import OpenClip, RecorderSettings
from custom_components.doorstep.footage.keeper import Keeper
from custom_components.doorstep.footage.library import Library
from custom_components.doorstep.footage.lines import EventKind

from ..simulators.waiting import until

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


class Artist:
    """Draws slowly: only when told to; a keeper, and what it has shown."""

    def __init__(self, folder: Path) -> None:
        self.drawing: list[str] = []
        self.shown: list[tuple[str, EventKind, datetime]] = []
        self.go = asyncio.Event()
        self.keeper = Keeper(
            "door",
            settings=RecorderSettings(),
            library=Library(folder, lambda _clip: None),
            on_picture=lambda clip, kind, at, _jpeg: self.shown.append((clip, kind, at)),
            on_clip=lambda _clip: None,
            changed=lambda: None,
            now=lambda: NOW,
        )

    def clip(self, kind: EventKind = "ring") -> OpenClip:
        library, settings = self.keeper.library.folder, self.keeper.settings
        return OpenClip(library, "door", (kind, NOW), settings, lambda: NOW)

    def show(self, clip: OpenClip, kind: EventKind, at: datetime) -> None:
        self.keeper.show(clip, kind, at, partial(self._draw, f"{kind} {at:%S}"))

    async def _draw(self, name: str) -> bytes:
        self.drawing.append(name)
        await self.go.wait()
        return name.encode()


async def test_a_flood_of_presses_is_drawn_one_by_one_and_the_last_is_not_left_out(
    tmp_path: Path,
) -> None:
    artist = Artist(tmp_path)
    clip = artist.clip()
    artist.show(clip, "ring", after(0))
    await until(lambda: artist.drawing)
    for second in range(1, 50):
        artist.show(clip, "ring", after(second))
    await asyncio.sleep(0)
    assert artist.drawing == ["ring 00"]
    artist.go.set()
    await until(lambda: len(artist.shown) == 2)
    await artist.keeper.finish()
    assert artist.drawing == ["ring 00", "ring 49"]
    assert artist.shown == [(clip.id, "ring", after(0)), (clip.id, "ring", after(49))]


async def test_neither_motion_nor_another_clip_takes_a_rings_place(tmp_path: Path) -> None:
    artist = Artist(tmp_path)
    one, two = artist.clip(), artist.clip()
    artist.show(one, "motion", after(0))
    artist.show(one, "ring", after(1))
    artist.show(one, "motion", after(2))
    artist.show(two, "ring", after(3))
    await until(lambda: len(artist.drawing) == 2)
    assert artist.drawing == ["ring 01", "motion 02"]
    artist.go.set()
    await until(lambda: len(artist.shown) == 3)
    assert {(clip, kind) for clip, kind, _ in artist.shown} == {
        (one.id, "ring"),
        (one.id, "motion"),
        (two.id, "ring"),
    }


async def test_what_waits_is_given_up_at_the_end(tmp_path: Path) -> None:
    artist = Artist(tmp_path)
    clip = artist.clip()
    artist.show(clip, "ring", after(0))
    await until(lambda: artist.drawing)
    artist.show(clip, "ring", after(1))
    await asyncio.sleep(0)
    await artist.keeper.finish()
    assert artist.shown == []
    artist.go.set()
    artist.show(clip, "ring", after(1))
    await until(lambda: artist.shown)
