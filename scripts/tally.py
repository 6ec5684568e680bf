"""Add up what several pytest runs found: one closing line for the whole.

tally.py <folder of JUnit XML files>
"""

from pathlib import Path
import sys
from xml.etree import ElementTree as ET


def main(folder: Path) -> int:
    """Print the sum; fail when a test failed or there were none."""
    suites = [
        suite
        for file in sorted(folder.glob("*.xml"))
        for suite in ET.parse(file).iter("testsuite")  # noqa: S314 - ours
    ]

    def total(*names: str) -> int:
        return sum(int(suite.get(name, "0")) for suite in suites for name in names)

    failed, skipped = total("failures", "errors"), total("skipped")
    passed = total("tests") - failed - skipped
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
