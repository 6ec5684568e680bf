"""A home with many doorbells, and the Home Assistant beside it that has none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
import json
from pathlib import Path
from typing import Any, Final

from scripts.children import free_port
from scripts.house import HomeAssistant, seeds
from tests.simulators.doorbell import DoorbellSimulator

from .probe.names import BUTTON

PROBE: Final = Path(__file__).with_name("probe")
PASSWORD: Final = "correct horse battery staple"
YAML: Final = """\
doorstep_probe:
input_boolean:
  bench:
automation:
  - alias: bench on
    triggers: [{trigger: webhook, webhook_id: bench-on, allowed_methods: [POST], local_only: true}]
    actions: [{action: input_boolean.turn_on, target: {entity_id: input_boolean.bench}}]
  - alias: bench off
    triggers: [{trigger: webhook, webhook_id: bench-off, allowed_methods: [POST], local_only: true}]
    actions: [{action: input_boolean.turn_off, target: {entity_id: input_boolean.bench}}]
"""
"""What a person would write who has no Doorstep; "sets" is on and off in turn."""


def home(config: Path, subentries: list[dict[str, Any]] | None) -> HomeAssistant:
    """Prepare a Home Assistant with the probe; with SUBENTRIES also a household that has them."""
    # without this, Python would find Doorstep in the folder we stand in, and no probe there
    made = HomeAssistant(config, port=free_port(), env={"PYTHONSAFEPATH": "1"})
    quiet = made.yaml.replace("doorstep: debug", "doorstep: warning")
    made.yaml = f"{quiet}    homeassistant.bootstrap: info\n{YAML}"
    (config / ".storage").mkdir(parents=True)
    (config / "custom_components").mkdir()
    (config / "custom_components" / "doorstep_probe").symlink_to(PROBE)
    if subentries is not None:
        version, minor, data = seeds(made.port)["core.config_entries"]
        assert isinstance(data, dict)
        data["entries"].append(_entry(data["entries"][0], config.parent / "library", subentries))
        stored = {"version": version, "minor_version": minor, "key": "core.config_entries"}
        file = config / ".storage" / "core.config_entries"
        file.write_text(json.dumps({**stored, "data": data}))
    return made


def _entry(like: dict[str, Any], library: Path, subentries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        **like,
        "created_at": datetime.now(UTC).isoformat(),
        "data": {"library": str(library), "approvers": ["nobody"]},
        "disabled_by": None,
        "domain": "doorstep",
        "entry_id": "1" * 26,
        "source": "user",
        "subentries": subentries,
        "title": "Doorstep",
    }


def hook(number: int) -> str:
    """Return the webhook id of a doorbell."""
    return f"{number:064x}"


def direct(number: int, url: str, **choices: object) -> dict[str, Any]:
    """Describe a doorbell that streams and calls a webhook."""
    data = {"url": url, "audio": False, "webhook_id": hook(number), **choices}
    return subentry(number, data)


def subentry(number: int, data: dict[str, Any]) -> dict[str, Any]:
    """Describe doorbell NUMBER as Home Assistant stores it."""
    return {
        "data": data,
        "subentry_id": f"{number:026d}",
        "subentry_type": "doorbell",
        "title": f"Door {number}",
        "unique_id": None,
    }


@asynccontextmanager
async def recording(
    folder: Path, doorbells: int, *, big: bool = False
) -> AsyncIterator[HomeAssistant]:
    """Run a home whose DOORBELLS all record, ready to ring.

    They share one camera's stream of 0.5 Mbit/s; with BIG the first has one of 8 Mbit/s.
    """
    async with (
        DoorbellSimulator(folder / "camera") as small,
        DoorbellSimulator(folder / "big", noisy=big) as first,
    ):
        cameras = [first, *(doorbells - 1) * [small]]
        subentries = [direct(number, camera.url) for number, camera in enumerate(cameras)]
        async with lived_in(folder, subentries) as house:
            yield house


@asynccontextmanager
async def lived_in(folder: Path, subentries: list[dict[str, Any]]) -> AsyncIterator[HomeAssistant]:
    """Run a home whose doorbells are ready to ring, and whose owner is logged in."""
    async with home(folder / "config", subentries) as house:
        await house.onboard("owner", PASSWORD)
        async with asyncio.timeout(90):
            while await _ready(house) < len(subentries):
                house.child.check()
                await asyncio.sleep(0.5)
        yield house


async def _ready(house: HomeAssistant) -> int:
    states = await house.api("GET", "/api/states")
    return sum(state["state"] == "ready" for state in states if "sensor." in state["entity_id"])


@asynccontextmanager
async def adopting(folder: Path) -> AsyncIterator[HomeAssistant]:
    """Run a home with a doorbell made of entities that only the probe has."""
    data = {"kind": "adopted", "camera": "camera.probe", "rings": [BUTTON], "motions": []}
    subentries = [subentry(0, {**data, "capture": "stills"})]
    async with home(folder / "config", subentries) as house:
        await house.onboard("owner", PASSWORD)
        yield house
