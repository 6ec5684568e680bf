"""A desk to work at: an agency's folder, made by the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agency.__main__ import main

INIT = ("--name", "Example Police", "--jurisdiction-around", "52.37,4.89,5000")
ASK = (
    *("--around", "52.3731,4.8922,200", "--last", "30m", "--case", "24-118"),
    *("--incident", "theft", "--summary", "A bicycle was taken.", "--officer", "A. Jansen"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An agency that has published its statement."""
    folder = tmp_path / "desk"
    assert main(["init", str(folder), *INIT]) == 0
    assert main(["statement", str(folder)]) == 0
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run the command line; returns exit code and all that was printed."""

    def run(*arguments: object) -> tuple[int, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run
