"""Starting, stopping and restarting a household, and what it says when something is wrong."""

from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
import sqlite3

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockUser, async_fire_time_changed
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.doorstep import backup
from custom_components.doorstep.disclosure.courier import Courier
from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.inbox import agency_table

from .homes import DOORBELL, ROOMY, Home, Panel, asked, move_in, poll, prepare
from .simulators.agency import AgencySimulator
from .simulators.waiting import until

pytestmark = pytest.mark.usefixtures("socket_enabled")


def issues(hass: HomeAssistant) -> set[str]:
    """Kinds of the repair issues there are."""
    found = ir.async_get(hass).issues.values()
    return {str(issue.translation_key) for issue in found if issue.domain == "doorstep"}


async def test_stops_and_starts_again(home: Home, panel: Panel) -> None:
    assert home.hass.states.get("event.front_door_ring") is not None
    assert await home.hass.config_entries.async_unload(home.entry_id)
    state = home.hass.states.get("event.front_door_ring")
    assert state is not None
    assert state.state == "unavailable"
    answer = await panel.ask("ledger/verify")
    assert answer["translation_key"] == "not_loaded"
    assert (await home.client.get("/api/doorstep/clip/x")).status == 404
    assert await home.hass.config_entries.async_setup(home.entry_id)
    assert (await panel.ask("ledger/verify"))["ok"] is True


async def test_test_mode_is_said(home: Home) -> None:
    assert "test_mode" in issues(home.hass)


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("doorstep.db", b"not a database" * 1000, "database_failed"),
        ("ledger.key", b"short", "ledger_key_failed"),
    ],
)
async def test_a_spoilt_store_keeps_the_house_closed(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
    tmp_path: Path,
    file: str,
    content: bytes,
    reason: str,
) -> None:
    home = await prepare(hass, hass_client, tmp_path / "library")
    spoilt = Path(hass.config.path("doorstep", file))
    spoilt.parent.mkdir()
    spoilt.write_bytes(content)
    with pytest.raises(AssertionError):
        await move_in(home, hass_admin_user)
    (entry,) = hass.config_entries.async_entries("doorstep")
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == reason
    assert spoilt.read_bytes() == content


async def test_the_panels_files_are_served(home: Home) -> None:
    answer = await home.client.get("/doorstep_static/panel.js")
    assert answer.status == 200
    assert "javascript" in answer.headers["Content-Type"]


async def test_diagnostics_hold_no_secret(
    home: Home,
    panel: Panel,
    agency: AgencySimulator,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
) -> None:
    agency.ask()
    handle = await asked(home, panel, agency)
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    told = await get_diagnostics_for_config_entry(home.hass, hass_client, entry)
    assert told["requests"] == {"open": 1}
    assert told["doorbells"][0]["id"] == DOORBELL
    library = told["library"]
    assert (library["clips"], library["held"], library["unread"], library["binned"]) == (1, 0, 0, 0)
    assert (library["unreadable"], library["refuses"]) == (0, None)
    assert told["options"] == ROOMY
    text = json.dumps(told)
    for secret in ("w" * 64, "rtsp://", "Exampleville", "24-118", handle, hass_admin_user.id):
        assert secret not in text


async def test_waiting_is_told_without_saying_what(
    home: Home, panel: Panel, agency: AgencySimulator
) -> None:
    def told() -> object:
        return home.hass.data.get("persistent_notification")

    assert not told()
    agency.ask()
    handle = await asked(home, panel, agency)
    text = str(await until(told))
    assert "A footage request is waiting" in text
    assert "Exampleville" not in text
    await panel.ask("request/decline", handle=handle)
    await until(lambda: not told())


async def test_an_approval_survives_a_restart_and_can_be_taken_back(
    home: Home,
    panel: Panel,
    agency: AgencySimulator,
    hass_ws_client: WebSocketGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("custom_components.doorstep.desk._GRACE", timedelta(minutes=5))
    agency.ask()
    handle = await asked(home, panel, agency)
    draft = await panel.ask("release/draft", handle=handle)
    approval = {"handle": handle, "release": draft["release"], "digest": draft["digest"]}
    await panel.ask("release/approve", **approval)
    again = await panel.ask("release/approve", **approval)
    assert again["translation_key"] == "not_possible"
    assert await home.hass.config_entries.async_reload(home.entry_id)
    later = Panel(await hass_ws_client(home.hass))
    snapshot = await later.open()
    assert snapshot["releases"][0]["state"] == "granted"
    assert await later.ask("release/undo", release=draft["release"]) is None
    snapshot = await later.until(lambda one: not one["releases"])
    assert snapshot["requests"][0]["state"] == "open"
    assert agency.receiver.requests() == []


async def test_a_declined_request_opens_again(
    home: Home, panel: Panel, agency: AgencySimulator
) -> None:
    agency.ask()
    handle = await asked(home, panel, agency)
    assert await panel.ask("request/decline", handle=handle) is None
    await panel.until(lambda one: one["requests"][0]["state"] == "declined")
    draft = await panel.ask("release/draft", handle=handle)
    assert draft["translation_key"] == "why_not_open"
    assert await panel.ask("request/undo_decline", handle=handle) is None
    await panel.until(lambda one: one["requests"][0]["state"] == "open")
    kinds = [entry["kind"] for entry in (await panel.ask("request", handle=handle))["history"]]
    assert kinds[-3:] == ["request_open", "request_declined", "request_reopened"]


async def test_an_agency_is_checked_with_its_web_site(
    home: Home, panel: Panel, agency: AgencySimulator
) -> None:
    agency.id = agency.web.url
    agency.publish_statement({"sequence": 1})
    await home.finish(await home.begin("feed", {"url": agency.feed_url}))
    await panel.until(lambda one: len(one["agencies"]) == 2)
    assert not any(body["domain"] for body in panel.snapshot["agencies"])
    assert await panel.ask("agency/check", agency=agency.id) == {"domain": "proven"}
    agency.web.files["/.well-known/footage-agency.json"] = b'{"keys":[]}'
    assert await panel.ask("agency/check", agency=agency.id) == {"domain": "not_proven"}
    await agency.web.stop()
    answer = await panel.ask("agency/check", agency=agency.id)
    assert answer["translation_key"] == "feed_unreachable"


async def test_an_unconfirmed_agency_gets_nothing(
    home: Home, panel: Panel, agency: AgencySimulator
) -> None:
    agency.ask()
    await home.finish(await home.begin("feed", {"url": agency.feed_url}))
    snapshot = await panel.until(lambda one: one["requests"])
    assert snapshot["requests"][0]["state"] == "quarantined"
    assert snapshot["counts"] == {"open": 0, "waiting": 1}
    handle = snapshot["requests"][0]["handle"]
    detail = await panel.ask("request", handle=handle)
    assert detail["may"]["approve"] is False
    assert detail["may"]["why"]
    assert (await panel.ask("release/draft", handle=handle))["code"] == "home_assistant_error"


async def test_a_stale_feed_is_said_and_approves_nothing(
    home: Home, panel: Panel, agency: AgencySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    agency.ask()
    handle = await asked(home, panel, agency)
    with monkeypatch.context() as later:
        later.setattr("custom_components.doorstep.inbox.feed.FRESH", timedelta(0))
        await poll(home, agency)
        await until(lambda: "feed_stale" in issues(home.hass))
        draft = await panel.ask("release/draft", handle=handle)
        assert draft["translation_key"] == "why_feed_stale"
        assert await panel.ask("request/decline", handle=handle) is None
    await poll(home, agency)
    await until(lambda: "feed_stale" not in issues(home.hass))


async def test_a_rewritten_feed_stops_and_its_requests_with_it(
    home: Home, panel: Panel, agency: AgencySimulator
) -> None:
    agency.ask()
    handle = await asked(home, panel, agency)
    agency.roll_back(1)
    await poll(home, agency)
    await until(lambda: "feed_stopped" in issues(home.hass))
    snapshot = await panel.until(lambda one: one["feeds"][0]["state"] == "stopped")
    assert snapshot["feeds"][0]["reason"] == "feed_rolled_back"
    draft = await panel.ask("release/draft", handle=handle)
    assert draft["translation_key"] == "why_feed_stopped"


async def test_a_withdrawn_request_closes_and_is_cleared(
    home: Home, panel: Panel, agency: AgencySimulator
) -> None:
    request = agency.ask()
    await asked(home, panel, agency)
    agency.withdraw(request)
    await poll(home, agency)
    snapshot = await panel.until(lambda one: one["requests"][0]["state"] == "withdrawn")
    assert snapshot["counts"] == {"open": 0, "waiting": 0}


async def test_a_removed_feed_is_not_read_any_more(
    home: Home, panel: Panel, agency: AgencySimulator
) -> None:
    await home.finish(await home.begin("feed", {"url": agency.feed_url}))
    await panel.until(lambda one: one["agencies"])
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    feed = next(key for key, one in entry.subentries.items() if one.subentry_type == "feed")
    home.hass.config_entries.async_remove_subentry(entry, feed)
    await panel.until(lambda one: not one["feeds"])
    before = len(agency.web.requests)
    async_fire_time_changed(home.hass, datetime.now(UTC) + timedelta(minutes=7))
    await home.hass.async_block_till_done()
    assert len(agency.web.requests) == before


async def test_the_verify_action_answers(home: Home) -> None:
    answer = await home.hass.services.async_call(
        "doorstep", "verify_ledger", {}, blocking=True, return_response=True
    )
    assert answer is not None
    assert answer["ok"] is True
    database = Path(home.hass.config.path("doorstep", "doorstep.db"))
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE ledger SET kind = 'nothing_happened' WHERE idx = 0")
    connection.close()
    answer = await home.hass.services.async_call(
        "doorstep", "verify_ledger", {}, blocking=True, return_response=True
    )
    assert answer == {"ok": False, "size": 2, "root": None, "problem": "ledger_entry_changed"}


async def test_a_backup_gets_a_whole_database(home: Home, tmp_path: Path) -> None:
    await backup.async_pre_backup(home.hass)
    copy = tmp_path / "copy.db"
    copy.write_bytes(Path(home.hass.config.path("doorstep", "doorstep.db")).read_bytes())
    with sqlite3.connect(copy) as connection:
        (count,) = connection.execute("SELECT count(*) FROM ledger").fetchone()
    connection.close()
    assert count == 2
    await backup.async_post_backup(home.hass)


async def test_old_clips_go_and_the_log_says_why(home: Home, panel: Panel) -> None:
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    home.hass.config_entries.async_update_entry(entry, options={**entry.options, "keep_days": 0})
    (clip,) = home.library.rglob("*.mp4")
    async_fire_time_changed(home.hass, datetime.now(UTC) + timedelta(hours=2))
    await until(lambda: not clip.exists())
    await home.hass.async_block_till_done(wait_background_tasks=False)
    page = await panel.ask("ledger/list")
    while page["entries"][0]["kind"] != "clip_deleted":
        page = await panel.ask("ledger/list")
    assert page["entries"][0]["facts"] == {"reason": "age"}


async def test_changed_keys_wait_for_a_person(
    home: Home, panel: Panel, agency: AgencySimulator
) -> None:
    await home.finish(await home.begin("feed", {"url": agency.feed_url}))
    await panel.until(lambda one: one["agencies"])
    other = json.loads(agency.web.files["/feed.json"])
    other["log"] = f"{agency.web.url}elsewhere/"
    agency.web.files["/feed.json"] = json.dumps(other).encode()
    assert await home.hass.config_entries.async_reload(home.entry_id)
    await until(lambda: "feed_key_changed" in issues(home.hass))
    assert not any("elsewhere" in request.path for request in agency.web.requests)
    agency.publish()
    assert await home.hass.config_entries.async_reload(home.entry_id)
    await until(lambda: "feed_key_changed" not in issues(home.hass))


async def test_a_stopped_feed_goes_on_only_when_it_is_added_anew(
    home: Home, panel: Panel, agency: AgencySimulator, hass_ws_client: WebSocketGenerator
) -> None:
    agency.ask()
    await asked(home, panel, agency)
    entries, details = [*agency.log.entries], [*agency.log.details]
    agency.roll_back(1)
    await poll(home, agency)
    await panel.until(lambda one: one["feeds"][0]["state"] == "stopped")
    agency.log.rewrite(entries, details)
    agency.publish()
    assert await home.hass.config_entries.async_reload(home.entry_id)
    later = Panel(await hass_ws_client(home.hass))
    assert (await later.open())["feeds"][0]["state"] == "stopped"

    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    feed = next(key for key, one in entry.subentries.items() if one.subentry_type == "feed")
    home.hass.config_entries.async_remove_subentry(entry, feed)
    await later.until(lambda one: not one["feeds"])
    await home.finish(await home.begin("feed", {"url": agency.feed_url}))
    await later.until(lambda one: one["feeds"] and one["feeds"][0]["state"] == "ok")
    await until(lambda: "feed_stopped" not in issues(home.hass))


async def test_a_start_that_fails_is_tried_again_and_comes_up_whole(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_courier: object) -> None:
        raise StorageError("package_unwritable")

    with monkeypatch.context() as broken:
        broken.setattr(Courier, "tidy", fail)
        assert not await home.hass.config_entries.async_reload(home.entry_id)
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert home.hass.states.is_state("event.front_door_ring", "unavailable")
    assert await home.hass.config_entries.async_reload(home.entry_id)
    assert home.hass.states.is_state("event.front_door_ring", "unknown")
    (bell,) = entry.runtime_data.rooms.doorbells
    await home.client.get(f"/api/webhook/{bell.subentry.data['webhook_id']}?event=ring")
    assert not home.hass.states.is_state("event.front_door_ring", "unknown")


async def test_a_feed_that_cannot_be_used_any_more_does_not_stop_the_house(
    home: Home,
    panel: Panel,
    agency: AgencySimulator,
    hass_ws_client: WebSocketGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agency.ask()
    await asked(home, panel, agency)
    with monkeypatch.context() as real:
        # the feed of a trial, and then the test switch is taken away
        real.setattr("custom_components.doorstep.inbox.web.TEST_MODE", False)
        # a new process remembers nothing that it has read
        agency_table._read.cache_clear()
        assert await home.hass.config_entries.async_reload(home.entry_id)
        assert "feed_unusable" in issues(home.hass)
        later = Panel(await hass_ws_client(home.hass))
        snapshot = await later.open()
        assert snapshot["feeds"] == snapshot["requests"] == snapshot["agencies"] == []
    assert await home.hass.config_entries.async_reload(home.entry_id)
    assert "feed_unusable" not in issues(home.hass)


async def test_removing_it_leaves_no_issue_and_no_cut(
    home: Home, panel: Panel, agency: AgencySimulator
) -> None:
    agency.ask()
    handle = await asked(home, panel, agency)
    await panel.ask("release/draft", handle=handle)
    cuts = Path(home.hass.config.cache_path("doorstep_review"))
    assert list(cuts.rglob("*.mp4"))
    await home.hass.config_entries.async_remove(home.entry_id)
    assert issues(home.hass) == set()
    assert not cuts.exists()
    assert list(home.library.rglob("*.mp4"))
    assert not home.hass.data.get("persistent_notification")


async def test_a_request_that_ends_leaves_no_cut(
    home: Home, panel: Panel, agency: AgencySimulator
) -> None:
    agency.ask()
    handle = await asked(home, panel, agency)
    await panel.ask("release/draft", handle=handle)
    cuts = Path(home.hass.config.cache_path("doorstep_review"))
    await panel.ask("request/decline", handle=handle)
    await until(lambda: not list(cuts.rglob("*.mp4")))
