"""A clip of stills, which no browser plays, in the media browser and over HTTP."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

from homeassistant.auth.models import User
from homeassistant.components import media_source
from homeassistant.components.media_player import BrowseError, BrowseMedia
from homeassistant.components.media_source import Unresolvable
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.files import ClipFiles, new_clip_id
from custom_components.doorstep.footage.mjpeg import fragment, init_segment
from custom_components.doorstep.footage.ring import Received, Stream
from custom_components.doorstep.footage.writer import ClipWriter

from .disclosure.clips import encode
from .homes import DOORBELL, Home, add_clip, move_in, prepare

pytestmark = pytest.mark.usefixtures("socket_enabled")

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PICTURES = [
    b"\xff\xd8\xff\xc0\0\x0b\x08\0\x5a\0\xa0\x01\0\0\0\xff\xda\0\x08\x01\x01\0\0\x3f\0"
    + bytes([number])
    + b"\xff\xd9"
    for number in range(3)
]


def add_stills(library: Path) -> Clip:
    """Put a clip of three stills into a library, as an earlier run would have left it."""
    one = Stream(init_segment(160, 90))
    one.clock.observe(0, 0, START.timestamp())
    items = [
        Received(fragment(one.init, 2000 * number, 2000, jpeg), one)
        for number, jpeg in enumerate(PICTURES)
    ]
    files = ClipFiles.place(library, DOORBELL, new_clip_id(START))
    writer = ClipWriter(files, DOORBELL, "ring", START, items[0])
    for item in items:
        writer.write(item)
    clip = writer.close("post-roll")
    assert clip is not None
    return clip


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "library"


@pytest.fixture
def stills(library: Path) -> Clip:
    return add_stills(library)


@pytest.fixture
async def home(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_admin_user: User,
    library: Path,
    stills: Clip,
) -> Home:
    """A household with a clip of stills, and an ordinary one an hour later."""
    add_clip(library, encode(seconds=2), START + timedelta(hours=1))
    home = await prepare(hass, hass_client, library)
    await move_in(home, hass_admin_user)
    return home


async def children(home: Home, path: str) -> list[BrowseMedia]:
    folder = await media_source.async_browse_media(home.hass, f"media-source://doorstep/{path}")
    return list(folder.children or ())


async def test_a_clip_of_stills_is_a_folder_of_its_pictures(home: Home, stills: Clip) -> None:
    day = f"{DOORBELL}/2026-11-23"
    film, folder = await children(home, day)
    assert (film.can_play, film.can_expand, film.media_content_type) == (True, False, "video/mp4")
    assert (folder.can_play, folder.can_expand) == (False, True)
    assert folder.media_content_id == f"media-source://doorstep/{day}/{stills.id}"
    pictures = await children(home, f"{day}/{stills.id}")
    assert [one.media_content_type for one in pictures] == ["image/jpeg"] * 3
    assert [(one.can_play, one.can_expand) for one in pictures] == [(True, False)] * 3
    assert [one.title[-5:] for one in pictures] == ["00:00", "00:02", "00:04"]
    for picture, wanted in zip(pictures, PICTURES, strict=True):
        shown = await media_source.async_resolve_media(home.hass, picture.media_content_id, None)
        assert shown.mime_type == "image/jpeg"
        for path in (shown.url, picture.thumbnail):
            assert path is not None
            answer = await home.client.get(path)
            assert answer.headers["Content-Type"] == "image/jpeg"
            assert await answer.read() == wanted


async def test_the_film_itself_stays_reachable(home: Home, stills: Clip) -> None:
    path = f"media-source://doorstep/{DOORBELL}/2026-11-23/{stills.id}"
    film = await media_source.async_resolve_media(home.hass, path, None)
    assert film.mime_type == "video/mp4"
    assert await (await home.client.get(film.url)).read() == stills.video.read_bytes()


async def test_no_such_picture(home: Home, stills: Clip) -> None:
    (film,) = [one for one in home.library.rglob("*.mp4") if stills.id not in one.name]
    for path in (f"{stills.id}/still/3", f"{stills.id}/still/-1", f"{stills.id}/still/x"):
        assert (await home.client.get(f"/api/doorstep/clip/{path}")).status == HTTPStatus.NOT_FOUND
    for clip in (film.stem, "nothing"):
        answer = await home.client.get(f"/api/doorstep/clip/{clip}/still/0")
        assert answer.status == HTTPStatus.NOT_FOUND
    with pytest.raises(Unresolvable):
        await media_source.async_resolve_media(
            home.hass, f"media-source://doorstep/{DOORBELL}/2026-11-23/{stills.id}/x", None
        )


async def test_pictures_are_for_those_who_are_logged_in(
    home: Home, stills: Clip, hass_client_no_auth: ClientSessionGenerator
) -> None:
    client = await hass_client_no_auth()
    answer = await client.get(f"/api/doorstep/clip/{stills.id}/still/0")
    assert answer.status == HTTPStatus.UNAUTHORIZED


async def test_pictures_that_cannot_be_read(home: Home, stills: Clip) -> None:
    whole = stills.lines.read_bytes()
    stills.lines.write_bytes(whole.splitlines(keepends=True)[0])
    with pytest.raises(BrowseError):
        await children(home, f"{DOORBELL}/2026-11-23/{stills.id}")


async def test_an_ordinary_clip_is_no_folder(home: Home) -> None:
    day = f"{DOORBELL}/2026-11-23"
    film, _ = listed = await children(home, day)
    path = film.media_content_id.removeprefix("media-source://doorstep/")
    shown = await children(home, path)
    assert [one.title for one in shown] == [one.title for one in listed]
