"""Doorbells of four makes in one household, and all that happens to cameras, networks and brokers.

What counts: each press is one ring, nothing else is any, and what goes wrong with one doorbell
leaves the recordings of the others without a gap.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import av
import pytest

from ..simulators.waiting import until_told
from .ear import Ear
from .peers import ADOPTED, Peers, peers
from .presses import Presses, now
from .recordings import Span
from .world import NAMES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

CUT: Final = 10.0
AWAY: Final = 3.0
HOUR: Final = 3600.0
# From when a camera can be reached again to its first picture: pauses between tries double.
RECONNECT: Final = timedelta(seconds=8)
DING: Final = "binary_sensor.gate_ding"
VISITOR: Final = "binary_sensor.porch_visitor_detection"
NEW_PASSWORD: Final = "an0ther-p4ss"


async def test_doorbells_of_four_kinds(tmp_path: Path) -> None:
    async with peers(tmp_path) as house:
        await sit_on_their_sources_devices(house)
        await house.record("front", "back", "porch")
        presses = Presses(house)
        await presses.press(*NAMES)
        await repeat(presses)
        cut, _ = await asyncio.gather(cut_the_network(presses), kill_the_broker(presses))
        await presses.press("front", "back", "porch")
        changed, rebooted = await asyncio.gather(change_the_password(presses), reboot(presses))
        await presses.press(*NAMES)
        await jump_the_clocks(presses)
        await presses.check_recordings({"front": changed, "back": cut, "porch": rebooted})
        check_stills(house.library / house.doorbells["gate"].subentry)
        await start_again(house)


def check_stills(folder: Path) -> None:
    """See that there are clips of stills, each with its picture."""
    clips = sorted(folder.rglob("*.mp4"))
    assert len(clips) > 1
    assert [clip for clip in clips if not clip.with_suffix(".jpg").exists()] == []
    for clip in clips:
        with av.open(clip) as movie:
            assert sum(1 for _ in movie.decode(video=0)) > 0


async def sit_on_their_sources_devices(house: Peers) -> None:
    """See that what was adopted has no second device, and no second camera."""
    registry = await house.home.command("config/entity_registry/list")
    devices = {entity["entity_id"]: entity["device_id"] for entity in registry}
    for name, sources in ADOPTED.items():
        doorbell = house.doorbells[name]
        assert doorbell.device == devices[sources["camera"]]
        assert "camera" not in doorbell.entities


async def repeat(presses: Presses) -> None:
    """Let devices say again what they have said: that is no press."""
    house, world, ear = presses.house, presses.house.world, presses.house.ear
    told = {"event_id": "7", "time": now().isoformat()}
    await presses.press("front", **told)
    await house.press("front", **told)

    await world.onvif.visitor(on=True)
    await presses.rang("porch")
    await world.onvif.duplicate()
    await world.onvif.visitor(on=False)
    await ear.state(VISITOR, "off")

    # Still on from the first press: the second one shows in its attributes only.
    assert ear.states[DING]["state"] == "on"
    await presses.press("gate")
    world.gate.duplicate()
    world.gate.off()
    await ear.state(DING, "off")
    await presses.settle()
    world.gate.replay()
    await ear.state(DING, "on")
    await presses.rang()


async def cut_the_network(presses: Presses) -> Span:
    """Cut off one camera; return what may be missing."""
    house, begun = presses.house, now()
    recording = house.doorbells["back"].entities["recording"]
    await house.world.cutters["back"].cut()
    await house.ear.state(recording, "failed")
    await asyncio.sleep(CUT - (now() - begun).total_seconds())
    await house.world.cutters["back"].restore()
    mended = now()
    await house.ear.state(recording, "ready")
    return Span(begun, mended + RECONNECT)


async def kill_the_broker(presses: Presses) -> None:
    """Restart the broker while the bell is on: it comes back as it went, and nobody rang."""
    broker, ear = presses.house.world.gate.broker, presses.house.ear
    await broker.kill()
    await ear.state(DING, "unavailable")
    await broker.start()
    await ear.state(DING, "on")


async def change_the_password(presses: Presses) -> Span:
    """Let a camera ask for another password, which Doorstep asks for in turn."""
    house, begun = presses.house, now()
    await house.world.front.change_password(NEW_PASSWORD)
    answered = await sign_in(house)
    await house.ear.state(house.doorbells["front"].entities["recording"], "ready")
    return Span(begun, answered + RECONNECT)


async def reboot(presses: Presses) -> Span:
    """Let a camera reboot while somebody rings, so that it never says that it is over."""
    house, world, begun = presses.house, presses.house.world, now()
    await world.onvif.visitor(on=True)
    await presses.rang("porch")
    await asyncio.gather(world.onvif.reboot(AWAY), world.porch.reboot(AWAY))
    back = now()
    await house.ear.state(VISITOR, "off")
    await house.ear.state(house.doorbells["porch"].entities["recording"], "ready")
    return Span(begun, back + RECONNECT)


async def start_again(house: Peers) -> None:
    """Start Home Assistant after people rang in vain: what is over rings no bell, what comes does.

    Each event entity remembers the last ring it had, and that is all that it may say.
    """
    world = house.world
    world.gate.off()
    await asyncio.gather(house.home.start(), world.onvif.press(), world.gate.press())
    await house.home.wait_ready()
    async with Ear(house.home) as ear:
        await ear.state(VISITOR, "off")
        await ear.state(DING, "on")
        presses = Presses(replace(house, ear=ear), rung=1)
        await presses.settle()
        await presses.rang()
        await presses.press(*NAMES)


async def sign_in(house: Peers) -> datetime:
    """Answer the form that asks for the new password; return when that was."""

    async def asked() -> list[dict[str, Any]]:
        flows = await house.home.command("config_entries/flow/progress")
        return [flow for flow in flows if flow["handler"] == "doorstep"]

    [flow] = await until_told(asked)
    assert flow["context"]["source"] == "reauth"
    path = f"/api/config/config_entries/flow/{flow['flow_id']}"
    assert (await house.home.api("GET", path))["type"] == "form"
    answer = {"username": house.world.front.user, "password": NEW_PASSWORD}
    done = await house.home.api("POST", path, answer)
    assert done["reason"] == "reauth_successful", done
    return now()


async def jump_the_clocks(presses: Presses) -> None:
    """Set clocks wrong: a press is a press, whatever time it says it is."""
    world = presses.house.world
    # still on: the press shows in its attributes only, with a time before the last one
    assert presses.house.ear.states[DING]["state"] == "on"
    await world.onvif.set_clock(HOUR)
    world.gate.set_clock(-HOUR)
    await presses.press(*NAMES, time=(now() - timedelta(seconds=HOUR)).isoformat())
