"""Agencies from first sight to rotation, conflict and imposture."""

from typing import Any

import pytest

from custom_components.doorstep.inbox import agency_table
from custom_components.doorstep.inbox.agencies import KeyState
from custom_components.doorstep.inbox.jws import verify
from tests.simulators import documents
from tests.simulators.signing import Signer

from .world import AGENCY, FAR, HOUR, ME, NOW, RECIPIENT_2, STATEMENT, World, error_key

THIEF = Signer()
NEW = Signer()
REVOKED = {"state": "revoked", "revoked_from": "2026-11-20T00:00:00Z"}
ELSEWHERE = {"delivery": {"tus": "https://elsewhere.example/uploads"}}


def keys(world: World, **states: str) -> list[dict[str, Any]]:
    named = {"own": world.signer, "new": NEW, "thief": THIEF}
    listed: list[dict[str, Any]] = []
    for name, state in states.items():
        said = REVOKED if state == "revoked" else {"state": state}
        listed.append({"jwk": named[name].public, **said})
    return listed


def states(world: World) -> dict[str, str]:
    named = {world.signer.thumbprint: "own", NEW.thumbprint: "new", THIEF.thumbprint: "thief"}
    with world.database.read() as tx:
        held = agency_table.keys(tx, AGENCY)
    return {named[kid]: key.state.value for kid, key in held.items()}


def test_an_agency_is_quarantined_until_a_person_confirms_it(world: World) -> None:
    said = world.statement()
    request = world.ask()
    assert world.poll().counts == {"statement_first": 1, "agency_unconfirmed": 1}
    view = world.inbox.agency(AGENCY)
    assert (view.is_confirmed, view.confirmed, view.conflict) == (False, None, False)
    assert view.statement.name == said["name"]
    assert view.fingerprints == (world.signer.thumbprint,)
    assert (view.others, view.domain) == ((), None)
    assert world.state(request) == ("quarantined", "agency_unconfirmed")
    assert "notify" not in dict(world.errands())
    handle = world.view(request).handle
    assert world.inbox.may_approve(handle, NOW) == "why_not_open"
    assert world.confirm().opened == (handle,)
    assert world.state(request) == ("open", None)
    assert ("notify", handle) in world.errands()
    view = world.inbox.agency(AGENCY)
    assert (view.is_confirmed, view.confirmed) == (True, view.statement)
    assert world.inbox.agencies() == [view]
    [entry] = [e for e in world.ledger.entries(subject=AGENCY) if e.kind == "agency_confirmed"]
    assert entry.facts == {"statement": view.statement.sha256, "channel": "panel"}
    assert entry.private == {"user": "a-user"}
    [entry] = [e for e in world.ledger.entries(subject=AGENCY) if e.kind == "agency_seen"]
    assert entry.facts["sequence"] == 1
    assert entry.facts["feed"] == world.feed_id


def test_confirming_what_is_not_held(world: World) -> None:
    sha256 = "0" * 64
    confirm = world.inbox.confirm_agency
    assert error_key(confirm, AGENCY, sha256, ME, world.home, NOW) == "agency_unknown"
    world.statement()
    world.poll()
    assert error_key(confirm, AGENCY, sha256, ME, world.home, NOW) == "statement_unknown"
    assert not world.inbox.agency(AGENCY).is_confirmed
    assert error_key(world.inbox.agency, "https://b/") == "agency_unknown"


def test_quarantined_requests_can_end(world: World) -> None:
    world.statement()
    withdrawn, amended = world.ask(), world.ask({"properties": {"case_id": "24-200"}})
    world.poll()
    world.follow_up("withdraw", withdrawn)
    world.follow_up("amend", amended)
    world.poll()
    assert world.state(withdrawn) == ("refused", "withdrawn")
    assert world.state(amended) == ("refused", "superseded")


def test_quarantined_requests_expire(world: World) -> None:
    world.statement()
    late = world.ask({"properties": {"expires_at": documents.timestamp(NOW + HOUR)}})
    world.poll()
    world.inbox.expire(NOW + HOUR)
    assert world.state(late) == ("refused", "expired")


def test_what_is_late_at_confirmation_does_not_open(world: World) -> None:
    world.statement()
    late = world.ask({"properties": {"expires_at": documents.timestamp(NOW + HOUR)}})
    world.poll()
    world.now = NOW + HOUR
    assert world.confirm().opened == ()
    assert world.state(late) == ("refused", "expired")


def test_rules_are_asked_again_at_confirmation(world: World) -> None:
    world.statement()
    request = world.ask()
    world.poll()
    world.statement({"jurisdiction": documents.square(*FAR, 15_000.0)})
    world.poll()
    assert world.confirm().opened == ()
    assert world.state(request) == ("refused", "rule")


def test_details_that_vanished_do_not_close_a_quarantined_request(world: World) -> None:
    world.statement()
    request = world.ask()
    world.poll()
    with world.database.transaction() as tx:
        tx.execute("UPDATE requests SET details = x''")
    assert world.confirm().opened
    assert world.view(request).details is None


def test_signing_keys_rotate_by_themselves(world: World) -> None:
    world.settled()
    request = world.ask()
    world.poll()
    world.statement({"keys": keys(world, own="retired", new="active")})
    world.poll()
    assert world.inbox.agency(AGENCY).is_confirmed
    assert states(world) == {"own": "retired", "new": "active"}
    assert world.state(request) == ("open", None)
    world.ask()
    assert world.poll().counts == {"key_retired": 1}
    newer = world.ask(signer=NEW)
    assert world.poll().opened
    assert world.state(newer) == ("open", None)
    assert "agency_updated" in world.kinds()
    assert "agency_changed" not in dict(world.errands())
    assert set(world.inbox.active_keys(AGENCY)) == {NEW.thumbprint}
    receipt = NEW.sign({"v": 1}, "receipt+jws")
    assert verify(receipt, "receipt+jws", world.inbox.active_keys(AGENCY)).kid == NEW.thumbprint


def test_a_key_that_is_no_longer_listed_signs_no_more(world: World) -> None:
    world.settled()
    world.statement({"keys": keys(world, new="active")})
    world.poll()
    assert states(world) == {"own": "retired", "new": "active"}


def test_a_retired_key_does_not_come_back(world: World) -> None:
    world.settled()
    world.statement({"keys": keys(world, own="retired", new="active")})
    world.statement({"keys": keys(world, own="active", new="active")}, NEW)
    world.poll()
    assert states(world) == {"own": "retired", "new": "active"}


def test_a_revoked_key_closes_what_it_signed(world: World) -> None:
    world.settled()
    given, declined = world.ask(), world.ask()
    world.poll()
    handles = {name: world.view(r).handle for name, r in (("given", given), ("no", declined))}
    world.answer(handles["given"])
    world.inbox.decline(handles["no"], ME, NOW)
    world.statement({"keys": keys(world, own="revoked", new="active")})
    world.poll()
    assert world.inbox.may_deliver(handles["given"], NOW) == "why_not_open"
    assert world.view(given).reason == "key_revoked"
    assert error_key(world.inbox.undo_decline, handles["no"], ME, NOW) == "request_over"
    world.ask()
    assert world.poll().counts == {"key_revoked": 1}


def test_open_and_quarantined_requests_of_a_revoked_key(world: World) -> None:
    world.settled()
    opened = world.ask()
    world.poll()
    world.statement(ELSEWHERE)
    quarantined = world.ask()
    world.poll()
    assert world.state(quarantined) == ("quarantined", "agency_unconfirmed")
    world.statement({**ELSEWHERE, "keys": keys(world, own="revoked", new="active")})
    world.poll()
    assert world.state(opened) == ("key_revoked", "key_revoked")
    assert world.state(quarantined) == ("refused", "key_revoked")


@pytest.mark.parametrize(
    "patch",
    [
        ELSEWHERE,
        {"encryption": [{"recipient": RECIPIENT_2, "holder": "Unit"}]},
        {"kind": "immigration"},
        {"name": "Another name"},
    ],
)
def test_changes_that_matter_wait_for_a_person(world: World, patch: dict[str, Any]) -> None:
    world.settled()
    before = world.ask()
    world.poll()
    old = world.inbox.agency(AGENCY).statement
    world.statement(patch)
    after = world.ask()
    world.poll()
    view = world.inbox.agency(AGENCY)
    assert not view.is_confirmed
    assert (view.confirmed, view.statement.sequence) == (old, 2)
    assert ("agency_changed", AGENCY) in world.errands()
    assert "agency_changed" in world.kinds()
    assert world.state(before) == ("open", None)
    assert world.state(after) == ("quarantined", "agency_unconfirmed")
    handle = world.view(before).handle
    assert world.inbox.may_approve(handle, NOW) == "why_agency_unconfirmed"
    assert world.inbox.may_deliver(handle, NOW) == "why_agency_unconfirmed"
    world.confirm()
    assert world.inbox.may_approve(handle, NOW) is None
    assert world.state(after) == ("open", None)


def test_a_change_that_is_taken_back_needs_nobody(world: World) -> None:
    world.settled()
    world.statement(ELSEWHERE)
    request = world.ask()
    world.poll()
    world.statement()
    assert len(world.poll().opened) == 1
    assert world.inbox.agency(AGENCY).is_confirmed
    assert world.state(request) == ("open", None)


def test_a_change_before_the_first_confirmation_is_not_confirmed(world: World) -> None:
    world.statement()
    world.statement({"policy_url": "https://police.example.gov/p2"})
    world.poll()
    view = world.inbox.agency(AGENCY)
    assert (view.is_confirmed, view.confirmed, view.statement.sequence) == (False, None, 2)


def test_an_impostor_is_shown_and_changes_nothing(world: World) -> None:
    world.settled()
    before = world.inbox.agency(AGENCY)
    world.statement({"sequence": 2, "keys": keys(world, thief="active"), **ELSEWHERE}, THIEF)
    world.ask(signer=THIEF)
    assert world.poll().counts == {"statement_impostor": 1, "jws_key_unknown": 1}
    view = world.inbox.agency(AGENCY)
    assert (view.statement, view.confirmed, view.is_confirmed) == (before.statement,) * 2 + (True,)
    [other] = view.others
    assert other.delivery == "https://elsewhere.example/uploads"
    assert "agency_impostor" in world.kinds()
    world.feed.log.append(world.feed.log.entries[1])
    assert world.poll().counts == {"statement_old": 1}
    assert len(world.inbox.agency(AGENCY).others) == 1


def test_impostors_can_not_fill_the_disk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agency_table, "MAX_OTHERS", 2)
    monkeypatch.setattr(agency_table, "MAX_AGENCIES", 1)
    world.settled()
    for number in range(3):
        world.statement({"name": f"N{number}", "keys": keys(world, thief="active")}, THIEF)
    world.statement({"id": "https://second.example.gov/", "sequence": 1})
    assert world.poll().counts == {
        "statement_impostor": 2,
        "statements_too_many": 1,
        "agencies_too_many": 1,
    }
    assert len(world.inbox.agencies()) == 1


def test_a_person_may_confirm_what_another_key_signed(world: World) -> None:
    """An agency that lost its keys starts anew; a person has to say so."""
    world.settled()
    open_one = world.ask()
    world.poll()
    world.statement({"sequence": 1, "keys": keys(world, new="active")}, NEW)
    world.poll()
    [other] = world.inbox.agency(AGENCY).others
    world.inbox.confirm_agency(AGENCY, other.sha256, ME, world.home, NOW)
    view = world.inbox.agency(AGENCY)
    assert (view.is_confirmed, view.statement, view.others) == (True, other, ())
    assert states(world) == {"own": "retired", "new": "active"}
    assert world.state(open_one) == ("open", None)
    assert world.ask(signer=NEW)
    assert world.poll().opened
    world.statement({"sequence": 2, "keys": keys(world, new="active")}, NEW)
    assert world.poll().counts == {"statement_successor": 1}


def test_quarantined_requests_of_keys_that_a_person_rejected(world: World) -> None:
    world.statement()
    request = world.ask()
    world.poll()
    world.statement({"sequence": 1, "keys": keys(world, new="active", own="revoked")}, NEW)
    world.poll()
    [other] = world.inbox.agency(AGENCY).others
    world.inbox.confirm_agency(AGENCY, other.sha256, ME, world.home, NOW)
    assert world.state(request) == ("refused", "key_revoked")


def test_quarantined_requests_of_keys_that_are_gone(world: World) -> None:
    world.statement()
    request = world.ask()
    world.poll()
    with world.database.transaction() as tx:
        tx.execute("DELETE FROM agency_keys")
    world.statement({"sequence": 1, "keys": keys(world, new="active")}, NEW)
    world.poll()
    [other] = world.inbox.agency(AGENCY).others
    world.inbox.confirm_agency(AGENCY, other.sha256, ME, world.home, NOW)
    assert world.state(request) == ("refused", "jws_key_unknown")


def test_two_valid_successors_are_a_conflict_for_a_person(world: World) -> None:
    world.settled()
    open_one = world.ask()
    world.poll()
    both = keys(world, own="active", thief="active")
    world.statement({"sequence": 2, "keys": both})
    world.poll()
    world.statement({"sequence": 2, "keys": keys(world, own="active"), "policy_url": "https://p/"})
    assert world.poll().counts == {"statement_conflict": 1}
    view = world.inbox.agency(AGENCY)
    assert (view.is_confirmed, view.conflict) == (False, True)
    handle = world.view(open_one).handle
    assert world.inbox.may_approve(handle, NOW) == "why_agency_unconfirmed"
    assert ("agency_changed", AGENCY) in world.errands()
    [other] = view.others
    world.inbox.confirm_agency(AGENCY, other.sha256, ME, world.home, NOW)
    view = world.inbox.agency(AGENCY)
    assert (view.is_confirmed, view.conflict, view.statement) == (True, False, other)
    assert states(world) == {"own": "active", "thief": "retired"}


def test_a_conflict_still_revokes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agency_table, "MAX_OTHERS", 1)
    world.statement({"keys": keys(world, own="active", new="active")})
    world.poll()
    world.confirm()
    request = world.ask()
    world.poll()
    world.statement({"sequence": 2, "keys": keys(world, own="active", new="active")})
    revoking = keys(world, own="revoked", new="active", thief="revoked")
    world.statement({"sequence": 2, "keys": revoking}, NEW)
    world.poll()
    assert states(world) == {"own": "revoked", "new": "active"}
    assert world.state(request) == ("key_revoked", "key_revoked")
    world.statement({"sequence": 2, "keys": keys(world, new="active")}, NEW)
    assert world.poll().counts == {"statements_too_many": 1}


def test_the_domain_check_is_remembered_until_the_keys_change(world: World) -> None:
    world.settled()
    world.inbox.set_domain(AGENCY, ME, NOW, proven=True)
    assert world.inbox.agency(AGENCY).domain is True
    assert "agency_checked" in world.kinds()
    world.inbox.set_domain(AGENCY, ME, NOW, proven=False)
    assert world.inbox.agency(AGENCY).domain is False
    world.statement()
    world.poll()
    assert world.inbox.agency(AGENCY).domain is None
    with pytest.raises(Exception, match="agency_unknown"):
        world.inbox.set_domain("https://b/", ME, NOW, proven=True)


def test_statements_of_the_past_change_nothing(world: World) -> None:
    world.settled()
    first = world.feed.log.entries[0]
    world.statement({"keys": keys(world, own="active", new="active")})
    world.poll()
    world.restart()
    world.feed.log.append(first)
    world.feed.log.append(
        world.signer.sign({**_payload(world), "sequence": 1, "name": "Old"}, STATEMENT)
    )
    assert world.poll().counts == {"statement_old": 2}
    assert world.inbox.agency(AGENCY).statement.sequence == 2
    assert KeyState(states(world)["new"]) is KeyState.ACTIVE


def _payload(world: World) -> dict[str, Any]:
    return world.signer.opens(world.feed.log.entries[0])
