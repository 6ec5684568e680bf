"""One browser for all tests of the panel, in its own thread: playwright wants a loop for itself."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
import shutil
import subprocess
import sys
from typing import Any, Final

from playwright.sync_api import (
    Error,
    Page,
    Playwright,
    Request,
    expect,
    sync_playwright,
)

from . import scenes
from .scenes import Document

ROOT: Final = Path(__file__).parent.parent.parent
PHONE: Final = (360, 780)
DESKTOP: Final = (1440, 900)
PATIENCE: Final = 5_000
FLAGS: Final = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # names lead nowhere; a test fails for having asked
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--autoplay-policy=no-user-gesture-required",
]


@dataclass(slots=True)
class Stage:
    """One page with the panel, and what it did."""

    page: Page
    base: str
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    leave: Callable[[], None] = field(default=lambda: None)

    def open(
        self,
        path: str = "/doorstep",
        *,
        snapshot: Document | None = None,
        answers: Document | None = None,
        clips: list[Document] | None = None,
    ) -> Page:
        """Load the panel at PATH, with what the back end says."""
        script = {
            "snapshot": scenes.snapshot() if snapshot is None else snapshot,
            "answers": scenes.answers() if answers is None else answers,
            "clips": clips or [],
        }
        # the one thing that a page leaves to the next
        self.page.evaluate("script => { window.name = JSON.stringify(script); }", script)
        self.page.goto(self.base + path, wait_until="commit")
        self.page.wait_for_function("window.house")
        return self.page

    def send(self, **changes: Any) -> None:
        """Send a new snapshot."""
        self.send_whole(scenes.snapshot(**changes))

    def send_whole(self, snapshot: Document) -> None:
        """Send SNAPSHOT."""
        self.page.evaluate("snapshot => house.send(snapshot)", snapshot)

    def calls(self, kind: str) -> list[Document]:
        """Return the calls of one command."""
        found: list[Document] = self.page.evaluate(
            "kind => house.calls.filter(({type}) => type === kind)", f"doorstep/{kind}"
        )
        return found

    def look(self, width: int, height: int, scheme: Any) -> None:
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme=scheme)


class Studio:
    """Server, browser and thread; everything playwright goes through `run`."""

    def __init__(self, media: Path) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="studio")
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.frontend.server", str(media)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._server.stdout is not None
        self.base = f"http://127.0.0.1:{self._server.stdout.readline().strip()}"
        self._playwright: Playwright = self.run(lambda: sync_playwright().start())
        self._page: Page = self.run(self._launch)

    def _launch(self) -> Page:
        expect.set_options(timeout=PATIENCE)
        names = ("chromium", "chromium-browser", "google-chrome")
        chromium = next(filter(None, map(shutil.which, names)))
        browser = self._playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(service_workers="block")
        page.set_default_timeout(PATIENCE)
        return page

    def run[T](self, work: Callable[[], T]) -> T:
        """Run WORK in playwright's thread."""
        return self._thread.submit(work).result()

    def stage(self) -> Stage:
        """Clear the page for the next test; whom it asks and what fails in it is written down."""
        page = self._page
        stage = Stage(page, self.base)

        def failed(error: Error) -> None:
            stage.errors.append(str(error))

        def asked(request: Request) -> None:
            if not request.url.startswith((self.base, "data:")):
                stage.foreign.append(request.url)

        page.on("pageerror", failed)
        page.on("request", asked)
        stage.leave = lambda: self._clear(failed, asked)
        page.goto(f"{self.base}/media/clip.jpg")
        stage.look(*DESKTOP, "light")
        return stage

    def _clear(self, *listeners: Callable[..., None]) -> None:
        for event, listener in zip(("pageerror", "request"), listeners, strict=True):
            self._page.remove_listener(event, listener)
        self._page.unroute_all()
        self._page.emulate_media(reduced_motion="null")

    def close(self) -> None:
        self.run(self._page.close)
        self.run(self._playwright.stop)
        self._thread.shutdown()
        self._server.terminate()
        self._server.wait()
        if self._server.stdout:
            self._server.stdout.close()
