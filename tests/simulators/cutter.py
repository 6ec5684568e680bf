"""The network between Home Assistant and a device, which can be cut: a TCP proxy on loopback.

No root and no kernel's packet filter is needed; so what is lost in a real cut waits here, as TCP
would send it again, and a new connection is accepted but hears nothing.
"""

from pathlib import Path
from typing import Self

from scripts.children import free_port

from .orders import Servant


class Cutter:
    """Leads to the ports UPSTREAMS of this machine, each from the port `self[upstream]`."""

    def __init__(self, folder: Path, *upstreams: int) -> None:
        """Choose ports; nothing listens before `start`."""
        self._ports = {upstream: free_port() for upstream in upstreams}
        self._proxy = Servant("the cutter", "proxy", folder, free_port())

    def __getitem__(self, upstream: int) -> int:
        """Return the port that leads to UPSTREAM."""
        return self._ports[upstream]

    async def __aenter__(self) -> Self:
        """Forward."""
        await self._proxy.serve(routes=[(here, there) for there, here in self._ports.items()])
        return self

    async def __aexit__(self, *_: object) -> None:
        """Forward no more."""
        await self._proxy.stop(patience=1)

    async def cut(self) -> None:
        """Let nothing through; connections stay, and new ones are accepted but hear nothing."""
        await self._proxy.tell("cut")

    async def refuse(self) -> None:
        """Reset all connections and refuse new ones."""
        await self._proxy.tell("refuse")

    async def restore(self) -> None:
        """Let everything through again."""
        await self._proxy.tell("restore")
