"""The network between Home Assistant and a device, which can be cut: a TCP proxy on loopback.

No root and no kernel's packet filter is needed; so what is lost in a real cut waits here, as TCP
would send it again, and a new connection is accepted but hears nothing.
"""

from pathlib import Path
from typing import Self

from scripts.children import free_port

from .orders import Servant


class Cutter:
    """Leads to other ports of this machine, from those that `to` names before it is entered."""

    def __init__(self, folder: Path) -> None:
        """Lead nowhere yet."""
        self._ports: dict[int, int] = {}
        self._proxy = Servant("the cutter", "proxy", folder, free_port())

    def to(self, upstream: int) -> int:
        """Return the port that leads to the port UPSTREAM."""
        return self._ports.setdefault(upstream, free_port())

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
