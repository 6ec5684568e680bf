"""What footage costs per second of video, and a question to a full library."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
import sys

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from custom_components.doorstep.footage.files import ClipFiles
from custom_components.doorstep.footage.fragments import FragmentParser
from custom_components.doorstep.footage.library import Library
from custom_components.doorstep.footage.ring import Received, Ring
from custom_components.doorstep.footage.writer import ClipWriter
from tests.footage.synthetic import EPOCH, INIT, fragment, parsed, stream

SECONDS = 30
FRAME = 20_000  # bytes: 25 frames a second of it are 4 Mbit/s
CHUNK = 1 << 16
CLIPS = 20_000

STREAM = INIT.data + b"".join(
    fragment(start, key=start % 2000 == 0, samples=12, size=FRAME)
    for start in range(0, 1000 * SECONDS, 500)
)


def take(ring: Ring) -> None:
    """Do what the recorder does with each chunk of ffmpeg's pipe."""
    parser, one = FragmentParser(), stream()
    for start in range(0, len(STREAM), CHUNK):
        for _, found in parser.feed(STREAM[start : start + CHUNK]):
            one.clock.observe(found.end_seconds, found.end_seconds, found.end_seconds)
            ring.push(Received(found, one))


def test_pre_roll_of_30_s_of_4_mbit(benchmark: BenchmarkFixture) -> None:
    """Parse and keep 30 s; memory stays near the payload."""
    ring = Ring(10, 64 << 20)
    benchmark(take, ring)
    held = ring.since(EPOCH - timedelta(days=36500))
    assert ring.seconds >= 10
    assert sum(sys.getsizeof(item.fragment.data) for item in held) < 1.01 * ring.size


def test_writing_a_clip_of_30_s_of_4_mbit(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Rewrite, hash, describe, append, close with two fsyncs."""
    one = stream()
    items = [Received(found, one) for found in parsed(STREAM)[1]]
    files = ClipFiles.place(tmp_path, "door", "20261123T200000Z-00000000")

    def write() -> None:
        files.discard()
        writer = ClipWriter(files, "door", "ring", EPOCH, items[0])
        for item in items:
            writer.write(item)
        assert writer.close("post-roll") is not None

    benchmark(write)


@pytest.fixture
def full_library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path, lambda _: None)
    start = int(EPOCH.timestamp() * 1000)
    rows = [
        (
            f"20261123T200000Z-{n:08x}",
            f"door{n % 10}",
            "ring",
            at,
            at,
            at + 30_000,
            30.0,
            1 << 20,
            "00",
        )
        for n in range(CLIPS)
        for at in [start + 60_000 * n]
    ]
    with library._index.database.transaction() as tx:
        tx.executemany(
            'INSERT INTO clip (id, doorbell, event, event_at, start, "end", seconds, size, root)'
            " VALUES (?,?,?,?,?,?,?,?,?)",
            rows,
        )
    yield library
    library.close()


def test_clips_of_a_window(benchmark: BenchmarkFixture, full_library: Library) -> None:
    """Find the clips of half an hour among many."""
    middle = EPOCH + timedelta(minutes=CLIPS // 2)
    found = benchmark(full_library.between, "door4", middle, middle + timedelta(minutes=30))
    assert len(found) == 3
