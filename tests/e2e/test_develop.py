"""`scripts/develop` as a person uses it: start, press, ask, Ctrl-C, start again."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
import contextlib
import json
import os
from pathlib import Path
import sys

import pytest

from scripts.children import ROOT, free_port

pytestmark = pytest.mark.e2e


async def start(folder: Path, *arguments: str, wait: bool = True) -> tuple[Process, str]:
    """Run scripts/develop in FOLDER; returns when it ends, or with WAIT False when it runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scripts.develop", *arguments),
        cwd=ROOT,
        env={**os.environ, "DEVELOP_FOLDER": str(folder)},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
    )
    assert process.stdout is not None
    said = b""
    async with asyncio.timeout(60):
        while b"Ctrl-C ends everything." not in said or wait:
            line = await process.stdout.readline()
            if not line:
                break
            said += line
    return process, said.decode()


async def end(process: Process) -> None:
    process.send_signal(2)
    async with asyncio.timeout(30):
        assert await process.wait() == 0


def left_running(folder: Path) -> list[str]:
    """Return the command lines of processes that have to do with FOLDER."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has just ended
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in found if str(folder) in line]


async def test_develop(tmp_path: Path) -> None:
    folder, port = tmp_path / "develop", str(free_port())
    process, told = await start(folder, "--port", port, wait=False)
    assert "Doorstep runs after" in told, told
    assert f"http://localhost:{port}" in told
    for act in ("press", "motion", "ask"):
        helper, said = await start(folder, act)
        assert await helper.wait() == 0, said
    assert "Reloaded Doorstep" in said
    second, said = await start(folder, "--port", str(free_port()))
    assert await second.wait() == 1
    assert "it runs already" in said
    assert left_running(folder)
    await end(process)
    assert left_running(folder) == []
    chosen = json.loads((folder / "house.json").read_text())["numbers"]

    process, told = await start(folder, "--port", port, wait=False)
    assert "setting Doorstep up" not in told
    await end(process)
    assert json.loads((folder / "house.json").read_text())["numbers"] == chosen
    assert left_running(folder) == []
    stopped, said = await start(folder, "press")
    assert await stopped.wait() == 1
    assert "develop: " in said
