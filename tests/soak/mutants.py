"""One damage to the code of a room, in a copy of the tree: do that room's tests notice?"""

from collections import Counter
import os
from pathlib import Path
from random import Random
import shutil
import subprocess
import sys

from scripts.children import ROOT

from .mutate_code import damaged, sites

ROOMS = ("ledger", "footage", "inbox", "disclosure")
_COPIED = ("agency", "custom_components", "scripts", "tests")
_LINKED = (".tools", ".venv", "docs")
_PYTEST = ("-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:benchmark")
_PATIENCE = 150


def play(dice: Random, folder: Path) -> Counter[str]:
    """Damage one place; a survivor is named in the counts."""
    room = dice.choice(ROOMS)
    files = sorted((ROOT / "custom_components" / "doorstep" / room).glob("*.py"))
    places = [(file, n) for file in files for n in range(len(sites(file.read_text())))]
    file, number = dice.choice(places)
    name, source = file.relative_to(ROOT), file.read_text()
    site = sites(source)[number]
    copy = _copied(folder)
    (copy / name).write_text(damaged(source, number))
    if _notices(copy, room, file.stem):
        return Counter({f"{room}-killed": 1})
    return Counter({f"{room}-survived": 1, f"[{name}:{site.line} {site.what}]": 1})


def _copied(folder: Path) -> Path:
    copy = folder / "tree"
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "e2e", "frontend", "soak")
    for name in _COPIED:
        # the panel is part of the integration; its tests aren't part of any room
        shutil.copytree(ROOT / name, copy / name, ignore=None if name[0] == "c" else ignored)
    for name in _LINKED:
        (copy / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def _notices(copy: Path, room: str, module: str) -> bool:
    """The module's own tests first, since they are quick and mostly enough."""
    tests = copy / "tests" / room
    own = tests / f"test_{module}.py"
    return (own.exists() and not _passes(copy, own)) or not _passes(copy, tests)


def _passes(copy: Path, tests: Path) -> bool:
    command = [sys.executable, "-m", "pytest", *_PYTEST, str(tests)]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(copy)}
    try:
        done = subprocess.run(
            command, cwd=copy, env=env, capture_output=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
