"""What several benchmarks read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.simulators.package import AgeKey

MEGABYTE = 1 << 20


@pytest.fixture(scope="session")
def age_key(tmp_path_factory: pytest.TempPathFactory) -> AgeKey:
    return AgeKey.generate(tmp_path_factory.mktemp("age") / "agency.txt")


class Stopwatch:
    """Times a thing a few times, and notes how much of it there was."""

    def __init__(self, benchmark: Any) -> None:
        self._benchmark = benchmark

    def time(
        self,
        thing: Callable[..., Any],
        *,
        amount: float = 1,
        unit: str = "times",
        setup: Callable[[], Any] | None = None,
        rounds: int = 5,
    ) -> Any:
        """Run `thing` (with what `setup` returns, if there is one); gives its last result."""

        def prepared() -> tuple[tuple[Any, ...], dict[str, Any]]:
            return (setup(),) if setup else (), {}

        result = self._benchmark.pedantic(thing, setup=prepared, rounds=rounds, iterations=1)
        rate = amount / self._benchmark.stats.stats.median
        self._benchmark.extra_info["rate"] = f"{rate:,.1f} {unit}/s"
        return result


@pytest.fixture
def stopwatch(benchmark: Any) -> Stopwatch:
    return Stopwatch(benchmark)


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """64 MiB that don't compress."""
    path = tmp_path / "large"
    block = bytes(range(256)) * 4096
    with path.open("wb") as file:
        for _ in range(64):
            file.write(block)
    return path


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print rates side by side: benchmarks of one group are compared."""
    session = getattr(terminalreporter.config, "_benchmarksession", None)
    for bench in session.benchmarks if session else ():
        rate = bench.extra_info.get("rate", "")
        rest = " ".join(f"{k}={v}" for k, v in bench.extra_info.items() if k != "rate")
        terminalreporter.write_line(f"{bench.group or '-':<12} {bench.name:<48} {rate:>20} {rest}")
