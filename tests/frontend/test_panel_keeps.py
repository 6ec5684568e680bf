"""What an approver does with clips: keep, delete and take back, verify, export."""

from typing import Final

from playwright.sync_api import Page, expect

from .clip_scenes import clips, exported, finding, snapshot
from .studio import Stage

PATH: Final = "/doorstep/clips"


def show(stage: Stage, path: str = PATH) -> Page:
    return stage.open(path, snapshot=snapshot(), clips=clips())


def clip_id(number: int) -> str:
    return str(clips()[number]["id"])


def link(number: int) -> str:
    return f"{PATH}?clip={clip_id(number)}"


def heard(page: Page, text: str) -> None:
    expect(page.locator("[aria-live=polite]")).to_contain_text(text)


def tell(page: Page, kind: str, **step: object) -> None:
    page.evaluate("([kind, step]) => house.tell(kind, step)", [kind, step])


def test_keeps_and_lets_go(stage: Stage) -> None:
    page = show(stage, link(0))
    keep = page.get_by_test_id("clip-keep")
    keep.focus()
    page.keyboard.press("Enter")
    heard(page, "This clip is kept.")
    expect(keep).to_have_text("Let go")
    expect(keep).to_be_focused()
    expect(page.get_by_test_id("clip").first).to_contain_text("Kept")
    keep.click()
    heard(page, "not kept any more")
    expect(keep).to_have_text("Keep")
    assert stage.calls("clips/hold")[0]["clip"] == stage.calls("clips/let_go")[0]["clip"]


def test_deletes_and_takes_it_back(stage: Stage) -> None:
    page = show(stage, link(2))
    page.get_by_test_id("clip-delete").click()
    expect(page.get_by_test_id("deleted")).to_be_focused()
    heard(page, "Clip deleted. It can be restored until")
    expect(page.get_by_test_id("clip-video")).to_have_count(0)
    expect(page.get_by_test_id("clip")).to_have_count(7)
    assert page.url.endswith(PATH)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("clip")).to_have_count(8)
    heard(page, "Restored.")
    expect(page.get_by_test_id("deleted")).to_have_count(0)
    expect(page.get_by_role("heading", name="Clips")).to_be_focused()
    asked = stage.calls("clips/delete")
    assert asked == [{"type": "doorstep/clips/delete", "clips": [clip_id(2)], "confirmed": False}]


def test_asked_for_clips_are_deleted_on_purpose_only(stage: Stage) -> None:
    page = show(stage)
    page.get_by_test_id("select").click()
    expect(page.get_by_test_id("delete-selected")).to_be_disabled()
    page.get_by_role("button", name="Select all shown").click()
    page.get_by_test_id("delete-selected").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete 8 clips?")
    expect(dialog).to_contain_text("2 of them fall into the time")
    expect(dialog).to_contain_text("One of them was kept on purpose.")
    expect(dialog).to_contain_text("may have legal consequences")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_test_id("clip-pick")).to_have_count(8)
    page.get_by_test_id("delete-selected").click()
    page.get_by_test_id("delete-anyway").click()
    expect(page.get_by_test_id("deleted")).to_contain_text("8 clips deleted.")
    expect(page.get_by_test_id("clip-pick")).to_have_count(0)
    assert [call["confirmed"] for call in stage.calls("clips/delete")] == [False, False, True]


def test_recently_deleted_clips_come_back_one_by_one(stage: Stage) -> None:
    page = show(stage)
    page.get_by_test_id("bin").click()
    expect(page.get_by_text("There are no deleted clips to restore.")).to_be_visible()
    page.get_by_test_id("select").click()
    page.get_by_test_id("clip-pick").nth(0).check()
    page.get_by_test_id("clip-pick").nth(2).check()
    page.get_by_test_id("delete-selected").click()
    expect(page.get_by_test_id("restore")).to_have_count(2)
    expect(page.get_by_text("Gone for good in 23 hours")).to_have_count(2)
    page.get_by_role("button", name="Restore Ring, Tue, Nov 24, 2026, 14:41:07").click()
    expect(page.get_by_test_id("restore")).to_have_count(1)
    expect(page.get_by_test_id("bin")).to_be_focused()
    expect(page.locator(".binned img")).to_have_count(0)
    expect(page.get_by_test_id("clip")).to_have_count(7)
    assert stage.calls("clips/restore")[0]["clips"] == [clip_id(0)]


def test_taking_back_leaves_the_page_where_it_is(stage: Stage) -> None:
    stage.look(360, 500, "light")
    page = show(stage)
    page.get_by_test_id("select").click()
    page.get_by_test_id("clip-pick").nth(5).check()
    page.get_by_test_id("delete-selected").click()
    expect(page.get_by_test_id("clip")).to_have_count(7)
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("heading", name="Clips")).to_be_focused()
    assert page.evaluate("scrollY") > 300


def test_choice_does_not_outlive_the_page(stage: Stage) -> None:
    page = show(stage)
    page.get_by_test_id("select").click()
    page.get_by_test_id("clip-pick").first.check()
    page.get_by_test_id("previous").click()
    expect(page.get_by_text("0 selected")).to_be_visible()
    page.get_by_test_id("forward").click()
    expect(page.get_by_test_id("clip-pick")).to_have_count(8)
    expect(page.get_by_test_id("delete-selected")).to_be_disabled()
    page.get_by_test_id("select-done").click()
    expect(page.get_by_test_id("select")).to_be_focused()
    expect(page.get_by_test_id("clip-pick")).to_have_count(0)


def test_verifies_one(stage: Stage) -> None:
    page = show(stage, link(1))
    page.get_by_test_id("clip-verify").click()
    result = page.get_by_test_id("verify-result").last
    tell(page, "clips/verify", done=7_000_000, total=14_000_000, findings=[], finished=False)
    expect(result).to_contain_text("7 MB of 14 MB verified")
    tell(page, "clips/verify", done=14, total=14, findings=[], finished=True, checked=1)
    expect(result).to_have_text("Every frame is as it was recorded.")
    assert stage.calls("clips/verify") == [{"type": "doorstep/clips/verify", "clip": clip_id(1)}]
    assert page.evaluate("house.ended") == ["clips/verify"]


def test_verifies_all_and_says_what_is_wrong(stage: Stage) -> None:
    page = show(stage)
    page.get_by_test_id("verify-all").click()
    tell(page, "clips/verify", done=1, total=9, findings=[finding(8)], finished=False)
    page.get_by_role("link", name="Inbox").click()
    page.get_by_test_id("inbox-item").wait_for()
    tell(page, "clips/verify", done=9, total=9, findings=[finding(8)], finished=True, checked=9)
    page.get_by_role("link", name="Clips", exact=True).click()
    expect(page.get_by_test_id("verify-result")).to_contain_text("One problem was found:")
    page.get_by_test_id("verify-result").get_by_role("link").click()
    expect(page.get_by_test_id("clip-title")).to_contain_text("Nov 23")
    page.get_by_test_id("verify-all").click()
    page.get_by_test_id("job-stop").click()
    expect(page.get_by_test_id("verify-result").first).to_be_empty()
    expect(page.get_by_test_id("verify-all")).to_be_focused()
    assert page.evaluate("house.ended") == ["clips/verify"] * 2


def test_exports_what_is_shown(stage: Stage) -> None:
    page = show(stage)
    page.get_by_test_id("hour").select_option("13:00 (2)")
    page.get_by_test_id("export-open").click()
    expect(page.get_by_role("heading", name="Export as one video")).to_be_focused()
    expect(page.get_by_test_id("export-begin")).to_have_value("2026-11-24T14:00")
    page.get_by_test_id("export-begin").fill("2026-11-24T14:05:30")
    page.get_by_test_id("export-start").click()
    tell(page, "clips/export", done=0.42)
    expect(page.get_by_test_id("export-result")).to_contain_text("42% of the file is made")
    tell(page, "clips/export", **exported())
    expect(page.get_by_test_id("gaps")).to_have_text("Tue, Nov 24, 2026, 14:11:07 to 14:41:07")
    with page.expect_download() as download:
        page.get_by_test_id("export-result").get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "Front door 2026-11-24.mp4"
    assert stage.calls("clips/export") == [
        {
            "type": "doorstep/clips/export",
            "doorbell": "front",
            "start": "2026-11-24T13:05:30.000Z",
            "end": "2026-11-24T14:00:00Z",
        }
    ]


def test_exports_the_chosen_clips(stage: Stage) -> None:
    page = show(stage)
    page.get_by_test_id("select").click()
    for number in (2, 5):
        page.get_by_test_id("clip-pick").nth(number).check()
    page.get_by_test_id("export-open").click()
    expect(page.get_by_test_id("export-doorbell")).to_have_value("garden")
    page.get_by_test_id("export-start").click()
    call = stage.calls("clips/export")[0]
    assert (call["start"], call["end"]) == (clips()[5]["start"], clips()[2]["end"])


def test_failed_export_says_why(stage: Stage) -> None:
    page = show(stage)
    page.evaluate(
        "() => { house.answers['clips/export'] = { error: { code: 'x', message: 'Disk full.' } }; }"
    )
    page.get_by_test_id("export-open").click()
    page.get_by_test_id("export-start").click()
    expect(page.get_by_role("alert")).to_have_text("Disk full.")
    page.evaluate("() => { delete house.answers['clips/export']; }")
    page.get_by_test_id("export-start").click()
    tell(page, "clips/export", error="The camera changed its picture at 14:10.")
    expect(page.get_by_role("alert")).to_have_text("The camera changed its picture at 14:10.")
    page.get_by_test_id("export-start").click()
    page.get_by_test_id("job-stop").click()
    page.get_by_test_id("export-end").fill("2026-11-20T00:00:00")
    expect(page.get_by_role("alert")).to_contain_text("later than the start")
    expect(page.get_by_test_id("export-start")).to_be_disabled()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_test_id("export-open")).to_be_focused()


def test_lost_connection_ends_long_work(stage: Stage) -> None:
    page = show(stage)
    page.get_by_test_id("verify-all").click()
    tell(page, "clips/verify", done=1, total=9, findings=[], finished=False)
    page.evaluate("house.connect(false)")
    expect(page.get_by_test_id("verify-result")).to_contain_text("The connection was lost")
    expect(page.get_by_test_id("rescan")).to_be_disabled()


def test_refused_deletion_says_why_and_can_be_put_away(stage: Stage) -> None:
    page = show(stage, link(2))
    page.evaluate(
        "() => { house.answers['clips/delete'] = { error: { code: 'x', message: 'Busy.' } }; }"
    )
    page.get_by_test_id("clip-delete").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Busy.")
    expect(page.get_by_test_id("clip-delete")).to_be_focused()
    alert.get_by_role("button", name="Close").click()
    expect(alert).to_have_count(0)


def test_hours_that_the_clock_shows_twice(stage: Stage) -> None:
    page = show(stage)
    found = page.evaluate(
        """async () => {
          const { fieldTime, homeDay, moment } = await import('/panel/home-time.js');
          const zone = 'Europe/Vienna';
          return [
            moment(zone, '2026-10-25T02:30:00'),
            moment(zone, '2026-10-25T02:30:00', { latest: true }),
            moment(zone, '2026-03-29T02:30:00'),
            moment(zone, ''),
            moment('Asia/Kolkata', '2026-11-24T00:00'),
            fieldTime('Asia/Kolkata', '2026-11-23T18:30:00Z'),
            homeDay(zone, '2026-11-23T23:30:00Z'),
          ];
        }"""
    )
    assert found == [
        "2026-10-25T00:30:00.000Z",
        "2026-10-25T01:30:00.000Z",
        "2026-03-29T01:30:00.000Z",
        None,
        "2026-11-23T18:30:00.000Z",
        "2026-11-24T00:00:00",
        "2026-11-24",
    ]
