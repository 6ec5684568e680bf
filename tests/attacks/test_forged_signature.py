"""Somebody who has no key of the agency's, or of the log's, tries to be heard."""

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
import pytest

from custom_components.doorstep.errors import FeedError
from custom_components.doorstep.inbox.feed import STOPPING
from tests.inbox.world import AGENCY, ME, NOW, REQUEST, STATEMENT, World
from tests.simulators.signing import Signer, base64url, to_json, with_broken_signature

THIEF = Signer()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path).settled()


def header(world: World, **changed: object) -> dict[str, Any]:
    honest = {"alg": "EdDSA", "kid": world.signer.thumbprint, "typ": REQUEST}
    return {name: value for name, value in {**honest, **changed}.items() if value is not None}


def forged(world: World, name: str) -> bytes:
    """Make what an attacker can make of an honest request that is in the log."""
    world.ask()
    honest = world.feed.log.entries.pop()
    head, payload, signature = honest.split(b".")
    said = to_json({**world.signer.opens(honest), "id": "urn:uuid:" + "0" * 36})
    thief = header(world, jwk=THIEF.public)
    return {
        "another key, the agency's name for it": THIEF.sign_raw(header(world), said),
        "another key under its own name": THIEF.sign(world.signer.opens(honest), REQUEST),
        "another key that the token brings": THIEF.sign_raw(thief, said),
        "another key that the token points to": THIEF.sign_raw(
            header(world, jku="https://thief.example/keys"), said
        ),
        "no algorithm": base64url(to_json(header(world, alg="none"))) + b"." + payload + b".",
        "a symmetric algorithm": THIEF.sign_raw(header(world, alg="HS256"), said),
        "a changed payload": head + b"." + base64url(said) + b"." + signature,
        "a changed signature": with_broken_signature(honest),
        "no signature": head + b"." + payload + b".",
        "the signature of a statement": world.signer.sign(world.signer.opens(honest), STATEMENT),
        "padding": honest + b"=",
        "no type": world.signer.sign_raw(header(world, typ=None), said),
        "critical extensions": world.signer.sign_raw(header(world, crit=["b64"], b64=False), said),
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        "another key, the agency's name for it",
        "another key under its own name",
        "another key that the token brings",
        "another key that the token points to",
        "no algorithm",
        "a symmetric algorithm",
        "a changed payload",
        "a changed signature",
        "no signature",
        "the signature of a statement",
        "padding",
        "no type",
        "critical extensions",
    ],
)
def test_a_forged_request_is_not_heard(tmp_path: Path, name: str) -> None:
    world = World(tmp_path).settled()
    token = forged(world, name)
    world.feed.log.rewrite(world.feed.log.entries, [b""] * len(world.feed.log.entries))
    world.feed.log.append(token, b"{}")
    errands = world.errands()
    applied = world.poll()
    assert applied.opened == ()
    assert sum(applied.counts.values()) == 1
    assert world.inbox.requests(NOW) == []
    assert world.inbox.refusals() == []
    assert world.errands() == errands
    assert "request_open" not in world.kinds()


def test_a_forged_statement_changes_nothing(world: World) -> None:
    before = world.inbox.agency(AGENCY)
    stolen = {"keys": [{"jwk": THIEF.public, "state": "active"}]}
    payload = world.statement({"sequence": 2, **stolen}, THIEF)
    world.feed.log.append(THIEF.sign_raw(header(world, typ=STATEMENT), to_json(payload)))
    world.ask(signer=THIEF)
    assert world.poll().opened == ()
    after = world.inbox.agency(AGENCY)
    assert (after.statement, after.is_confirmed) == (before.statement, True)
    assert set(world.inbox.active_keys(AGENCY)) == {world.signer.thumbprint}


def test_one_agencys_key_does_not_speak_for_another(world: World) -> None:
    other = "https://other.example.gov/"
    world.sequence = 0
    world.statement({"id": other, "keys": [{"jwk": THIEF.public, "state": "active"}]}, THIEF)
    world.poll()
    sha256 = world.inbox.agency(other).statement.sha256
    world.inbox.confirm_agency(other, sha256, ME, world.home, NOW)
    world.ask(signer=THIEF)
    assert world.poll().counts == {"jws_key_unknown": 1}
    world.ask({"properties": {"agency": other}}, signer=THIEF)
    assert len(world.poll().opened) == 1


def test_a_checkpoint_signed_by_somebody_else_stops_the_feed(world: World) -> None:
    before = world.inbox.feed_state(world.feed_id)
    world.ask()
    key, world.feed.log.key = world.feed.log.key, Ed25519PrivateKey.generate()
    with pytest.raises(FeedError) as caught:
        world.poll()
    assert caught.value.key in STOPPING
    world.inbox.feed_failed(world.feed_id, caught.value, NOW)
    assert world.inbox.feed_state(world.feed_id) == before
    assert world.inbox.feeds(NOW)[0].state == "stopped"
    world.feed.log.key = key
    with pytest.raises(FeedError, match="feed_stopped"):
        world.poll()
    world.inbox.resume_feed(world.feed_id, ME, NOW)
    assert len(world.poll().opened) == 1
