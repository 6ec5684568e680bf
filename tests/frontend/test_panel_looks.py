"""Every view on a phone and on a desk, dark and light: nothing overflows, nothing is unnamed."""

from typing import Final

from playwright.sync_api import Page
import pytest

from . import clip_scenes, scenes
from .scenes import HANDLE, Document
from .studio import DESKTOP, PHONE, ROOT, Stage

REQUEST: Final = f"/doorstep/request/{HANDLE}"
CLIPS: Final = "/doorstep/clips"
UNCONFIRMED: Final[Document] = {
    "requests": [
        scenes.summary(
            state="quarantined", agency={**scenes.summary()["agency"], "confirmed": False}
        )
    ],
    "agencies": [scenes.agency(state="unconfirmed")],
}
VIEWS: Final[dict[str, tuple[str, Document]]] = {
    "inbox": ("/doorstep", scenes.busy()),
    "inbox-empty": ("/doorstep", scenes.snapshot(requests=[], agencies=[])),
    "inbox-no-feed": (
        "/doorstep",
        scenes.snapshot(requests=[], agencies=[], feeds=[], doorbells=[]),
    ),
    "not-approver": ("/doorstep", {"approver": False, "counts": {"open": 2, "waiting": 2}}),
    "request": (REQUEST, scenes.snapshot()),
    "request-quarantined": (REQUEST, scenes.snapshot(**UNCONFIRMED)),
    "request-declined": (REQUEST, scenes.snapshot(requests=[scenes.summary(state="declined")])),
    "decision": (f"{REQUEST}/decision", scenes.snapshot()),
    "decision-confirm": (f"{REQUEST}?confirm=1", scenes.snapshot()),
    "decision-granted": (f"{REQUEST}/decision", scenes.snapshot(releases=[scenes.release()])),
    "ledger": ("/doorstep/ledger", scenes.snapshot()),
    "clips": (CLIPS, clip_scenes.snapshot()),
    "clips-open": (f"{CLIPS}?clip={clip_scenes.clips()[1]['id']}", clip_scenes.snapshot()),
    "clips-pictures": (f"{CLIPS}?clip={clip_scenes.clips()[0]['id']}", clip_scenes.other()),
    "clips-full": (f"{CLIPS}?clip=unknown", clip_scenes.snapshot(storage=clip_scenes.crowded())),
}
PICTURES: Final = {("phone", "dark"), ("desktop", "light")}


@pytest.mark.parametrize("view", VIEWS)
def test_fits_and_shows(stage: Stage, view: str) -> None:
    path, snapshot = VIEWS[view]
    page = stage.open(path, snapshot=snapshot, clips=clip_scenes.clips())
    page.locator("main :is(h1, dialog)").last.wait_for()
    page.locator(".spinner").wait_for(state="detached")
    page.wait_for_function("checks.ready()")
    fits(page, stage, view)


def fits(page: Page, stage: Stage, view: str) -> None:
    """See that the page is well in every size and colour."""
    for device, (width, height) in (("phone", PHONE), ("desktop", DESKTOP)):
        for scheme in ("dark", "light"):
            stage.look(width, height, scheme)
            assert page.evaluate("checks.pale()") == []
            if (device, scheme) in PICTURES:
                picture(page, f"{view}-{device}-{scheme}")
        assert page.evaluate("innerWidth") == width
        assert page.evaluate("checks.wider()") == []
    assert page.evaluate("checks.nameless()") == []
    assert page.evaluate("[...house.missing]") == []


@pytest.mark.parametrize("what", ["clips-asked", "clips-deleted", "clips-export"])
def test_what_is_done_with_clips_fits(stage: Stage, what: str) -> None:
    page = stage.open(CLIPS, snapshot=clip_scenes.snapshot(), clips=clip_scenes.clips())
    if what == "clips-export":
        page.get_by_test_id("export-open").click()
        page.get_by_test_id("export-start").click()
        page.evaluate("step => house.tell('clips/export', step)", clip_scenes.exported())
    else:
        page.get_by_test_id("bin").click()
        page.get_by_test_id("select").click()
        page.get_by_test_id("clip-pick").nth(0 if what == "clips-deleted" else 1).check()
        page.get_by_test_id("delete-selected").click()
    fits(page, stage, what)


def picture(page: Page, name: str) -> None:
    """Keep a screenshot for people to look at."""
    folder = ROOT / "artifacts" / "panel"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(
        path=folder / f"{name}.png", full_page="confirm" not in name and "asked" not in name
    )
