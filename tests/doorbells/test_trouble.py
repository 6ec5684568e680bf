"""Rings, privacy and changes that come while something else is under way or goes wrong."""

import asyncio
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.doorstep.doorbells import last_ring
from custom_components.doorstep.doorbells.doorbell import PATIENCE
from custom_components.doorstep.doorbells.manager import Doorbells
from custom_components.doorstep.doorbells.model import Signal
from custom_components.doorstep.doorbells.switches import PRIVATE

from ..homes import Home, prepare
from ..simulators.phone import PhoneSimulator
from ..simulators.waiting import until
from . import recorders
from .homes import NOWHERE, adopted, devices, direct, entities, find, set_up
from .recorders import JPEG, FakeRecorder
from .test_core import RECORDING, RING, doorbell, issue, later, report, state

pytestmark = pytest.mark.usefixtures("socket_enabled")

PRIVACY = "switch.front_door_privacy"


@pytest.fixture
async def home(hass: HomeAssistant, hass_client: ClientSessionGenerator, tmp_path: Path) -> Home:
    return await prepare(hass, hass_client, tmp_path / "library")


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Until this is set, no recorder that is to stop does: the camera doesn't let go."""
    recorders.install(monkeypatch)
    gate = asyncio.Event()

    async def run(self: FakeRecorder) -> None:
        self.turn("ready")
        try:
            await asyncio.Event().wait()
        finally:
            await gate.wait()
            self.turn("off")

    monkeypatch.setattr(FakeRecorder, "run", run)
    return gate


async def recording(home: Home, *names: str) -> MockConfigEntry:
    """Set up doorbells that record."""
    entry = await set_up(home, *map(direct, names or ("Front door",)))
    await until(lambda: state(home, RECORDING) == "ready")
    return entry


async def privacy(home: Home, service: str) -> None:
    await home.hass.services.async_call("switch", service, {"entity_id": PRIVACY}, blocking=True)


async def ring(home: Home) -> None:
    """Ring without waiting for what else is under way."""
    answer = await home.client.get("/api/webhook/hook-front_door", params={"event": "ring"})
    assert answer.status == HTTPStatus.OK


def shown(home: Home, attribute: str) -> object:
    """Read an attribute of the ring."""
    told = home.hass.states.get(RING)
    assert told is not None
    return told.attributes.get(attribute)


def begin_change(home: Home, entry: MockConfigEntry) -> None:
    """Change what the front door's recorder must be stopped for."""
    front: ConfigSubentry = find(entry, "Front door")
    home.hass.config_entries.async_update_subentry(entry, front, data={**front.data, "audio": True})


def rooms(entry: MockConfigEntry) -> Doorbells:
    found: Doorbells = entry.runtime_data.rooms.doorbells
    return found


async def test_a_ring_while_the_recorder_still_stops_for_privacy_is_not_recorded(
    home: Home, released: asyncio.Event
) -> None:
    await recording(home)
    turning = home.hass.async_create_task(privacy(home, "turn_on"))
    await until(lambda: state(home, PRIVACY) == "on")
    await ring(home)
    assert shown(home, "event_type") == "ring"
    assert shown(home, "clip_id") is None
    assert FakeRecorder.newest.events == []
    released.set()
    await turning


async def test_privacy_holds_though_who_asked_for_it_is_cut_off(
    home: Home, released: asyncio.Event
) -> None:
    entry = await recording(home)
    turning = asyncio.create_task(privacy(home, "turn_on"))
    await until(lambda: state(home, PRIVACY) == "on")
    turning.cancel()
    await asyncio.wait([turning])
    released.set()
    await until(lambda: state(home, RECORDING) == "off")
    await home.hass.async_block_till_done()
    assert rooms(entry).async_is_on(doorbell(home), PRIVATE)
    await privacy(home, "turn_off")
    await until(lambda: state(home, RECORDING) == "ready")


@pytest.mark.parametrize("last", ["on", "off"])
async def test_who_turns_privacy_last_has_it(
    home: Home, released: asyncio.Event, last: str
) -> None:
    entry = await recording(home)
    services = ["turn_on", "turn_off", "turn_on"] if last == "on" else ["turn_on", "turn_off"]
    turning = []
    for service in services:
        is_on = service == "turn_on"
        turn = rooms(entry).async_switch(doorbell(home), PRIVATE, is_on=is_on)
        turning.append(home.hass.async_create_task(turn))
    released.set()
    await asyncio.gather(*turning)
    await home.hass.async_block_till_done()
    assert state(home, PRIVACY) == last
    assert state(home, RECORDING) == ("off" if last == "on" else "ready")
    assert rooms(entry).async_is_on(doorbell(home), PRIVATE) is (last == "on")


async def test_a_ring_while_settings_change_is_heard(home: Home, released: asyncio.Event) -> None:
    entry = await recording(home)
    begin_change(home, entry)
    await ring(home)
    assert state(home, RING) not in {"unknown", "unavailable"}
    released.set()
    await home.hass.async_block_till_done()
    assert state(home, RECORDING) == "ready"


async def test_a_ring_is_told_where_recording_breaks(
    home: Home,
    released: asyncio.Event,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    released.set()
    await recording(home)

    def broken(*_: object) -> str:
        raise RuntimeError

    monkeypatch.setattr(FakeRecorder, "trigger", broken)
    await report(home, "ring")
    assert shown(home, "event_type") == "ring"
    assert shown(home, "clip_id") is None
    assert "An event of doorbell bell_front_door is not recorded" in caplog.text


async def test_a_doorbell_removed_while_another_changes_stays_away(
    home: Home, released: asyncio.Event
) -> None:
    entry = await recording(home, "Front door", "Back door")
    begin_change(home, entry)
    back = find(entry, "Back door").subentry_id
    home.hass.config_entries.async_remove_subentry(entry, back)
    released.set()
    await home.hass.async_block_till_done()
    assert [bell.name for bell in rooms(entry)] == ["Front door"]


async def test_a_change_under_way_starts_nothing_after_the_end(
    home: Home, released: asyncio.Event
) -> None:
    entry = await recording(home)
    doorbells = rooms(entry)
    begin_change(home, entry)
    data = MappingProxyType({"url": NOWHERE, "webhook_id": "hook-back_door"})
    added = ConfigSubentry(data=data, subentry_type="doorbell", title="Back door", unique_id=None)
    home.hass.config_entries.async_add_subentry(entry, added)
    unloading = home.hass.async_create_task(home.hass.config_entries.async_unload(entry.entry_id))
    released.set()
    assert await unloading
    await home.hass.async_block_till_done()
    assert list(doorbells) == []
    assert home.hass.data["webhook"] == {}


async def test_nobody_is_told_of_a_camera_before_home_assistant_has_started(home: Home) -> None:
    home.hass.set_state(CoreState.starting)
    await set_up(home, direct())
    await until(lambda: state(home, RECORDING) == "failed")
    later(home, PATIENCE)
    assert state(home, RING) == "unknown"
    assert not issue(home, "camera_failed")
    home.hass.set_state(CoreState.running)
    later(home, PATIENCE)
    await until(lambda: issue(home, "camera_failed"))


async def test_a_doorbell_that_is_gone_can_not_be_changed(home: Home) -> None:
    entry = await set_up(home, direct())
    form = await home.change("bell_front_door", "rotate")
    home.hass.config_entries.async_remove_subentry(entry, "bell_front_door")
    await home.hass.async_block_till_done()
    done = await home.answer(form, {})
    assert (done["type"], done["reason"]) == ("abort", "doorbell_gone")


async def test_the_picture_of_a_ring_is_found_behind_much_motion(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorders.install(monkeypatch)
    monkeypatch.setattr(last_ring, "_PAGE", 1)
    entry = await recording(home)
    found, before_it = [], None
    for kind in ("motion_on", "ring", "motion_on", "motion_on", "ring"):
        await report(home, kind)
        await FakeRecorder.newest.close()
        last = await home.hass.async_add_executor_job(doorbell(home).last_ring_picture)
        found.append(last and last[1])
        before_it = before_it or (last and last[0])
    assert found == [None, *[JPEG] * 4]
    rung, *_ = entry.runtime_data.rooms.library.clips(limit=1)
    rung.picture.unlink()
    read = doorbell(home).last_ring_picture
    assert await home.hass.async_add_executor_job(read) == (before_it, JPEG)


@pytest.mark.parametrize("while_running", [True, False])
async def test_the_doorbells_own_device_goes_once_its_camera_has_one(
    home: Home, *, while_running: bool
) -> None:
    registry, known = er.async_get(home.hass), dr.async_get(home.hass)
    camera = registry.async_get_or_create("camera", "reolink", "1")
    bell = adopted(camera=camera.id, rings=["event.bell"], capture="stills")
    entry = await set_up(home, bell)
    before = {one.unique_id: one.entity_id for one in own_entities(home, entry)}
    (own,) = devices(home.hass, entry)
    if not while_running:
        await home.hass.config_entries.async_unload(entry.entry_id)
    theirs = MockConfigEntry(domain="reolink")
    theirs.add_to_hass(home.hass)
    device = known.async_get_or_create(
        config_entry_id=theirs.entry_id, identifiers={("reolink", "1")}
    )
    registry.async_update_entity(camera.entity_id, device_id=device.id)
    if not while_running:
        await home.hass.config_entries.async_setup(entry.entry_id)
    await home.hass.async_block_till_done()
    assert known.async_get(own.id) is None
    assert {one.unique_id: one.entity_id for one in own_entities(home, entry)} == before
    assert {one.device_id for one in own_entities(home, entry)} == {device.id}


def own_entities(home: Home, entry: MockConfigEntry) -> list[er.RegistryEntry]:
    return list(entities(home.hass, entry).values())


async def test_a_ring_after_the_hosts_clock_was_set_back_is_pushed(
    home: Home, hass_access_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorders.install(monkeypatch)
    await recording(home)
    switch = {"entity_id": "switch.front_door_ring_notifications"}
    await home.hass.services.async_call("switch", "turn_on", switch, blocking=True)
    async with PhoneSimulator(str(home.client.make_url("/")), name="Owner") as phone:
        await phone.register(hass_access_token)
        await home.hass.async_block_till_done()
        await ring(home)
        await until(lambda: len(phone.pushes) == 1)
        earlier = dt_util.utcnow() - timedelta(hours=1)
        monkeypatch.setattr(dt_util, "utcnow", lambda: earlier)
        doorbell(home).async_hear(Signal(kind="ring", source="webhook"))
        await until(lambda: len(phone.pushes) == 2)
