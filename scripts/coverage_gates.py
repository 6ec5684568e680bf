"""Hold each room to its own share of covered lines and branches.

The shares stand in pyproject.toml, [tool.doorstep.coverage].

coverage_gates.py <what `coverage json` wrote>
"""

import json
from pathlib import Path
import sys
import tomllib
from typing import Any


def main(report: Path) -> int:
    """Print every gate and whether it holds; fail when an enforced one does not."""
    settings = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["doorstep"]["coverage"]
    files: dict[str, Any] = json.loads(report.read_text())["files"]
    broken = False
    for prefix, wanted in settings["gates"].items():
        measured = _share([file for path, file in files.items() if path.startswith(prefix)])
        holds = measured >= wanted
        broken |= not holds
        verdict = "" if holds else " MISSED"
        print(f"coverage {prefix or 'all'}: {measured:.2f} %, wanted {wanted} %{verdict}")
    if broken and not settings["enforced"]:
        print("coverage gates are not enforced yet")
    return 1 if broken and settings["enforced"] else 0


def _share(files: list[Any]) -> float:
    """Lines and branches covered, in per cent; all of nothing is 100."""
    sums = [file["summary"] for file in files]
    covered = sum(s["covered_lines"] + s["covered_branches"] for s in sums)
    there = sum(s["num_statements"] + s["num_branches"] for s in sums)
    return 100 * covered / there if there else 100.0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
