from typing import Any

import pytest

from custom_components.doorstep.errors import RequestError
from custom_components.doorstep.inbox.agencies import (
    AgencyKey,
    Chain,
    KeyState,
    Kind,
    Recipient,
    Standing,
    Statement,
    judge,
)
from custom_components.doorstep.inbox.jws import Token, public_key
from tests.simulators import documents
from tests.simulators.documents import patched
from tests.simulators.signing import Signer, with_broken_signature

from .world import AGENCY, NOW, PLACE, RECIPIENT, RECIPIENT_2, STATEMENT, error_key

ONE, TWO, THREE = Signer(), Signer(), Signer()
ACTIVE = [{"jwk": ONE.public, "state": "active"}]


def token(patch: dict[str, Any] | None = None, signer: Signer = ONE) -> Token:
    honest = documents.statement(
        AGENCY,
        jurisdiction=documents.square(*PLACE, 15_000.0),
        base="https://in.example.gov/",
        now=NOW,
    )
    said = {"keys": ACTIVE, "encryption": [{"recipient": RECIPIENT, "holder": "Unit"}]}
    return Token.parse(signer.sign(patched(patched(honest, said), patch or {}), STATEMENT))


def statement(patch: dict[str, Any] | None = None, signer: Signer = ONE) -> Statement:
    return Statement.parse(token(patch, signer))


def keys(**states: str) -> list[dict[str, Any]]:
    named = {"one": ONE, "two": TWO, "three": THREE}
    return [
        {
            "jwk": named[name].public,
            "state": state,
            **({"revoked_from": "2026-11-01T00:00:00Z"} if state == "revoked" else {}),
        }
        for name, state in states.items()
    ]


def test_a_statement_is_read() -> None:
    read = statement()
    assert (read.id, read.sequence) == (AGENCY, 1)
    assert (read.name, read.kind) == ("Exampleville Police Department", Kind.MUNICIPAL_POLICE)
    assert read.jurisdiction.contains(PLACE[1], PLACE[0])
    assert read.contact["phone"] == "+1 555 0100"
    assert read.oversight["url"] == "https://oversight.example.gov/"
    assert read.policy_url == "https://police.example.gov/footage-policy"
    raw = public_key(ONE.public).public_bytes_raw()
    assert read.keys == (AgencyKey(ONE.thumbprint, raw, KeyState.ACTIVE),)
    assert read.active == {ONE.thumbprint: raw}
    assert read.recipients == (Recipient(RECIPIENT, "Unit"),)
    assert read.delivery == "https://in.example.gov/uploads"
    assert read.receipts == "https://in.example.gov/{package_sha256}.jws"
    assert read.issued_at == NOW
    assert read.sha256 == token().content_sha256


@pytest.mark.parametrize(
    ("patch", "key"),
    [
        ({"v": 2}, "newer_version"),
        ({"id": "http//police"}, "member_bad"),
        ({"id": "https://police.example.gov"}, "member_bad"),
        ({"id": "https://police.example.gov/?a=/"}, "member_bad"),
        ({"sequence": 0}, "member_bad"),
        ({"sequence": 1 << 31 | 1}, "member_bad"),
        ({"sequence": 1.0}, "member_bad"),
        ({"name": None}, "member_bad"),
        ({"kind": "police"}, "member_bad"),
        ({"jurisdiction": None}, "member_bad"),
        ({"jurisdiction": {"type": "Point"}}, "geometry_malformed"),
        ({"contact": None}, "member_bad"),
        ({"contact": {"phone": 1}}, "member_bad"),
        ({"oversight": {"name": None}}, "member_bad"),
        ({"oversight": {"url": "javascript:alert(1)"}}, "member_bad"),
        ({"policy_url": None}, "member_bad"),
        ({"keys": []}, "member_bad"),
        ({"keys": [1]}, "member_bad"),
        ({"keys": ACTIVE * 2}, "member_bad"),
        ({"keys": [{"jwk": ONE.public, "state": "new"}]}, "member_bad"),
        ({"keys": [{"jwk": ONE.public, "state": "revoked"}]}, "member_bad"),
        ({"keys": [{"jwk": {**ONE.public, "d": "AA"}, "state": "active"}]}, "jwk_bad"),
        ({"keys": [{"jwk": "x", "state": "active"}]}, "member_bad"),
        ({"keys": ACTIVE * 65}, "member_bad"),
        ({"encryption": []}, "member_bad"),
        ({"encryption": [{"recipient": RECIPIENT}]}, "member_bad"),
        ({"encryption": [{"recipient": RECIPIENT.upper(), "holder": "U"}]}, "member_bad"),
        ({"encryption": [{"recipient": "ssh-ed25519 AAAA", "holder": "U"}]}, "member_bad"),
        ({"delivery": None}, "member_bad"),
        ({"delivery": {"tus": "https://10.0.0.1/"}}, "member_bad"),
        ({"delivery": {"receipts": "https://in.example.gov/r.jws"}}, "member_bad"),
        ({"delivery": {"receipts": "https://a/{package_sha256}{package_sha256}"}}, "member_bad"),
        ({"delivery": {"receipts": "{package_sha256}"}}, "member_bad"),
        ({"issued_at": "now"}, "member_bad"),
    ],
)
def test_a_bad_statement_is_refused(patch: dict[str, Any], key: str) -> None:
    assert error_key(statement, patch) == key


@pytest.mark.parametrize(
    "patch",
    [
        {"name": "Exampleville Police"},
        {"kind": "sheriff"},
        {"jurisdiction": documents.square(*PLACE, 15_001.0)},
        {"oversight": {"name": "Nobody"}},
        {"encryption": [{"recipient": RECIPIENT_2, "holder": "Unit"}]},
        {"encryption": [{"recipient": RECIPIENT, "holder": "Somebody"}]},
        {"delivery": {"tus": "https://elsewhere.example/"}},
        {"delivery": {"receipts": "https://elsewhere.example/{package_sha256}"}},
    ],
)
def test_what_matters(patch: dict[str, Any]) -> None:
    assert statement(patch).matters != statement().matters


@pytest.mark.parametrize(
    "patch",
    [
        {"sequence": 2},
        {"keys": keys(two="active")},
        {"contact": {"phone": "+1 555 0199"}},
        {"policy_url": "https://police.example.gov/new"},
        {"issued_at": "2026-11-24T00:00:00Z"},
    ],
)
def test_what_does_not_matter(patch: dict[str, Any]) -> None:
    assert statement(patch).matters == statement().matters


@pytest.mark.parametrize(
    ("one", "other", "stricter"),
    [
        ("active", "active", "active"),
        ("active", "retired", "retired"),
        ("revoked", "active", "revoked"),
        ("retired", "revoked", "revoked"),
    ],
)
def test_the_strictest_state_holds(one: str, other: str, stricter: str) -> None:
    assert KeyState(one).stricter(KeyState(other)) is KeyState(stricter)


def chain(head: Statement, previous: Statement | None = None, **states: str) -> Chain:
    held = {key.kid: key for key in (*(previous.keys if previous else ()), *head.keys)}
    for name, state in states.items():
        [key] = statement({"keys": keys(**{name: "active"})}).keys
        held[key.kid] = AgencyKey(key.kid, key.public, KeyState(state))
    return Chain(head=head, previous=previous, keys=held)


def verdict(patch: dict[str, Any], signer: Signer, held: Chain | None) -> Standing:
    said = token(patch, signer)
    return judge(said, Statement.parse(said), held)


def test_the_first_is_signed_by_a_key_it_lists() -> None:
    assert verdict({}, ONE, None) is Standing.FIRST
    assert verdict({"sequence": 7}, ONE, None) is Standing.FIRST


@pytest.mark.parametrize("patch", [{}, {"keys": keys(one="active", two="retired")}])
def test_a_first_that_somebody_else_signed_is_nothing(patch: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="jws_key_unknown"):
        verdict(patch, TWO, None)


def test_a_first_with_a_broken_signature_is_nothing() -> None:
    said = Token.parse(with_broken_signature(b"%s.%s" % (token().signed, b"A" * 86)))
    with pytest.raises(RequestError, match="jws_signature"):
        judge(said, Statement.parse(said), None)


def test_the_next_is_signed_by_a_key_of_the_one_before() -> None:
    rotated = {"sequence": 2, "keys": keys(one="retired", two="active")}
    assert verdict(rotated, ONE, chain(statement())) is Standing.SUCCESSOR


@pytest.mark.parametrize(
    ("patch", "signer", "held"),
    [
        # signed by the key that it brings itself
        ({"sequence": 2, "keys": keys(two="active")}, TWO, chain(statement())),
        # a number left out, a number twice, a number from the past
        ({"sequence": 3}, ONE, chain(statement())),
        ({"sequence": 1, "name": "X", "keys": keys(two="active")}, TWO, chain(statement())),
        ({"sequence": 1, "keys": keys(two="active")}, TWO, chain(statement({"sequence": 5}))),
        # by a key that was retired or revoked meanwhile
        (
            {"sequence": 2, "keys": keys(one="active")},
            ONE,
            chain(statement({"keys": keys(one="retired", two="active")}, TWO)),
        ),
        ({"sequence": 2}, ONE, chain(statement(), one="retired")),
        ({"sequence": 2}, ONE, chain(statement(), one="revoked")),
    ],
)
def test_anything_else_is_an_impostor(patch: dict[str, Any], signer: Signer, held: Chain) -> None:
    assert verdict(patch, signer, held) is Standing.IMPOSTOR


def test_two_successors_are_a_conflict() -> None:
    first = statement()
    second = statement({"sequence": 2, "name": "A"})
    assert verdict({"sequence": 2, "name": "B"}, ONE, chain(second, first)) is Standing.CONFLICT
    assert verdict({"sequence": 1, "name": "B"}, ONE, chain(first)) is Standing.CONFLICT
    held = chain(second, first, one="revoked")
    assert verdict({"sequence": 2, "name": "B"}, ONE, held) is Standing.IMPOSTOR


def test_old_ones_of_its_own_change_nothing() -> None:
    held = chain(statement({"sequence": 5, "keys": keys(two="active")}, TWO), one="retired")
    assert verdict({"sequence": 3}, ONE, held) is Standing.OLD


def test_a_broken_one_is_not_even_an_impostor() -> None:
    with pytest.raises(RequestError, match="jws_key_unknown"):
        verdict({"sequence": 2}, TWO, chain(statement()))
