"""A ring, a clip, a request, a decision, a delivered package, seen by a person in a browser."""

import asyncio
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from yarl import URL

from ..simulators.phone import PhoneSimulator
from ..simulators.waiting import until
from . import evidence
from .browser import Screen, browser
from .household import OWNER, PASSWORD, Household

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

# All that the agency's server is asked for besides the receipt: a "no" adds nothing to it.
READ = {
    "/feed.json",
    "/2026/checkpoint",
    "/2026/tile/entries/000.p/3",
    "/2026/details/000.p/3",
}
CASES = ("24-118", "24-120")


async def test_whole_story(house: Household) -> None:
    async with PhoneSimulator(house.home.url) as phone, browser(house.home.url) as screen:
        await phone.register(str(house.home.token))
        await house.ring()
        await plays_live(house)
        await screen.log_in(OWNER, PASSWORD)
        clip = await house.sealed_clip()
        await plays_in_the_media_browser(screen, day=await house.listed_day(clip))

        house.agency.publish_statement()
        now = datetime.now(UTC)
        window = (now - timedelta(minutes=30), now - timedelta(seconds=10))
        first, _ = [
            house.agency.ask({"properties": {"case_id": case}}, window=window) for case in CASES
        ]
        await house.follow_feed()
        await confirm_agency(screen)
        await decline_by_phone(house, phone, CASES[1])
        assert house.agency.receiver.requests() == []

        await approve(screen, CASES[0])
        await until(lambda: house.agency.packages() or house.agency.refused, patience=30)
        assert house.agency.refused == {}
        [package] = house.agency.packages()
        assert evidence.check(package, house.agency, first, house.library) > 0
        await screen.page.locator("[data-testid=release-state][data-state=acknowledged]").wait_for()
        await screen.pictures("6-acknowledged")

        await verify_ledger(screen)
        assert len(house.agency.receiver.uploads()) == 1
        assert set(house.agency.web.paths) == {*READ, f"/receipts/{package.sha256}.jws"}


async def plays_live(house: Household) -> None:
    """Open the camera's HLS as the dashboard does, down to a segment with pictures in it."""
    stream = await house.home.command("camera/stream", entity_id="camera.front_door")
    master = URL(house.home.url + stream["url"])
    async with asyncio.timeout(40), aiohttp.ClientSession() as session:
        segment = None
        while segment is None:
            async with session.get(master.with_name("playlist.m3u8")) as answer:
                lines = (await answer.text()).splitlines() if answer.ok else []
            segment = next((line for line in lines if line.endswith(".m4s")), None)
            await asyncio.sleep(0.1)
        async with session.get(master.join(URL(segment))) as answer:
            assert b"moof" in await answer.read()


async def plays_in_the_media_browser(screen: Screen, day: str) -> None:
    await screen.open("/media-browser/browser")
    library = screen.page.locator("ha-media-player-browse")
    for title in ("Doorstep", "Front door", day):
        await library.get_by_text(title, exact=True).last.click()
    await library.get_by_text(" ring (").last.click()
    await screen.video_plays()
    await screen.pictures("1-clip")


async def confirm_agency(screen: Screen) -> None:
    await screen.open("/doorstep")
    await screen.page.get_by_test_id("inbox-item").first.wait_for()
    await screen.pictures("2-inbox")
    await screen.page.get_by_test_id("confirm-agency").click()


async def approve(screen: Screen, case: str) -> None:
    page = screen.page
    await page.get_by_test_id("inbox-item").filter(has_text=case).click()
    await page.get_by_test_id("review").wait_for()
    await screen.pictures("3-request")
    await page.get_by_test_id("review").click()
    await screen.watch_all("[data-testid=review-video]")
    await screen.pictures("4-decision")
    await page.get_by_test_id("approve").click()
    await page.get_by_test_id("approve-confirm").wait_for()
    await screen.pictures("5-confirmation")
    await page.get_by_test_id("approve-confirm").click()
    await page.get_by_test_id("undo").wait_for()


async def decline_by_phone(house: Household, phone: PhoneSimulator, case: str) -> None:
    told = await house.shows(lambda told: told["counts"]["open"] == len(CASES))
    [handle] = [asked["handle"] for asked in told["requests"] if asked["case_id"] == case]
    push = await phone.wait_for_push(lambda push: str(push.data.get("url")).endswith(handle))
    assert not any(word in str(push.raw) for word in (*CASES, "police", "Police"))
    await phone.tap(push, push.action("Decline"))
    await house.shows(lambda told: told["counts"]["open"] == 1)


async def verify_ledger(screen: Screen) -> None:
    await screen.open("/doorstep/ledger")
    await screen.page.get_by_test_id("ledger-verify").click()
    await screen.page.locator("[data-testid=ledger-result][data-ok=true]").wait_for()
    await screen.pictures("7-ledger")
