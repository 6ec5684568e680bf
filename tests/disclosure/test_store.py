"""Releases: every transition is on disk, in the ledger and in the outbox, or didn't happen."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from custom_components.doorstep.disclosure.package import Package
from custom_components.doorstep.disclosure.receipt import Receipt
from custom_components.doorstep.disclosure.store import GRACE, LIVE, Release, Releases
from custom_components.doorstep.encoding import JSON
from custom_components.doorstep.errors import ReleaseError, StorageError
from custom_components.doorstep.inbox.states import RELEASE as TABLE
from custom_components.doorstep.ledger import outbox
from custom_components.doorstep.ledger.database import Database
from custom_components.doorstep.ledger.log import Ledger

from .conftest import REQUEST, Clock

HANDLE = "k3v9"
PACKAGE = Package("ab" * 32, 1000)
RECEIPT = Receipt(datetime(2026, 11, 23, 21, 5, tzinfo=UTC), "24-118/7")


def state(release: str) -> dict[str, object]:
    """A statement, as far as the table cares."""
    return {"release": release, "request": REQUEST, "v": 1}


@pytest.fixture
def draft(releases: Releases, clock: Clock) -> Release:
    return releases.draft(HANDLE, state, clock())


@pytest.fixture
def granted(releases: Releases, draft: Release, clock: Clock) -> Release:
    return releases.approve(draft.id, draft.digest, "anna", clock())


@pytest.fixture
def delivering(releases: Releases, granted: Release, clock: Clock) -> Release:
    releases.package(granted.id, clock())
    return releases.deliver(granted.id, PACKAGE, "cd" * 32, clock())


def kinds(ledger: Ledger, release: Release) -> list[str]:
    return [entry.kind for entry in reversed(ledger.entries(subject=release.id))]


# --- drafts


def test_a_draft_is_kept_and_told(
    releases: Releases, draft: Release, ledger: Ledger, database: Database, clock: Clock
) -> None:
    assert draft.state == "draft"
    assert draft.statement == state(draft.id)
    assert releases.get(draft.id) == draft
    assert releases.all() == releases.all(HANDLE) == [draft]
    assert releases.all("other") == []
    (entry,) = ledger.entries(subject=draft.id)
    assert entry.kind == "release.draft"
    assert entry.facts == {"request": REQUEST, "statement_sha256": draft.digest}
    with database.read() as connection:
        (errand,) = outbox.pending(connection, clock())
    assert (errand.kind, errand.subject) == ("release.draft", draft.id)


def test_looking_again_shows_the_same_draft(
    releases: Releases, draft: Release, clock: Clock
) -> None:
    clock.wait(minutes=5)
    assert releases.draft(HANDLE, state, clock()) == draft
    assert releases.draft("other", state, clock()) != draft


def test_a_draft_that_says_something_else_replaces_the_old_one(
    releases: Releases, draft: Release, clock: Clock
) -> None:
    other = releases.draft(HANDLE, lambda release: state(release) | {"audio": True}, clock())
    old = releases.get(draft.id)
    assert (old.state, old.reason) == ("dropped", "replaced")
    assert other.state == "draft"
    with pytest.raises(ReleaseError, match="not_possible"):
        releases.approve(draft.id, draft.digest, "anna", clock())


def test_an_unknown_release_is_said(releases: Releases) -> None:
    with pytest.raises(ReleaseError, match="release_unknown"):
        releases.get("none")


# --- approval


def test_an_approval_names_what_was_shown(
    releases: Releases, draft: Release, ledger: Ledger, clock: Clock
) -> None:
    with pytest.raises(ReleaseError, match="release_changed"):
        releases.approve(draft.id, "0" * 64, "anna", clock())
    assert releases.get(draft.id) == draft
    granted = releases.approve(draft.id, draft.digest, "anna", clock())
    assert granted.state == "granted"
    assert granted.send_at == "2026-11-23T21:01:00.250Z"
    assert granted.decision.at == clock()
    entry = ledger.entries(subject=draft.id)[0]
    assert entry.kind == "release.granted"
    assert entry.facts == {"statement_sha256": draft.digest}
    assert entry.private == {"actor": "anna"}


def test_only_a_draft_can_be_approved(releases: Releases, granted: Release, clock: Clock) -> None:
    with pytest.raises(ReleaseError, match="not_possible"):
        releases.approve(granted.id, granted.digest, "anna", clock())
    assert releases.get(granted.id) == granted


def test_each_approval_makes_its_own_key(
    releases: Releases, draft: Release, granted: Release, clock: Clock
) -> None:
    other = releases.draft("other", state, clock())
    other = releases.approve(other.id, other.digest, "anna", clock())
    assert draft.key is None
    assert len({granted.key, other.key, None}) == 3
    again = releases.get(granted.id).decision.key
    assert again.private_bytes_raw() == granted.key


def test_without_a_decision_nothing_can_be_packed(draft: Release) -> None:
    with pytest.raises(ReleaseError, match="not_possible"):
        _ = draft.decision
    assert draft.send_at is None


def test_one_release_at_a_time(releases: Releases, delivering: Release, clock: Clock) -> None:
    with pytest.raises(ReleaseError, match="release_under_way"):
        releases.draft(HANDLE, state, clock())
    releases.stop(delivering.id, "taken_back", clock())
    second = releases.draft(HANDLE, state, clock())
    releases.approve(second.id, second.digest, "anna", clock())
    with pytest.raises(ReleaseError, match="release_under_way"):
        releases.retry(delivering.id, "anna", clock())


def test_a_draft_that_was_overtaken_cannot_be_approved(
    releases: Releases, draft: Release, clock: Clock, database: Database
) -> None:
    first = releases.approve(draft.id, draft.digest, "anna", clock())
    # as if both drafts had been made at the same time
    with database.transaction() as tx:
        tx.execute("UPDATE releases SET handle = 'x'")
    second = releases.draft(HANDLE, state, clock())
    with database.transaction() as tx:
        tx.execute("UPDATE releases SET handle = ?", (HANDLE,))
    with pytest.raises(ReleaseError, match="release_under_way"):
        releases.approve(second.id, second.digest, "anna", clock())
    assert releases.get(first.id).state == "granted"


def test_a_draft_made_while_another_was_granted_is_refused(
    releases: Releases, draft: Release, clock: Clock
) -> None:
    def slow(release: str) -> dict[str, object]:
        if release != draft.id:
            releases.approve(draft.id, draft.digest, "anna", clock())
        return state(release) | {"audio": True}

    with pytest.raises(ReleaseError, match="release_under_way"):
        releases.draft(HANDLE, slow, clock())


# --- taking back


def test_an_approval_can_be_taken_back_until_it_begins(
    releases: Releases, granted: Release, ledger: Ledger, clock: Clock
) -> None:
    undone = releases.undo(granted.id, "ben", clock())
    assert (undone.state, undone.reason, undone.key) == ("dropped", "taken_back", None)
    entry = ledger.entries(subject=granted.id)[0]
    assert entry.facts["reason"] == "taken_back"
    assert entry.private == {"actor": "ben"}
    assert releases.next_due() is None
    with pytest.raises(ReleaseError, match="not_possible"):
        releases.package(granted.id, clock())


def test_it_is_too_late_once_it_has_begun(
    releases: Releases, granted: Release, clock: Clock
) -> None:
    releases.package(granted.id, clock())
    with pytest.raises(ReleaseError, match="not_possible"):
        releases.undo(granted.id, "ben", clock())


def test_what_the_house_drops_names_nobody(
    releases: Releases, draft: Release, ledger: Ledger, clock: Clock
) -> None:
    dropped = releases.drop(draft.id, "why_expired", clock())
    assert (dropped.state, dropped.reason) == ("dropped", "why_expired")
    assert ledger.entries(subject=draft.id)[0].private is None


def test_a_stopped_release_may_be_sent_again_under_the_same_approval(
    releases: Releases, delivering: Release, ledger: Ledger, clock: Clock
) -> None:
    releases.created(delivering.id, "https://x/1")
    releases.offer(delivering.id, 900)
    releases.confirm(delivering.id, 900)
    stopped = releases.stop(delivering.id, "taken_back", clock(), "ben")
    assert (stopped.state, stopped.reason, stopped.due_at) == ("stopped", "taken_back", None)
    assert stopped.key == delivering.key
    again = releases.retry(delivering.id, "anna", clock())
    assert again.state == "packaging"
    assert again.is_due(clock())
    assert (again.upload_url, again.offered, again.sent, again.uploads) == (None, 0, 0, 0)
    assert (again.reason, again.package_sha256, again.size) == (None, None, 0)
    assert again.decision.at == delivering.decision.at
    assert ledger.entries(subject=delivering.id)[0].private == {"actor": "anna"}
    with pytest.raises(ReleaseError, match="not_possible"):
        releases.retry(delivering.id, "anna", clock())


@pytest.mark.parametrize(
    ("offered", "reason"), [(0, "taken_back"), (999, "taken_back"), (1000, "unconfirmed")]
)
def test_stopping_after_the_last_part_began_is_unconfirmed(
    releases: Releases, delivering: Release, clock: Clock, offered: int, reason: str
) -> None:
    releases.offer(delivering.id, offered)
    assert releases.stop(delivering.id, "taken_back", clock()).reason == reason


# --- the courier's steps


def test_the_whole_way(
    releases: Releases, delivering: Release, ledger: Ledger, clock: Clock
) -> None:
    assert delivering.package_sha256 == PACKAGE.sha256
    assert delivering.release_sha256 == "cd" * 32
    assert delivering.size == 1000
    assert delivering.is_due(clock())
    release = releases.created(delivering.id, "https://x/1")
    assert (release.upload_url, release.uploads) == ("https://x/1", 1)
    assert releases.offer(delivering.id, 600).offered == 600
    assert releases.offer(delivering.id, 500).offered == 600
    assert releases.confirm(delivering.id, 600).sent == 600
    due = clock() + timedelta(minutes=1)
    release = releases.finish(delivering.id, due, clock())
    assert (release.state, release.delivered_at) == ("delivered", "2026-11-23T21:00:00.250Z")
    assert not release.is_due(clock())
    assert release.is_due(due)
    assert releases.next_due() == due
    assert release.delivered.release_sha256 == "cd" * 32
    assert release.delivered.request == REQUEST
    release = releases.acknowledge(delivering.id, RECEIPT, b"token", clock())
    assert (release.state, release.evidence_id) == ("acknowledged", "24-118/7")
    assert (release.key, release.receipt, release.due_at) == (None, b"token", None)
    assert release.acknowledged_at == "2026-11-23T21:00:00.250Z"
    assert kinds(ledger, release) == [
        "release.draft",
        "release.granted",
        "release.packaging",
        "release.delivering",
        "release.delivered",
        "release.acknowledged",
    ]
    facts = [entry.facts for entry in reversed(ledger.entries(subject=release.id))]
    assert facts[3]["package_sha256"] == PACKAGE.sha256
    assert facts[3]["size"] == 1000
    assert facts[5]["evidence_id"] == "24-118/7"
    ledger.verify()


def test_a_receipt_that_never_came(releases: Releases, delivering: Release, clock: Clock) -> None:
    releases.finish(delivering.id, clock(), clock())
    missed = releases.miss(delivering.id, clock())
    assert (missed.state, missed.key, missed.due_at) == ("overdue", None, None)


def test_an_upload_that_was_lost_begins_anew(releases: Releases, delivering: Release) -> None:
    releases.created(delivering.id, "https://x/1")
    releases.offer(delivering.id, 600)
    fresh = releases.forget_upload(delivering.id)
    assert (fresh.upload_url, fresh.offered, fresh.sent, fresh.uploads) == (None, 0, 0, 1)


@pytest.mark.parametrize(
    "step",
    [
        lambda releases, release: releases.created(release, "https://x/1"),
        lambda releases, release: releases.offer(release, 1),
        lambda releases, release: releases.confirm(release, 1),
        lambda releases, release: releases.forget_upload(release),
    ],
)
def test_nothing_is_sent_of_a_stopped_release(
    releases: Releases,
    delivering: Release,
    clock: Clock,
    step: Callable[[Releases, str], Release],
) -> None:
    stopped = releases.stop(delivering.id, "taken_back", clock())
    with pytest.raises(ReleaseError, match="not_possible"):
        step(releases, delivering.id)
    assert releases.get(delivering.id) == stopped


def test_waiting_counts_and_success_resets(
    releases: Releases, delivering: Release, clock: Clock
) -> None:
    due = clock() + timedelta(seconds=10)
    releases.postpone(delivering, "receiver_unreachable", due, clock())
    waiting = releases.get(delivering.id)
    assert (waiting.attempts, waiting.reason) == (1, "receiver_unreachable")
    assert releases.next_due() == due
    confirmed = releases.confirm(delivering.id, 10)
    assert (confirmed.attempts, confirmed.reason) == (0, None)


def test_what_somebody_moved_on_is_left_alone(
    releases: Releases, delivering: Release, clock: Clock
) -> None:
    stopped = releases.stop(delivering.id, "taken_back", clock())
    releases.postpone(delivering, "receiver_unreachable", clock(), clock())
    releases.fail(delivering, "receiver_refused", clock())
    assert releases.get(delivering.id) == stopped


@pytest.mark.parametrize("begun", [False, True])
def test_a_failure_ends_in_the_state_it_can(
    releases: Releases, granted: Release, clock: Clock, *, begun: bool
) -> None:
    release = releases.package(granted.id, clock()) if begun else granted
    releases.fail(release, "why_expired", clock())
    assert releases.get(granted.id).state == ("stopped" if begun else "dropped")
    assert releases.get(granted.id).reason == "why_expired"


def test_due_lists_who_waits_longest_first(releases: Releases, clock: Clock) -> None:
    made = []
    for handle in ("a", "b", "c"):
        release = releases.draft(handle, state, clock())
        made.append(releases.approve(release.id, release.digest, "anna", clock()))
        clock.wait(seconds=-20)
    a, b, c = made
    clock.wait(seconds=20)
    assert releases.due(clock.now + GRACE - timedelta(milliseconds=1)) == []
    assert releases.due(clock.now + GRACE) == [c.id]
    assert releases.due(clock.now + GRACE * 2) == [c.id, b.id, a.id]


# --- together or not at all


def test_a_ledger_that_fails_undoes_the_transition(
    releases: Releases,
    draft: Release,
    database: Database,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise StorageError("database_failed")

    with monkeypatch.context() as broken:
        broken.setattr(outbox, "enqueue", full)
        with pytest.raises(StorageError):
            releases.approve(draft.id, draft.digest, "anna", clock())
    assert releases.get(draft.id) == draft
    with database.read() as connection:
        assert [e.kind for e in outbox.pending(connection, clock())] == ["release.draft"]
    assert releases.approve(draft.id, draft.digest, "anna", clock()).state == "granted"


def test_how_it_was_decided_is_kept(
    releases: Releases, draft: Release, ledger: Ledger, clock: Clock
) -> None:
    how: dict[str, JSON] = {"channel": "panel", "watched": True}
    grace = timedelta(minutes=5)
    granted = releases.approve(draft.id, draft.digest, "anna", clock(), grace=grace, facts=how)
    assert granted.is_due(clock.now + grace)
    assert not granted.is_due(clock.now + GRACE)
    assert ledger.entries(subject=draft.id)[0].facts == {"statement_sha256": draft.digest, **how}


def test_all_survives_a_restart(delivering: Release, database: Database, ledger: Ledger) -> None:
    assert Releases(database, ledger).get(delivering.id) == delivering


def test_the_names_of_states_are_those_of_the_table() -> None:
    assert TABLE.states > LIVE
