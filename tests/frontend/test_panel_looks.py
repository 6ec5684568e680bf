"""Every view on a phone and on a desk, dark and light: nothing overflows, nothing is unnamed."""

from typing import Any, Final

import pytest

from . import scenes
from .scenes import HANDLE, Document
from .studio import DESKTOP, PHONE, ROOT, Stage

REQUEST: Final = f"/doorstep/request/{HANDLE}"
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
}
PICTURES: Final = {("phone", "dark"), ("desktop", "light")}


@pytest.mark.parametrize("view", VIEWS)
def test_fits_and_shows(stage: Stage, view: str) -> None:
    path, snapshot = VIEWS[view]
    page = stage.open(path, snapshot=snapshot)
    page.locator("main :is(h1, dialog)").last.wait_for()
    page.wait_for_function("checks.ready()")
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


def picture(page: Any, name: str) -> None:
    """Keep a screenshot for people to look at."""
    folder = ROOT / "artifacts" / "panel"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page="confirm" not in name)
