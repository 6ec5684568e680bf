"""What a child says reaches us in few pieces, whole, and up to its end."""

import asyncio
from collections.abc import AsyncIterator
import os

import pytest

from custom_components.doorstep.footage.pipe import Pipe


@pytest.fixture
async def pipe() -> AsyncIterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


async def soon(pipe: Pipe, least: int) -> bytes:
    async with asyncio.timeout(5):
        return await pipe.read(least)


async def test_all_that_there_is(pipe: Pipe) -> None:
    os.write(pipe.child_end, b"abcdef")
    assert await soon(pipe, 2) == b"abcdef"
    pipe.hand_over()


async def test_no_less_than_was_asked_for(pipe: Pipe) -> None:
    reading = asyncio.create_task(soon(pipe, 5))
    for piece in (b"abc", b"d"):
        os.write(pipe.child_end, piece)
        await asyncio.sleep(0.02)
        assert not reading.done()
    os.write(pipe.child_end, b"ef")
    assert await reading == b"abcdef"
    pipe.hand_over()


async def test_what_comes_before_it_is_asked_for(pipe: Pipe) -> None:
    os.write(pipe.child_end, b"abc")
    await asyncio.sleep(0.02)
    assert await soon(pipe, 3) == b"abc"
    os.write(pipe.child_end, b"def")
    assert await soon(pipe, 3) == b"def"
    pipe.hand_over()


async def test_up_to_the_end(pipe: Pipe) -> None:
    os.write(pipe.child_end, b"abc")
    pipe.hand_over()
    assert [await soon(pipe, 9) for _ in range(3)] == [b"abc", b"", b""]


async def test_room_for_a_whole_fragment(pipe: Pipe) -> None:
    """A child need not wait for us while it writes one."""
    os.set_blocking(pipe.child_end, False)
    assert os.write(pipe.child_end, bytes(1 << 20)) == 1 << 20
    assert len(await soon(pipe, 1 << 20)) == 1 << 20
    pipe.hand_over()


async def test_who_still_writes_after_the_end_is_told() -> None:
    pipe = Pipe()
    pipe.close()
    with pytest.raises(BrokenPipeError):
        os.write(pipe.child_end, b"abc")
    pipe.hand_over()
