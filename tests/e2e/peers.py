"""One household with a doorbell of each kind: direct, adopted from generic, onvif and ring-mqtt."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any, Final

from scripts.children import LOOPBACK, free_port
from scripts.house import HomeAssistant

from ..simulators.onvif import USER
from ..simulators.waiting import until
from .ear import Ear
from .household import HOOK, OWNER, PASSWORD, check_egress, check_silence
from .world import NAMES, SECRETS, World, world

BUTTON: Final = "input_button.back_bell"
YAML: Final = "input_button:\n  back_bell:\n    name: Back bell\n"
# One clip that spans all that happens shows every gap.
STREAMED: Final = {"audio": False, "pre_roll": 2, "post_roll": 120}
STILLS: Final = {"post_roll": 5}
ADOPTED: Final[Mapping[str, Mapping[str, Any]]] = {
    "back": {"camera": "camera.127_0_0_1", "rings": [BUTTON], "motions": []},
    "porch": {
        "camera": "camera.porch_main",
        "rings": ["binary_sensor.porch_visitor_detection"],
        "motions": ["binary_sensor.porch_motion_alarm"],
    },
    "gate": {
        "camera": "camera.gate_snapshot",
        "rings": ["binary_sensor.gate_ding"],
        "motions": ["binary_sensor.gate_motion"],
    },
}


@dataclass(frozen=True, slots=True)
class Doorbell:
    """One doorbell as Doorstep has it: its subentry, and its entities by translation key."""

    subentry: str
    entities: Mapping[str, str]
    device: str | None

    @property
    def ring(self) -> str:
        """The normalised event."""
        return self.entities["event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """The household, the world around it, and what was heard."""

    home: HomeAssistant
    world: World
    ear: Ear
    entry_id: str
    webhook: str
    library: Path
    doorbells: Mapping[str, Doorbell]

    def rings(self) -> dict[str, int]:
        """Count the rings of each doorbell since it was set up."""
        return {name: self.ear.rings(bell.ring) for name, bell in self.doorbells.items()}

    async def rang(self, **wanted: int) -> None:
        """Wait until each doorbell has rung as often as is WANTED since it was set up."""
        try:
            await until(lambda: self.rings() == wanted)
        except TimeoutError as error:
            raise AssertionError(f"rang {self.rings()} instead of {wanted}") from error

    async def press(self, name: str, **details: str) -> None:
        """Press a doorbell's button, whatever that takes."""
        presses: dict[str, Callable[[], Awaitable[object]]] = {
            "front": lambda: self.world.front.press(self.webhook, **details),
            "back": lambda: self.act("input_button/press", BUTTON),
            "porch": self.world.onvif.press,
            "gate": self.world.gate.press,
        }
        await presses[name]()

    async def act(self, action: str, entity_id: str) -> object:
        """Perform an action of Home Assistant."""
        return await self.home.api("POST", f"/api/services/{action}", {"entity_id": entity_id})

    async def record(self, *names: str, patience: float = 30) -> None:
        """Wait until these doorbells have the seconds before an event at hand."""
        for name in names:
            await self.ear.state(self.doorbells[name].entities["recording"], "ready", patience)


@asynccontextmanager
async def peers(folder: Path) -> AsyncIterator[Peers]:
    """Boot and set up everything in FOLDER; end it all afterwards."""
    config, library = folder / "config", folder / "library"
    config.mkdir(parents=True)
    egress = folder / "egress"
    env = {"DOORSTEP_TEST_MODE": "1", "DOORSTEP_EGRESS": str(egress), "PYTHONPATH": str(HOOK)}
    home = HomeAssistant(config, port=free_port(), env=env)
    home.yaml += YAML
    async with world(folder) as around, home:
        await home.onboard(OWNER, PASSWORD)
        async with Ear(home) as ear:
            created = await home.flow("doorstep", {"library": str(library)}, {})
            entry_id = created["result"]["entry_id"]
            async with asyncio.TaskGroup() as group:
                direct = group.create_task(_direct(home, entry_id, around))
                for other in (_generic(home, around), _onvif(home, around), _mqtt(home, around)):
                    group.create_task(other)
            for sources in ADOPTED.values():
                for entity_id in (sources["camera"], *sources["rings"], *sources["motions"]):
                    await ear.there(entity_id)
            await asyncio.gather(*(_adopt(home, entry_id, name) for name in ADOPTED))
            yield Peers(
                home=home,
                world=around,
                ear=ear,
                entry_id=entry_id,
                webhook=direct.result(),
                library=library,
                doorbells=await _doorbells(home, entry_id),
            )
        said = json.dumps(ear.told)
        assert not [secret for secret in SECRETS.values() if secret in said]
        check_silence(config / "console.log", *SECRETS.values())
        check_egress(egress, *SECRETS.values())


async def _generic(home: HomeAssistant, around: World) -> None:
    camera = {
        "stream_source": around.stream("back"),
        "username": USER,
        "password": SECRETS["back"],
        "advanced": {"framerate": 2, "verify_ssl": True, "rtsp_transport": "tcp"},
    }
    await home.flow("generic", camera, {"confirmed_ok": True})


async def _onvif(home: HomeAssistant, around: World) -> None:
    camera = {
        "name": around.onvif.name,
        "host": LOOPBACK,
        "port": around.onvif_port,
        "username": USER,
        "password": SECRETS["porch"],
    }
    await home.flow("onvif", {"auto": False}, camera)


async def _mqtt(home: HomeAssistant, around: World) -> None:
    broker = {
        "broker": LOOPBACK,
        "port": around.broker_port,
        "protocol": "5",
        "username": "home",
        "password": SECRETS["gate"],
        "other_settings": {"set_client_cert": False, "set_ca_cert": "off"},
    }
    await home.flow("mqtt", broker)


async def _direct(home: HomeAssistant, entry_id: str, around: World) -> str:
    """Add the front door; return the webhook that it must call."""
    camera = {
        "name": "Front",
        "url": around.stream("front"),
        "username": USER,
        "password": SECRETS["front"],
    }
    chosen = {"next_step_id": "direct"}
    made = await home.subentry_flow(entry_id, "doorbell", chosen, camera, {}, STREAMED)
    return str(made["placeholders"]["url"])


async def _adopt(home: HomeAssistant, entry_id: str, name: str) -> None:
    sources = dict(ADOPTED[name])
    camera = {"camera": sources.pop("camera")}
    sources |= {"name": name.capitalize(), "capture": "stills" if name == "gate" else "stream"}
    options = STILLS if name == "gate" else STREAMED
    chosen = {"next_step_id": "adopt"}
    await home.subentry_flow(entry_id, "doorbell", chosen, camera, sources, options)


async def _doorbells(home: HomeAssistant, entry_id: str) -> dict[str, Doorbell]:
    """Find what Doorstep has made of each."""
    subentries = await home.command("config_entries/subentries/list", entry_id=entry_id)
    registry = await home.command("config/entity_registry/list")
    ids = {subentry["title"].lower(): subentry["subentry_id"] for subentry in subentries}
    return {name: _doorbell(ids[name], registry) for name in NAMES}


def _doorbell(subentry: str, registry: list[dict[str, Any]]) -> Doorbell:
    ours = [entity for entity in registry if entity["config_subentry_id"] == subentry]
    keys = {entity["entity_id"]: entity["translation_key"] or "" for entity in ours}
    named = {key: entity_id for entity_id, key in keys.items()}
    domains = {entity_id.partition(".")[0]: entity_id for entity_id in keys}
    [device] = {entity["device_id"] for entity in ours}
    return Doorbell(subentry, {**domains, **named}, device)
