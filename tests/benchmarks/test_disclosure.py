"""Packages: encryption against the `age` command, and 64 MB of footage in constant memory."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
import subprocess
import tracemalloc
from typing import Any

import pytest

from custom_components.doorstep.disclosure import cut
from custom_components.doorstep.disclosure.age import encrypt
from custom_components.doorstep.disclosure.cut import Window
from custom_components.doorstep.disclosure.package import Package, bag, write_package
from custom_components.doorstep.disclosure.release import Ask, Statement, make_statement
from custom_components.doorstep.footage.clip import Clip
from scripts.children import tool
from tests.disclosure.clips import START, Sealer
from tests.disclosure.conftest import RELEASE, Case
from tests.footage.synthetic import VIDEO, fragment, init_segment
from tests.simulators.package import AgeKey

from .conftest import MEGABYTE, Stopwatch

BLOCK = 1 << 20


def blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


@pytest.mark.benchmark(group="age")
def test_encrypt_64_mib(
    large_file: Path, tmp_path: Path, age_key: AgeKey, stopwatch: Stopwatch
) -> None:
    def ours() -> None:
        with (tmp_path / "out").open("wb") as out:
            for piece in encrypt(blocks(large_file), [age_key.recipient]):
                out.write(piece)

    stopwatch.time(ours, amount=64, unit="MiB", rounds=3)


@pytest.mark.benchmark(group="age")
def test_the_age_command_on_the_same_file(
    large_file: Path, tmp_path: Path, age_key: AgeKey, stopwatch: Stopwatch
) -> None:
    out = str(tmp_path / "out")
    (tmp_path / "recipients").write_text(age_key.recipient)
    command = [tool("age"), "-R", str(tmp_path / "recipients"), "-o", out, str(large_file)]
    stopwatch.time(lambda: subprocess.run(command, check=True), amount=64, unit="MiB", rounds=3)


def long_clip(folder: Path, size: int) -> Clip:
    """Footage of 4 Mbit/s in fragments of half a second: `size` bytes at least."""
    pieces = [
        fragment(500 * n, samples=5, size=50_000, key=n % 2 == 0)
        for n in range(size // 250_000 + 1)
    ]
    clip = Sealer(init_segment(VIDEO) + b"".join(pieces)).write(folder)
    return replace(clip, end=START + timedelta(milliseconds=500 * len(pieces)))


def stated(clip: Clip, case: Case) -> Statement:
    window = Window(START, clip.end + timedelta(minutes=1))
    plans = [cut.plan(clip, window, audio=True)]
    ask = Ask(id=case.ask.id, sha256=case.ask.sha256, window=window, terms={})
    return make_statement(RELEASE, ask, case.addressee, plans, audio=True)


@pytest.mark.benchmark(group="package")
@pytest.mark.parametrize("size", [16, 64])
def test_package(
    tmp_path: Path, age_key: AgeKey, stopwatch: Stopwatch, benchmark: Any, size: int
) -> None:
    clip = long_clip(tmp_path / "library", size * MEGABYTE)
    case = Case(age_key.recipient, [clip])
    statement = stated(clip, case)

    def pack() -> Package:
        tar = bag(statement, case.decision, case.material)
        return write_package(tmp_path / "release.age", tar, [age_key.recipient])

    package = stopwatch.time(pack, amount=clip.size / MEGABYTE, unit="MiB", rounds=2)
    assert package.size > size * MEGABYTE
    tracemalloc.start()
    pack()
    peak = tracemalloc.get_traced_memory()[1] / MEGABYTE
    tracemalloc.stop()
    benchmark.extra_info["peak"] = f"{peak:.1f} MiB"
    assert peak < 8, "memory grows with the footage"


@pytest.mark.benchmark(group="package")
def test_hashing_as_much(large_file: Path, stopwatch: Stopwatch) -> None:
    def digest() -> str:
        total = sha256()
        for block in blocks(large_file):
            total.update(block)
        return total.hexdigest()

    stopwatch.time(digest, amount=64, unit="MiB", rounds=3)
