"""Things around Doorstep that fail: it says so, goes on, and loses nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from homeassistant.components.camera import async_get_stream_source
from homeassistant.config_entries import ConfigEntries, ConfigEntryState
from homeassistant.core import HomeAssistant, ServiceCall
import pytest
from pytest_homeassistant_custom_component.common import MockUser, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from yarl import URL

from custom_components.doorstep import backup
from custom_components.doorstep.doorbells.model import DoorbellEvent
from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.inbox.store import Inbox

from .homes import Home, Panel, asked, move_in, prepare
from .simulators.agency import AgencySimulator
from .simulators.phone import PhoneSimulator
from .simulators.waiting import until

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def test_a_push_that_fails_keeps_nothing_from_happening(
    home: Home, panel: Panel, agency: AgencySimulator, hass_access_token: str
) -> None:
    async with PhoneSimulator(str(home.client.make_url("/")), name="Owner") as phone:
        await phone.register(hass_access_token)
        await home.hass.async_block_till_done()
        tried: list[ServiceCall] = []

        async def fail(call: ServiceCall) -> None:
            tried.append(call)
            raise KeyError("errors")

        home.hass.services.async_register("notify", "mobile_app_owner", fail)
        agency.ask()
        handle = await asked(home, panel, agency)
        await until(lambda: tried)
        assert await panel.ask("request/decline", handle=handle) is None
        await until(lambda: len(tried) == 2)


async def test_a_tap_of_somebody_who_left(
    home: Home,
    panel: Panel,
    agency: AgencySimulator,
    hass_access_token: str,
    hass_admin_user: MockUser,
) -> None:
    async with PhoneSimulator(str(home.client.make_url("/")), name="Owner") as phone:
        await phone.register(hass_access_token)
        await home.hass.async_block_till_done()
        agency.ask()
        handle = await asked(home, panel, agency)
        push = await phone.wait_for_push()
        hass_admin_user.is_active = False
        await phone.tap(push, push.action("Decline"))
        await home.hass.async_block_till_done()
        hass_admin_user.is_active = True
        assert (await panel.ask("request", handle=handle))["state"] == "open"


async def test_a_tap_that_comes_too_late(
    home: Home, panel: Panel, agency: AgencySimulator, hass_access_token: str
) -> None:
    async with PhoneSimulator(str(home.client.make_url("/")), name="Owner") as phone:
        await phone.register(hass_access_token)
        await home.hass.async_block_till_done()
        agency.ask()
        handle = await asked(home, panel, agency)
        push = await phone.wait_for_push()
        await panel.ask("request/decline", handle=handle)
        await phone.tap(push, push.action("Decline"))
        await home.hass.async_block_till_done()
        detail = await panel.ask("request", handle=handle)
        assert [entry["kind"] for entry in detail["history"]].count("request_declined") == 1
        assert detail["state"] == "declined"


@pytest.fixture
def broken_disk(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """A database that fails while the list says so."""
    broken = [True]
    work = Inbox.expire

    def expire(inbox: Inbox, now: datetime) -> tuple[str, ...]:
        if broken[0]:
            raise StorageError("database_failed", error="disk I/O error")
        return work(inbox, now)

    monkeypatch.setattr(Inbox, "expire", expire)
    return broken


async def test_a_database_that_fails_is_tried_again(
    home: Home, panel: Panel, agency: AgencySimulator, broken_disk: list[bool]
) -> None:
    agency.ask()
    handle = await asked(home, panel, agency)
    draft = await panel.ask("release/draft", handle=handle)
    approval = {"handle": handle, "release": draft["release"], "digest": draft["digest"]}
    assert await panel.ask("release/approve", **approval) is None
    await home.hass.async_block_till_done()
    assert agency.receiver.requests() == []
    broken_disk[0] = False
    async_fire_time_changed(home.hass, datetime.now(UTC) + timedelta(minutes=6))
    await panel.until(
        lambda snapshot: snapshot["releases"] and snapshot["releases"][0]["state"] == "acknowledged"
    )


async def test_a_start_that_fails_half_way_closes_what_it_opened(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = await prepare(hass, hass_client, tmp_path / "library")
    with monkeypatch.context() as broken:

        async def fail(*_: object) -> None:
            raise RuntimeError("no platform today")

        broken.setattr(ConfigEntries, "async_forward_entry_setups", fail)
        with pytest.raises(AssertionError):
            await move_in(home, hass_admin_user)
    (entry,) = hass.config_entries.async_entries("doorstep")
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert hass.states.get("event.front_door_ring") is not None


async def test_one_bad_listener_does_not_silence_the_bell(home: Home) -> None:
    def fail(_event: DoorbellEvent) -> None:
        raise RuntimeError("bad listener")

    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    (bell,) = entry.runtime_data.rooms.doorbells
    bell._listeners.insert(0, fail)
    answer = await home.client.get(f"/api/webhook/{bell.subentry.data['webhook_id']}?event=ring")
    assert answer.status == 200
    state = home.hass.states.get("event.front_door_ring")
    assert state is not None
    assert state.state != "unknown"


async def test_a_camera_that_stays_away_is_reported(
    home: Home, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = home.hass.states.get("sensor.front_door_recording")
    await until(lambda: home.hass.states.is_state("sensor.front_door_recording", "failed"))
    assert recording is not None
    async_fire_time_changed(home.hass, datetime.now(UTC) + timedelta(minutes=2))
    await home.hass.async_block_till_done()
    issue = home.hass.data["issue_registry"].issues[
        ("doorstep", "camera_failed_01JD3ZK7Q2W8V5N4M6P9R0S1T2")
    ]
    assert "camera_" not in issue.translation_placeholders["reason"]
    assert await home.hass.config_entries.async_unload(home.entry_id)
    assert not any("camera_failed" in key for _, key in home.hass.data["issue_registry"].issues)


async def test_the_camera_gives_its_stream(home: Home) -> None:
    source = URL(await async_get_stream_source(home.hass, "camera.front_door") or "")
    assert source.with_port(1) == URL("rtsp://127.0.0.1:1/door")


async def test_a_backup_of_a_house_without_doorstep(hass: HomeAssistant) -> None:
    await backup.async_pre_backup(hass)
    await backup.async_post_backup(hass)


async def test_the_verify_action_without_a_household(home: Home) -> None:
    assert await home.hass.config_entries.async_unload(home.entry_id)
    with pytest.raises(Exception, match="not set up"):
        await home.hass.services.async_call(
            "doorstep", "verify_ledger", {}, blocking=True, return_response=True
        )
