"""A Ring doorbell behind ring-mqtt: its MQTT topics, spoken to a real broker (mosquitto).

Topics, payloads and their order are those of ring-mqtt (devices/base-ring-device.js and camera.js):
discovery and states are not retained, and are sent again whenever Home Assistant is born; a press
puts the state ON for three minutes, and a second one within them changes only the attributes.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import cycle
import json
import os
from pathlib import Path
import subprocess
from typing import Any, Final, Self

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from PIL import Image

from scripts.children import LOOPBACK, Child, free_port, tool, wait_for_port

USERS: Final = ("home", "ring")
LOCATION: Final = "5b3c7a10-home"
DEVICE: Final = "54e019c0ffee"
BASE: Final = f"ring/{LOCATION}/camera/{DEVICE}"
BIRTH: Final = "homeassistant/status"
# ring-mqtt waits two seconds for Home Assistant to have made the entities.
PAUSE: Final = 1.5
ACTIVE: Final = 180.0
LATER: Final = 0.5
COLOURS: Final = ("navy", "olive", "maroon")


class Broker:
    """Mosquitto on loopback: `users` may log in, each with `password`; it keeps nothing."""

    def __init__(self, folder: Path, *, password: str) -> None:
        """Choose a port; nothing listens yet."""
        self.port = free_port()
        self.password = password
        self._folder = folder
        command = [tool("mosquitto"), "-c", str(folder / "mosquitto.conf")]
        self._child = Child("the broker (mosquitto)", command, folder / "mosquitto.log")

    async def start(self) -> None:
        """Serve; after `kill` at the same port again."""
        await asyncio.to_thread(self._configure)
        await self._child.start()
        await wait_for_port(self._child, self.port)

    async def stop(self) -> None:
        """End it: clients are told."""
        await self._child.stop(patience=2)

    async def kill(self) -> None:
        """Let it lose power: clients are cut off, new ones refused."""
        await self._child.kill()

    def _configure(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        users = self._folder / "users"
        users.write_text("".join(f"{name}:{self.password}\n" for name in USERS))
        # As root it would give up its rights, and with them the folder.
        root = "user root\n" if os.geteuid() == 0 else ""
        config = (
            f"listener {self.port} {LOOPBACK}\nallow_anonymous false\npassword_file {users}\n{root}"
        )
        (self._folder / "mosquitto.conf").write_text(config)
        users.chmod(0o600)
        subprocess.run([tool("mosquitto_passwd"), "-U", str(users)], check=True)


class RingMqttSimulator:
    """The bridge and the doorbell NAME behind it; `broker` is theirs and Home Assistant's."""

    def __init__(self, folder: Path, *, password: str, name: str = "Gate") -> None:
        """Prepare both."""
        self.name = name
        self.broker = Broker(folder, password=password)
        self.births = 0
        self._clock = timedelta()
        self._last: tuple[tuple[str, bytes], ...] = ()
        self._states = {"ding": False, "motion": False}
        # Of the history that Ring keeps.
        earlier = int((datetime.now(UTC) - timedelta(hours=1)).timestamp())
        self._times = {"ding": earlier, "motion": earlier}
        self._pictures = cycle(_picture(colour) for colour in COLOURS)
        self._picture = next(self._pictures)
        self._connected = asyncio.Event()
        self._tasks = set[asyncio.Task[None]]()
        self._ends: asyncio.TimerHandle | None = None
        self._client = Client(CallbackAPIVersion.VERSION2, "ring-mqtt", reconnect_on_failure=True)

    async def __aenter__(self) -> Self:
        """Start the broker and the bridge."""
        await self.broker.start()
        loop = asyncio.get_running_loop()
        self._client.username_pw_set("ring", self.broker.password)
        self._client.reconnect_delay_set(1, 1)
        self._client.will_set(f"{BASE}/status", "offline", qos=1)

        def connected(
            client: Client, _: Any, __: ConnectFlags, ___: ReasonCode, ____: Properties | None
        ) -> None:
            client.subscribe(BIRTH, qos=1)
            loop.call_soon_threadsafe(self._announce)

        def heard(_: Client, __: Any, message: MQTTMessage) -> None:
            if message.payload == b"online":
                loop.call_soon_threadsafe(self._born)

        self._client.on_connect = connected
        self._client.on_message = heard
        self._client.connect_async(LOOPBACK, self.broker.port)
        self._client.loop_start()
        async with asyncio.timeout(10):
            await self._connected.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop both."""
        if self._ends is not None:
            self._ends.cancel()
        for task in self._tasks:
            task.cancel()
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        await self.broker.stop()

    async def press(self) -> None:
        """Press the button: ON for three minutes from now, and a new time in the attributes.

        The picture of it comes a little later.
        """
        self._happen("ding")
        asyncio.get_running_loop().call_later(LATER, self.snapshot)

    async def motion(self) -> None:
        """See motion: likewise."""
        self._happen("motion")

    def off(self) -> None:
        """Let the three minutes be over."""
        for kind, on in self._states.items():
            if on:
                self._states[kind] = False
                self._tell(kind)

    def duplicate(self) -> None:
        """Send the last messages again, byte for byte."""
        for topic, payload in self._last:
            self._publish(topic, payload)

    def replay(self) -> None:
        """Report the last press as if it were new: ON, with the time it had."""
        self._states["ding"] = True
        self._tell("ding")

    def snapshot(self) -> bytes:
        """Send another picture; return it."""
        self._picture = next(self._pictures)
        self._publish(f"{BASE}/snapshot/image", self._picture)
        return self._picture

    def set_clock(self, seconds: float) -> None:
        """Let the bridge's clock be wrong by so many SECONDS."""
        self._clock = timedelta(seconds=seconds)

    def _happen(self, kind: str) -> None:
        self._states[kind] = True
        self._times[kind] = int((datetime.now(UTC) + self._clock).timestamp())
        self._tell(kind)
        if self._ends is not None:
            self._ends.cancel()
        self._ends = asyncio.get_running_loop().call_later(ACTIVE, self.off)

    def _tell(self, kind: str) -> None:
        """Send the state, then the attributes, as the bridge does."""
        at = self._times[kind]
        word = f"last{kind.capitalize()}"
        told: dict[str, object] = {word: at, f"{word}Time": _iso(at)}
        if kind == "motion":
            told["personDetected"] = False
        self._last = (
            (f"{BASE}/{kind}/state", b"ON" if self._states[kind] else b"OFF"),
            (f"{BASE}/{kind}/attributes", json.dumps(told).encode()),
        )
        self.duplicate()

    def _publish(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1)

    def _born(self) -> None:
        self.births += 1
        self._announce()

    def _announce(self) -> None:
        self._connected.set()
        task = asyncio.get_running_loop().create_task(self._publish_all())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _publish_all(self) -> None:
        """Send discovery, then that it is there, then what it knows."""
        for key, component in ENTITIES.items():
            config = json.dumps(self._discovery(key, component)).encode()
            self._publish(f"homeassistant/{component}/{LOCATION}/{DEVICE}_{key}/config", config)
        await asyncio.sleep(PAUSE)
        self._publish(f"{BASE}/status", b"online")
        await asyncio.sleep(PAUSE)
        last = self._last
        for kind in self._states:
            self._tell(kind)
        self._last = last
        self._publish(f"{BASE}/snapshot/image", self._picture)

    def _discovery(self, key: str, component: str) -> dict[str, object]:
        topic = f"{BASE}/{key}"
        classes = {"ding": "occupancy", "motion": "motion"}
        return {
            "name": key.capitalize(),
            "unique_id": f"{DEVICE}_{key}",
            **(
                {"topic": f"{topic}/image"}
                if component == "camera"
                else {"state_topic": f"{topic}/state", "device_class": classes[key]}
            ),
            "json_attributes_topic": f"{topic}/attributes",
            "availability_topic": f"{BASE}/status",
            "payload_available": "online",
            "payload_not_available": "offline",
            "device": {"ids": [DEVICE], "name": self.name, "mf": "Ring", "mdl": "Video Doorbell"},
        }


ENTITIES: Final = {"ding": "binary_sensor", "motion": "binary_sensor", "snapshot": "camera"}


def _iso(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _picture(colour: str) -> bytes:
    made = BytesIO()
    Image.new("RGB", (640, 360), colour).save(made, "JPEG")
    return made.getvalue()
