"""What an agency or a feed writes stays text, and nobody outside is asked for anything."""

import json
from typing import Any, Final

from playwright.sync_api import Page, expect
import pytest

from . import scenes
from .scenes import HANDLE
from .studio import Stage

REQUEST: Final = f"/doorstep/request/{HANDLE}"
ROOT: Final = "document.querySelector('doorstep-panel').shadowRoot"
EVIL: Final = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>'\"&{name}"
# What the back end itself makes, or the household: never an agency's text.
OURS: Final = {
    "approver",
    "counts",
    "handle",
    "state",
    "start",
    "end",
    "expires_at",
    "received_at",
    "at",
    "id",
    "release",
    "digest",
    "video",
    "thumbnail",
    "type",
    "coordinates",
    "granted_at",
    "send_at",
    "read_at",
    "acknowledged_at",
    "confirmed",
    "clip",
    "latitude",
    "longitude",
}


def poisoned(value: Any, key: str = "") -> Any:
    """Put EVIL into every text that is not ours."""
    if isinstance(value, dict):
        return {name: poisoned(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [poisoned(inner, key) for inner in value]
    return EVIL if isinstance(value, str) and key not in OURS else value


def shown(page: Page) -> str:
    text: str = page.evaluate(f"{ROOT}.textContent")
    return text


@pytest.mark.parametrize(
    "path",
    ["/doorstep", REQUEST, f"{REQUEST}/decision", f"{REQUEST}?confirm=1", "/doorstep/ledger"],
)
def test_agency_text_stays_text(stage: Stage, path: str) -> None:
    agencies = [scenes.agency(), scenes.agency(id="new", state="unconfirmed")]
    page = stage.open(
        path,
        snapshot=poisoned(scenes.snapshot(agencies=agencies)),
        answers=poisoned(scenes.answers()),
    )
    for releases in ([], [scenes.release(reason="x")]):
        stage.send(**poisoned({"agencies": agencies, "releases": releases}))
        page.locator("main h1").wait_for()
        expect(page.locator("doorstep-panel main")).to_contain_text("<img src=x onerror")
        assert page.evaluate(f"{ROOT}.querySelectorAll('img, script, iframe, object').length") == 0
        links = page.evaluate(f"[...{ROOT}.querySelectorAll('a')].map((a) => a.pathname)")
        assert all(link.startswith("/doorstep") for link in links)
        assert page.evaluate("window.hacked") is None


def test_nothing_is_cut_away_from_the_case(stage: Stage) -> None:
    long = "word " * 700 + "end of it"
    details = {**scenes.request()["details"], "summary": long}
    page = stage.open(REQUEST, answers=scenes.answers(request=scenes.request(details=details)))
    page.get_by_text("Show all of it").click()
    expect(page.get_by_text("end of it")).to_be_visible()
    name = scenes.agency(name="A" * 5000)
    stage.send(agencies=[name])
    assert "A" * 161 not in shown(page)


def test_leaving_is_asked_first(stage: Stage) -> None:
    page = stage.open(REQUEST)
    page.get_by_text("More about this agency").click()
    assert page.locator("a[target=_blank]").count() == 0
    page.get_by_role("button", name="Open web site").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("oversight.example.gov")
    link = dialog.get_by_role("link", name="Open")
    expect(link).to_have_attribute("href", "https://oversight.example.gov/")
    expect(link).to_have_attribute("rel", "noopener noreferrer external")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)


def test_only_web_addresses_open(stage: Stage) -> None:
    page = stage.open(REQUEST)
    page.get_by_text("More about this agency").click()
    expect(page.get_by_role("button", name="Open web site")).to_have_count(3)
    for url in ("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//x", "no url"):
        board = {"name": "Board", "url": url}
        stage.send(agencies=[scenes.agency(policy_url=url, contact={}, oversight=board)])
        expect(page.get_by_text(url, exact=True)).to_have_count(2)
        expect(page.get_by_role("button", name="Open web site")).to_have_count(0)


def test_looking_changes_nothing(stage: Stage) -> None:
    page = stage.open(f"{REQUEST}?confirm=1")
    page.get_by_role("dialog").wait_for()
    kinds = {call["type"] for call in page.evaluate("house.calls")}
    assert kinds == {"doorstep/subscribe", "doorstep/release/draft", "auth/sign_path"}


def test_who_does_not_decide_sees_no_request(stage: Stage) -> None:
    snapshot = {"approver": False, "counts": {"open": 2, "waiting": 2}}
    for path in ("/doorstep", REQUEST, f"{REQUEST}?confirm=1", "/doorstep/ledger"):
        page = stage.open(path, snapshot=snapshot)
        expect(page.get_by_text("Only the person who set Doorstep up")).to_be_visible()
        assert [call["type"] for call in page.evaluate("house.calls")] == ["doorstep/subscribe"]
        assert page.locator("button:not(.tool)").count() == 0


def test_odd_outlines_draw_nothing_broken(stage: Stage) -> None:
    page = stage.open(REQUEST)
    one, two = scenes.square(48.21, 16.37, 0.001), scenes.square(48.22, 16.37, 0.001)
    for number, geometry in enumerate(
        (
            {"type": "MultiPolygon", "coordinates": [[one], [two]]},
            {"type": "Polygon", "coordinates": [scenes.square(48.21, 16.37, 0.01), one]},
            {"type": "Polygon", "coordinates": [scenes.square(0, 0, 0.001)]},
            {"type": "Polygon", "coordinates": []},
            {"type": "Point", "coordinates": [1, 2]},
            None,
        )
    ):
        answer = scenes.request(geometry=geometry)
        page.evaluate("answer => { house.answers.request = answer; }", answer)
        stage.send(requests=[scenes.summary(case_id=f"case {number}")])
        page.get_by_role("heading", name=f"case {number}").wait_for()
        page.wait_for_timeout(20)
        paths = page.evaluate(
            f"[...{ROOT}.querySelectorAll('.map path')].map((path) => path.outerHTML)"
        )
        assert not any("NaN" in path or "Infinity" in path for path in paths), json.dumps(geometry)
