"""Adding and changing a doorbell: every step, and everything a person may get wrong."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
import json
from pathlib import Path
from typing import Any, Final

from homeassistant.components.camera import Camera, CameraEntityFeature
from homeassistant.components.camera.const import DATA_COMPONENT
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from yarl import URL

from custom_components.doorstep.errors import CameraError, StorageError
from custom_components.doorstep.footage.folder import Space, Usage
from custom_components.doorstep.footage.library import Library
from custom_components.doorstep.footage.probe import Probe

from .flows import ENGLISH, fields, well_worded
from .homes import FLOW, SUBENTRY_FLOW, Home, add_clip, prepare
from .simulators.doorbell import DoorbellSimulator
from .simulators.webserver import Reply, WebServer

pytestmark = pytest.mark.usefixtures("socket_enabled")

SECRET: Final = "s3cret-c4mera"
NOWHERE: Final = "rtsp://127.0.0.1:1/door"
ANSWERS: Final = {"name": "Front door", "url": NOWHERE, "username": "door", "password": SECRET}
JPEG: Final = b"\xff\xd8\xff\xe0 a picture"
ROOM: Final = Space(free=60 * 10**9, total=64 * 10**9)


@dataclass
class Trials:
    """What was tried, and what comes of it; four megabits a second unless it is refused."""

    sources: list[str] = field(default_factory=list)
    refusal: CameraError | None = None
    rate: float | None = 500_000.0

    async def probe(self, _ffmpeg: str, source: str, _patience: float, *, audio: bool) -> Probe:
        assert audio, "what sound takes is not measured otherwise"
        self.sources.append(source)
        if self.refusal:
            raise self.refusal
        return Probe((), self.rate)


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> Trials:
    trials = Trials()
    monkeypatch.setattr("custom_components.doorstep.doorbell_trial.probe", trials.probe)
    return trials


@pytest.fixture
async def home(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Home:
    """A household without doorbells, on a disk of 64 GB."""
    monkeypatch.setattr("custom_components.doorstep.footage.library.space", lambda _folder: ROOM)
    home = await prepare(hass, hass_client, tmp_path / "library")
    await home.set_up()
    return home


@pytest.fixture
async def doorbell(tmp_path: Path) -> AsyncIterator[DoorbellSimulator]:
    async with DoorbellSimulator(tmp_path / "bell", user="door", password="p@ss:w/rd") as bell:
        yield bell


async def answer(home: Home, step: Mapping[str, Any], **answers: Any) -> dict[str, Any]:
    shown = await home.answer(step, answers)
    well_worded(shown, ENGLISH["config_subentries"]["doorbell"])
    assert SECRET not in json.dumps(shown)
    return shown


async def choose(home: Home, step: Mapping[str, Any], option: str) -> dict[str, Any]:
    assert option in step["menu_options"]
    return await answer(home, step, next_step_id=option)


async def begin(home: Home, way: str) -> dict[str, Any]:
    step = await home.post(SUBENTRY_FLOW, {"handler": [home.entry_id, "doorbell"]})
    well_worded(step, ENGLISH["config_subentries"]["doorbell"])
    assert step["menu_options"] == ["adopt", "direct"]
    return await choose(home, step, way)


async def change(home: Home, part: str) -> dict[str, Any]:
    handler = {"handler": [home.entry_id, "doorbell"], "subentry_id": bell(home).subentry_id}
    step = await home.post(SUBENTRY_FLOW, handler)
    well_worded(step, ENGLISH["config_subentries"]["doorbell"])
    return await choose(home, step, part)


def household(home: Home) -> ConfigEntry[Any]:
    return home.hass.config_entries.async_get_known_entry(home.entry_id)


def bell(home: Home) -> ConfigSubentry:
    (subentry,) = household(home).subentries.values()
    return subentry


async def add(home: Home, **options: Any) -> dict[str, Any]:
    """Add a direct doorbell."""
    step = await answer(home, await begin(home, "direct"), **ANSWERS)
    assert step["step_id"] == "webhook"
    step = await answer(home, step)
    assert step["step_id"] == "options"
    done = await answer(home, step, **options)
    assert done["type"] == "create_entry"
    await home.hass.async_block_till_done()
    return done


async def test_a_real_doorbell_is_tried_and_added(home: Home, doorbell: DoorbellSimulator) -> None:
    entered = {"name": "Front door", "url": doorbell.rtsp_url}
    wrong = {**entered, "url": doorbell.url, "username": "door", "password": "wrong"}
    step = await answer(home, await begin(home, "direct"), **wrong)
    assert step["errors"] == {"password": "camera_unauthorized"}
    assert fields(step)["username"] == "door"
    step = await answer(home, step, **entered)
    step = await answer(home, step)
    assert "Mbit a second" in step["description_placeholders"]["estimate"]
    await home.finish(step)
    data = bell(home).data
    assert data["url"] == doorbell.url
    assert (data["username"], data["password"]) == (doorbell.user, doorbell.password)
    assert home.hass.states.get("camera.front_door") is not None


async def test_addresses_that_lead_nowhere(home: Home) -> None:
    step = await begin(home, "direct")
    for url, error in (
        ("http://127.0.0.1/stream", "url_not_rtsp"),
        ("rtsp://", "url_not_rtsp"),
        ("rtsp://[", "url_not_rtsp"),
        (NOWHERE, "camera_unreachable"),
    ):
        step = await answer(home, step, name="Front door", url=url)
        assert (step["step_id"], step["errors"]) == ("direct", {"url": error})
        assert fields(step)["url"] == url


@pytest.mark.usefixtures("trials")
async def test_titles_tell_names_as_they_are(home: Home) -> None:
    name = {"name": "Front_door (left)"}
    step = await answer(home, await begin(home, "direct"), **{**ANSWERS, **name})
    await answer(home, await answer(home, step))
    handler = {"handler": [home.entry_id, "doorbell"], "subentry_id": bell(home).subentry_id}
    step = await home.post(SUBENTRY_FLOW, handler)
    assert step["description_placeholders"] == name
    flow = await reauth(home)
    shown = await (await home.client.get(f"{FLOW}/{flow['flow_id']}")).json()
    assert shown["description_placeholders"] == name


@pytest.mark.usefixtures("other", "trials")
async def test_a_doorbell_has_a_name(home: Home) -> None:
    step = await answer(home, await begin(home, "direct"), **{**ANSWERS, "name": " "})
    assert step["errors"] == {"name": "name_empty"}
    assert (await adopt(home, name=" "))["errors"] == {"name": "name_empty"}


async def test_what_the_form_decides_is_kept(home: Home, trials: Trials) -> None:
    await add(
        home,
        audio=True,
        pre_roll=5,
        post_roll=30.0,
        indoor=True,
        placement=" above the door ",
        elsewhere={"location": {"latitude": 52.1, "longitude": 4.3}},
    )
    data = dict(bell(home).data)
    webhook_id = data.pop("webhook_id")
    assert len(webhook_id) >= 64
    assert bell(home).title == "Front door"
    assert bell(home).unique_id is None
    assert data == {
        "kind": "direct",
        "url": NOWHERE,
        "username": "door",
        "password": SECRET,
        "audio": True,
        "pre_roll": 5,
        "post_roll": 30,
        "indoor": True,
        "placement": "above the door",
        "latitude": 52.1,
        "longitude": 4.3,
    }
    assert isinstance(data["post_roll"], int)
    assert trials.sources == [f"rtsp://door:{SECRET}@127.0.0.1:1/door"]


@pytest.mark.usefixtures("trials")
async def test_what_nobody_touches_is_as_it_comes(home: Home) -> None:
    await add(home)
    data = bell(home).data
    assert [data[key] for key in ("audio", "pre_roll", "post_roll", "indoor")] == [
        False,
        10,
        20,
        False,
    ]
    assert not {"placement", "latitude", "longitude", "snapshot_url"} & data.keys()


@pytest.mark.usefixtures("trials")
async def test_a_place_at_home_is_the_homes_place(home: Home) -> None:
    config = home.hass.config
    near = {"latitude": config.latitude + 0.00005, "longitude": config.longitude}
    far = {"latitude": config.latitude, "longitude": config.longitude + 0.001}
    await add(home, elsewhere={"location": far})
    assert bell(home).data["longitude"] == far["longitude"]
    step = await change(home, "options")
    assert fields(step)["audio"] is False
    (section,) = [one for one in step["data_schema"] if one.get("type") == "expandable"]
    assert not section["expanded"]
    (place,) = section["schema"]
    assert place["description"]["suggested_value"] == far
    done = await answer(home, step, elsewhere={"location": near})
    assert done["reason"] == "reconfigure_successful"
    assert "longitude" not in bell(home).data


@pytest.mark.usefixtures("trials")
async def test_lengths_have_limits(home: Home) -> None:
    step = await answer(home, await begin(home, "direct"), **ANSWERS)
    step = await answer(home, step)
    for lengths in ({"pre_roll": 61}, {"pre_roll": -1}, {"post_roll": 4}, {"post_roll": 121}):
        refused = await home.client.post(f"{SUBENTRY_FLOW}/{step['flow_id']}", json=lengths)
        assert refused.status == HTTPStatus.BAD_REQUEST
    await home.finish(step, options={"pre_roll": 0, "post_roll": 120})


@pytest.mark.usefixtures("trials")
async def test_the_addresses_are_ready_to_paste(home: Home) -> None:
    step = await answer(home, await begin(home, "direct"), **ANSWERS)
    told = step["description_placeholders"]
    (code,) = step["data_schema"]
    assert code["selector"]["qr_code"]["data"] == told["ring"]
    await home.finish(step)
    webhook_id = bell(home).data["webhook_id"]
    for kind in ("ring", "motion_on", "motion_off"):
        assert told[kind].startswith("http")
        assert told[kind].endswith(f"/api/webhook/{webhook_id}?event={kind}")
    step = await change(home, "webhook")
    assert step["description_placeholders"] == told
    assert (await answer(home, step))["reason"] == "unchanged"


@pytest.mark.usefixtures("trials")
async def test_new_addresses_hold_once_they_are_saved(home: Home) -> None:
    await add(home)
    old = bell(home).data["webhook_id"]
    left = await change(home, "rotate")
    assert bell(home).data["webhook_id"] == old
    await home.client.delete(f"{SUBENTRY_FLOW}/{left['flow_id']}")
    step = await change(home, "rotate")
    shown = step["description_placeholders"]["ring"]
    assert left["description_placeholders"]["ring"] != shown
    silent = home.hass.states.get("event.front_door_ring")
    assert silent
    assert silent.state == "unknown"
    assert (await answer(home, step))["reason"] == "reconfigure_successful"
    await home.hass.async_block_till_done()
    new = bell(home).data["webhook_id"]
    assert new != old
    assert new in shown
    assert bell(home).data["password"] == SECRET
    await home.client.post(f"/api/webhook/{old}?event=ring")
    assert silent == home.hass.states.get("event.front_door_ring")
    await home.client.post(URL(shown).path_qs)
    rung = home.hass.states.get("event.front_door_ring")
    assert rung
    assert rung.state != "unknown"


@pytest.mark.usefixtures("trials")
async def test_a_path_is_no_qr_code(home: Home) -> None:
    home.hass.config.internal_url = None
    home.hass.config.api = None
    step = await answer(home, await begin(home, "direct"), **ANSWERS)
    assert step["description_placeholders"]["ring"].startswith("/api/webhook/")
    assert step["data_schema"] == []


async def test_the_password_stays_unless_another_is_entered(home: Home, trials: Trials) -> None:
    await add(home, audio=True, placement="left")
    step = await change(home, "connection")
    assert fields(step) == {
        "name": "Front door",
        "url": NOWHERE,
        "username": "door",
        "password": None,
        "snapshot_url": None,
    }
    moved = "rtsp://127.0.0.1:2/door"
    done = await answer(home, step, name="Side door", url=moved, username="door", password="")
    assert done["reason"] == "reconfigure_successful"
    assert trials.sources[-1] == f"rtsp://door:{SECRET}@127.0.0.1:2/door"
    data = bell(home).data
    assert (bell(home).title, data["url"], data["password"]) == ("Side door", moved, SECRET)
    assert (data["audio"], data["placement"]) == (True, "left")

    step = await change(home, "connection")
    await answer(home, step, name="Side door", url=moved, username="door", password="new")
    assert bell(home).data["password"] == "new"
    step = await change(home, "connection")
    await answer(home, step, name="Side door", url=moved)
    assert not {"username", "password"} & bell(home).data.keys()
    assert trials.sources[-1] == moved


async def test_a_camera_that_refuses_changes_nothing(home: Home, trials: Trials) -> None:
    await add(home)
    before = dict(bell(home).data)
    trials.refusal = CameraError("ffmpeg_missing", error="No such file")
    step = await answer(home, await change(home, "connection"), name="X", url=NOWHERE)
    assert (step["step_id"], step["errors"]) == ("connection", {"url": "ffmpeg_missing"})
    assert step["description_placeholders"] == {"error": "No such file"}
    assert bell(home).title == "Front door"
    assert bell(home).data == before


@pytest.mark.usefixtures("trials")
async def test_a_still_picture_is_tried_too(home: Home) -> None:
    async with WebServer() as web:
        web.files["/snapshot.jpg"] = JPEG
        web.replies["/broken.jpg"] = Reply(status=500)
        step = await begin(home, "direct")
        for address, error in (
            ("ftp://127.0.0.1/x.jpg", "url_not_http"),
            (f"{web.url}broken.jpg", "snapshot_status"),
        ):
            step = await answer(home, step, **ANSWERS, snapshot_url=address)
            assert step["errors"] == {"snapshot_url": error}
        picture = f"{web.url}snapshot.jpg"
        credentials = picture.replace("://", f"://door:{SECRET}@")
        await home.finish(await answer(home, step, **ANSWERS, snapshot_url=credentials))
    assert bell(home).data["snapshot_url"] == picture
    step = await answer(home, await change(home, "connection"), **ANSWERS, snapshot_url=" ")
    assert step["reason"] == "reconfigure_successful"
    assert "snapshot_url" not in bell(home).data


async def test_the_estimate_is_of_what_was_measured(home: Home, trials: Trials) -> None:
    step = await answer(home, await begin(home, "direct"), **ANSWERS)
    step = await answer(home, step)
    # 30 s at 0.5 MB/s; 20 of them a day for 30 days; a quarter of 64 GB
    assert step["description_placeholders"]["estimate"] == (
        "The stream carries about 4.0 Mbit a second. A clip of 30 seconds takes 15 MB; 20 events a"
        " day take 9.0 GB a month. All your clips together may take 16 GB: that is enough for about"
        " 30 days of this doorbell."
    )
    trials.rate = None
    step = await answer(home, await begin(home, "direct"), **ANSWERS)
    step = await answer(home, step)
    unknown = ENGLISH["common"]["estimate_unknown"]
    assert step["description_placeholders"]["estimate"] == unknown


@pytest.mark.usefixtures("trials")
async def test_later_its_clips_tell_how_much_it_sends(
    home: Home, recording: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(home)
    library = household(home).runtime_data.rooms.library
    unknown = ENGLISH["common"]["estimate_unknown"]
    step = await change(home, "options")
    assert step["description_placeholders"]["estimate"] == unknown
    monkeypatch.setattr("tests.homes.DOORBELL", bell(home).subentry_id)
    clip = add_clip(home.library, recording, datetime.now(UTC) - timedelta(minutes=20))
    await home.hass.async_add_executor_job(library.add, clip)
    await answer(home, await change(home, "limits"), keep_days=40, max_gb=1)
    step = await change(home, "options")
    told = step["description_placeholders"]["estimate"]
    assert told.endswith("this doorbell may take 1.0 GB: that is enough for about 40 days.")
    await answer(home, await change(home, "limits"))
    full = Usage(1, clip.size, Space(free=4 * 10**8, total=10**11))
    monkeypatch.setattr(Library, "usage", lambda _library: full)
    step = await change(home, "options")
    told = step["description_placeholders"]["estimate"]
    megabits = clip.size / clip.seconds * 8 / 1e6
    assert f"about {megabits:.1f} Mbit a second" in told
    assert "may take 0 MB: that is enough for about 0 days" in told

    def fail(_library: Library) -> Usage:
        raise StorageError("disk_failed", error="gone")

    monkeypatch.setattr(Library, "usage", fail)
    step = await change(home, "options")
    assert step["description_placeholders"]["estimate"] == unknown
    await home.hass.config_entries.async_unload(home.entry_id)
    step = await change(home, "options")
    assert step["description_placeholders"]["estimate"] == unknown


@pytest.mark.usefixtures("trials")
async def test_a_doorbell_may_have_limits_of_its_own(home: Home) -> None:
    await add(home, placement="left")
    (running,) = household(home).runtime_data.rooms.doorbells
    recorder = running.recording.recorder
    step = await change(home, "limits")
    assert fields(step) == {"keep_days": None, "max_gb": None}
    assert step["description_placeholders"]["limits"] == (
        "Clips of this doorbell take 0 MB now. Where you leave a field empty the household's limits"
        " hold: 30 days, and 16 GB for all doorbells together. All together never take more than"
        " that."
    )
    done = await answer(home, step, keep_days=90.0, max_gb=3)
    assert done["reason"] == "reconfigure_successful"
    await home.hass.async_block_till_done()
    data = bell(home).data
    assert (data["keep_days"], data["max_gb"], data["placement"]) == (90, 3, "left")
    assert isinstance(data["keep_days"], int)
    # the recorder goes on
    (running,) = household(home).runtime_data.rooms.doorbells
    assert running.recording.recorder is recorder
    step = await change(home, "limits")
    assert fields(step) == {"keep_days": 90, "max_gb": 3}
    assert (await answer(home, step, max_gb=2))["reason"] == "reconfigure_successful"
    assert "keep_days" not in bell(home).data
    # what another form decides about leaves them alone
    await answer(home, await change(home, "options"), placement="right")
    assert bell(home).data["max_gb"] == 2
    assert (await answer(home, await change(home, "limits")))["reason"]
    assert "max_gb" not in bell(home).data


@pytest.mark.usefixtures("trials")
async def test_limits_of_a_doorbell_that_was_removed_meanwhile(home: Home) -> None:
    await add(home)
    step = await change(home, "limits")
    home.hass.config_entries.async_remove_subentry(household(home), bell(home).subentry_id)
    await home.hass.async_block_till_done()
    assert (await answer(home, step, keep_days=1))["reason"] == "doorbell_gone"


@pytest.mark.usefixtures("trials")
async def test_limits_of_a_doorbell_have_ends(home: Home) -> None:
    await add(home)
    step = await change(home, "limits")
    for limit in ({"keep_days": 0}, {"keep_days": 3651}, {"max_gb": 0}, {"max_gb": 100_001}):
        refused = await home.client.post(f"{SUBENTRY_FLOW}/{step['flow_id']}", json=limit)
        assert refused.status == HTTPStatus.BAD_REQUEST


@pytest.mark.usefixtures("trials")
async def test_limits_that_delete_clips_of_a_doorbell_are_kept_if_meant(home: Home) -> None:
    await add(home)
    day = (datetime.now(UTC) - timedelta(days=9)).date()
    for doorbell, ago in ((bell(home).subentry_id, 9), ("another", 99)):
        folder = home.library / doorbell / (day + timedelta(days=9 - ago)).isoformat()
        folder.mkdir(parents=True)
        with (folder / "clip.mp4").open("wb") as file:
            file.truncate(1_500_000_000)
    step = await change(home, "limits")
    assert "take 1.5 GB now" in step["description_placeholders"]["limits"]
    step = await answer(home, step, keep_days=8, max_gb=1)
    assert step["step_id"] == "sure"
    assert step["description_placeholders"]["concerns"] == (
        "Clips take 1.5 GB now, and may take 1.0 GB. About 500 MB, the oldest, will be deleted"
        " within the hour, for good.\n\nClips older than 8 days will be deleted within the hour,"
        f" for good. The oldest is of {day}."
    )
    step = await choose(home, step, "limits")
    assert fields(step) == {"keep_days": 8, "max_gb": 1}
    assert "keep_days" not in bell(home).data
    step = await choose(home, await answer(home, step, keep_days=7), "save")
    assert step["reason"] == "reconfigure_successful"
    assert bell(home).data["keep_days"] == 7
    # what is kept no longer is not asked about again
    step = await answer(home, await change(home, "limits"), keep_days=7)
    assert step["reason"] == "reconfigure_successful"


@pytest.mark.usefixtures("trials")
async def test_limits_can_be_changed_while_the_disk_is_gone(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(home)

    def fail(_library: Library) -> Usage:
        raise StorageError("disk_failed", error="gone")

    monkeypatch.setattr(Library, "usage", fail)
    step = await change(home, "limits")
    assert step["description_placeholders"]["limits"] == ENGLISH["common"]["storage_unknown"]
    assert (await answer(home, step, keep_days=1))["reason"] == "reconfigure_successful"
    assert bell(home).data["keep_days"] == 1


class OtherCamera(Camera):
    """A camera that another integration brings."""

    _attr_supported_features = CameraEntityFeature.STREAM

    def __init__(self, key: str = "bell", url: str | None = "rtsp://127.0.0.1:2/other") -> None:
        super().__init__()
        self.key = key
        self._attr_unique_id = key
        self._attr_name = f"Other {key}"
        self.url = url

    async def stream_source(self) -> str | None:
        return self.url


async def bring(hass: HomeAssistant, *cameras: OtherCamera) -> MockConfigEntry:
    """Be another integration with these cameras, each on a device of its own."""
    entry = MockConfigEntry(domain="test")
    entry.add_to_hass(hass)
    await hass.data[DATA_COMPONENT].async_add_entities(cameras)
    for camera in cameras:
        device = dr.async_get(hass).async_get_or_create(
            config_entry_id=entry.entry_id,
            identifiers={("test", camera.key)},
            name=f"Other {camera.key}",
        )
        er.async_get(hass).async_update_entity(camera.entity_id, device_id=device.id)
    return entry


def part(hass: HomeAssistant, entry: MockConfigEntry, entity: str, device_class: str) -> str:
    """Give the camera's device another entity; returns its id in the registry."""
    domain, name = entity.split(".")
    camera = er.async_get(hass).async_get("camera.other_bell")
    assert camera
    found = er.async_get(hass).async_get_or_create(
        domain,
        "test",
        name,
        config_entry=entry,
        device_id=camera.device_id,
        suggested_object_id=name,
        original_device_class=device_class,
    )
    assert found.entity_id == entity
    hass.states.async_set(entity, "off", {"device_class": device_class})
    return found.id


@dataclass(frozen=True)
class Other:
    """Another integration's doorbell: registry ids by what they are."""

    entry: MockConfigEntry
    camera: OtherCamera
    ids: dict[str, str]


@pytest.fixture
async def other(hass: HomeAssistant, home: Home) -> Other:
    camera = OtherCamera()
    entry = await bring(hass, camera)
    return Other(
        entry,
        camera,
        {
            "camera": er.async_get(hass).async_get_or_create("camera", "camera", "bell").id,
            "ring": part(hass, entry, "event.other_bell_ring", "doorbell"),
            "motion": part(hass, entry, "binary_sensor.other_bell_motion", "motion"),
        },
    )


async def test_without_a_camera_a_way_is_shown(home: Home) -> None:
    step = await begin(home, "adopt")
    assert step["step_id"] == "no_camera"
    assert (await choose(home, step, "adopt"))["step_id"] == "no_camera"
    assert (await choose(home, step, "direct"))["step_id"] == "direct"


async def test_a_camera_is_adopted_with_what_is_on_its_device(
    home: Home, other: Other, trials: Trials
) -> None:
    step = await begin(home, "adopt")
    (asked,) = step["data_schema"]
    assert asked["selector"]["entity"]["include_entities"] == ["camera.other_bell"]
    step = await answer(home, step, camera="camera.other_bell")
    assert step["description_placeholders"] == {
        "camera": "Other bell",
        "capture": ENGLISH["common"]["capture_stream"],
    }
    proposed = fields(step)
    assert proposed == {
        "name": "Other bell",
        "rings": ["event.other_bell_ring"],
        "motions": ["binary_sensor.other_bell_motion"],
        "capture": "stream",
    }
    step = await answer(home, step, **proposed)
    assert step["step_id"] == "options"
    assert "about 4.0 Mbit a second" in step["description_placeholders"]["estimate"]
    done = await answer(home, step, indoor=True)
    assert (done["type"], done["description"]) == ("create_entry", "adopted")
    assert trials.sources == ["rtsp://127.0.0.1:2/other"]
    assert bell(home).unique_id == other.ids["camera"]
    assert bell(home).title == "Other bell"
    assert bell(home).data == {
        "kind": "adopted",
        "camera": other.ids["camera"],
        "rings": [other.ids["ring"]],
        "motions": [other.ids["motion"]],
        "capture": "stream",
        "audio": False,
        "pre_roll": 10,
        "post_roll": 20,
        "indoor": True,
    }


async def adopt(home: Home, **changes: Any) -> dict[str, Any]:
    step = await answer(home, await begin(home, "adopt"), camera="camera.other_bell")
    return await answer(home, step, **{**fields(step), **changes})


@pytest.mark.usefixtures("other", "trials")
async def test_a_camera_is_adopted_once(home: Home) -> None:
    late = await begin(home, "adopt")
    later = await adopt(home)
    await home.finish(await adopt(home))
    assert (await answer(home, late, camera="camera.other_bell"))["reason"] == "already_configured"
    assert (await answer(home, later))["reason"] == "already_configured"
    assert (await begin(home, "adopt"))["step_id"] == "no_camera"
    assert bell(home).title == "Other bell"


@pytest.mark.usefixtures("other", "trials")
async def test_something_has_to_ring_or_move(home: Home) -> None:
    step = await adopt(home, rings=[], motions=[])
    assert (step["step_id"], step["errors"]) == ("sources", {"base": "no_source"})
    assert fields(step)["rings"] == []
    await home.finish(await answer(home, step, name="Bell", motions=[MOTION], capture="stream"))
    assert bell(home).data["rings"] == []


MOTION: Final = "binary_sensor.other_bell_motion"


async def test_a_camera_without_its_stream_is_told_at_the_choice(
    home: Home, other: Other, trials: Trials
) -> None:
    other.camera.url = None
    step = await adopt(home)
    assert (step["step_id"], step["errors"]) == ("sources", {"capture": "camera_no_stream"})
    assert fields(step)["capture"] == "stream"
    other.camera.url = "rtsp://127.0.0.1:2/other"
    trials.refusal = CameraError("camera_timeout")
    step = await answer(home, step, **fields(step))
    assert step["errors"] == {"capture": "camera_timeout"}
    step = await answer(home, step, **{**fields(step), "capture": "stills"})
    assert step["step_id"] == "options"
    assert trials.sources == ["rtsp://127.0.0.1:2/other"]


async def test_a_camera_without_a_stream_gives_stills(
    home: Home, hass: HomeAssistant, trials: Trials
) -> None:
    camera = OtherCamera()
    camera._attr_supported_features = CameraEntityFeature(0)
    part(hass, await bring(hass, camera), MOTION, "motion")
    step = await answer(home, await begin(home, "adopt"), camera="camera.other_bell")
    told = step["description_placeholders"]["capture"]
    assert told == ENGLISH["common"]["capture_no_stream"]
    (capture,) = [one for one in step["data_schema"] if one["name"] == "capture"]
    assert capture["selector"]["select"]["options"] == ["stills"]
    step = await answer(home, step, **fields(step))
    assert fields(step).keys() == {"post_roll", "indoor", "placement", "elsewhere"}
    told = step["description_placeholders"]["estimate"]
    assert told.startswith("About 11 still pictures")
    await home.finish(step, options={"post_roll": 10})
    data = bell(home).data
    assert (data["capture"], data["post_roll"]) == ("stills", 10)
    assert not {"audio", "pre_roll"} & data.keys()
    assert trials.sources == []


@pytest.mark.parametrize(
    ("choice", "capture"), [("use_stills", "stills"), ("use_stream", "stream")]
)
async def test_a_battery_is_spared_unless_somebody_insists(
    home: Home, other: Other, trials: Trials, choice: str, capture: str
) -> None:
    part(home.hass, other.entry, "sensor.other_bell_battery", "battery")
    step = await answer(home, await begin(home, "adopt"), camera="camera.other_bell")
    told = step["description_placeholders"]["capture"]
    assert told == ENGLISH["common"]["capture_battery"]
    assert fields(step)["capture"] == "stills"
    step = await answer(home, step, **{**fields(step), "capture": "stream"})
    assert step["step_id"] == "battery"
    assert step["menu_options"] == ["use_stills", "use_stream"]
    assert trials.sources == []
    step = await choose(home, step, choice)
    assert bool(trials.sources) is (capture == "stream")
    await home.finish(step)
    assert bell(home).data["capture"] == capture
    step = await change(home, "sources")
    assert fields(step)["capture"] == capture
    # whoever insisted once is not asked again
    done = await answer(home, step, **fields(step))
    assert done["reason"] == "reconfigure_successful"


async def test_a_source_that_is_gone_is_told_and_left_out(
    home: Home, other: Other, trials: Trials
) -> None:
    hass = home.hass
    assert await async_setup_component(hass, "input_boolean", {"input_boolean": {"press": {}}})
    rings = ["event.other_bell_ring", "input_boolean.press", "button.unknown"]
    await home.finish(await adopt(home, rings=rings))
    press = er.async_get(hass).async_get("input_boolean.press")
    assert bell(home).data["rings"] == [
        other.ids["ring"],
        press.id if press else "input_boolean.press",
        "button.unknown",
    ]
    registry = er.async_get(hass)
    registry.async_update_entity(MOTION, new_entity_id="binary_sensor.renamed")
    hass.states.async_remove(MOTION)
    hass.states.async_set("binary_sensor.renamed", "off")
    registry.async_remove("event.other_bell_ring")
    await hass.async_block_till_done()
    step = await change(home, "sources")
    assert step["errors"] == {"rings": "source_gone"}
    assert fields(step) == {
        "name": "Other bell",
        "rings": ["input_boolean.press"],
        "motions": ["binary_sensor.renamed"],
        "capture": "stream",
    }
    done = await answer(home, step, **{**fields(step), "name": "Bell"})
    assert done["reason"] == "reconfigure_successful"
    assert bell(home).title == "Bell"
    assert bell(home).data["motions"] == [other.ids["motion"]]
    assert bell(home).data["post_roll"] == 20
    assert len(trials.sources) == 2


@pytest.mark.usefixtures("trials")
async def test_a_camera_that_is_gone_gets_a_successor(home: Home, hass: HomeAssistant) -> None:
    entry = await bring(hass, OtherCamera(), OtherCamera("second", "rtsp://127.0.0.1:3/second"))
    part(hass, entry, MOTION, "motion")
    await home.finish(await adopt(home), options={"indoor": True})
    registry = er.async_get(hass)
    registry.async_remove("camera.other_bell")
    await hass.async_block_till_done()
    step = await change(home, "sources")
    assert (step["step_id"], step["errors"]) == ("adopt", {"camera": "camera_gone"})
    step = await answer(home, step, camera="camera.other_second")
    assert fields(step)["name"] == "Other bell"
    assert fields(step)["rings"] == []
    done = await answer(home, step, **{**fields(step), "motions": [MOTION]})
    assert done["reason"] == "reconfigure_successful"
    second = registry.async_get("camera.other_second")
    assert second
    assert bell(home).unique_id == bell(home).data["camera"] == second.id
    assert bell(home).data["indoor"] is True
    registry.async_remove("camera.other_second")
    await hass.async_block_till_done()
    assert (await change(home, "sources"))["reason"] == "no_camera"


@pytest.mark.usefixtures("other", "trials")
async def test_a_bell_does_not_listen_to_itself(home: Home) -> None:
    await add(home)
    step = await answer(home, await begin(home, "adopt"), camera="camera.other_bell")
    (rings,) = [one for one in step["data_schema"] if one["name"] == "rings"]
    own = rings["selector"]["entity"]["exclude_entities"]
    assert "event.front_door_ring" in own
    assert "event.other_bell_ring" not in own


async def reauth(home: Home, doorbell: str | None = None) -> dict[str, Any]:
    """Let a doorbell say that its camera refuses the password; returns the flow as it is listed."""
    data = {"doorbell": doorbell or bell(home).subentry_id}
    household(home).async_start_reauth(home.hass, data=data)
    await home.hass.async_block_till_done()
    flows: list[Any] = home.hass.config_entries.flow.async_progress()
    return flows[0] if flows else {}


async def sign_in(home: Home, flow: Mapping[str, Any], password: str) -> dict[str, Any]:
    entered = {"username": "door", "password": password}
    step = await home.post(f"{FLOW}/{flow['flow_id']}", entered)
    well_worded(step, ENGLISH["config"])
    assert SECRET not in json.dumps(step)
    return step


async def test_signing_in_again(home: Home, trials: Trials) -> None:
    await add(home, audio=True)
    before = bell(home).data
    flow = await reauth(home)
    assert flow["context"]["title_placeholders"] == {"name": "Front door"}
    shown = await (await home.client.get(f"{FLOW}/{flow['flow_id']}")).json()
    well_worded(shown, ENGLISH["config"])
    assert fields(shown) == {"username": "door", "password": None}
    trials.refusal = CameraError("camera_unauthorized")
    step = await sign_in(home, flow, "wrong")
    assert step["errors"] == {"password": "camera_unauthorized"}
    assert fields(step) == {"username": "door", "password": None}
    trials.refusal = CameraError("camera_timeout")
    step = await sign_in(home, flow, "right")
    assert step["errors"] == {"base": "camera_timeout"}
    assert bell(home).data == before
    trials.refusal = None
    step = await sign_in(home, flow, "right")
    assert step["reason"] == "reauth_successful"
    assert trials.sources[-1] == "rtsp://door:right@127.0.0.1:1/door"
    assert bell(home).data == {**before, "password": "right"}


@pytest.mark.usefixtures("trials")
async def test_nobody_signs_in_to_a_doorbell_that_is_gone(home: Home) -> None:
    await add(home)
    assert await reauth(home, "nonsense") == {}
    flow = await reauth(home)
    home.hass.config_entries.async_remove_subentry(household(home), bell(home).subentry_id)
    await home.hass.async_block_till_done()
    step = await sign_in(home, flow, "right")
    assert step["reason"] == "doorbell_gone"


@pytest.mark.usefixtures("other", "trials")
async def test_an_adopted_doorbell_has_no_password_of_its_own(home: Home) -> None:
    await home.finish(await adopt(home))
    assert await reauth(home) == {}
