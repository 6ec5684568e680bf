"""A clip through its life, by a person in a browser, and by somebody who pulls the plug."""

import asyncio
import json
from pathlib import Path
import subprocess

import pytest

from scripts.children import tool

from ..simulators.waiting import until, until_told
from .browser import Screen, browser
from .household import OWNER, PASSWORD, Household

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


async def test_a_clips_life(house: Household, tmp_path: Path) -> None:
    async with browser(house.home.url) as screen:
        await house.ring()
        await screen.log_in(OWNER, PASSWORD)
        video = await house.sealed_clip()
        await screen.open("/doorstep/clips")
        await plays_with_its_own_length(screen, video)
        await keep(screen, video)
        await delete_and_think_better_of_it(screen, video)
        await take_a_film_away(screen, tmp_path / "film.mp4")
        await is_verified(screen, video)
        await screen.pictures("8-clips")
    await survives_a_power_cut(house, video)


async def plays_with_its_own_length(screen: Screen, video: Path) -> None:
    page = screen.page
    await page.get_by_test_id("clip").first.wait_for()
    picture = page.get_by_test_id("clip").first.locator("img")
    await picture.wait_for()
    await page.wait_for_function(
        "picture => picture.complete && picture.naturalWidth > 0",
        arg=await picture.element_handle(),
    )
    await page.get_by_test_id("clip").first.click()
    await screen.video_plays()
    shown = await page.locator("video").first.evaluate("video => video.duration")
    assert shown == pytest.approx(length(video), abs=0.2)


async def keep(screen: Screen, video: Path) -> None:
    kept = video.parents[3] / "config" / "doorstep" / "kept" / "clips"
    await screen.page.get_by_test_id("clip-keep").click()
    copy = await until(lambda: next(kept.rglob(video.name), None))
    assert copy.read_bytes() == video.read_bytes()


async def delete_and_think_better_of_it(screen: Screen, video: Path) -> None:
    page, lines = screen.page, video.with_suffix(".jsonl")
    await page.get_by_test_id("clip-delete").click()
    # it is kept, so Doorstep asks first
    await page.get_by_test_id("delete-anyway").click()
    await until(lambda: not lines.exists())
    await page.get_by_test_id("undo-delete").click()
    await until(lines.exists)
    await page.get_by_test_id("clip").first.wait_for()


async def take_a_film_away(screen: Screen, film: Path) -> None:
    page = screen.page
    await page.get_by_test_id("export-open").click()
    await page.get_by_test_id("export-start").click()
    result = page.get_by_test_id("export-result")
    async with page.expect_download() as download:
        await result.get_by_test_id("download").click()
    await (await download.value).save_as(film)
    assert length(film) > 20
    command = [tool("ffmpeg"), "-v", "error", "-i", str(film), "-f", "null", "-"]
    decoded = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True)
    assert decoded.stderr == b""


async def is_verified(screen: Screen, video: Path) -> None:
    page = screen.page
    result = page.get_by_test_id("verify-result")
    await page.get_by_test_id("verify-all").click()
    await result.locator(".good").wait_for()
    data = bytearray(video.read_bytes())
    data[len(data) // 2] ^= 1
    video.write_bytes(data)
    await page.get_by_test_id("verify-all").click()
    await result.get_by_text("A part of the video was changed.").wait_for()


async def survives_a_power_cut(house: Household, former: Path) -> None:
    """Whatever was on disk when Home Assistant was killed is a clip at the next start."""
    home = house.home
    target = {"entity_id": "button.front_door_record"}
    await home.api("POST", "/api/services/button/press", target)
    partial = await until(lambda: next(house.library.rglob("*.mp4.partial"), None))
    size = await until(lambda: size if (size := partial.stat().st_size) > 200_000 else None)
    await home.child.kill()
    await home.start()
    await home.wait_ready()
    video = partial.with_suffix("")
    await until(video.exists)
    assert video.stat().st_size >= size
    lines = video.with_suffix(".jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["end"] == "recovered"
    assert length(video) > 1
    listed = await until_told(lambda: clips(house))
    assert {clip["id"] for clip in listed} == {former.stem, video.stem}


async def clips(house: Household) -> list[dict[str, str]]:
    """What the panel would list, once it lists two."""
    told = await house.home.command("doorstep/clips/list")
    found: list[dict[str, str]] = told["clips"]
    return found if len(found) > 1 else []


def length(file: Path) -> float:
    """Seconds that an ordinary player shows."""
    command = [tool("ffprobe"), "-v", "error", "-of", "json", "-show_format", str(file)]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return float(told["format"]["duration"])
