"""Print what Home Assistant components require, with those they depend on.

components.py <folder of the homeassistant package> <component>...
"""

import json
from pathlib import Path
import sys

from homeassistant.bootstrap import CORE_INTEGRATIONS, DEFAULT_INTEGRATIONS
from homeassistant.const import BASE_PLATFORMS


def requirements(package: Path, names: set[str]) -> set[str]:
    """Walk the manifests from the named components along their dependencies."""
    found: set[str] = set()
    todo, seen = set(names), set[str]()
    while todo:
        seen.add(name := todo.pop())
        manifest = json.loads((package / "components" / name / "manifest.json").read_text())
        found.update(manifest.get("requirements", []))
        todo |= set(manifest.get("dependencies", [])) - seen
    return found


if __name__ == "__main__":
    always = DEFAULT_INTEGRATIONS | CORE_INTEGRATIONS | set(BASE_PLATFORMS)
    wanted = always | set(sys.argv[2:])
    sys.stdout.writelines(f"{line}\n" for line in sorted(requirements(Path(sys.argv[1]), wanted)))
