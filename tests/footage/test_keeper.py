"""Pictures of many events at once, and events that outlast a clip."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path

from PIL import Image
import pytest

from custom_components.doorstep.errors import CameraError
from custom_components.doorstep.footage import event, keeper
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.event import OpenClip, RecorderSettings
from custom_components.doorstep.footage.keeper import Keeper
from custom_components.doorstep.footage.library import Library
from custom_components.doorstep.footage.lines import EventKind
from custom_components.doorstep.footage.thumbnail import thumbnail

from ..simulators.waiting import until
from .synthetic import received, stream

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


class Artist:
    """Draws slowly: only when told to; a keeper, and what it has shown."""

    def __init__(self, folder: Path) -> None:
        self.drawing: list[str] = []
        self.shown: list[tuple[str | None, EventKind, datetime]] = []
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


def fed(artist: Artist, starts: range) -> None:
    """Let fragments of half a second come in, as a recorder without a pre-roll would."""
    for item in received(STREAM, starts):
        artist.keeper.feed(item)


STREAM = stream(at=NOW)


def drawn(colour: str) -> bytes:
    made = BytesIO()
    Image.new("RGB", (640, 360), colour).save(made, "JPEG")
    return made.getvalue()


async def test_an_event_goes_on_in_a_clip_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event, "monotonic", lambda: 0.0)
    artist = Artist(tmp_path)
    clips: list[Clip] = []
    artist.keeper.on_clip = clips.append
    artist.keeper.settings = RecorderSettings(post_roll=20, longest=5)
    first = artist.keeper.begin("ring", NOW)
    fed(artist, range(0, 5500, 500))
    assert artist.keeper.clip_id not in {None, first.id}
    fed(artist, range(5500, 8000, 500))
    await until(lambda: not artist.keeper._pictures)
    await artist.keeper.finish()
    assert artist.keeper.clip_id is None
    one, two = sorted(clips, key=lambda clip: clip.start)
    assert (one.id, one.seconds, two.seconds) == (first.id, 5, 3)
    assert one.end == two.start
    assert not two.picture.exists()


async def test_no_other_clip_follows_where_none_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event, "monotonic", lambda: 0.0)
    artist = Artist(tmp_path)
    artist.keeper.settings = RecorderSettings(post_roll=20, longest=5)
    artist.keeper.begin("ring", NOW)
    fed(artist, range(0, 5000, 500))
    artist.keeper.library.refuses = "library_full"
    fed(artist, range(5000, 6000, 500))
    assert artist.keeper.open is None
    await artist.keeper.finish()


@pytest.mark.parametrize("rung", [False, True])
async def test_a_following_clip_has_a_picture_to_be_found_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rung: bool
) -> None:
    """A ring in it takes the place of that; nobody is told of it."""
    monkeypatch.setattr(event, "monotonic", lambda: 0.0)
    artist = Artist(tmp_path)
    go = asyncio.Event()

    async def sight() -> bytes:
        await go.wait()
        return drawn("red")

    async def ring() -> bytes:
        return drawn("blue")

    artist.keeper.sight = sight
    artist.keeper.settings = RecorderSettings(post_roll=20, longest=5)
    artist.keeper.begin("motion", NOW)
    fed(artist, range(0, 6000, 500))
    follower = artist.keeper.open
    assert follower is not None
    if rung:
        artist.keeper.show(follower, "ring", after(6), ring)
        await until(lambda: artist.shown)
    go.set()
    await until(lambda: not artist.keeper._pictures)
    expected = drawn("blue" if rung else "red")
    assert follower.files.picture.read_bytes() == expected
    assert follower.files.thumbnail.read_bytes() == thumbnail(expected)
    assert artist.shown == [(follower.id, "ring", after(6))] * rung
    await artist.keeper.finish()


async def test_a_following_clip_without_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event, "monotonic", lambda: 0.0)
    artist = Artist(tmp_path)

    async def sight() -> bytes:
        raise CameraError("camera_no_picture")

    artist.keeper.sight = sight
    artist.keeper.settings = RecorderSettings(post_roll=20, longest=5)
    artist.keeper.begin("motion", NOW)
    fed(artist, range(0, 6000, 500))
    await until(lambda: not artist.keeper._pictures)
    assert artist.keeper.problem is None
    await artist.keeper.finish()


@pytest.mark.parametrize("trouble", [OSError(28, "full"), CameraError("camera_no_picture")])
async def test_a_thumbnail_that_fails_costs_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def fail(_jpeg: bytes) -> bytes:
        raise trouble

    monkeypatch.setattr(keeper, "thumbnail", fail)
    artist = Artist(tmp_path)
    clip = artist.clip()
    artist.go.set()
    artist.show(clip, "ring", after(0))
    await until(lambda: artist.shown)
    assert clip.files.picture.read_bytes() == b"ring 00"
    assert not clip.files.thumbnail.exists()
    assert artist.keeper.problem is None


async def test_a_picture_without_a_clip_is_told_and_kept_nowhere(tmp_path: Path) -> None:
    artist = Artist(tmp_path)
    artist.go.set()
    artist.keeper.show(None, "ring", after(0), partial(artist._draw, "ring 00"))
    await until(lambda: artist.shown)
    assert artist.shown == [(None, "ring", after(0))]
    assert list(tmp_path.glob("**/*.jpg")) == []
