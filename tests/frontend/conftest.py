"""A page of the panel for every test, and files for its players."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
import subprocess
from typing import TYPE_CHECKING, cast

import pytest

from scripts.children import tool

if TYPE_CHECKING:
    from .studio import Stage, Studio

# Only the environment of the newest Home Assistant has a browser.
collect_ignore_glob = [] if find_spec("playwright") else ["test_panel_*.py"]

# as the recorder writes them: one track a fragment
CLIP = (
    "-v error -f lavfi -i testsrc2=size=320x180:rate=15 -t 2 -c:v libx264 -preset ultrafast -g 8"
    " -pix_fmt yuv420p -movflags +empty_moov+default_base_moof+frag_keyframe+separate_moof"
    " -frag_duration 500000 -y"
)


@pytest.fixture(autouse=True)
def verify_cleanup() -> None:
    """Replace the harness's hunt for left-over threads: the browser's live for the session."""


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short clips and a picture."""
    folder = tmp_path_factory.mktemp("media")
    ffmpeg = tool("ffmpeg")
    subprocess.run([ffmpeg, *CLIP.split(), folder / "clip-0.mp4"], check=True)
    (folder / "clip-1.mp4").write_bytes((folder / "clip-0.mp4").read_bytes())
    still = f"-v error -i {folder}/clip-0.mp4 -frames:v 1 {folder}/clip.jpg"
    subprocess.run([ffmpeg, *still.split()], check=True)
    return folder


@pytest.fixture(scope="session")
def studio(media: Path) -> Iterator[Studio]:
    """The browser, shared by all tests."""
    from .studio import Studio  # noqa: PLC0415 - absent in the other environment

    studio = Studio(media)
    yield studio
    studio.close()


@pytest.fixture
def stage(studio: Studio) -> Iterator[Stage]:
    """A page of its own; at the end it must have asked nobody else and met no error."""
    stage = studio.run(studio.stage)
    yield stage
    studio.run(stage.leave)
    assert stage.foreign == []
    assert stage.errors == []


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run what uses a page in the thread that the page belongs to."""
    if "stage" not in pyfuncitem.fixturenames:
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    studio = cast("Studio", pyfuncitem.funcargs["studio"])
    studio.run(lambda: pyfuncitem.obj(**arguments))
    return True
