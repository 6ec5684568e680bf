"""A person at a screen: headless Chromium that may talk to this machine only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import shutil
from typing import Final

from playwright.async_api import Error, Page, Route, async_playwright
from yarl import URL

from scripts.children import LOOPBACK, ROOT, HouseError

ARTIFACTS: Final = ROOT / "artifacts"
PATIENCE: Final = 20_000
DESKTOP: Final = (1280, 800)
PHONE: Final = (390, 844)
NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
PLAYS: Final = """video => {
  video.muted = true;
  if (video.paused) video.play().catch(() => {});
  return video.currentTime > 0.5 && !video.error;
}"""
ENDS: Final = """video => {
  video.muted = true;
  video.playbackRate = 16;
  if (video.paused && !video.ended) video.play().catch(() => {});
  return video.ended && !video.error;
}"""
FLAGS: Final = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
]


@dataclass
class Screen:
    """One browser page, and what it did that it should not have done."""

    page: Page
    base: str
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def hear(self, error: Error) -> None:
        """Remember an exception nobody caught, if it is ours: Home Assistant has its own."""
        if "doorstep" in (error.stack or ""):
            self.errors.append(f"{error.message}\n{error.stack}")

    async def log_in(self, user: str, password: str) -> None:
        """Log in through Home Assistant's own form."""
        await self.page.goto(self.base)
        await self.page.locator("input[name=username]").fill(user)
        await self.page.locator("input[name=password]").fill(password)
        await self.page.keyboard.press("Enter")
        await self.page.wait_for_url("**/home/**")

    async def open(self, path: str) -> None:
        """Go to a page of Home Assistant."""
        await self.page.goto(self.base + path)

    async def pictures(self, name: str) -> None:
        """Keep screenshots for phone and desktop, light and dark."""
        for device, (width, height) in (("phone", PHONE), ("desktop", DESKTOP)):
            await self.page.set_viewport_size({"width": width, "height": height})
            for scheme in ("dark", "light"):
                await self.page.emulate_media(color_scheme=scheme)
                await self.page.wait_for_timeout(150)
                file = ARTIFACTS / f"{name}-{device}-{scheme}.png"
                await self.page.screenshot(path=file)

    async def video_plays(self) -> None:
        """See that the first video's time advances, without an error."""
        video = self.page.locator("video").first
        await video.wait_for()
        await self.page.wait_for_function(PLAYS, arg=await video.element_handle())

    async def watch_all(self, selector: str) -> None:
        """Watch every such video from beginning to end, sixteen times as fast."""
        await self.page.locator(selector).first.wait_for()
        for video in await self.page.locator(selector).all():
            await self.page.wait_for_function(ENDS, arg=await video.element_handle())


@asynccontextmanager
async def browser(base: str) -> AsyncIterator[Screen]:
    """Open a browser at BASE; at the end nothing may have asked any other host."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=_chromium(), args=FLAGS)
        context = await chromium.new_context(
            viewport={"width": DESKTOP[0], "height": DESKTOP[1]},
            service_workers="block",
            timezone_id="Europe/Amsterdam",
        )
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()
        screen = Screen(page, base)
        page.on("pageerror", screen.hear)

        async def guard(route: Route) -> None:
            if URL(route.request.url).host == LOOPBACK:
                await route.continue_()
            else:
                screen.foreign.append(route.request.url)
                await route.abort()

        await context.route("**/*", guard)
        try:
            yield screen
        except BaseException:
            await page.screenshot(path=ARTIFACTS / "failure.png")
            raise
        finally:
            await chromium.close()
    assert not screen.foreign, screen.foreign
    assert not screen.errors, screen.errors


def _chromium() -> str:
    for name in NAMES:
        if found := shutil.which(name):
            return found
    message = f"none of {NAMES} is installed: run scripts/setup"
    raise HouseError(message)
