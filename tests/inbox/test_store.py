"""What becomes of requests, from the log to the database."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from aics_tlog import leaf_hash, parse_note, verify_inclusion
import pytest

from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.inbox import intake
from custom_components.doorstep.inbox.agencies import Kind
from custom_components.doorstep.inbox.rules import HouseRules, KindRule, Outcome, QuietHours
from custom_components.doorstep.inbox.values import Actor
from tests.simulators import documents
from tests.simulators.signing import Signer

from .world import (
    AGENCY,
    CLIP,
    DAY,
    FAR,
    FRONT,
    HOUR,
    ME,
    NOW,
    PLACE,
    REQUEST,
    Clip,
    Feed,
    World,
    error_key,
)

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
NOBODY = "urn:uuid:00000000-0000-0000-0000-000000000000"


@pytest.fixture
def settled(world: World) -> World:
    return world.settled()


def opened(world: World, **asked: Any) -> tuple[dict[str, Any], str]:
    """Return a request that opened, and its handle."""
    request = world.ask(**asked)
    [handle] = world.poll().opened
    return request, handle


# --- opening ------------------------------------------------------------------


def test_a_request_opens_and_is_told(settled: World) -> None:
    request, handle = opened(settled)
    view = settled.view(request)
    assert (view.handle, view.state, view.reason) == (handle, "open", None)
    assert view.agency.id == AGENCY
    assert view.agency.is_confirmed
    assert view.request.case_id == "24-118"
    assert view.details is not None
    assert view.details.officer["name"] == "Sam Rivera"
    assert view.assessment.doorbells == ("front",)
    assert view.assessment.clips == ("c1",)
    assert all(verdict.ok for verdict in view.assessment.verdicts)
    assert (view.received_at, view.logged_at) == (NOW, NOW)
    assert (view.feed, view.leaf) == (settled.feed_id, 1)
    assert view.jws == settled.feed.log.entries[1]
    assert view.details_line == settled.feed.log.details[1]
    assert view.kid == settled.signer.thumbprint
    assert not view.stale
    assert ("notify", handle) in settled.errands()
    assert settled.inbox.may_approve(handle, NOW) is None
    assert settled.inbox.may_deliver(handle, NOW) is None
    assert settled.inbox.request(handle, NOW) == view


def test_handles_are_local_and_random(settled: World) -> None:
    request, handle = opened(settled)
    assert len(handle) == 16
    assert handle not in str(request)


def test_the_ledger_tells_it_without_personal_data(settled: World) -> None:
    request, handle = opened(settled)
    settled.inbox.decline(handle, ME, NOW)
    declined, first = settled.inbox.history(handle)
    assert (first.kind, first.private) == ("request_open", None)
    assert first.facts == {
        "agency": AGENCY,
        "request": request["id"],
        "feed": settled.feed_id,
        "leaf": 1,
        "clips": 1,
        "channel": "feed",
    }
    assert (declined.kind, declined.facts) == ("request_declined", {"channel": "panel"})
    assert declined.private == {"user": "a-user"}
    everything = str([entry.facts for entry in settled.ledger.entries()])
    for secret in ("Rivera", "bicycle", "24-118", "a-user", "4711"):
        assert secret not in everything
    settled.ledger.verify()


def test_the_reading_of_a_feed_is_in_the_ledger(settled: World) -> None:
    settled.ask()
    settled.feed.log.append(b"rubbish")
    settled.poll()
    [entry] = settled.ledger.entries(subject=settled.feed_id, limit=1)
    assert entry.kind == "feed_read"
    assert entry.facts == {
        "size": 3,
        "root": settled.feed.log.root.hex(),
        "read": 3,
        "counts": {"jws_malformed": 1},
    }
    before = settled.kinds()
    settled.poll()
    assert settled.kinds() == before


def test_a_proof_convinces_another_library(settled: World) -> None:
    for _ in range(300):
        settled.feed.log.append(b"noise")
    request, handle = opened(settled)
    for _ in range(300):
        settled.feed.log.append(b"noise")
    settled.poll()
    proof = settled.inbox.proof(handle)
    view = settled.view(request)
    size = settled.feed.log.size
    assert proof.index == view.leaf == 301
    assert verify_inclusion(
        leaf_hash(view.jws), proof.index, size, list(proof.hashes), settled.feed.log.root
    )
    assert parse_note(proof.note).text.splitlines()[1] == str(size)


def test_quiet_hours_delay_the_notification_only(tmp_path: Path) -> None:
    evening = NOW.timetz()
    quiet = QuietHours(begin=evening.replace(tzinfo=None), end=(NOW + HOUR).time(), zone=NOW.tzinfo)  # type: ignore[arg-type]
    world = World(tmp_path, HouseRules(quiet=quiet)).settled()
    _, handle = opened(world)
    assert ("notify", handle) not in world.errands()
    assert ("notify", handle) in world.errands(NOW + HOUR)


# --- not opening --------------------------------------------------------------


@pytest.mark.parametrize(
    ("patch", "details", "reason"),
    [
        ({"geometry": documents.square(*FAR, 300)}, {}, "elsewhere"),
        ({"v": 2}, {}, "newer_version"),
        ({}, {"officer": None}, "rule"),
        ({"properties": {"attestations": []}}, {}, "rule"),
        ({"properties": {"details": {"sha256": "0" * 64}}}, {}, "details_changed"),
        (
            {
                "properties": {
                    "window": {
                        "start": documents.timestamp(NOW - 9 * HOUR),
                        "end": documents.timestamp(NOW - 8 * HOUR),
                    }
                }
            },
            {},
            "nothing_recorded",
        ),
    ],
)
def test_what_is_only_listed(
    settled: World, patch: dict[str, Any], details: dict[str, Any], reason: str
) -> None:
    settled.ask(patch, details=details)
    applied = settled.poll()
    assert applied.opened == ()
    assert applied.counts == {reason: 1}
    assert not [errand for errand in settled.errands() if errand[0] == "notify"]
    with settled.database.read() as tx:
        [row] = tx.execute("SELECT state, reason FROM requests").fetchall()
    assert tuple(row) == ("listed", reason)


def test_far_requests_leave_no_bytes_and_no_entry(settled: World) -> None:
    settled.ask({"geometry": documents.square(*FAR, 300)})
    settled.poll()
    with settled.database.read() as tx:
        [row] = tx.execute("SELECT handle, jws, details, matches FROM requests").fetchall()
    assert tuple(row)[1:] == (None, None, 0)
    assert settled.inbox.history(row["handle"]) == []
    assert settled.inbox.requests(NOW) == []
    assert error_key(settled.inbox.request, row["handle"], NOW) == "request_unknown"


def test_requests_around_here_are_kept(settled: World) -> None:
    request = settled.ask({"geometry": documents.square(PLACE[0] + 0.02, PLACE[1], 300)})
    settled.poll()
    assert settled.state(request) == ("listed", "elsewhere")
    with settled.database.read() as tx:
        [row] = tx.execute("SELECT jws FROM requests").fetchall()
    assert row["jws"] == settled.feed.log.entries[1]


def test_listed_by_a_rule_is_shown_with_its_verdicts(settled: World) -> None:
    request = settled.ask(details={"case": None})
    settled.poll()
    view = settled.view(request)
    assert (view.state, view.reason) == ("listed", "rule")
    assert [v.rule for v in view.assessment.verdicts if not v.ok] == ["named"]
    assert settled.inbox.may_approve(view.handle, NOW) == "why_not_open"
    assert [e.kind for e in settled.inbox.history(view.handle)] == ["request_listed"]


def test_without_details_it_is_listed_as_incomplete(settled: World) -> None:
    request = settled.ask(line=b"")
    settled.poll()
    view = settled.view(request)
    assert (view.state, view.reason, view.details) == ("listed", "details_missing", None)


def test_expired_on_arrival(settled: World) -> None:
    request = settled.ask({"properties": {"expires_at": documents.timestamp(NOW + HOUR)}})
    settled.now = NOW + HOUR
    settled.poll()
    assert settled.state(request) == ("listed", "expired")


@pytest.mark.parametrize(
    ("patch", "reason"),
    [
        ({"properties": {"legal_basis": "warrant"}}, "claims_legal_force"),
        ({"properties": {"window": {"end": documents.timestamp(NOW + HOUR)}}}, "window_future"),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, "geometry_malformed"),
        ({"properties": {"terms": None}}, "member_bad"),
        ({"id": "urn:uuid:x"}, "member_bad"),
    ],
)
def test_authentic_but_wrong_is_refused_and_shown(
    settled: World, patch: dict[str, Any], reason: str
) -> None:
    settled.ask(patch)
    assert settled.poll().counts == {reason: 1}
    [refusal] = settled.inbox.refusals()
    assert (refusal.agency, refusal.reason, refusal.received_at) == (AGENCY, reason, NOW)
    [entry] = settled.inbox.history(refusal.handle)
    assert (entry.kind, entry.facts) == ("request_refused", {"reason": reason, "channel": "feed"})


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (b"", "jws_malformed"),
        (b"x" * 65_000, "jws_malformed"),
        (Signer().sign({"v": 1}, "successor+jws"), "jws_type"),
        (Signer().sign({"v": 1}, REQUEST), "agency_unknown"),
        (Signer().sign({"v": 1, "properties": []}, REQUEST), "agency_unknown"),
        (Signer().sign({"properties": {"agency": ["a"]}}, REQUEST), "agency_unknown"),
        (Signer().sign({"properties": {"agency": "https://b/"}}, REQUEST), "agency_unknown"),
        (Signer().sign({"properties": {"agency": AGENCY}}, REQUEST), "jws_key_unknown"),
        (Signer().sign({"v": 1, "id": []}, "agency-statement+jws"), "member_bad"),
    ],
)
def test_what_nobody_signed_is_only_counted(settled: World, entry: bytes, reason: str) -> None:
    before = len(settled.kinds())
    settled.feed.log.append(entry)
    assert settled.poll().counts == {reason: 1}
    assert settled.inbox.refusals() == []
    assert len(settled.kinds()) == before + 1  # feed_read


def test_the_same_request_through_two_feeds_counts_once(settled: World) -> None:
    other = Feed("other.example.gov/2026")
    other.log.append(settled.feed.log.entries[0])
    opened(settled)
    other.log.append(settled.feed.log.entries[1], settled.feed.log.details[1])
    applied = settled.poll(other)
    assert applied.opened == ()
    assert applied.counts == {"statement_old": 1, "request_known": 1}
    assert len(settled.inbox.requests(NOW)) == 1


def test_the_same_id_with_other_content_is_refused(settled: World) -> None:
    request, _ = opened(settled)
    settled.ask({"id": request["id"], "properties": {"case_id": "other"}})
    assert settled.poll().counts == {"id_reused": 1}
    assert settled.view(request).request.case_id == "24-118"


def test_an_agency_has_at_most_fifty_open(settled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_OPEN", 1)
    opened(settled)
    request = settled.ask({"properties": {"case_id": "another"}})
    settled.poll()
    assert settled.state(request) == ("listed", "too_many")


def test_case_threads_and_months(settled: World) -> None:
    first, second = settled.ask(), settled.ask()
    third = settled.ask()
    # another case id, but the same street at the same time
    fourth = settled.ask({"properties": {"case_id": "24-119"}})
    elsewhen = {
        "properties": {
            "case_id": "24-200",
            "window": {
                "start": documents.timestamp(NOW - 5 * HOUR),
                "end": documents.timestamp(NOW - 4 * HOUR),
            },
        }
    }
    settled.clips.append(Clip("c2", "front", NOW - 5 * HOUR, NOW - 4 * HOUR))
    fifth, sixth = settled.ask(elsewhen), settled.ask(elsewhen)
    settled.poll()
    states = [settled.state(r)[0] for r in (first, second, third, fourth, fifth, sixth)]
    assert states == ["open", "open", "listed", "listed", "open", "listed"]
    broken = [v.rule for v in settled.view(sixth).assessment.verdicts if not v.ok]
    assert broken == ["month"]
    settled.now = NOW + 46 * DAY
    settled.clips.append(replace(CLIP, id="c3", start=settled.now - MINUTE, end=settled.now))
    again = settled.ask()
    settled.poll()
    assert settled.state(again)[0] == "open"


def test_a_month_ago_is_not_this_month_but_the_same_thread(settled: World) -> None:
    settled.ask()
    settled.poll()
    settled.now = NOW + 31 * DAY
    settled.clips.append(replace(CLIP, id="c3", start=settled.now - MINUTE, end=settled.now))
    again = settled.ask()
    settled.poll()
    numbers = {v.rule: v.values.get("number") for v in settled.view(again).assessment.verdicts}
    assert (numbers["thread"], numbers["month"]) == ("2", "1")


def test_far_requests_of_a_case_do_not_count(settled: World) -> None:
    for _ in range(3):
        settled.ask({"geometry": documents.square(*FAR, 300)})
    settled.poll()
    opened(settled)


def test_a_rule_may_decline(tmp_path: Path) -> None:
    kind = KindRule(refused=frozenset({Kind.MUNICIPAL_POLICE}), outcome=Outcome.DECLINE)
    world = World(tmp_path, HouseRules(kind=kind))
    world.statement()
    quiet = world.ask()
    world.poll()
    assert world.state(quiet) == ("listed", "rule")
    world.confirm()
    request = world.ask()
    assert world.poll().opened == ()
    view = world.view(request)
    assert (view.state, view.reason) == ("declined", "rule")
    assert "notify" not in dict(world.errands())
    declined, first = world.inbox.history(view.handle)
    assert (first.kind, declined.kind) == ("request_open", "request_declined")
    assert declined.facts == {"reason": "rule", "channel": "rule"}


# --- waiting for a clip -------------------------------------------------------


def test_a_clip_that_is_still_open_is_waited_for(settled: World) -> None:
    settled.clips.clear()
    request = settled.ask()
    settled.poll()
    assert settled.state(request) == ("received", "settling")
    assert settled.inbox.settle(settled.home, NOW + MINUTE) == ()
    settled.clips.append(CLIP)
    [handle] = settled.inbox.settle(settled.home, NOW + MINUTE)
    assert settled.state(request) == ("open", None)
    assert ("notify", handle) in settled.errands(NOW + MINUTE)


def test_but_not_for_ever(settled: World) -> None:
    settled.clips.clear()
    request = settled.ask()
    settled.poll()
    settled.now = NOW + 10 * MINUTE - SECOND
    settled.poll()
    assert settled.state(request) == ("received", "settling")
    settled.now = NOW + 10 * MINUTE
    settled.poll()
    assert settled.state(request) == ("listed", "nothing_recorded")


def test_what_ends_while_it_waits_is_listed(settled: World) -> None:
    settled.clips.clear()
    request = settled.ask({"properties": {"expires_at": documents.timestamp(NOW + MINUTE)}})
    settled.poll()
    settled.clips.append(CLIP)
    assert settled.inbox.settle(settled.home, NOW + MINUTE) == ()
    assert settled.state(request) == ("listed", "expired")


def test_clips_are_matched_again_while_it_is_open(settled: World) -> None:
    request, handle = opened(settled)
    settled.clips.append(replace(CLIP, id="c2"))
    settled.inbox.settle(settled.home, NOW)
    assert settled.view(request).assessment.clips == ("c1", "c2")
    settled.clips.clear()
    settled.inbox.settle(settled.home, NOW)
    view = settled.view(request)
    assert (view.state, view.assessment.clips) == ("open", ())
    assert view.assessment.verdicts
    assert settled.inbox.may_approve(handle, NOW) == "why_no_clips"
    assert settled.inbox.may_deliver(handle, NOW) is None


def test_a_home_without_doorbells_lists_everything(settled: World) -> None:
    settled.with_home(doorbells=())
    request = settled.ask()
    settled.poll()
    assert settled.state(request) == ("listed", "elsewhere")


def test_indoor_doorbells_are_left_out(settled: World) -> None:
    settled.with_home(doorbells=(replace(FRONT, indoor=True),))
    request = settled.ask()
    settled.poll()
    assert settled.state(request) == ("listed", "elsewhere")


# --- deciding -----------------------------------------------------------------


def test_declining_and_undoing(settled: World) -> None:
    request, handle = opened(settled)
    settled.inbox.decline(handle, ME, NOW)
    assert settled.state(request) == ("declined", None)
    assert ("closed", handle) in settled.errands()
    assert settled.inbox.may_deliver(handle, NOW) == "why_not_open"
    settled.inbox.undo_decline(handle, ME, NOW)
    assert settled.state(request) == ("open", None)
    kinds = [entry.kind for entry in settled.inbox.history(handle)]
    assert kinds == ["request_reopened", "request_declined", "request_open"]
    notified = [errand for errand in settled.errands() if errand[0] == "notify"]
    assert notified == [("notify", handle)]


def test_answering(settled: World) -> None:
    request, handle = opened(settled)
    settled.answer(handle)
    assert settled.state(request) == ("answered", None)
    assert settled.inbox.may_approve(handle, NOW) == "why_not_open"
    assert settled.inbox.may_deliver(handle, NOW) is None


def test_what_is_decided_is_not_decided_again(settled: World) -> None:
    _, handle = opened(settled)
    settled.answer(handle)
    before = settled.kinds()
    for decide in (settled.inbox.decline, settled.inbox.undo_decline):
        assert error_key(decide, handle, ME, NOW) == "not_possible"
    settled.answer(handle)
    assert settled.kinds() == before


@pytest.mark.parametrize("name", ["decline", "undo_decline"])
def test_unknown_handles(settled: World, name: str) -> None:
    decide = getattr(settled.inbox, name)
    assert error_key(decide, "nothing", ME, NOW) == "request_unknown"


def test_reading_unknown_handles(settled: World) -> None:
    for ask in (settled.inbox.request, settled.inbox.may_approve, settled.inbox.may_deliver):
        assert error_key(ask, "nothing", NOW) == "request_unknown"
    assert error_key(settled.inbox.proof, "nothing") == "request_unknown"
    assert settled.inbox.history("nothing") == []


def test_a_service_may_decline_without_a_user(settled: World) -> None:
    _, handle = opened(settled)
    settled.inbox.decline(handle, Actor(None, "service"), NOW)
    [entry] = settled.inbox.history(handle)[:1]
    assert (entry.facts, entry.private) == ({"channel": "service"}, None)


# --- ending -------------------------------------------------------------------


def test_expiry(settled: World) -> None:
    request, handle = opened(settled)
    end = NOW + 7 * DAY
    assert settled.inbox.expire(end - SECOND) == ()
    assert settled.inbox.may_approve(handle, end - SECOND) == "why_feed_stale"
    assert settled.inbox.may_approve(handle, end) == "why_expired"
    assert settled.inbox.expire(end) == (handle,)
    assert settled.state(request) == ("expired", "expired")
    [entry] = settled.inbox.history(handle)[:1]
    assert (entry.kind, entry.facts["channel"]) == ("request_expired", "clock")
    assert settled.inbox.expire(end) == ()


def test_expiry_while_home_assistant_was_off(settled: World) -> None:
    request, _ = opened(settled)
    settled.restart()
    settled.now = NOW + 8 * DAY
    settled.poll()
    assert settled.state(request) == ("expired", "expired")


def test_expiry_by_the_feeds_when_the_hosts_clock_fell_back(settled: World) -> None:
    request, handle = opened(settled)
    settled.now = NOW + 8 * DAY
    settled.feed.log.append(b"noise")
    # the witness's clock is right
    settled.inbox.apply(settled.fetch(), settled.home, NOW + DAY)
    assert settled.inbox.may_approve(handle, NOW + DAY) == "why_not_open"
    assert settled.state(request) == ("expired", "expired")


def test_a_declined_request_can_not_be_undone_after_its_end(settled: World) -> None:
    _, handle = opened(settled)
    settled.inbox.decline(handle, ME, NOW)
    assert error_key(settled.inbox.undo_decline, handle, ME, NOW + 7 * DAY) == "request_over"


@pytest.mark.parametrize(("action", "reason"), [("withdraw", "withdrawn"), ("resolve", "resolved")])
def test_withdrawing(settled: World, action: str, reason: str) -> None:
    request, handle = opened(settled)
    closing = settled.follow_up(action, request)
    settled.poll()
    assert settled.state(request) == ("withdrawn", reason)
    assert settled.state(closing) == ("listed", reason)
    assert ("closed", handle) in settled.errands()


def test_withdrawing_what_was_answered_stops_what_is_on_its_way(settled: World) -> None:
    request, handle = opened(settled)
    settled.answer(handle)
    before = settled.errands().count(("closed", handle))
    settled.follow_up("withdraw", request)
    settled.poll()
    assert settled.state(request) == ("answered", None)
    assert settled.view(request).reason == "withdrawn"
    assert settled.inbox.may_deliver(handle, NOW) == "why_not_open"
    assert settled.errands().count(("closed", handle)) == before + 1
    [entry] = settled.inbox.history(handle)[:1]
    assert (entry.kind, entry.facts["reason"]) == ("request_stopped", "withdrawn")


def test_what_was_withdrawn_is_not_undone(settled: World) -> None:
    request, handle = opened(settled)
    settled.inbox.decline(handle, ME, NOW)
    settled.follow_up("withdraw", request)
    settled.poll()
    assert error_key(settled.inbox.undo_decline, handle, ME, NOW) == "request_over"


def test_a_withdrawal_of_somebody_else_changes_nothing(settled: World) -> None:
    request, _ = opened(settled)
    settled.follow_up(
        "withdraw",
        request,
        {"properties": {"replaces": NOBODY}},
    )
    settled.poll()
    assert settled.state(request)[0] == "open"


def test_a_withdrawal_that_comes_first_counts(settled: World) -> None:
    other = Feed("other.example.gov/2026")
    other.log.append(settled.feed.log.entries[0])
    request = settled.ask(into=other)
    settled.follow_up("withdraw", request)
    settled.poll()
    settled.poll(other)
    assert settled.state(request) == ("listed", "replaced")


def test_amending_supersedes(settled: World) -> None:
    request, handle = opened(settled)
    amended = settled.follow_up("amend", request, {"properties": {"wanted": ["video", "audio"]}})
    [new] = settled.poll().opened
    assert settled.state(request) == ("superseded", "superseded")
    assert settled.state(amended) == ("open", None)
    assert new != handle
    assert settled.view(amended).request.replaces == request["id"]


def test_amending_again_and_again_is_asking_again_and_again(settled: World) -> None:
    request, _ = opened(settled)
    second = settled.follow_up("amend", request)
    settled.poll()
    third = settled.follow_up("amend", second)
    settled.poll()
    assert settled.state(second) == ("superseded", "superseded")
    assert settled.state(third) == ("listed", "rule")


def test_amending_the_unknown_is_asking(settled: World) -> None:
    amended = settled.follow_up("amend", {**settled.ask(), "id": "urn:uuid:none"}, {
        "properties": {"replaces": NOBODY}
    })  # fmt: skip
    settled.poll()
    assert settled.state(amended)[0] == "open"


def test_withdrawing_while_it_waits(settled: World) -> None:
    settled.clips.clear()
    request = settled.ask()
    settled.poll()
    settled.follow_up("withdraw", request)
    settled.poll()
    assert settled.state(request) == ("listed", "withdrawn")
    listed = settled.ask(details={"case": None})
    settled.poll()
    settled.follow_up("withdraw", listed)
    settled.poll()
    assert settled.state(listed) == ("listed", "rule")


# --- all or nothing -----------------------------------------------------------


def test_what_fails_leaves_nothing_behind(settled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    request = settled.ask()
    before, kinds = settled.inbox.feed_state(settled.feed_id), settled.kinds()

    def full(*_: object) -> None:
        raise StorageError("database_failed", error="disk full")

    with monkeypatch.context() as patched:
        patched.setattr(intake.Intake, "settle", full)
        with pytest.raises(StorageError):
            settled.poll()
    assert settled.inbox.feed_state(settled.feed_id) == before
    assert (settled.kinds(), settled.inbox.requests(NOW)) == (kinds, [])
    settled.poll()
    assert settled.state(request) == ("open", None)


def test_after_a_crash_the_next_poll_goes_on(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(600):
        settled.feed.log.append(b"noise %d" % number)
    request = settled.ask()
    real, done = intake.Intake.take_in, []

    def crash(self: intake.Intake, *args: Any) -> None:
        done.append(1)
        if len(done) > 300:
            raise StorageError("database_failed")
        real(self, *args)

    with monkeypatch.context() as patched:
        patched.setattr(intake.Intake, "take_in", crash)
        with pytest.raises(StorageError):
            settled.poll()
    state = settled.inbox.feed_state(settled.feed_id)
    assert (state.size, state.read) == (602, 257)
    assert len(state.unread) == 345
    settled.restart()
    settled.poll()
    assert settled.state(request) == ("open", None)
    assert settled.inbox.feed_state(settled.feed_id).read == 602
