"""A real camera, a real bell: what entities, media browser and ledger make of it."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

from homeassistant.components import media_source
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser, async_capture_events
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)
from yarl import URL

from custom_components.doorstep.doorbells.model import Settings
from custom_components.doorstep.footage.event import RecorderSettings

from .doorbells.homes import direct, set_up
from .homes import Home, Panel, prepare
from .simulators.doorbell import DoorbellSimulator
from .simulators.waiting import until

pytestmark = pytest.mark.usefixtures("socket_enabled")

RING = "event.front_door_ring"
MOTION = "binary_sensor.front_door_motion"
LAST_RING = "sensor.front_door_last_ring"
PICTURE = "image.front_door_last_ring_picture"
RECORDING = "sensor.front_door_recording"
CAMERA = "camera.front_door"


@pytest.fixture
async def doorbell(tmp_path: Path) -> AsyncIterator[DoorbellSimulator]:
    async with DoorbellSimulator(tmp_path / "bell", user="door", password="p@ss:w/rd") as bell:
        yield bell


@pytest.fixture
async def home(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
    tmp_path: Path,
    doorbell: DoorbellSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> Home:
    """A household whose doorbell is recording; clips are short, to be done soon."""

    def short(settings: Settings) -> RecorderSettings:
        return RecorderSettings(pre_roll=0.3, post_roll=0.5, audio=settings.audio)

    monkeypatch.setattr(Settings, "recorder", short)
    home = await prepare(hass, hass_client, tmp_path / "library")
    bell = direct(url=doorbell.url, username=doorbell.user, password=doorbell.password, audio=True)
    await set_up(home, bell, approver=hass_admin_user)
    await until(lambda: state(hass, RECORDING) == "ready")
    return home


@pytest.fixture
def webhook(home: Home) -> str:
    """Where the device reports."""
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    (subentry,) = entry.subentries.values()
    return f"/api/webhook/{subentry.data['webhook_id']}"


def state(hass: HomeAssistant, entity_id: str) -> str:
    """The state of an entity that exists."""
    found = hass.states.get(entity_id)
    assert found is not None, entity_id
    return found.state


async def test_a_ring_is_told_recorded_and_sealed(
    home: Home, webhook: str, hass_ws_client: WebSocketGenerator
) -> None:
    rings = async_capture_events(home.hass, "state_changed")
    assert (await home.client.post(f"{webhook}?event=ring")).status == HTTPStatus.OK
    ring = home.hass.states.get(RING)
    assert ring is not None
    assert ring.attributes["event_type"] == "ring"
    clip = ring.attributes["clip_id"]
    assert state(home.hass, LAST_RING) != "unknown"
    assert sum(event.data["entity_id"] == RING for event in rings) == 1

    await until(lambda: state(home.hass, PICTURE) != "unknown")
    shown = await home.client.get(f"/api/image_proxy/{PICTURE}")
    assert shown.status == HTTPStatus.OK
    assert (await shown.read()).startswith(b"\xff\xd8\xff")

    video = await until(lambda: next(home.library.rglob(f"{clip}.mp4"), None))
    panel = Panel(await hass_ws_client(home.hass))
    await panel.open()
    sealed: list[dict[str, str]] = []
    while not sealed:
        entries = (await panel.ask("ledger/list"))["entries"]
        sealed = [entry for entry in entries if entry["kind"] == "clip_sealed"]
    assert sealed[0]["subject"] == clip
    played = await home.client.get(f"/api/doorstep/clip/{clip}", headers={"Range": "bytes=4-7"})
    assert played.status == HTTPStatus.PARTIAL_CONTENT
    assert await played.read() == video.read_bytes()[4:8] == b"ftyp"


async def test_clips_are_in_the_media_browser(home: Home, webhook: str) -> None:
    await home.client.post(webhook, json={"event": "ring"})
    await until(lambda: next(home.library.rglob("*.mp4"), None))
    await until(lambda: next(home.library.rglob("*.jpg"), None))
    path = "media-source://doorstep"
    for _ in range(3):
        folder = await media_source.async_browse_media(home.hass, path)
        while not folder.children:
            # the files are there a moment before the index knows them
            folder = await media_source.async_browse_media(home.hass, path)
        (child,) = folder.children
        path = child.media_content_id
    assert child.can_play
    played = await media_source.async_resolve_media(home.hass, path, None)
    assert played.mime_type == "video/mp4"
    assert (await home.client.get(played.url)).status == HTTPStatus.OK
    assert child.thumbnail is not None
    picture = await home.client.get(child.thumbnail)
    assert picture.headers["Content-Type"] == "image/jpeg"


async def test_motion_begins_and_ends(home: Home, webhook: str) -> None:
    assert state(home.hass, MOTION) == "off"
    await home.client.post(webhook, data={"event": "motion_on"})
    assert state(home.hass, MOTION) == "on"
    await home.client.get(f"{webhook}?event=motion_off")
    assert state(home.hass, MOTION) == "off"
    await until(lambda: next(home.library.rglob("*.mp4"), None))


async def test_live_view_asks_for_credentials_itself(
    home: Home, doorbell: DoorbellSimulator
) -> None:
    camera = home.hass.states.get(CAMERA)
    assert camera is not None
    assert "p@ss" not in str(camera.as_dict())
    entity = home.hass.data["camera"].get_entity(CAMERA)
    camera_itself, way = URL(doorbell.rtsp_url), URL(await entity.stream_source())
    assert way.port != camera_itself.port
    assert way.with_port(camera_itself.port) == camera_itself


async def test_the_bell_rings_while_the_camera_is_away(
    home: Home, webhook: str, doorbell: DoorbellSimulator
) -> None:
    await doorbell.kill()
    await until(lambda: state(home.hass, RECORDING) == "failed")
    await home.client.post(f"{webhook}?event=ring")
    assert state(home.hass, RING) != "unknown"


async def test_changing_one_doorbell_keeps_its_entities(home: Home, webhook: str) -> None:
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    (subentry,) = entry.subentries.values()
    step = await home.change(subentry.subentry_id, "connection")
    changed = {"name": "Back door", "url": subentry.data["url"], "username": "door"}
    assert (await home.answer(step, changed))["reason"] == "reconfigure_successful"
    await until(lambda: state(home.hass, RECORDING) == "ready")
    assert (await home.client.post(f"{webhook}?event=ring")).status == HTTPStatus.OK
    assert state(home.hass, RING) != "unknown"


async def test_a_removed_doorbell_is_gone(home: Home, webhook: str) -> None:
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    (subentry_id,) = entry.subentries
    home.hass.config_entries.async_remove_subentry(entry, subentry_id)
    await home.hass.async_block_till_done()
    assert home.hass.states.get(RING) is None
    await home.client.post(f"{webhook}?event=ring")
    assert await home.hass.config_entries.async_unload(home.entry_id)
