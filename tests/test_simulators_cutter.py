"""The network that can be cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from scripts.children import LOOPBACK, free_port

from .simulators.cutter import Cutter

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    port = free_port()
    server = await asyncio.start_server(answer, LOOPBACK, port)
    yield port
    server.close()


@pytest.fixture
async def cutter(tmp_path: Path, echo: int) -> AsyncIterator[Cutter]:
    cutter = Cutter(tmp_path)
    cutter.to(echo)
    async with cutter:
        yield cutter


class Line:
    """A connection through the cutter."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int) -> Line:
        return cls(*await asyncio.open_connection(LOOPBACK, port))

    async def says(self, text: bytes, patience: float = 5) -> bytes:
        self.writer.write(text + b"\n")
        return await asyncio.wait_for(self.reader.readline(), patience)


async def test_lets_through_both_ways(cutter: Cutter, echo: int) -> None:
    line = await Line.open(cutter.to(echo))
    assert await line.says(b"one") == b"one\n"
    line.writer.close()


async def test_a_cut_holds_what_is_said_until_it_is_mended(cutter: Cutter, echo: int) -> None:
    line = await Line.open(cutter.to(echo))
    await line.says(b"one")
    await cutter.cut()
    with pytest.raises(TimeoutError):
        await line.says(b"two", patience=0.2)
    late = await Line.open(cutter.to(echo))
    with pytest.raises(TimeoutError):
        await late.says(b"hello", patience=0.2)
    await cutter.restore()
    assert await asyncio.wait_for(line.reader.readline(), 5) == b"two\n"
    assert await asyncio.wait_for(late.reader.readline(), 5) == b"hello\n"
    for one in (line, late):
        one.writer.close()


async def test_refuses_and_is_there_again(cutter: Cutter, echo: int) -> None:
    line = await Line.open(cutter.to(echo))
    await line.says(b"one")
    await cutter.refuse()
    with suppress(ConnectionResetError):
        assert await line.says(b"two") == b""
    with pytest.raises(ConnectionRefusedError):
        await Line.open(cutter.to(echo))
    await cutter.restore()
    again = await Line.open(cutter.to(echo))
    assert await again.says(b"three") == b"three\n"
    again.writer.close()
