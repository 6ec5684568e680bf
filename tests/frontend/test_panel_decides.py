"""The two answers, with the keyboard alone and by every way that leads to them."""

from typing import Any, Final

from playwright.sync_api import Page, expect
import pytest

from . import scenes
from .scenes import HANDLE, HEX, RELEASE
from .studio import Stage

REQUEST: Final = f"/doorstep/request/{HANDLE}"
DECISION: Final = f"{REQUEST}/decision"
FOCUSED: Final = "document.querySelector('doorstep-panel').shadowRoot.activeElement?.dataset.testid"
APPROVAL: Final = {
    "type": "doorstep/release/approve",
    "handle": HANDLE,
    "release": RELEASE,
    "digest": HEX,
}


def tab_to(page: Page, testid: str) -> None:
    """Press Tab until the part named TESTID has the focus."""
    for _ in range(40):
        if page.evaluate(FOCUSED) == testid:
            return
        page.keyboard.press("Tab")
    pytest.fail(f"the keyboard does not get to {testid}")


def heard(page: Page, text: str) -> None:
    """See that a screen reader is told TEXT."""
    expect(page.locator("[aria-live=polite]")).to_contain_text(text)


def test_approves_with_the_keyboard(stage: Stage) -> None:
    page = stage.open()
    page.get_by_test_id("inbox-item").wait_for()
    tab_to(page, "inbox-item")
    page.keyboard.press("Enter")
    page.get_by_test_id("review").wait_for()
    tab_to(page, "review")
    page.keyboard.press("Enter")
    page.get_by_test_id("skip-watching").wait_for()
    expect(page.get_by_test_id("approve")).to_be_disabled()
    tab_to(page, "skip-watching")
    page.keyboard.press("Space")
    tab_to(page, "approve")
    page.keyboard.press("Enter")
    page.get_by_test_id("approve-confirm").wait_for()
    tab_to(page, "approve-confirm")
    page.keyboard.press("Enter")
    heard(page, "Approved. You can take it back for 1 min.")
    assert stage.calls("release/approve") == [{**APPROVAL, "watched": False}]

    stage.send(releases=[scenes.release()])
    expect(page.get_by_test_id("release-state")).to_have_attribute("data-state", "granted")
    expect(page.get_by_role("timer")).to_contain_text("Sending begins in 5")
    tab_to(page, "undo")
    page.keyboard.press("Enter")
    heard(page, "Taken back. Nothing was sent.")
    stage.send(releases=[], requests=[scenes.summary(draft=None)])
    expect(page.get_by_test_id("approve")).to_be_disabled()
    assert stage.calls("release/undo") == [{"type": "doorstep/release/undo", "release": RELEASE}]
    expect(page.get_by_text("has changed since you looked")).to_have_count(0)


def test_declines_with_the_keyboard(stage: Stage) -> None:
    page = stage.open(REQUEST)
    page.get_by_test_id("decline").wait_for()
    tab_to(page, "decline")
    page.keyboard.press("Enter")
    heard(page, "Declined. Nothing was sent.")
    stage.send(requests=[scenes.summary(state="declined")])
    page.get_by_test_id("undo-decline").wait_for()
    tab_to(page, "undo-decline")
    page.keyboard.press("Enter")
    heard(page, "The request is open again.")
    stage.send()
    expect(page.get_by_test_id("decline")).to_be_visible()
    kinds = [call["type"] for call in page.evaluate("house.calls") if "decline" in call["type"]]
    assert kinds == ["doorstep/request/decline", "doorstep/request/undo_decline"]


def play(page: Page, index: int, *, until: float | None = None) -> None:
    video = page.get_by_test_id("review-video").nth(index)
    video.evaluate(
        """async (video, until) => {
          video.muted = true;
          video.playbackRate = 4;
          if (until) video.currentTime = until;
          await video.play();
          await new Promise((done) => { video.addEventListener('ended', done); });
        }""",
        until,
    )


def test_approve_waits_until_all_was_watched(stage: Stage) -> None:
    page = stage.open(DECISION)
    page.get_by_test_id("review-video").first.wait_for()
    play(page, 0, until=1.8)
    expect(page.get_by_text("0 of 2 files watched")).to_be_visible()
    play(page, 0)
    expect(page.get_by_text("1 of 2 files watched").first).to_be_visible()
    expect(page.get_by_test_id("approve")).to_be_disabled()
    play(page, 1)
    expect(page.get_by_test_id("skip-watching")).to_have_count(0)
    page.get_by_test_id("approve").click()
    page.get_by_test_id("approve-confirm").click()
    heard(page, "Approved.")
    assert stage.calls("release/approve") == [{**APPROVAL, "watched": True}]


def test_notification_leads_to_the_final_confirmation(stage: Stage) -> None:
    page = stage.open(f"{REQUEST}?confirm=1")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(scenes.SENTENCE)
    expect(dialog).to_contain_text("tus.police.example.gov")
    assert page.evaluate(FOCUSED) is None
    expect(page.get_by_test_id("approve-confirm")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert page.url.endswith(DECISION)
    page.get_by_test_id("skip-watching").check()
    page.get_by_test_id("approve").click()
    page.get_by_test_id("approve-confirm").click()
    heard(page, "Approved.")
    assert len(stage.calls("release/approve")) == 1


def test_two_fast_clicks_are_one_approval(stage: Stage) -> None:
    page = stage.open(f"{REQUEST}?confirm=1")
    page.get_by_test_id("skip-watching").check()
    page.get_by_test_id("approve-confirm").evaluate("button => { button.click(); button.click(); }")
    heard(page, "Approved.")
    assert len(stage.calls("release/approve")) == 1


def refuse_then_change(page: Page, **changes: Any) -> None:
    page.evaluate(
        "answers => Object.assign(house.answers, answers)",
        {
            "release/approve": {"error": {"code": "x", "message": "The release has changed."}},
            "release/draft": scenes.draft(**changes),
        },
    )


def test_changed_release_is_shown_again(stage: Stage) -> None:
    page = stage.open(DECISION)
    page.get_by_test_id("skip-watching").check()
    page.get_by_test_id("approve").click()
    refuse_then_change(page, digest="00" * 32, release="another", sentence="Now it is 3 clips.")
    page.get_by_test_id("approve-confirm").click()
    expect(page.get_by_role("alert")).to_contain_text("The release has changed.")
    expect(page.get_by_text("has changed since you looked")).to_be_visible()
    expect(page.get_by_text("Now it is 3 clips.")).to_be_visible()
    expect(page.get_by_test_id("approve")).to_be_disabled()
    expect(page.get_by_test_id("skip-watching")).not_to_be_checked()


def test_draft_dropped_at_home_is_asked_for_again(stage: Stage) -> None:
    page = stage.open(f"{REQUEST}?confirm=1")
    page.get_by_role("dialog").wait_for()
    refuse_then_change(page, digest="00" * 32, release="another", sentence="Now it is 3 clips.")
    # as the home does after each draft
    stage.send(requests=[scenes.summary()])
    stage.send(requests=[scenes.summary(draft="another")])
    expect(page.get_by_text("Now it is 3 clips.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("state", ["withdrawn", "quarantined"])
def test_closes_when_the_request_does(stage: Stage, state: str) -> None:
    page = stage.open(f"{REQUEST}?confirm=1")
    page.get_by_test_id("approve-confirm").wait_for()
    stage.send(requests=[scenes.summary(state=state)])
    expect(page.get_by_text("There is nothing to decide here now")).to_be_visible()
    expect(page.get_by_test_id("approve-confirm")).to_have_count(0)


def test_confirms_an_agency(stage: Stage) -> None:
    unknown = scenes.agency(state="unconfirmed")
    page = stage.open(snapshot=scenes.snapshot(agencies=[unknown]))
    page.get_by_test_id("check-agency").click()
    expect(page.get_by_text("police.example.gov lists the keys of this agency.")).to_be_visible()
    page.get_by_test_id("confirm-agency").click()
    heard(page, "Agency confirmed.")
    assert stage.calls("agency/check") == [
        {"type": "doorstep/agency/check", "agency": scenes.AGENCY}
    ]
    assert stage.calls("agency/confirm") == [
        {"type": "doorstep/agency/confirm", "agency": scenes.AGENCY, "statement_sha256": HEX}
    ]
    stage.send()
    expect(page.get_by_test_id("confirm-agency")).to_have_count(0)


def test_refused_draft_says_why(stage: Stage) -> None:
    error = {"error": {"code": "home_assistant_error", "message": "The feed is out of date."}}
    page = stage.open(DECISION, answers=scenes.answers(**{"release/draft": error}))
    expect(page.get_by_role("alert")).to_contain_text("The feed is out of date.")
    expect(page.get_by_test_id("approve")).to_have_count(0)
