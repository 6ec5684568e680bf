"""Footage: taking a stream apart, and finding clips in a large library."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from custom_components.doorstep.footage.fragments import FragmentParser
from custom_components.doorstep.footage.library import INDEX, Library
from tests.footage.synthetic import EPOCH, VIDEO, fragment, init_segment

from .conftest import MEGABYTE, Stopwatch

PORTION = 64 << 10
CLIPS = 100_000


@pytest.fixture(params=[600, 50_000], ids=["3 kB", "250 kB"])
def stream(request: pytest.FixtureRequest) -> list[bytes]:
    """A long recording in fragments of about that size, in the portions a pipe gives."""
    frame = request.param
    pieces = [fragment(500 * n, size=frame) for n in range(60_000_000 // (5 * frame))]
    data = init_segment(VIDEO) + b"".join(pieces)
    return [data[start : start + PORTION] for start in range(0, len(data), PORTION)]


@pytest.mark.benchmark(group="fragments")
def test_parse(stream: list[bytes], stopwatch: Stopwatch) -> None:
    def parse() -> int:
        parser = FragmentParser()
        return sum(len(f.data) for portion in stream for _, f in parser.feed(portion))

    size = sum(map(len, stream))
    found = stopwatch.time(parse, amount=size / MEGABYTE, unit="MiB")
    assert found > 0.95 * size


@pytest.mark.benchmark(group="fragments")
def test_plain_copy(stream: list[bytes], stopwatch: Stopwatch) -> None:
    def copy() -> int:
        return sum(len(bytearray(portion)) for portion in stream)

    stopwatch.time(copy, amount=sum(map(len, stream)) / MEGABYTE, unit="MiB")


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """100,000 clips of 30 s, one every four minutes, of four doorbells; the index only."""
    made = Library(tmp_path_factory.mktemp("library"), lambda _: None)
    begin = int(EPOCH.timestamp() * 1000)
    rows = [
        (f"20261123T200000Z-{n:08x}", f"door{n % 4}", "ring", at, at, at + 30_000, 30.0, 1, "00")
        for n in range(CLIPS)
        for at in (begin + 240_000 * n,)
    ]
    with made._index.database.transaction() as tx:
        tx.executemany(
            'INSERT INTO clip (id, doorbell, event, event_at, start, "end", seconds, size, root)'
            " VALUES (?,?,?,?,?,?,?,?,?)",
            rows,
        )
    assert Path(made.folder / INDEX).stat().st_size > MEGABYTE
    yield made
    made.close()


@pytest.mark.benchmark(group="library")
@pytest.mark.parametrize("hours", [2, 12])
def test_between(library: Library, stopwatch: Stopwatch, hours: int) -> None:
    start = EPOCH + timedelta(days=200)
    end = start + timedelta(hours=hours)
    found = stopwatch.time(lambda: library.between("door1", start, end), unit="queries", rounds=50)
    assert abs(len(found) - hours * 60 / 4 / 4) < 1


@pytest.mark.benchmark(group="library")
def test_newest_page(library: Library, stopwatch: Stopwatch) -> None:
    assert len(stopwatch.time(library.clips, unit="queries", rounds=50)) == 100
