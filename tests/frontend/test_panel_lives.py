"""Snapshots come at any time, connections go, links lead anywhere: what a person does goes on."""

from typing import Final

from playwright.sync_api import Page, expect

from . import scenes
from .scenes import HANDLE, Document
from .studio import Stage

REQUEST: Final = f"/doorstep/request/{HANDLE}"
DECISION: Final = f"{REQUEST}/decision"


def start(page: Page, testid: str) -> None:
    """Play a video slowly, and notice whatever restarts it."""
    page.get_by_test_id(testid).first.evaluate(
        """async (video) => {
          window.video = video;
          window.restarts = [];
          for (const kind of ['emptied', 'loadstart', 'pause', 'abort', 'seeking'])
            video.addEventListener(kind, () => window.restarts.push(kind));
          video.muted = true;
          video.playbackRate = 0.5;
          await video.play();
        }"""
    )


def test_snapshots_do_not_disturb_a_playing_video(stage: Stage) -> None:
    for path, testid in ((REQUEST, "clip-video"), (DECISION, "review-video")):
        page = stage.open(path)
        start(page, testid)
        changed: tuple[Document, ...] = (
            {"feeds": []},
            {"requests": [scenes.summary(stale=True)]},
            {"releases": [scenes.release(id="other", handle="other")]},
            {"doorbells": []},
            {"agencies": [scenes.agency(name="Renamed Police")]},
            {},
        )
        for changes in changed:
            stage.send(**changes)
            page.wait_for_timeout(40)
        assert page.evaluate("video.isConnected && !video.paused && restarts.length === 0")
        page.wait_for_function("video.currentTime > 0.1")


def test_what_was_begun_survives_snapshots(stage: Stage) -> None:
    page = stage.open(DECISION)
    page.get_by_test_id("skip-watching").check()
    page.get_by_test_id("skip-watching").focus()
    stage.send(feeds=[])
    expect(page.get_by_text("Run by")).to_have_count(0)
    expect(page.get_by_test_id("skip-watching")).to_be_checked()
    expect(page.get_by_test_id("skip-watching")).to_be_focused()
    page.get_by_test_id("approve").click()
    stage.send(requests=[scenes.summary(), scenes.summary(handle="new")])
    expect(page.get_by_role("dialog")).to_be_visible()
    assert len(stage.calls("release/draft")) == 1


def test_expired_signature_is_renewed_in_place(stage: Stage) -> None:
    page = stage.open(REQUEST)
    start(page, "clip-video")
    page.wait_for_function("video.currentTime > 0.2")
    page.route("**/media/clip-0.mp4?authSig=*", lambda route: route.fulfill(status=401), times=1)
    page.evaluate("video.src = video.src + '&late'")
    page.wait_for_function("video.readyState >= 2 && !video.src.endsWith('late')")


def test_unplayable_file_says_so(stage: Stage) -> None:
    page = stage.page
    page.route("**/media/clip-0.mp4*", lambda route: route.fulfill(body="no film"))
    stage.open(DECISION)
    expect(page.get_by_role("alert")).to_contain_text("This file cannot be played here.")
    page.unroute("**/media/clip-0.mp4*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_test_id("review-video")).to_have_count(2)


def test_back_and_forward_walk_the_views(stage: Stage) -> None:
    page = stage.open()
    page.get_by_test_id("inbox-item").click()
    expect(page.get_by_test_id("request-title")).to_be_focused()
    page.get_by_test_id("review").click()
    page.get_by_test_id("approve").wait_for()
    page.get_by_role("button", name="Back").click()
    page.get_by_test_id("review").wait_for()
    page.go_back()
    page.get_by_test_id("inbox-item").wait_for()
    page.go_forward()
    page.get_by_test_id("review").wait_for()
    page.get_by_role("button", name="Back").click()
    page.get_by_role("link", name="Ledger").click()
    page.get_by_test_id("ledger-verify").wait_for()


def test_back_from_a_deep_link_goes_up(stage: Stage) -> None:
    page = stage.open(DECISION)
    page.get_by_role("button", name="Back").click()
    page.get_by_test_id("review").wait_for()
    page.get_by_role("button", name="Back").click()
    page.get_by_test_id("inbox-item").wait_for()
    assert page.evaluate("location.pathname") == "/doorstep"


def test_request_follows_its_changes(stage: Stage) -> None:
    page = stage.open(REQUEST)
    page.get_by_test_id("request-title").wait_for()
    assert len(stage.calls("request")) == 1
    stage.send(feeds=[])
    stage.send(
        requests=[scenes.summary(state="answered")],
        releases=[scenes.release(state="delivering", sent=700_000)],
    )
    expect(page.get_by_test_id("release-state")).to_have_text("Sending")
    stage.send(
        requests=[scenes.summary(state="answered")],
        releases=[scenes.release(state="delivering", sent=1_400_000)],
    )
    expect(page.get_by_text("1.4 MB of 3 MB sent")).to_be_visible()
    assert len(stage.calls("request")) == 2
    expect(page.get_by_test_id("review")).to_have_count(0)


def test_without_connection_nothing_can_be_decided(stage: Stage) -> None:
    page = stage.open(DECISION)
    page.get_by_test_id("skip-watching").check()
    page.evaluate("house.connect(false)")
    expect(page.get_by_role("alert")).to_contain_text("Home Assistant cannot be reached.")
    expect(page.get_by_test_id("approve")).to_be_disabled()
    expect(page.get_by_test_id("decline")).to_be_disabled()
    page.evaluate("house.connect(true)")
    expect(page.get_by_test_id("approve")).to_be_enabled()


def test_failures_are_told_and_tried_again(stage: Stage) -> None:
    broken = {"error": {"code": "not_found", "message": "There is no such request."}}
    page = stage.open(REQUEST, answers=scenes.answers(request=broken))
    expect(page.get_by_role("alert")).to_contain_text("There is no such request.")
    page.evaluate("request => { house.answers.request = request; }", scenes.request())
    page.get_by_role("button", name="Try again").click()
    page.get_by_test_id("review").wait_for()

    broken = {"error": {"code": "unknown_command", "message": "Unknown command."}}
    stage.open(answers=scenes.answers(subscribe=broken))
    expect(page.get_by_role("alert")).to_contain_text("Unknown command.")
    page.evaluate("delete house.answers.subscribe")
    page.get_by_role("button", name="Try again").click()
    page.get_by_test_id("inbox-item").wait_for()


def test_says_that_it_is_loading(stage: Stage) -> None:
    page = stage.open(REQUEST, answers=scenes.answers(request=None))
    expect(page.get_by_role("status").filter(has_text="Loading")).to_be_attached()


def test_long_lists_come_in_parts(stage: Stage) -> None:
    many = [scenes.summary(handle=f"h{i}") for i in range(60)]
    page = stage.open(snapshot=scenes.snapshot(requests=many))
    expect(page.get_by_test_id("inbox-item")).to_have_count(20)
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_test_id("inbox-item")).to_have_count(60)


def test_ledger_pages_and_verifies(stage: Stage) -> None:
    first = scenes.entries()
    first["entries"] = first["entries"][:2]
    page = stage.open("/doorstep/ledger", answers=scenes.answers(**{"ledger/list": first}))
    expect(page.get_by_test_id("ledger-list").locator("> li")).to_have_count(2)
    page.evaluate("all => { house.answers['ledger/list'] = all; }", scenes.entries())
    page.get_by_role("button", name="Show older entries").click()
    expect(page.get_by_test_id("ledger-list").locator("> li")).to_have_count(5)
    assert [call.get("before") for call in stage.calls("ledger/list")] == [None, 3]
    page.get_by_test_id("ledger-verify").click()
    expect(page.get_by_test_id("ledger-result")).to_contain_text(
        "All 5 entries are as they were written."
    )
    bad = {"ok": False, "size": 5, "root": "", "problem": "ledger_head_missing"}
    page.evaluate("bad => { house.answers['ledger/verify'] = bad; }", bad)
    page.get_by_test_id("ledger-verify").click()
    expect(page.get_by_test_id("ledger-result")).to_contain_text("signature at the end of the log")


def test_still_where_motion_is_unwanted(stage: Stage) -> None:
    stage.page.emulate_media(reduced_motion="reduce")
    page = stage.open(REQUEST, answers=scenes.answers(request=None))
    expect(page.locator(".spinner")).to_have_css("animation-name", "none")


def test_menu_button_where_home_assistant_has_none(stage: Stage) -> None:
    stage.look(360, 780, "light")
    page = stage.open()
    page.evaluate("addEventListener('hass-toggle-menu', () => { window.toggled = true; })")
    page.get_by_role("button", name="Menu").click()
    assert page.evaluate("toggled")
