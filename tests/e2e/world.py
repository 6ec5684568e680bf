"""Four doorbells of four makes, each behind a network of its own that can be cut."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.children import LOOPBACK

from ..simulators.cutter import Cutter
from ..simulators.doorbell import DoorbellSimulator
from ..simulators.onvif import USER, OnvifSimulator
from ..simulators.ringmqtt import RingMqttSimulator

NAMES: Final = ("front", "back", "porch", "gate")
SECRETS: Final = {name: f"s3cret-{name}-p4ss" for name in NAMES}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`front` is a camera by itself, `back` another, `porch` belongs to `onvif`, `gate` to MQTT."""

    front: DoorbellSimulator
    back: DoorbellSimulator
    porch: DoorbellSimulator
    onvif: OnvifSimulator
    gate: RingMqttSimulator
    cutters: Mapping[str, Cutter]

    def stream(self, name: str) -> str:
        """Return the URL, without credentials, at which Home Assistant finds a camera's stream."""
        camera: DoorbellSimulator = getattr(self, name)
        return f"rtsp://{LOOPBACK}:{self.cutters[name].to(camera.port)}/door"

    @property
    def onvif_port(self) -> int:
        """Where Home Assistant finds the ONVIF camera."""
        return self.cutters["porch"].to(self.onvif.port)

    @property
    def broker_port(self) -> int:
        """Where Home Assistant finds the broker."""
        return self.cutters["gate"].to(self.gate.broker.port)


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """Start all of it in FOLDER; end it afterwards."""
    front, back, porch = (
        DoorbellSimulator(folder / name, user=USER, password=SECRETS[name])
        for name in ("front", "back", "porch")
    )
    cutters = {name: Cutter(folder / f"to-{name}") for name in NAMES}
    stream = f"rtsp://{LOOPBACK}:{cutters['porch'].to(porch.port)}/door"
    onvif = OnvifSimulator(folder / "onvif", stream=stream, password=SECRETS["porch"])
    gate = RingMqttSimulator(folder / "gate", password=SECRETS["gate"])
    made = World(front=front, back=back, porch=porch, onvif=onvif, gate=gate, cutters=cutters)
    # so that the cutters know all ways before they open
    _ = made.stream("front"), made.stream("back"), made.onvif_port, made.broker_port
    async with AsyncExitStack() as stack:
        parts: tuple[AbstractAsyncContextManager[object], ...] = (front, back, porch, onvif, gate)
        parts += tuple(cutters.values())
        await asyncio.gather(*(stack.enter_async_context(part) for part in parts))
        yield made
