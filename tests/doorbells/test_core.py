"""Doorbells that are kept going: one by one, whatever breaks, and only as private as wanted."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.doorstep.doorbells.doorbell import PATIENCE, Doorbell
from custom_components.doorstep.footage.recorder import Recorder

from ..homes import Home, prepare
from ..simulators.doorbell import DoorbellSimulator
from ..simulators.waiting import until
from .homes import change, direct, find, set_up

pytestmark = pytest.mark.usefixtures("socket_enabled")

RING = "event.front_door_ring"
MOTION = "binary_sensor.front_door_motion"
RECORDING = "sensor.front_door_recording"


@pytest.fixture
async def home(hass: HomeAssistant, hass_client: ClientSessionGenerator, tmp_path: Path) -> Home:
    return await prepare(hass, hass_client, tmp_path / "library")


@pytest.fixture
async def camera(tmp_path: Path) -> AsyncIterator[DoorbellSimulator]:
    async with DoorbellSimulator(tmp_path / "bell") as bell:
        yield bell


def state(home: Home, entity: str) -> str | None:
    found = home.hass.states.get(entity)
    return found.state if found else None


def doorbell(home: Home, key: str = "bell_front_door") -> Doorbell:
    entry = home.hass.config_entries.async_get_known_entry(home.entry_id)
    found: Doorbell = entry.runtime_data.rooms.doorbells.get(key)
    return found


def issue(home: Home, name: str, key: str = "bell_front_door") -> bool:
    return ir.async_get(home.hass).async_get_issue("doorstep", f"{name}_{key}") is not None


def later(home: Home, by: timedelta) -> datetime:
    """Let time go by for what waits in Home Assistant."""
    at = dt_util.utcnow() + by
    async_fire_time_changed(home.hass, at)
    return at


async def report(home: Home, event: str, hook: str = "hook-front_door", **more: str) -> None:
    answer = await home.client.get(f"/api/webhook/{hook}", params={"event": event, **more})
    assert answer.status == HTTPStatus.OK
    await home.hass.async_block_till_done()


async def test_a_camera_that_stays_away_is_told_and_comes_back(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await set_up(home, direct())
    await until(lambda: state(home, RECORDING) == "failed")
    assert not issue(home, "camera_failed")
    assert state(home, MOTION) == "off"
    later(home, PATIENCE)
    await until(lambda: issue(home, "camera_failed"))
    assert state(home, RING) == state(home, MOTION) == "unavailable"
    assert "The camera of Front door can't be reached: camera_unreachable" in caplog.text
    await report(home, "ring")
    assert state(home, RING) not in {"unavailable", "unknown"}
    # it rings, but is still not recorded: the same issue for as long as that lasts
    assert issue(home, "camera_failed")
    later(home, PATIENCE)
    await until(lambda: state(home, RING) == "unavailable")
    assert issue(home, "camera_failed")
    assert caplog.text.count("can't be reached") == 1


async def test_settings_of_one_doorbell_leave_the_other_alone(
    home: Home, camera: DoorbellSimulator
) -> None:
    url = {"url": camera.url}
    entry = await set_up(home, direct(**url), direct("Back door", **url))
    await until(lambda: state(home, RECORDING) == "ready" or doorbell(home).status.seconds > 1)
    back = doorbell(home, "bell_back_door")
    told = []
    back.async_subscribe(lambda event: told.append(event.kind))
    before = doorbell(home).recording.recorder
    await change(home.hass, entry, "Front door", post_roll=5)
    assert doorbell(home).recording.recorder is not before
    assert back.status.seconds > 0
    assert "status" not in told


async def test_facts_about_a_place_restart_nothing(home: Home, camera: DoorbellSimulator) -> None:
    entry = await set_up(home, direct(url=camera.url))
    await until(lambda: doorbell(home).status.seconds > 0)
    before = doorbell(home).recording.recorder
    await change(home.hass, entry, "Front door", indoor=True, latitude=52.1, longitude=4.9)
    assert doorbell(home).recording.recorder is before
    (told,) = entry.runtime_data.rooms.home().doorbells
    assert (told.indoor, told.latitude, told.longitude) == (True, 52.1, 4.9)


async def test_a_doorbell_is_where_the_home_is(home: Home) -> None:
    home.hass.config.latitude, home.hass.config.longitude = 1.5, 2.5
    entry = await set_up(home, direct())
    (told,) = entry.runtime_data.rooms.home().doorbells
    assert (told.indoor, told.latitude, told.longitude) == (False, 1.5, 2.5)


async def test_a_recorder_that_breaks_down_is_started_again(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = Recorder.run
    broken = True

    async def breaking(self: Recorder) -> None:
        if broken:
            raise RuntimeError("bug")
        await run(self)

    monkeypatch.setattr(Recorder, "run", breaking)
    await set_up(home, direct())
    await until(lambda: doorbell(home).breakdowns == 1)
    later(home, timedelta(minutes=2))
    await until(lambda: doorbell(home).breakdowns == 2)
    assert not issue(home, "recorder_failed")
    later(home, timedelta(minutes=2))
    await until(lambda: issue(home, "recorder_failed"))
    assert doorbell(home).breakdowns == 3
    later(home, timedelta(minutes=2))
    assert "broke down" in caplog.text
    broken = False
    await until(lambda: state(home, RECORDING) == "failed")
    assert issue(home, "recorder_failed")
    later(home, timedelta(minutes=5))
    await until(lambda: not issue(home, "recorder_failed"))
    assert doorbell(home).breakdowns == 0


async def test_motion_of_several_sources_ends_with_the_last(home: Home) -> None:
    await set_up(home, direct())
    await report(home, "motion_on")
    assert state(home, MOTION) == "on"
    await report(home, "motion_off")
    assert state(home, MOTION) == "off"
    await report(home, "motion_off")
    assert state(home, MOTION) == "off"


async def test_motion_that_nobody_ends_is_over(home: Home) -> None:
    await set_up(home, direct())
    await report(home, "motion_on")
    await report(home, "motion_on")
    later(home, timedelta(seconds=61))
    await until(lambda: state(home, MOTION) == "off")


async def test_an_event_reported_twice_rings_once(home: Home) -> None:
    await set_up(home, direct())
    rings = []
    doorbell(home).async_subscribe(lambda event: rings.append(event.kind == "ring"))
    for _ in range(3):
        await report(home, "ring", id="4711")
    assert sum(rings) == 1
    assert doorbell(home).dropped == 2


async def test_privacy_holds_over_a_restart_and_keeps_nothing(
    home: Home, camera: DoorbellSimulator
) -> None:
    entry = await set_up(home, direct(url=camera.url))
    await until(lambda: doorbell(home).status.seconds > 1)
    bell, bells = doorbell(home), entry.runtime_data.rooms.doorbells
    await bells.async_switch(bell, "private", is_on=True)
    assert bell.status.state == "off"
    assert bell.status.seconds == 0
    assert await bell.async_picture() is None
    assert await bell.async_stream_source() is None
    await report(home, "ring")
    assert state(home, RING) != "unknown"
    assert await home.hass.config_entries.async_reload(entry.entry_id)
    await home.hass.async_block_till_done()
    bell, bells = doorbell(home), entry.runtime_data.rooms.doorbells
    assert bell.private
    assert state(home, RECORDING) == "off"
    assert list(home.library.rglob("*.mp4*")) == []
    await bells.async_switch(bell, "private", is_on=False)
    await until(lambda: doorbell(home).status.seconds > 0)


async def test_a_removed_doorbell_leaves_no_switch_behind(home: Home) -> None:
    entry = await set_up(home, direct())
    bells = entry.runtime_data.rooms.doorbells
    await bells.async_switch(doorbell(home), "private", is_on=True)
    home.hass.config_entries.async_remove_subentry(entry, "bell_front_door")
    await home.hass.async_block_till_done()
    assert doorbell(home) is None
    assert bells._switches.on() == frozenset()


async def test_a_refused_password_is_asked_for_until_the_camera_takes_it(
    home: Home, tmp_path: Path
) -> None:
    async with DoorbellSimulator(tmp_path / "bell", user="door", password="right") as camera:
        wrong = {"url": camera.url, "username": "door", "password": "wrong"}
        entry = await set_up(home, direct(**wrong), direct("Back door", **wrong))
        await until(lambda: list(entry.async_get_active_flows(home.hass, {SOURCE_REAUTH})))
        (flow,) = entry.async_get_active_flows(home.hass, {SOURCE_REAUTH})
        first = flow["context"]["unique_id"]
        name, other = (
            ("Front door", "Back door")
            if first == "bell_front_door"
            else ("Back door", "Front door")
        )
        assert flow["context"]["title_placeholders"] == {"name": name}
        await change(home.hass, entry, name, password="right")

        def asked() -> list[str | None]:
            flows = entry.async_get_active_flows(home.hass, {SOURCE_REAUTH})
            return [flow["context"].get("unique_id") for flow in flows]

        await until(lambda: asked() == [find(entry, other).subentry_id])
        await change(home.hass, entry, other, password="right")
        await until(lambda: asked() == [])
