"""A ring, a clip, a request, a decision, a delivered package, seen by a person in a browser."""

from datetime import UTC, datetime, timedelta

import pytest

from ..simulators.phone import PhoneSimulator, Push
from ..simulators.waiting import until
from . import evidence
from .browser import Screen, browser
from .household import OWNER, PASSWORD, Household

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

# All that the agency's server is asked for besides the receipt: a "no" adds nothing to it.
READ = {
    "/feed.json",
    "/2026/checkpoint",
    "/2026/tile/entries/000.p/2",
    "/2026/details/000.p/2",
    "/2026/tile/entries/000.p/3",
    "/2026/details/000.p/3",
}


async def test_whole_story(house: Household) -> None:
    async with PhoneSimulator(house.home.url) as phone, browser(house.home.url) as screen:
        await phone.register(str(house.home.token))
        await house.ring()
        await screen.log_in(OWNER, PASSWORD)
        clip = await house.sealed_clip()
        await plays_in_the_media_browser(screen, day=clip.parent.name)

        house.agency.publish_statement()
        now = datetime.now(UTC)
        window = (now - timedelta(minutes=30), now - timedelta(seconds=10))
        request = house.agency.ask(window=window)
        await house.follow_feed()
        await confirm_agency(screen)
        await phone.wait_for_push(asks)
        assert house.agency.receiver.requests() == []

        await approve(screen)
        await until(lambda: house.agency.packages() or house.agency.refused, patience=30)
        assert house.agency.refused == {}
        [package] = house.agency.packages()
        assert evidence.check(package, house.agency, request, house.library) > 0
        await screen.page.locator("[data-testid=release-state][data-state=acknowledged]").wait_for()
        await screen.pictures("6-acknowledged")

        await decline_by_phone(house, phone)
        await verify_ledger(screen)
        assert not any("24-118" in str(push.raw) for push in phone.pushes)
        assert len(house.agency.packages()) == 1
        assert set(house.agency.web.paths) == {*READ, f"/receipts/{package.sha256}.jws"}


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
    await screen.page.get_by_test_id("inbox-item").wait_for()
    await screen.pictures("2-inbox")
    await screen.page.get_by_test_id("confirm-agency").click()


async def approve(screen: Screen) -> None:
    page = screen.page
    await page.get_by_test_id("inbox-item").click()
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


async def decline_by_phone(house: Household, phone: PhoneSimulator) -> None:
    sent = house.agency.receiver.requests()
    phone.pushes.clear()
    house.agency.ask()
    await house.read_feeds()
    push = await phone.wait_for_push(asks)
    await phone.tap(push, push.action("Decline"))
    await house.shows(lambda told: "declined" in [asked["state"] for asked in told["requests"]])
    assert house.agency.receiver.requests() == sent


async def verify_ledger(screen: Screen) -> None:
    await screen.open("/doorstep/ledger")
    await screen.page.get_by_test_id("ledger-verify").click()
    await screen.page.locator("[data-testid=ledger-result][data-ok=true]").wait_for()
    await screen.pictures("7-ledger")


def asks(push: Push) -> bool:
    return "footage request" in push.message
