"""A child's output, taken in few large pieces: what costs is to be woken for each small one."""

import asyncio
from contextlib import suppress
import fcntl
import os
from typing import Final

_ROOM: Final = 1 << 20  # bytes, the most that Linux grants everybody (pipe(7))


class Pipe:
    """A large pipe from a child; `close` it."""

    def __init__(self) -> None:
        """Open both ends. OSError passes."""
        self._end, self.child_end = os.pipe()
        # without it the child only has to wait for us more often
        with suppress(OSError):
            fcntl.fcntl(self._end, fcntl.F_SETPIPE_SZ, _ROOM)
        os.set_blocking(self._end, False)
        self._parts: list[bytes] = []
        self._missing = 0  # bytes without which nobody wants to be woken
        self._ended = False
        self._enough = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._end, self._take)

    def hand_over(self) -> None:
        """Close the child's end, once the child has it."""
        os.close(self.child_end)

    async def read(self, least: int) -> bytes:
        """Give all there is once it is that many bytes; fewer only where the child has ended."""
        self._missing += least
        if self._missing > 0 and not self._ended:
            self._enough.clear()
            await self._enough.wait()
        data = b"".join(self._parts)
        self._parts.clear()
        self._missing = 0
        return data

    def close(self) -> None:
        """Close our end: a child that still writes is told so."""
        asyncio.get_running_loop().remove_reader(self._end)
        os.close(self._end)

    def _take(self) -> None:
        data = os.read(self._end, _ROOM)
        self._parts.append(data)
        self._missing -= len(data)
        if not data:
            self._ended = True
            asyncio.get_running_loop().remove_reader(self._end)
        if self._missing <= 0 or self._ended:
            self._enough.set()
