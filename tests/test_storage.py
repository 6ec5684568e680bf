"""The disk's side of a household: limits, holds, the bin, seals, films, and who may what."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
import shutil
from threading import Event
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockUser,
    async_fire_time_changed,
    get_system_health_info,
)
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    MockHAClientWebSocket,
    WebSocketGenerator,
)

from custom_components.doorstep import backup, exports, storage
from custom_components.doorstep.clip_log import ClipLog
from custom_components.doorstep.encoding import format_time
from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.footage import place
from custom_components.doorstep.footage.folder import Space
from custom_components.doorstep.footage.holds import Holds
from custom_components.doorstep.footage.retention import Pressure

from .homes import DOORBELL, Home, Panel, add_clip, asked, move_in, prepare
from .simulators.agency import AgencySimulator
from .simulators.waiting import until
from .test_household import issues

pytestmark = pytest.mark.usefixtures("socket_enabled")

MINUTE: Final = timedelta(minutes=1)


async def clips(panel: Panel, **members: Any) -> list[dict[str, Any]]:
    """List clips as the panel does."""
    answer = await panel.ask("clips/list", **members)
    assert "clips" in answer, answer
    return list(answer["clips"])


async def until_there(panel: Panel, count: int) -> None:
    """Wait for clips that were put into the folder."""
    while len(await clips(panel)) < count:
        """The index reads them in, in the background."""


async def work(socket: MockHAClientWebSocket, command: str, **members: Any) -> list[dict[str, Any]]:
    """Start a long work; returns all it told, up to its end."""
    await socket.send_json_auto_id({"type": f"doorstep/{command}", **members})
    answer = await socket.receive_json()
    assert answer["success"], answer
    told: list[dict[str, Any]] = []
    while not told or not (told[-1].keys() & {"path", "error"} or told[-1].get("finished")):
        told.append((await socket.receive_json())["event"])
    return told


@pytest.fixture
async def socket(home: Home, hass_ws_client: WebSocketGenerator) -> MockHAClientWebSocket:
    return await hass_ws_client(home.hass)


async def tend(home: Home) -> None:
    """Look at the disk as each hour does, after whoever is looking just now."""
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    await entry.runtime_data.storage.async_tend()
    await home.hass.async_block_till_done()


def number(home: Home, key: str) -> float:
    """What a sensor of the household shows."""
    state = home.hass.states.get(f"sensor.doorstep_{key}")
    assert state is not None
    return float(state.state)


async def limit(home: Home, **options: Any) -> None:
    """Change what is to be kept, as the options form does."""
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    home.hass.config_entries.async_update_entry(entry, options={**entry.options, **options})
    await tend(home)


async def test_the_library_is_measured(home: Home, panel: Panel) -> None:
    (video,) = home.library.rglob("*.mp4")
    snapshot = await panel.until(lambda one: one["storage"])
    size = video.stat().st_size
    told = snapshot["storage"]
    assert (told["clips"], told["used"], told["held"], told["binned"]) == (1, size, 0, 0)
    assert (told["full"], told["indexing"], told["days_left"]) == (False, None, None)
    assert told["limit"] == 20 * 10**9
    assert told["floor"] == 0
    assert number(home, "clips") == 1
    assert number(home, "used_by_clips") == pytest.approx(size / 10**9)
    assert number(home, "free_disk_space") == pytest.approx(told["free"] / 10**9)


async def test_days_left_follow_the_pace_of_the_last_week(
    home: Home, panel: Panel, recording: bytes
) -> None:
    size = 0
    for days in (2, 4):
        at = datetime.now(UTC) - timedelta(days=days)
        size += add_clip(home.library, recording, at).size
    await panel.ask("clips/rescan")
    await tend(home)
    snapshot = await panel.until(lambda one: one["storage"]["clips"] == 3)
    size = snapshot["storage"]["used"]
    days_left = (20 * 10**9 - size) / (size / 4)
    assert snapshot["storage"]["days_left"] == pytest.approx(days_left, rel=0.01)
    assert number(home, "days_until_the_oldest_clips_go") == pytest.approx(
        snapshot["storage"]["days_left"], rel=0.01
    )


async def test_a_deleted_clip_comes_back(home: Home, panel: Panel) -> None:
    (clip,) = await clips(panel)
    answer = await panel.ask("clips/delete", clips=[clip["id"]])
    assert answer["deleted"] == [clip["id"]]
    left = datetime.fromisoformat(answer["until"]) - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(days=1)
    assert await clips(panel) == []
    assert (await home.client.get(clip["video"])).status == 404
    (binned,) = await panel.ask("clips/binned")
    assert (binned["id"], binned["deleted"]) == (clip["id"], {"until": answer["until"]})
    assert await panel.ask("clips/restore", clips=[clip["id"]]) is None
    assert await clips(panel) == [clip]
    assert (await home.client.get(clip["video"])).status == 200
    kinds = [
        (entry["kind"], entry["facts"]) for entry in (await panel.ask("ledger/list"))["entries"]
    ]
    assert kinds[:2] == [("clip_restored", {}), ("clip_deleted", {"reason": "person"})]
    assert (await panel.ask("clips/delete", clips=["x"]))["translation_key"] in {
        "clip_unknown",
        "clip_name",
    }


async def test_deleting_what_is_gone_stops_nothing_else(home: Home, panel: Panel) -> None:
    (clip,) = await clips(panel)
    gone = "20200101T000000Z-00000000"
    assert (await panel.ask("clips/delete", clips=[gone, clip["id"]]))["deleted"] == [clip["id"]]
    assert (await panel.ask("clips/delete", clips=[gone]))["translation_key"] == "clip_unknown"


async def test_taking_out_of_the_bin_what_is_not_in_it_is_no_event(
    home: Home, panel: Panel
) -> None:
    (clip,) = await clips(panel)
    assert await panel.ask("clips/restore", clips=[clip["id"]]) is None
    kinds = [entry["kind"] for entry in (await panel.ask("ledger/list"))["entries"]]
    assert "clip_restored" not in kinds


async def test_a_kept_clip_that_was_deleted_comes_back_kept(home: Home, panel: Panel) -> None:
    """Else retention would take it at once: what people keep is often old."""
    (clip,) = await clips(panel)
    await panel.ask("clips/hold", clip=clip["id"])
    await limit(home, keep_days=0)
    await panel.ask("clips/delete", clips=[clip["id"]], confirmed=True)
    (binned,) = await panel.ask("clips/binned")
    assert binned["held"] is False
    await panel.ask("clips/restore", clips=[clip["id"]])
    await tend(home)
    assert await clips(panel) == [clip | {"held": True}]
    kinds = [entry["kind"] for entry in (await panel.ask("ledger/list"))["entries"]]
    assert kinds[:4] == ["clip_restored", "clip_held", "clip_let_go", "clip_deleted"]


async def test_what_was_let_go_before_comes_back_as_it_was(home: Home, panel: Panel) -> None:
    (clip,) = await clips(panel)
    for command in ("hold", "let_go"):
        await panel.ask(f"clips/{command}", clip=clip["id"])
    for command in ("delete", "restore"):
        await panel.ask(f"clips/{command}", clips=[clip["id"]])
    assert await clips(panel) == [clip]


async def test_a_clip_kept_while_others_are_deleted_stays(
    home: Home, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clip,) = await clips(panel)
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    rooms = entry.runtime_data.rooms
    found = rooms.library.get(clip["id"])

    def settle() -> None:
        """What is spared is chosen by now, and nothing has gone."""
        rooms.holds.hold(found, "person", "ann")

    monkeypatch.setattr(rooms.library._deletions, "settle", settle)
    await limit(home, keep_days=0)
    assert await clips(panel) == [clip | {"held": True}]


async def test_keeping_what_is_just_being_deleted_is_refused(
    home: Home, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clip,) = await clips(panel)
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    holds, library = entry.runtime_data.rooms.holds, entry.runtime_data.rooms.library
    hold = holds.hold

    def late(*args: Any) -> None:
        library.delete(clip["id"], "age")
        hold(*args)

    monkeypatch.setattr(type(holds), "hold", lambda _, *args: late(*args))
    answer = await panel.ask("clips/hold", clip=clip["id"])
    assert answer["translation_key"] == "clip_unknown"
    assert holds.held() == {}


async def test_a_deletion_cut_short_ends_the_hold_later(home: Home, panel: Panel) -> None:
    (clip,) = await clips(panel)
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    rooms = entry.runtime_data.rooms
    await panel.ask("clips/hold", clip=clip["id"])
    rooms.library.throw_away(clip["id"])
    await tend(home)
    assert rooms.holds.is_held(clip["id"])
    rooms.library.delete(clip["id"], "age")
    await tend(home)
    assert not rooms.holds.is_held(clip["id"])


async def test_a_clock_set_ahead_deletes_nothing_at_once(
    home: Home, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(await clips(panel)) == 1
    ahead = datetime.now(UTC) + timedelta(days=40)
    monkeypatch.setattr(dt_util, "utcnow", lambda: ahead)
    monkeypatch.setattr(storage, "host_ntp", lambda: "unsynchronised")
    await tend(home)
    assert len(await clips(panel)) == 1
    monkeypatch.setattr(storage, "host_ntp", lambda: "synchronised")
    await tend(home)
    assert await clips(panel) == []


async def test_a_disk_that_goes_away_ends_recording(
    home: Home, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is written to where it was mounted, kept clips neither."""
    (clip,) = await clips(panel)
    await panel.ask("clips/hold", clip=clip["id"])
    await tend(home)
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    mounts = {str(home.library), "/"}
    monkeypatch.setattr(place, "ismount", lambda path: str(path) in mounts)
    await home.hass.config_entries.async_reload(home.entry_id)
    home.library.rename(home.library.with_name("disk"))
    home.library.mkdir()
    mounts.remove(str(home.library))
    await tend(home)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "library_unmounted"
    assert list(home.library.iterdir()) == []
    home.library.rmdir()
    home.library.with_name("disk").rename(home.library)
    mounts.add(str(home.library))
    assert await home.hass.config_entries.async_reload(home.entry_id)
    assert await clips(panel) == [clip | {"held": True}]


async def test_a_deleted_clip_is_gone_after_a_day(
    home: Home, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clip,) = await clips(panel)
    answer = await panel.ask("clips/delete", clips=[clip["id"]])
    until_then = datetime.fromisoformat(answer["until"])
    monkeypatch.setattr(storage, "host_ntp", lambda: "synchronised")
    for at, left in ((until_then - MINUTE, True), (until_then, False)):
        monkeypatch.setattr(dt_util, "utcnow", lambda at=at: at)
        await tend(home)
        assert bool(list(home.library.rglob(f"{clip['id']}*"))) is left
    answer = await panel.ask("clips/restore", clips=[clip["id"]])
    assert answer["translation_key"] == "clip_gone"


async def test_what_is_asked_for_is_deleted_only_on_purpose(
    home: Home, panel: Panel, agency: AgencySimulator
) -> None:
    agency.ask()
    await asked(home, panel, agency)
    (clip,) = await clips(panel)
    assert clip["asked_for"] is True
    answer = await panel.ask("clips/delete", clips=[clip["id"]])
    assert answer == {"confirm": {"asked_for": 1, "held": 0}}
    assert len(await clips(panel)) == 1
    await panel.ask("clips/hold", clip=clip["id"])
    answer = await panel.ask("clips/delete", clips=[clip["id"]])
    assert answer == {"confirm": {"asked_for": 1, "held": 1}}
    answer = await panel.ask("clips/delete", clips=[clip["id"]], confirmed=True)
    assert answer["deleted"] == [clip["id"]]
    assert await clips(panel) == []


async def test_what_is_asked_for_outlives_its_age(
    home: Home, panel: Panel, agency: AgencySimulator
) -> None:
    agency.ask()
    handle = await asked(home, panel, agency)
    await limit(home, keep_days=0)
    assert len(await clips(panel)) == 1
    await panel.ask("request/decline", handle=handle)
    await tend(home)
    assert await clips(panel) == []


async def test_what_is_asked_for_gets_only_what_holds_leave(
    home: Home, panel: Panel, agency: AgencySimulator, recording: bytes
) -> None:
    other = add_clip(home.library, recording, datetime.now(UTC) - 10 * MINUTE)
    await panel.ask("clips/rescan")
    await until_there(panel, 2)
    await panel.ask("clips/hold", clip=other.id)
    agency.ask()
    await asked(home, panel, agency)
    room = other.size * 10.5 / 10**9
    await limit(home, keep_days=0, max_gb=other.size * 11.5 / 10**9)
    assert len(await clips(panel)) == 2
    # a tenth of it would be enough for the clip, a tenth of what the other leaves isn't
    await limit(home, keep_days=0, max_gb=room)
    assert [clip["id"] for clip in await clips(panel)] == [other.id]


async def test_a_kept_clip_stays_and_is_in_backups(home: Home, panel: Panel) -> None:
    (clip,) = await clips(panel)
    await panel.ask("clips/hold", clip=clip["id"])
    await limit(home, keep_days=0)
    (one,) = await clips(panel)
    assert one["held"] is True
    kept = Path(home.hass.config.path("doorstep", "kept", "clips"))
    (copy,) = kept.rglob("*.mp4")
    (video,) = home.library.rglob("*.mp4")
    assert copy.read_bytes() == video.read_bytes()
    # the disk dies, and a backup is restored on a new one
    assert await home.hass.config_entries.async_unload(home.entry_id)
    shutil.rmtree(home.library)
    assert await home.hass.config_entries.async_setup(home.entry_id)
    await until(video.exists)
    assert copy.read_bytes() == video.read_bytes()
    assert (await home.client.get(clip["video"])).status == 200
    await panel.ask("clips/let_go", clip=clip["id"])
    await tend(home)
    assert not list(kept.rglob("*.mp4"))
    assert not video.exists()


async def test_recording_stops_before_a_kept_clip_is_lost(home: Home, panel: Panel) -> None:
    (clip,) = await clips(panel)
    await panel.ask("clips/hold", clip=clip["id"])
    await limit(home, max_gb=clip["size"] / 0.85 / 10**9)
    assert "holds_filling" in issues(home.hass)
    assert "library_full" not in issues(home.hass)
    await limit(home, max_gb=clip["size"] * 0.99 / 10**9)
    assert "library_full" in issues(home.hass)
    assert "holds_filling" not in issues(home.hass)
    snapshot = await panel.until(lambda one: one["storage"]["full"])
    assert snapshot["storage"]["held"] == clip["size"]
    assert len(await clips(panel)) == 1
    await limit(home, max_gb=1)
    assert not issues(home.hass) & {"library_full", "holds_filling"}
    await panel.until(lambda one: not one["storage"]["full"])


async def test_nothing_is_deleted_while_a_backup_runs(home: Home, panel: Panel) -> None:
    await backup.async_pre_backup(home.hass)
    assert await home.hass.config_entries.async_reload(home.entry_id)
    await limit(home, keep_days=0)
    assert len(await clips(panel)) == 1
    await backup.async_post_backup(home.hass)
    await tend(home)
    assert await clips(panel) == []


async def test_a_backup_waits_for_what_is_under_way(
    home: Home, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    begun, go_on = Event(), Event()

    def sync(_: Holds, stop: Callable[[], bool]) -> None:
        begun.set()
        assert go_on.wait(10)
        assert stop()

    monkeypatch.setattr(Holds, "sync", sync)
    tending = asyncio.create_task(entry.runtime_data.storage.async_tend())
    await home.hass.async_add_executor_job(begun.wait)
    pausing = asyncio.create_task(backup.async_pre_backup(home.hass))
    await asyncio.sleep(0)
    assert not pausing.done()
    go_on.set()
    await pausing
    assert tending.done()


async def test_why_a_kept_clip_is_not_in_backups(
    home: Home, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync(*_: object) -> None:
        raise StorageError("disk_full")

    monkeypatch.setattr(Holds, "sync", sync)
    await tend(home)
    issue = ir.async_get(home.hass).async_get_issue("doorstep", "kept_failed")
    assert issue is not None
    assert issue.translation_placeholders == {"reason": "The disk is full"}


async def test_no_link_is_followed(home: Home, panel: Panel, tmp_path: Path) -> None:
    (clip,) = await clips(panel)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (video,) = home.library.rglob("*.mp4")
    for file in (video, video.with_suffix(".jpg")):
        file.unlink(missing_ok=True)
        file.symlink_to(secret)
    for kind in ("video", "picture", "thumbnail"):
        assert (await home.client.get(clip[kind])).status == 404


async def test_a_flipped_bit_is_found_and_said(
    home: Home, panel: Panel, socket: MockHAClientWebSocket
) -> None:
    (clip,) = await clips(panel)
    last = (await work(socket, "clips/verify"))[-1]
    assert (last["checked"], last["findings"], last["finished"]) == (1, [], True)
    assert last["done"] == last["total"] == clip["size"]
    (video,) = home.library.rglob("*.mp4")
    data = bytearray(video.read_bytes())
    data[len(data) // 2] ^= 1
    video.write_bytes(data)
    for members in ({}, {"clip": clip["id"]}):
        (found,) = (await work(socket, "clips/verify", **members))[-1]["findings"]
        assert found["clip"] == clip["id"]
        assert found["problem"] == "A part of the video was changed."
        assert clip["start"] <= found["at"] <= clip["end"]
    assert (await work(socket, "clips/verify", clip="x"))[-1]["error"]


async def test_a_changed_clip_gets_no_second_seal(
    home: Home, panel: Panel, socket: MockHAClientWebSocket
) -> None:
    """Not even when the index is lost, and all clips are read anew."""
    assert await home.hass.config_entries.async_unload(home.entry_id)
    (lines,) = home.library.rglob("*.jsonl")
    lines.write_bytes(lines.read_bytes().replace(b'"event":"ring"', b'"event":"motion"', 1))
    for file in home.library.glob("index*"):
        file.unlink()
    assert await home.hass.config_entries.async_setup(home.entry_id)
    (clip,) = await clips(panel)
    assert clip["event"] == "motion"
    (found,) = (await work(socket, "clips/verify"))[-1]["findings"]
    assert found["problem"] == "The list of its fragments isn't the one that was sealed."


async def test_a_film_to_take_away(
    home: Home,
    panel: Panel,
    socket: MockHAClientWebSocket,
    recording: bytes,
    hass_client: ClientSessionGenerator,
    hass_read_only_access_token: str,
) -> None:
    (clip,) = await clips(panel)
    second = add_clip(home.library, recording, datetime.now(UTC) - 10 * MINUTE)
    await panel.ask("clips/rescan")
    await until_there(panel, 2)
    end = format_time(second.end)
    window = {"doorbell": DOORBELL, "start": clip["start"], "end": end}
    told = await work(socket, "clips/export", **window)
    film = told[-1]
    assert all(0 <= one["done"] <= 1 for one in told[:-1])
    assert 110 < film["seconds"] <= 121
    (gap,) = film["gaps"]
    assert gap["start"] < gap["end"]
    answer = await home.client.get(film["path"])
    assert answer.status == 200
    assert len(await answer.read()) == film["size"]
    assert film["name"] in answer.headers["Content-Disposition"]
    other = await hass_client(hass_read_only_access_token)
    assert (await other.get(film["path"])).status in {403, 404}
    newest = (await panel.ask("ledger/list"))["entries"][0]
    assert newest["kind"] == "clips_exported"
    assert newest["facts"] == {"clips": 2, "seconds": round(film["seconds"])}
    async_fire_time_changed(home.hass, datetime.now(UTC) + timedelta(hours=1, seconds=1))
    await until(lambda: not list(home.library.rglob(film["name"])))
    assert (await home.client.get(film["path"])).status == 404
    nothing = await work(socket, "clips/export", **window | {"end": clip["start"]})
    assert nothing == [{"error": "Nothing was recorded in this time."}]


async def test_no_clip_goes_to_make_room_for_a_film(
    home: Home, panel: Panel, socket: MockHAClientWebSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clip,) = await clips(panel)
    window = {"doorbell": DOORBELL, "start": clip["start"], "end": clip["end"]}
    monkeypatch.setattr(storage.Storage, "floor", 10**9)
    free = clip["size"] + 10**9
    monkeypatch.setattr(exports, "space", lambda _: Space(free - 1, 10**12))
    (told,) = await work(socket, "clips/export", **window)
    assert told["error"].startswith("The film would leave less free space than you asked for.")
    monkeypatch.setattr(exports, "space", lambda _: Space(free, 10**12))
    assert "path" in (await work(socket, "clips/export", **window))[-1]


async def test_a_film_of_a_doorbell_with_a_long_name(
    home: Home, panel: Panel, socket: MockHAClientWebSocket
) -> None:
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    doorbell = entry.subentries[DOORBELL]
    home.hass.config_entries.async_update_subentry(entry, doorbell, title="门铃" * 60)
    await home.hass.async_block_till_done()
    (clip,) = await clips(panel)
    window = {"doorbell": DOORBELL, "start": clip["start"], "end": clip["end"]}
    film = (await work(socket, "clips/export", **window))[-1]
    assert (await home.client.get(film["path"])).status == 200


@pytest.mark.parametrize("command", ["clips/verify", "clips/export"])
async def test_whoever_waits_hears_that_the_house_closes(
    home: Home,
    panel: Panel,
    socket: MockHAClientWebSocket,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    (clip,) = await clips(panel)
    begun, go_on = asyncio.Event(), Event()

    def wait(*_: object) -> None:
        home.hass.loop.call_soon_threadsafe(begun.set)
        assert go_on.wait(10)

    async def export(*_: object) -> None:
        await home.hass.async_add_executor_job(wait)

    monkeypatch.setattr(ClipLog, "seal", wait)
    monkeypatch.setattr(exports, "export", export)
    window = {"doorbell": DOORBELL, "start": clip["start"], "end": clip["end"]}
    await socket.send_json_auto_id(
        {"type": f"doorstep/{command}"} | (window if command == "clips/export" else {})
    )
    assert (await socket.receive_json())["success"]
    await begun.wait()
    assert await home.hass.config_entries.async_unload(home.entry_id)
    assert (await socket.receive_json())["event"] == {
        "error": "Doorstep is not set up, or is just starting."
    }
    go_on.set()
    await home.hass.async_block_till_done()


async def test_films_go_with_the_house(
    home: Home, panel: Panel, socket: MockHAClientWebSocket
) -> None:
    (clip,) = await clips(panel)
    window = {"doorbell": DOORBELL, "start": clip["start"], "end": clip["end"]}
    film = (await work(socket, "clips/export", **window))[-1]
    (file,) = home.library.rglob(film["name"])
    assert await home.hass.config_entries.async_unload(home.entry_id)
    assert not file.exists()


async def test_days_and_hours(home: Home, panel: Panel) -> None:
    (clip,) = await clips(panel)
    for members in ({}, {"doorbell": DOORBELL}):
        (day,) = await panel.ask("clips/days", **members)
        (hour,) = await panel.ask("clips/hours", day=day, **members)
        assert hour["clips"] == 1
        assert hour["start"] <= clip["start"] < hour["end"]
        assert hour["label"].endswith(":00")
    assert await panel.ask("clips/days", doorbell="other") == []
    assert await clips(panel, start=hour["start"], end=hour["end"], event="ring") == [clip]
    assert await clips(panel, start=hour["end"]) == []
    assert await clips(panel, event="motion") == []
    page = await panel.ask("clips/list", limit=1, offset=1)
    assert page == {"clips": [], "more": False}
    answer = await panel.ask("clips/stills", clip=clip["id"])
    assert answer["translation_key"] == "clip_unreadable"
    assert (await panel.ask("clips/stills", clip="x"))["translation_key"]


@pytest.mark.parametrize(
    ("command", "members"),
    [
        ("clips/hours", {"day": "yesterday"}),
        ("clips/hours", {"day": "9999-12-31"}),
        ("clips/list", {"start": "2026-11-24"}),
        ("clips/list", {"start": "0001-01-01T00:00:00Z"}),
        ("clips/list", {"end": "9999-12-31T00:00:00Z"}),
        ("clips/list", {"limit": 201}),
        ("clips/list", {"event": "burglar"}),
        ("clips/delete", {"clips": []}),
        ("clips/export", {"doorbell": "x", "start": "now", "end": "then"}),
    ],
)
async def test_bad_questions(panel: Panel, command: str, members: dict[str, Any]) -> None:
    assert (await panel.ask(command, **members))["code"] == "invalid_format"


DECIDING: Final[dict[str, dict[str, Any]]] = {
    "clips/binned": {},
    "clips/delete": {"clips": ["x"]},
    "clips/restore": {"clips": ["x"]},
    "clips/hold": {"clip": "x"},
    "clips/let_go": {"clip": "x"},
    "clips/rescan": {},
    "clips/verify": {},
    "clips/export": {
        "doorbell": DOORBELL,
        "start": "2026-11-24T00:00:00Z",
        "end": "2026-11-24T01:00:00Z",
    },
}


async def test_others_only_look(
    home: Home,
    panel: Panel,
    agency: AgencySimulator,
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
) -> None:
    agency.ask()
    await asked(home, panel, agency)
    other = Panel(await hass_ws_client(hass, hass_read_only_access_token))
    snapshot = await other.open()
    assert snapshot["clips"] is True
    assert snapshot["doorbells"] == [{"id": DOORBELL, "name": "Front door"}]
    assert "requests" not in snapshot
    (clip,) = await clips(panel)
    await panel.ask("clips/hold", clip=clip["id"])
    (clip,) = await clips(panel)
    assert (clip["held"], clip["asked_for"]) == (True, True)
    # what is kept or asked for is nothing that others learn
    assert await clips(other) == [clip | {"held": False, "asked_for": False}]
    for command, members in DECIDING.items():
        assert (await other.ask(command, **members))["code"] == "unauthorized", command
    await limit(home, clips_for="approvers")
    snapshot = await other.until(lambda one: not one["clips"])
    assert "storage" not in snapshot
    for command, members in {
        "clips/days": {},
        "clips/hours": {"day": "2026-11-24"},
        "clips/list": {},
        "clips/stills": {"clip": "x"},
    }.items():
        assert (await other.ask(command, **members))["code"] == "unauthorized", command


async def test_clips_in_a_folder_not_their_own_are_told_of(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_ws_client: WebSocketGenerator,
    hass_admin_user: MockUser,
    tmp_path: Path,
    recording: bytes,
) -> None:
    home = await prepare(hass, hass_client, tmp_path / "library")
    add_clip(home.library, recording, datetime.now(UTC) - 20 * MINUTE)
    (home.library / DOORBELL).rename(home.library / "gone")
    await move_in(home, hass_admin_user)
    panel = Panel(await hass_ws_client(hass))
    await panel.open()
    # a clip says whose it is: in another's folder it is nobody's
    assert await clips(panel) == []
    await until(lambda: "library_unreadable" in issues(hass))


async def test_system_information(home: Home, panel: Panel, socket: MockHAClientWebSocket) -> None:
    assert await async_setup_component(home.hass, "system_health", {})
    info = await get_system_health_info(home.hass, "doorstep")
    (video,) = home.library.rglob("*.mp4")
    assert info["free_gb"] > 0
    del info["free_gb"]
    assert info == {
        "doorbells": 1,
        "ready": 0,
        "clips": 1,
        "used_gb": round(video.stat().st_size / 10**9, 1),
        "ledger_entries": info["ledger_entries"],
    }
    assert info["ledger_entries"] == len((await panel.ask("ledger/list"))["entries"])
    assert await home.hass.config_entries.async_unload(home.entry_id)
    assert await get_system_health_info(home.hass, "doorstep") == {}


async def test_recording_goes_on_a_minute_after_others_made_way(
    home: Home, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(storage, "pressure", lambda *_: Pressure(0.0, full=True))
        await tend(home)
        await panel.until(lambda one: one["storage"]["full"])
        assert "library_full" in issues(home.hass)
    async_fire_time_changed(home.hass, datetime.now(UTC) + timedelta(seconds=61))
    await panel.until(lambda one: not one["storage"]["full"])
    await until(lambda: "library_full" not in issues(home.hass))


async def test_work_that_breaks_down_says_so(
    home: Home,
    socket: MockHAClientWebSocket,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr("custom_components.doorstep.clip_desk.verify_all", fail)
    (told,) = await work(socket, "clips/verify")
    assert told == {"error": "Something went wrong. Home Assistant's log says what."}
    assert "clips/verify broke down" in caplog.text
    assert "nobody foresaw this" in caplog.text
