"""Waiting for what another process does."""

import asyncio
from collections.abc import Callable


async def until[T](look: Callable[[], T | None], patience: float = 20.0) -> T:
    """Return the first truthy value of LOOK; raises TimeoutError after PATIENCE seconds."""
    async with asyncio.timeout(patience):
        while True:
            if seen := look():
                return seen
            await asyncio.sleep(0.02)
