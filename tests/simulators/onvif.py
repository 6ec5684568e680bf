"""An ONVIF doorbell: SOAP services and events of our own, pictures from a `DoorbellSimulator`.

Core's `onvif` integration hears its button as `tns1:RuleEngine/MyRuleDetector/Visitor`, as Reolink
sends it, and its motion as `tns1:VideoSource/MotionAlarm`.
"""

import asyncio
from pathlib import Path
from typing import Final, Self

from scripts.children import free_port

from .orders import Servant

USER: Final = "admin"
# Longer than Home Assistant pauses between two pulls (0.75 s): else it sees no change at all.
PRESSED: Final = 1.5


class OnvifSimulator:
    """A camera on loopback with the stream STREAM (rtsp://, no credentials in it).

    The stream asks for the same user and password, as far as it asks for any. With WEBHOOKS it
    calls its subscribers too; without, they have to pull.
    """

    def __init__(
        self,
        folder: Path,
        *,
        stream: str,
        password: str,
        user: str = USER,
        name: str = "Porch",
        webhooks: bool = False,
    ) -> None:
        """Prepare it; the port is chosen, nothing listens yet."""
        self.user = user
        self.password = password
        self.name = name
        self.port = free_port()
        self.mac = "02:00:5e:00:53:01"
        self._stream = stream
        self._webhooks = webhooks
        self._device = Servant("the ONVIF camera", "onvif_device", folder, free_port())

    async def __aenter__(self) -> Self:
        """Start it."""
        await self._device.serve(
            port=self.port,
            user=self.user,
            password=self.password,
            stream=self._stream,
            mac=self.mac,
            webhooks=self._webhooks,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        await self._device.stop(patience=1)

    async def press(self, seconds: float = PRESSED) -> None:
        """Press the button and let go of it after some SECONDS."""
        await self.visitor(on=True)
        await asyncio.sleep(seconds)
        await self.visitor(on=False)

    async def visitor(self, *, on: bool) -> None:
        """Report that somebody presses the button, or does no longer."""
        await self._device.tell("state", "visitor", on)

    async def motion(self, *, on: bool) -> None:
        """Report motion, or its end."""
        await self._device.tell("state", "motion", on)

    async def duplicate(self) -> None:
        """Send the last event again, with the time that it had."""
        await self._device.tell("duplicate")

    async def reboot(self, seconds: float = 3, *, refuse: bool = False) -> None:
        """Lose all subscriptions and connections, come back after some SECONDS.

        Meanwhile new connections are accepted without an answer, as by a camera whose web server
        starts last, or else REFUSEd.
        """
        await self._device.tell("reboot", seconds, refuse)

    async def change_password(self, password: str) -> None:
        """Ask for another password from now on."""
        await self._device.tell("password", password)
        self.password = password

    async def set_clock(self, seconds: float) -> None:
        """Let the camera's clock be wrong by so many SECONDS."""
        await self._device.tell("clock", seconds)

    async def calls(self) -> list[str]:
        """Return the names of all operations that were called, oldest first."""
        return list(await self._device.tell("calls"))

    async def subscriptions(self) -> int:
        """Return how many subscribers there are."""
        return int(await self._device.tell("subscriptions"))
