"""The library: found by day, hour and doorbell, played, and kept up to date while one looks."""

import re
from typing import Final

from playwright.sync_api import Page, expect
import pytest

from . import clip_scenes, scenes
from .clip_scenes import NEWEST, clip, clips, snapshot, storage
from .scenes import Document
from .studio import PHONE, Stage

PATH: Final = "/doorstep/clips"
FOCUSED: Final = "document.querySelector('doorstep-panel').shadowRoot.activeElement?.dataset"


def show(
    stage: Stage,
    path: str = PATH,
    *,
    snapshot: Document | None = None,
    answers: Document | None = None,
    clips: list[Document] | None = None,
) -> Page:
    """Open the library, with a few clips where nothing else is said."""
    return stage.open(
        path,
        snapshot=snapshot or clip_scenes.snapshot(),
        answers=answers,
        clips=clip_scenes.clips() if clips is None else clips,
    )


def link(number: int) -> str:
    return f"{PATH}?clip={clips()[number]['id']}"


def test_newest_day_is_shown_and_narrowed_down(stage: Stage) -> None:
    page = show(stage)
    page.get_by_role("link", name="Clips", exact=True).wait_for()
    expect(page.get_by_test_id("clip")).to_have_count(8)
    expect(page.get_by_test_id("clip").first).to_contain_text("Ring14:41:07Front door")
    expect(page.get_by_test_id("storage")).to_have_text(
        "12.4 GB of 20 GB used931 clips212 GB free on the diskRoom for about 17 more days"
    )
    page.get_by_test_id("doorbell").select_option("Garden gate")
    expect(page.get_by_test_id("clip")).to_have_count(2)
    page.get_by_test_id("doorbell").select_option("All doorbells")
    page.get_by_test_id("hour").select_option("13:00 (2)")
    expect(page.get_by_test_id("clip")).to_have_count(2)
    page.get_by_test_id("previous").click()
    expect(page.get_by_test_id("day")).to_have_value("2026-11-23")
    expect(page.get_by_test_id("clip")).to_have_count(1)
    expect(page.get_by_test_id("previous")).to_have_attribute("aria-disabled", "true")
    page.get_by_test_id("doorbell").select_option("Front door")
    expect(page.get_by_text("There is no clip here at this time.")).to_be_visible()
    page.get_by_role("button", name="Newest day").click()
    expect(page.get_by_test_id("clip")).to_have_count(6)


def test_long_days_come_in_pages(stage: Stage) -> None:
    many = [clip(number=number) for number in range(120)]
    page = show(stage, clips=many)
    expect(page.get_by_test_id("clip")).to_have_count(50)
    page.get_by_test_id("more").click()
    expect(page.get_by_test_id("clip")).to_have_count(100)
    page.evaluate("clip => house.answers.add(clip)", clip(number=500))
    stage.send_whole(snapshot(storage=storage(clips=932)))
    expect(page.get_by_test_id("clip")).to_have_count(100)
    expect(page.get_by_test_id("clip").first).to_have_attribute("href", f"{PATH}?clip={_id(500)}")
    page.get_by_test_id("more").click()
    expect(page.get_by_test_id("clip")).to_have_count(121)
    expect(page.get_by_test_id("clip").nth(100)).to_be_focused()
    expect(page.get_by_test_id("more")).to_have_count(0)
    assert max(call["limit"] for call in stage.calls("clips/list")) <= 200


def _id(number: int) -> str:
    return str(clip(number=number)["id"])


def test_pictures_are_fetched_when_they_come_near(stage: Stage) -> None:
    many = [clip(number=number, thumbnail=f"/media/clip.jpg?n={number}") for number in range(50)]
    stage.look(*PHONE, "light")
    page = show(stage, clips=many)
    page.wait_for_function("house.calls.some(({path}) => path?.endsWith('n=0'))")
    signed = "house.calls.filter(({path}) => path?.startsWith('/media/clip.jpg')).length"
    assert 0 < page.evaluate(signed) < 25
    page.get_by_test_id("clip").last.scroll_into_view_if_needed()
    page.wait_for_function("house.calls.some(({path}) => path?.endsWith('n=49'))")


def test_opens_and_closes_with_the_keyboard(stage: Stage) -> None:
    page = show(stage)
    page.get_by_test_id("clip").nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("clip-title")).to_be_focused()
    expect(page.get_by_test_id("clip-title")).to_have_text("Motion, Tue, Nov 24, 2026, 14:10:07")
    expect(page.get_by_test_id("clip-video")).to_have_attribute(
        "poster", re.compile(r"/media/clip\.jpg\?authSig=")
    )
    assert page.url.endswith(link(1))
    page.wait_for_function("checks.ready()")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("clip-video")).to_have_count(0)
    expect(page.get_by_test_id("clip").nth(1)).to_be_focused()
    assert page.url.endswith(PATH)
    page.go_back()
    expect(page.get_by_test_id("clip-title")).to_be_focused()


def test_link_leads_to_its_day(stage: Stage) -> None:
    page = show(stage, link(8))
    expect(page.get_by_test_id("clip-title")).to_contain_text("Nov 23")
    expect(page.get_by_test_id("day")).to_have_value("2026-11-23")
    expect(page.get_by_test_id("clip")).to_have_attribute("aria-current", "true")
    late = clip(NEWEST, 5, start="2026-11-24T15:10:00Z", end="2026-11-24T15:10:30Z")
    page = show(stage, f"{PATH}?clip={late['id']}", clips=[late])
    expect(page.get_by_test_id("clip-title")).to_have_text("Motion, Tue, Nov 24, 2026, 16:10:00")
    for unknown in ("20261101T000000Z-ffffffff", "%22%5D<img>"):
        page = show(stage, f"{PATH}?clip={unknown}")
        expect(page.get_by_text("This clip isn't in the library.")).to_be_visible()
        expect(page.get_by_test_id("clip")).to_have_count(8)
        page.get_by_role("button", name="Close").click()
        expect(page.get_by_text("This clip isn't in the library.")).to_have_count(0)


def test_pictures_are_stepped_through(stage: Stage) -> None:
    page = show(stage, link(0))
    still = page.get_by_test_id("still")
    expect(still).to_have_attribute("alt", "Picture 1 of 3, 11:00:01")
    page.get_by_role("button", name="Next picture").click()
    expect(still).to_have_attribute("alt", "Picture 2 of 3, 11:00:02")
    page.get_by_test_id("still-range").focus()
    page.keyboard.press("End")
    expect(still).to_have_attribute("alt", "Picture 3 of 3, 11:00:03")
    expect(page.get_by_role("button", name="Next picture")).to_have_attribute(
        "aria-disabled", "true"
    )


def test_film_that_the_browser_does_not_know_can_be_downloaded(stage: Stage) -> None:
    page = stage.page
    page.route("**/media/clip-1.mp4?authSig=*", lambda route: route.fulfill(body="no film"))
    show(stage, link(1))
    expect(page.get_by_role("alert")).to_contain_text("H.265")
    page.unroute("**/media/clip-1.mp4?authSig=*")
    with page.expect_download() as download:
        page.get_by_role("alert").get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == f"{clips()[1]['id']}.mp4"


def test_sound_without_a_picture_is_said(stage: Stage) -> None:
    page = show(stage, link(1))
    page.wait_for_function("checks.ready()")
    page.get_by_test_id("clip-video").evaluate(
        """video => {
          Object.defineProperty(video, 'videoWidth', { value: 0 });
          video.dispatchEvent(new Event('loadeddata'));
        }"""
    )
    expect(page.get_by_role("alert")).to_contain_text("H.265")


def test_changes_disturb_nobody(stage: Stage) -> None:
    page = show(stage, link(1))
    page.get_by_test_id("clip-video").evaluate(
        """async (video) => {
          window.video = video;
          video.muted = true;
          video.playbackRate = 0.5;
          await video.play();
        }"""
    )
    page.get_by_test_id("select").click()
    page.get_by_test_id("clip-pick").nth(2).check()
    page.get_by_test_id("clip-pick").nth(2).focus()
    page.evaluate("clip => house.answers.add(clip)", clip(NEWEST.replace(minute=50), 77))
    before = len(stage.calls("clips/list"))
    stage.send_whole(snapshot(storage=storage(clips=932)))
    expect(page.get_by_test_id("clip-pick")).to_have_count(9)
    expect(page.get_by_test_id("clip-pick").nth(3)).to_be_checked()
    expect(page.get_by_test_id("clip-pick").nth(3)).to_be_focused()
    assert page.evaluate("video.isConnected && !video.paused")
    # what says nothing about clips is no reason to read them again
    after = len(stage.calls("clips/list"))
    stage.send_whole(snapshot(storage=storage(clips=932, free=1, days_left=3.0), feeds=[]))
    expect(page.get_by_test_id("storage")).to_contain_text("3 more days")
    assert (after - before, len(stage.calls("clips/list")) - after) == (1, 0)


def test_clip_that_vanishes_while_open_says_so(stage: Stage) -> None:
    page = show(stage, link(1))
    page.get_by_test_id("clip-title").wait_for()
    page.evaluate("ids => house.answers['clips/delete']({clips: ids, confirmed: true})", [_of(1)])
    stage.send_whole(snapshot(storage=storage(clips=930)))
    expect(page.get_by_text("This clip isn't in the library.")).to_be_visible()
    expect(page.get_by_test_id("clip")).to_have_count(7)


def _of(number: int) -> str:
    return str(clips()[number]["id"])


def test_who_does_not_decide_only_looks(stage: Stage) -> None:
    page = show(stage, link(1), snapshot=clip_scenes.other())
    page.get_by_test_id("clip-video").wait_for()
    expect(page.get_by_test_id("clip")).to_have_count(8)
    expect(page.get_by_text("Asked for")).to_have_count(0)
    names = page.get_by_role("button").evaluate_all(
        "all => all.map((one) => one.ariaLabel ?? one.textContent)"
    )
    assert set(names) == {"Previous day with clips", "Next day with clips", "Close", "Download"}
    stage.send_whole(clip_scenes.other(clips=False))
    expect(
        page.get_by_text("In this home only those who decide about requests may look at clips.")
    ).to_be_visible()
    expect(page.get_by_role("link", name="Clips", exact=True)).to_have_count(0)


@pytest.mark.parametrize(
    ("doorbells", "sentence"), [([], "No doorbell yet"), (None, "No clips yet")]
)
def test_empty_library_says_why(
    stage: Stage, doorbells: list[Document] | None, sentence: str
) -> None:
    scene = snapshot() if doorbells is None else snapshot(doorbells=doorbells)
    page = show(stage, snapshot=scene, clips=[])
    expect(page.get_by_role("heading", name=sentence)).to_be_visible()
    page.evaluate("clip => house.answers.add(clip)", clip())
    stage.send_whole(snapshot(storage=storage(clips=1)))
    expect(page.get_by_test_id("clip")).to_have_count(1)


def test_failure_is_told_and_tried_again(stage: Stage) -> None:
    broken = {"error": {"code": "x", "message": "The library is being moved."}}
    page = show(stage, answers=scenes.answers(**{"clips/days": broken}))
    expect(page.get_by_role("alert")).to_contain_text("The library is being moved.")
    page.evaluate("() => { house.answers['clips/days'] = () => []; }")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("No clips yet")).to_be_visible()


def test_says_that_it_is_loading(stage: Stage) -> None:
    page = show(stage, answers=scenes.answers(**{"clips/days": None}))
    expect(page.get_by_role("status").filter(has_text="Loading")).to_be_attached()


def test_names_stay_text(stage: Stage) -> None:
    evil = "<img src=x onerror=window.hacked=1>{name}"
    one = clip(doorbell_name=evil, doorbell=evil, event=evil)
    page = show(stage, f"{PATH}?clip={one['id']}", clips=[one], snapshot=snapshot(doorbells=[]))
    page.get_by_test_id("clip-title").wait_for()
    expect(page.get_by_test_id("clip")).to_contain_text(evil)
    stage.send_whole(clip_scenes.other(doorbells=[{"id": "<b>", "name": evil}]))
    expect(page.get_by_test_id("doorbell")).to_contain_text(evil)
    assert page.evaluate("window.hacked") is None


def test_reading_the_folder_and_a_full_library_are_shown(stage: Stage) -> None:
    page = show(stage, snapshot=snapshot(storage=clip_scenes.crowded()))
    expect(page.get_by_text("Clips in the folder are being read: 1,200 of 100,000")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is being recorded")
    stage.send_whole(snapshot(storage=storage(days_left=0.4)))
    expect(page.get_by_test_id("storage")).to_contain_text("The oldest clips make room")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_test_id("rescan").click()
    expect(page.get_by_test_id("rescan-result")).to_contain_text("The folder was looked through.")
    expect(page.get_by_test_id("rescan")).to_be_focused()
    assert stage.calls("clips/rescan") == [{"type": "doorstep/clips/rescan"}]
    page.evaluate(
        "() => { house.answers['clips/rescan'] = { error: { code: 'x', message: 'No disk.' } }; }"
    )
    page.get_by_test_id("rescan").click()
    expect(page.get_by_test_id("rescan-result")).to_have_text("No disk.")


def test_a_clip_without_a_picture_shows_its_icon_only(stage: Stage) -> None:
    stage.page.route("**/media/clip.jpg*", lambda route: route.fulfill(status=404))
    page = show(stage)
    expect(page.locator(".thumb.missing").first).to_be_hidden()
