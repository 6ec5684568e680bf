"""Fixed seeds of each kind, played as `scripts/soak` plays them."""

import ast
import subprocess
import sys

import pytest

from scripts.children import ROOT

from .mutate_code import damaged, sites

SOURCE = """
def f(a: int = 1) -> bool:
    '''Say.'''
    if not a < 2:
        raise ValueError(a)
    return a == 3 or True
"""


@pytest.mark.parametrize(
    ("kind", "seed", "rounds"),
    [
        ("kills", 1, 4),
        ("recordings", 1120, 6),
        ("cuts", 1, 8),
        ("fuzz", 1, 3),
        ("transactions", 1012, 6),
        ("recorder", 2, 1),
        ("disk", 1, 6),
        ("flapping", 2, 1),
    ],
)
def test_rounds(kind: str, seed: int, rounds: int) -> None:
    asked = ["--kind", kind, "--seed", str(seed), "--rounds", str(rounds)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", *asked], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    assert f"{kind}: {rounds} rounds" in done.stdout.decode()


def test_mutants_differ_from_their_source_in_one_place() -> None:
    found = sites(SOURCE)
    assert [(site.line, site.what) for site in found] == [
        (4, "2 to 3"),
        (4, "Lt to LtE"),
        (4, "not left out"),
        (5, "raise left out"),
        (6, "3 to 4"),
        (6, "Eq to NotEq"),
        (6, "True to False"),
        (6, "Or to And"),
        (6, "return None"),
    ]
    made = [damaged(SOURCE, number) for number in range(len(found))]
    assert len({*made, ast.unparse(ast.parse(SOURCE))}) == len(found) + 1
