"""What several benchmarks read."""

from collections.abc import Callable, Mapping, Sequence
import math
import os
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


class Report:
    """Figures of one measurement, printed as tables when all benchmarks have run."""

    def __init__(self, benchmark: Any, lines: list[str], budgets: list[str]) -> None:
        self._benchmark = benchmark
        self._lines = lines
        self._budgets = budgets

    def once[T](self, measure: Callable[[], T]) -> T:
        """Run a measurement that repeats by itself what it measures."""
        result: T = self._benchmark.pedantic(measure, rounds=1, iterations=1)
        return result

    def table(self, title: str, rows: Mapping[str, Sequence[float]]) -> None:
        """Print times, one row each; kept with the benchmark's own results."""
        self._lines += ["", f"{title:<48}{'n':>6}{'p50':>10}{'p95':>10}{'p99':>10}{'most':>10}"]
        for name, times in rows.items():
            values = {"p50": at(times, 0.5), "p95": at(times, 0.95), "p99": at(times, 0.99)}
            values["most"] = max(times)
            figures = "".join(f"{value:>10.2f}" for value in values.values())
            self._lines.append(f"{name:<48}{len(times):>6}{figures}")
            self._benchmark.extra_info.setdefault("figures", {})[name] = values

    def line(self, text: str) -> None:
        """Print a line below."""
        self._lines.append(text)

    def budget(self, what: str, figure: float, unit: str, most: float | None = None) -> None:
        """Print a figure in the table at the end, beside the most it may be and the load."""
        over = "" if most is None else "over" if figure > most else "OK"
        allowed = "" if most is None else f"{most:,.4g}"
        load = os.getloadavg()[0]
        row = f"{what:<72}{figure:>10,.4g} {unit:<10}{allowed:>8}  {over:<6}{load:>5.1f}"
        self._budgets.append(row)
        self._benchmark.extra_info.setdefault("figures", {})[what] = figure


def at(times: Sequence[float], share: float) -> float:
    """Return the smallest time that this share of all does not exceed."""
    return sorted(times)[max(0, math.ceil(share * len(times)) - 1)]


_LINES = pytest.StashKey[list[str]]()
_BUDGETS = pytest.StashKey[list[str]]()


@pytest.fixture
def report(benchmark: Any, pytestconfig: pytest.Config) -> Report:
    stash = pytestconfig.stash
    return Report(benchmark, stash.setdefault(_LINES, []), stash.setdefault(_BUDGETS, []))


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
        rest = " ".join(
            f"{k}={v}" for k, v in bench.extra_info.items() if k not in {"rate", "figures"}
        )
        terminalreporter.write_line(f"{bench.group or '-':<12} {bench.name:<48} {rate:>20} {rest}")
    stash = terminalreporter.config.stash
    for line in stash.get(_LINES, []):
        terminalreporter.write_line(line)
    if budgets := stash.get(_BUDGETS, []):
        terminalreporter.write_line("")
        terminalreporter.write_line(
            f"{'':<72}{'figure':>10} {'':<10}{'budget':>8}{'':<8}{'load':>5}"
        )
    for row in budgets:
        terminalreporter.write_line(row)
