"""Limits and folders of a library: what is asked, what is said before clips would be lost."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
import shutil
from types import MappingProxyType, SimpleNamespace
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.doorstep import library_folder

from . import homes
from .flows import ENGLISH, fields, well_worded
from .homes import COMPONENTS, DOORBELL, FLOW, Home, move_in, prepare

pytestmark = pytest.mark.usefixtures("socket_enabled")

OPTIONS: Final = "/api/config/config_entries/options/flow"
GB: Final = 10**9
PROPOSED: Final = {"keep_days": 30, "max_gb": 20, "disk_share": 25, "free_gb": 5}

type Disk = Callable[[float], None]


@pytest.fixture(autouse=True)
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Let every disk have 64 GB, of which so many are free; 60 unless a test says otherwise."""

    def has_free(gigabytes: float) -> None:
        usage = SimpleNamespace(total=64 * GB, free=int(gigabytes * GB))
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)

    has_free(60)
    return has_free


@pytest.fixture
async def home(hass: HomeAssistant, hass_client: ClientSessionGenerator, tmp_path: Path) -> Home:
    return await prepare(hass, hass_client, tmp_path / "library")


def lay(library: Path, days_ago: int, size: float = 0.002, doorbell: str = DOORBELL) -> date:
    """Have a clip of SIZE (GB) lie in the library since so many days; it takes no room."""
    day = (datetime.now(UTC) - timedelta(days=days_ago)).date()
    folder = library / doorbell / day.isoformat()
    folder.mkdir(parents=True)
    with (folder / "clip.mp4").open("wb") as file:
        file.truncate(int(size * GB))
    return day


async def walk(home: Home, *answers: Mapping[str, Any], flow: str = FLOW) -> dict[str, Any]:
    """Go through a flow of the household; each step has to have words."""
    handler: dict[str, Any] = {"handler": "doorstep"}
    if flow == OPTIONS:
        handler = {"handler": home.entry_id}
    elif home.entries:
        handler["entry_id"] = home.entry_id
    step = await home.post(flow, handler)
    return await go_on(home, step, *answers, flow=flow)


async def go_on(
    home: Home, step: dict[str, Any], *answers: Mapping[str, Any], flow: str = FLOW
) -> dict[str, Any]:
    texts = ENGLISH["options" if flow == OPTIONS else "config"]
    well_worded(step, texts)
    for answer in answers:
        step = await home.post(f"{flow}/{step['flow_id']}", answer)
        well_worded(step, texts)
    await home.hass.async_block_till_done()
    return step


def folder(home: Home) -> dict[str, str]:
    return {"library": str(home.library)}


def text(step: Mapping[str, Any], name: str = "room") -> str:
    return str(step["description_placeholders"][name])


def entry_of(home: Home) -> ConfigEntry[Any]:
    (entry,) = home.hass.config_entries.async_entries("doorstep")
    return entry


async def test_limits_are_proposed_with_what_they_come_to(home: Home) -> None:
    step = await walk(home, folder(home))
    assert step["step_id"] == "storage"
    assert fields(step) == PROPOSED
    assert text(step, "folder") == str(home.library)
    assert text(step) == (
        "The disk holds 64 GB; 60 GB of it are free.\n\nIf a camera sends 4 Mbit a second, 20 clips"
        " of 30 seconds a day take 300 MB. With the limits below clips may take 16 GB: enough for"
        " about 53 days like that."
    )
    entered = {"keep_days": 7.0, "max_gb": 12, "disk_share": 50, "free_gb": 10}
    await go_on(home, step, entered)
    options = entry_of(home).options
    assert options == entered
    assert all(isinstance(value, int) for value in options.values())


async def test_words_are_there_before_anything_runs(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(homes, "COMPONENTS", [one for one in COMPONENTS if one != "doorstep"])
    home = await prepare(hass, hass_client, tmp_path / "library")
    assert "The disk holds 64 GB" in text(await walk(home, folder(home)))


async def test_limits_have_units_and_ends(home: Home) -> None:
    step = await walk(home, folder(home))
    found = {one["name"]: one["selector"]["number"] for one in step["data_schema"]}
    units = {name: number["unit_of_measurement"] for name, number in found.items()}
    assert units == {"keep_days": "days", "max_gb": "GB", "disk_share": "%", "free_gb": "GB"}
    days = found["keep_days"]
    assert ENGLISH["selector"][days["translation_key"]]["unit_of_measurement"]["days"]
    for name, most in {
        "keep_days": 3650,
        "max_gb": 100_000,
        "disk_share": 90,
        "free_gb": 1000,
    }.items():
        assert (found[name]["min"], found[name]["max"]) == (1, most)
        for value in (0, most + 1):
            path = f"{FLOW}/{step['flow_id']}"
            refused = await home.client.post(path, json={name: value})
            assert refused.status == HTTPStatus.BAD_REQUEST


async def test_a_floor_above_what_is_free_is_refused(home: Home, disk: Disk) -> None:
    disk(4)
    step = await walk(home, folder(home), {"max_gb": 3})
    assert step["errors"] == {"free_gb": "floor_too_high"}
    assert text(step, "free") == "4.0 GB"
    assert fields(step) == {**PROPOSED, "max_gb": 3}
    assert "clips may take 0 MB: enough for about 0 days" in text(step)
    done = await go_on(home, step, {"free_gb": 3})
    assert done["type"] == "create_entry"


async def test_limits_that_keep_less_than_a_day_are_kept_if_meant(home: Home, disk: Disk) -> None:
    disk(5.15)
    step = await walk(home, folder(home), {"keep_days": 9})
    assert step["step_id"] == "sure"
    assert text(step, "concerns") == (
        "Clips may take 150 MB. On a day with 20 clips of a doorbell that is used up after about 12"
        " hours: even clips of the same day would be deleted to make room."
    )
    step = await go_on(home, step, {"next_step_id": "storage"})
    assert fields(step)["keep_days"] == 9
    assert not home.hass.config_entries.async_entries("doorstep")
    step = await go_on(home, step, {"keep_days": 8}, {"next_step_id": "save"})
    assert step["type"] == "create_entry"
    assert entry_of(home).options["keep_days"] == 8


async def test_clips_that_lie_there_are_not_lost_unasked(home: Home) -> None:
    oldest = lay(home.library, 100, 1.5)
    lay(home.library, 2, 1.0, "another")
    (home.library / "another" / "keep-no-ww").mkdir()
    (home.library / "another" / "2020-02-02").touch()
    step = await walk(home, folder(home))
    told = f"Clips lie there already: 2.5 GB, the oldest of {oldest}."
    assert told in text(step)
    for day, sure in ((99, True), (100, False)):
        step = await go_on(home, step, {"keep_days": day})
        assert (step.get("step_id") == "sure") is sure
        if sure:
            assert text(step, "concerns") == (
                f"Clips older than {day} days will be deleted within the hour, for good. The oldest"
                f" is of {oldest}."
            )
            step = await go_on(home, step, {"next_step_id": "storage"})
    assert step["type"] == "create_entry"


async def test_clips_that_need_more_room_are_not_lost_unasked(home: Home) -> None:
    lay(home.library, 1, 2.5)
    step = await walk(home, folder(home), {"max_gb": 2})
    assert text(step, "concerns") == (
        "Clips take 2.5 GB now, and may take 2.0 GB. About 500 MB, the oldest, will be deleted"
        " within the hour, for good."
    )
    step = await go_on(home, step, {"next_step_id": "storage"}, {"max_gb": 3})
    assert step["type"] == "create_entry"


async def test_the_default_folder(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_folder, "_SHARE", tmp_path / "share")
    cache = f"{home.hass.config.config_dir}/.cache/doorstep"
    assert fields(await walk(home)) == {"library": cache}
    (tmp_path / "share").mkdir()
    step = await walk(home)
    assert fields(step) == {"library": f"{tmp_path}/share/doorstep"}
    step = await go_on(home, step, {"library": "clips"})
    assert step["errors"] == {"library": "folder_relative"}
    assert text(step, "instead") == f"{tmp_path}/share/doorstep"
    # the cache will do too: no backup holds it
    step = await go_on(home, step, {"library": f" {cache} "}, {})
    assert entry_of(home).data["library"] == cache


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("/media/clips", "folder_refused"),
        ("{config}/www/clips", "folder_refused"),
        ("{media}", "folder_refused"),
        ("{config}", "folder_in_config"),
        ("{config}/doorstep", "folder_in_config"),
        ("{config}/.cache", "folder_in_config"),
        ("{config}/.cache/tts", "folder_in_config"),
        ("{config}/.cache/doorstep_review", "folder_in_config"),
        ("{config}/www/../clips", "folder_in_config"),
        ("/", "folder_around_config"),
        ("{tmp}", "folder_around_config"),
        ("{tmp}/file/clips", "folder_unusable"),
        ("{tmp}/nul\0l", "folder_unusable"),
    ],
)
async def test_refusals_say_where_else(home: Home, tmp_path: Path, place: str, error: str) -> None:
    (tmp_path / "file").touch()
    config = home.hass.config
    (media, *_) = config.media_dirs.values()
    chosen = place.format(config=config.config_dir, media=media, tmp=tmp_path)
    step = await walk(home, {"library": chosen})
    assert (step["step_id"], step["errors"]) == ("user", {"library": error})
    assert fields(step) == {"library": chosen}
    said = ENGLISH["config"]["error"][error].format(**step["description_placeholders"])
    assert said.startswith(chosen)
    assert text(step, "instead") in said


async def test_home_assistant_os_keeps_only_its_share(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_folder, "_SHARE", tmp_path / "share")
    home.hass.config.components.add("hassio")
    step = await walk(home, {"library": f"{tmp_path}/clips"})
    assert step["errors"] == {"library": "folder_lost"}
    assert not (tmp_path / "clips").exists()
    step = await go_on(home, step, {"library": "clips"})
    assert step["errors"] == {"library": "folder_relative"}
    (tmp_path / "share").mkdir()
    step = await go_on(home, step, {"library": f"{tmp_path}/share/nas"}, {})
    assert entry_of(home).data["library"] == f"{tmp_path}/share/nas"


@pytest.fixture
async def household(home: Home, hass_admin_user: MockUser) -> Home:
    """A household from before there were options."""
    entry = await move_in(home, hass_admin_user)
    home.hass.config_entries.async_update_entry(entry, options={})
    await home.hass.async_block_till_done()
    return home


async def test_options_change_without_a_restart(household: Home) -> None:
    data = entry_of(household).runtime_data
    (doorbell,) = data.rooms.doorbells
    recorder = doorbell.recording.recorder
    step = await walk(household, flow=OPTIONS)
    assert fields(step) == {**PROPOSED, "clips_for": "everyone"}
    assert text(step).startswith("The disk holds 64 GB; 60 GB of it are free.\n\nIf a camera")
    entered = {"keep_days": 10, "max_gb": 9, "disk_share": 8, "free_gb": 7}
    await go_on(household, step, {**entered, "clips_for": "approvers"}, flow=OPTIONS)
    assert entry_of(household).options == {**entered, "clips_for": "approvers"}
    assert entry_of(household).runtime_data is data
    (doorbell,) = data.rooms.doorbells
    assert doorbell.recording.recorder is recorder
    step = await walk(household, flow=OPTIONS)
    assert fields(step) == {**entered, "clips_for": "approvers"}
    assert "may take 5.1 GB" in text(step)


async def test_options_say_what_clips_take(household: Home) -> None:
    oldest = lay(household.library, 20)
    hass, entry = household.hass, entry_of(household)
    for number, capture in enumerate(("stream", "stills")):
        lengths = {"pre_roll": 20, "post_roll": 40, "capture": capture}
        hass.config_entries.async_add_subentry(entry, subentry(number, lengths))
    await hass.async_block_till_done()
    step = await walk(household, flow=OPTIONS)
    # 30 s and 60 s of a stream, 40 s of stills
    assert text(step).endswith(
        "\n\nClips take 0 MB now; the oldest is of "
        f"{oldest}.\n\nIf each camera sends 4 Mbit a second, 20 clips a day of each of your 3"
        " doorbells take 980 MB. With the limits below clips may take 16 GB: enough for about 16"
        " days like that."
    )
    # what is kept now may go only if somebody means it
    step = await go_on(household, step, {"keep_days": 19}, flow=OPTIONS)
    assert step["step_id"] == "sure"
    again = {"next_step_id": "storage"}
    step = await go_on(household, step, again, {"keep_days": 20}, flow=OPTIONS)
    assert step["type"] == "create_entry"


def subentry(number: int, data: Mapping[str, Any]) -> ConfigSubentry:
    wiring = {"url": f"rtsp://127.0.0.1:1/{number}", "webhook_id": f"{number}" * 64}
    return ConfigSubentry(
        data=MappingProxyType({**wiring, **data}),
        subentry_type="doorbell",
        title=f"Door {number}",
        unique_id=None,
    )


async def test_limits_that_were_there_are_not_asked_about_again(
    household: Home, disk: Disk
) -> None:
    lay(household.library, 400)
    step = await walk(household, {}, flow=OPTIONS)
    assert step["type"] == "create_entry"
    assert entry_of(household).options == {**PROPOSED, "clips_for": "everyone"}
    disk(5.001)
    step = await walk(household, {"max_gb": 1}, flow=OPTIONS)
    assert text(step, "concerns").startswith("Clips may take 1.0 MB.")


async def test_options_of_a_disk_that_is_gone(
    household: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_folder: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(shutil, "disk_usage", fail)
    step = await walk(household, flow=OPTIONS)
    assert text(step) == ENGLISH["common"]["storage_unknown"]
    await go_on(household, step, {"free_gb": 1000}, flow=OPTIONS)
    assert entry_of(household).options["free_gb"] == 1000
    monkeypatch.undo()
    await household.hass.config_entries.async_unload(household.entry_id)
    step = await walk(household, flow=OPTIONS)
    assert text(step).startswith("The disk holds")


async def test_another_folder(household: Home, tmp_path: Path) -> None:
    old = household.library
    lay(old, 1)
    oldest = lay(tmp_path / "other", 3)
    household.hass.config_entries.async_update_entry(
        entry_of(household), options={"clips_for": "approvers", "keep_days": 60}
    )
    data = entry_of(household).runtime_data
    step = await walk(household)
    assert step["step_id"] == "reconfigure"
    assert (text(step, "folder"), fields(step)) == (str(old), {"library": str(old)})
    step = await go_on(household, step, {"library": household.hass.config.config_dir})
    assert step["errors"] == {"library": "folder_in_config"}
    step = await go_on(household, step, {"library": str(tmp_path / "other")})
    assert fields(step) == {**PROPOSED, "keep_days": 60}
    assert f"Clips lie there already: 2.0 MB, the oldest of {oldest}." in text(step)
    done = await go_on(household, step, {"keep_days": 60, "max_gb": 11})
    assert done["reason"] == "reconfigure_successful"
    entry = entry_of(household)
    assert entry.data["library"] == str(tmp_path / "other")
    assert entry.options == {**PROPOSED, "max_gb": 11, "keep_days": 60, "clips_for": "approvers"}
    assert entry.state is ConfigEntryState.LOADED
    assert entry.runtime_data is not data
    assert entry.runtime_data.rooms.library.folder == tmp_path / "other"
    assert len(list(old.rglob("clip.mp4"))) == 1


async def test_the_same_folder_needs_no_reload(household: Home) -> None:
    data = entry_of(household).runtime_data
    done = await walk(household, folder(household), {"max_gb": 3})
    assert done["reason"] == "reconfigure_successful"
    assert entry_of(household).options["max_gb"] == 3
    assert entry_of(household).runtime_data is data


async def test_another_folder_for_a_disk_that_is_gone(home: Home, tmp_path: Path) -> None:
    (tmp_path / "disk").touch()
    entry = MockConfigEntry(
        domain="doorstep", data={"library": str(tmp_path / "disk" / "clips"), "approvers": []}
    )
    entry.add_to_hass(home.hass)
    home.entries.append(entry.entry_id)
    assert not await home.hass.config_entries.async_setup(entry.entry_id)
    await walk(home, folder(home), {})
    assert entry.state is ConfigEntryState.LOADED
