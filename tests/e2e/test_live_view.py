"""Live view in a browser: HLS, WebRTC through Home Assistant's go2rtc, and their end by privacy."""

import asyncio
from http import HTTPStatus
import json
from pathlib import Path
from typing import Any, Final, Self

import aiohttp
from playwright.async_api import Locator
import pytest
from yarl import URL

from scripts.children import LOOPBACK, Child, HouseError, free_port, tool, wait_for_port
from scripts.house import HomeAssistant

from ..simulators.waiting import until
from .browser import PATIENCE, Screen, browser
from .household import CAMERA_PASSWORD, OWNER, PASSWORD, check_silence, household

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

CAMERA: Final = "camera.front_door"
PRIVACY: Final = "switch.front_door_privacy"
HLS: Final = "ha-hls-player video"
WEBRTC: Final = "ha-web-rtc-player video"
FRAMES: Final = "videos => videos.map(video => video.getVideoPlaybackQuality().totalVideoFrames)"
IS_WEBRTC: Final = "video => video.srcObject instanceof MediaStream"
PLAY: Final = "videos => videos.forEach(video => { video.muted = true; video.play(); })"
MORE_INFO: Final = """entityId => document.querySelector("home-assistant").dispatchEvent(
  new CustomEvent("hass-more-info", { detail: { entityId } }))"""
ESTABLISHED: Final = "01"


class Go2rtc:
    """The server that Home Assistant's go2rtc integration hands streams to."""

    def __init__(self, folder: Path) -> None:
        """Prepare to serve on free ports of this machine."""
        self.log = folder / "go2rtc.log"
        self._port = free_port()
        self.url = f"http://{LOOPBACK}:{self._port}/"
        settings = {
            "api": {"listen": f"{LOOPBACK}:{self._port}"},
            "rtsp": {"listen": f"{LOOPBACK}:{free_port()}"},
            "srtp": {"listen": ""},
            "webrtc": {
                "listen": f"{LOOPBACK}:{free_port()}",
                "ice_servers": [],
                "filters": {"loopback": True},
            },
        }
        file = folder / "go2rtc.json"
        file.write_text(json.dumps(settings))
        command = [tool("go2rtc"), "-config", str(file)]
        self._child = Child("Home Assistant's go2rtc", command, self.log)

    async def __aenter__(self) -> Self:
        """Start it."""
        await self._child.start()
        await wait_for_port(self._child, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop it."""
        await self._child.stop(patience=3)

    async def viewers(self) -> int:
        """Count who gets a stream of it."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}api/streams") as got:
            streams: dict[str, dict[str, Any]] = await got.json()
        return sum(len(stream["consumers"] or ()) for stream in streams.values())


async def test_live_view_until_it_is_private(tmp_path: Path) -> None:
    """What the browser asks of others than Home Assistant is a STUN server, over UDP.

    Home Assistant's frontend names it, not Doorstep; the guard in the browser hears of requests
    only, and there is none.
    """
    async with (
        Go2rtc(tmp_path) as server,
        household(tmp_path, yaml=f"go2rtc:\n  url: {server.url}\n") as house,
        browser(house.home.url) as screen,
    ):
        home, port = house.home, URL(house.doorbell.url).port or 0
        await screen.log_in(OWNER, PASSWORD)
        hls = await in_the_media_browser(screen, home)
        webrtc = await in_the_dialog(screen, home)
        assert not await stands_still(hls)
        assert await server.viewers() > 0
        assert connections(port) > 0
        check_silence(home.config / "console.log", CAMERA_PASSWORD)
        stream = await home.command("camera/stream", entity_id=CAMERA)
        assert await status(home.url + stream["url"]) == HTTPStatus.OK

        await switch(home, "turn_on")
        await until(lambda: connections(port) == 0, patience=5)
        assert await status(home.url + stream["url"]) == HTTPStatus.NOT_FOUND
        await refuses(home)
        # go2rtc lets a session go on, but has nothing to send any more
        await runs_dry(webrtc)
        await runs_dry(hls)
        assert connections(port) == 0

        await switch(home, "turn_off")
        await home.command("camera/stream", entity_id=CAMERA)
        assert CAMERA_PASSWORD not in server.log.read_text()


async def in_the_media_browser(screen: Screen, home: HomeAssistant) -> Locator:
    """Open the camera as a medium, in a tab of its own: without go2rtc that is HLS."""
    await enable_go2rtc(home, disabled_by="user")
    tab = Screen(await screen.page.context.new_page(), screen.base)
    await tab.open("/media-browser/browser")
    for title in ("Camera", "Front door"):
        await tab.page.locator("ha-media-player-browse").get_by_text(title, exact=True).last.click()
    return await plays(tab, HLS)


async def in_the_dialog(screen: Screen, home: HomeAssistant) -> Locator:
    """Open the camera's dialog: with go2rtc it prefers WebRTC."""
    await enable_go2rtc(home, disabled_by=None)
    await screen.page.evaluate(MORE_INFO, CAMERA)
    player = await plays(screen, WEBRTC)
    assert await player.evaluate(IS_WEBRTC)
    return player


async def enable_go2rtc(home: HomeAssistant, *, disabled_by: str | None) -> None:
    """Let Home Assistant use its go2rtc, or not."""
    [entry] = await home.command("config_entries/get", domain="go2rtc")
    await home.command(
        "config_entries/disable", entry_id=entry["entry_id"], disabled_by=disabled_by
    )


async def plays(screen: Screen, kind: str) -> Locator:
    """Wait until a player of this kind has shown a second of pictures."""
    player, shown = screen.page.locator(kind), [0]
    async with asyncio.timeout(PATIENCE / 1000):
        while max(shown, default=0) < 15:
            await player.evaluate_all(PLAY)
            await asyncio.sleep(0.1)
            shown = await player.evaluate_all(FRAMES)
    return player


async def stands_still(player: Locator) -> bool:
    """See whether a second brings no picture, or the player is gone."""
    shown = await player.evaluate_all(FRAMES)
    await asyncio.sleep(1)
    return await player.evaluate_all(FRAMES) in (shown, [])


async def runs_dry(player: Locator) -> None:
    """Wait until a player has shown what it had, and nothing came after it."""
    async with asyncio.timeout(12):
        while not await stands_still(player):
            pass


async def switch(home: HomeAssistant, service: str) -> None:
    """Turn privacy on or off."""
    await home.api("POST", f"/api/services/switch/{service}", {"entity_id": PRIVACY})


async def refuses(home: HomeAssistant) -> None:
    """See that nobody gets a new picture either; Home Assistant calls that an error in its log."""
    for ask in ({"kind": "camera/stream"}, {"kind": "camera/webrtc/offer", "offer": "v=0"}):
        with pytest.raises(HouseError, match="Camera is off"):
            await home.command(**ask, entity_id=CAMERA)
    with pytest.raises(HouseError, match="HTTP 503"):
        await home.api("GET", f"/api/camera_proxy/{CAMERA}")
    log = home.config / "console.log"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(line for line in lines if "Camera is off" not in line))


async def status(url: str) -> int:
    """Return what the URL answers with."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status


def connections(port: int) -> int:
    """Count the connections of this machine to PORT, whosever they are."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == ESTABLISHED for row in rows)
