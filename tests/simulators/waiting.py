"""Waiting for what another process does."""

import asyncio
from collections.abc import Awaitable, Callable


async def until[T](look: Callable[[], T | None], patience: float = 20.0) -> T:
    """Return the first truthy value of LOOK; raises TimeoutError after PATIENCE seconds."""
    async with asyncio.timeout(patience):
        while True:
            if seen := look():
                return seen
            await asyncio.sleep(0.02)


async def until_told[T](ask: Callable[[], Awaitable[T]], patience: float = 20.0) -> T:
    """Return the first truthy answer of ASK; raises TimeoutError after PATIENCE seconds."""
    async with asyncio.timeout(patience):
        while True:
            if told := await ask():
                return told
            await asyncio.sleep(0.1)
