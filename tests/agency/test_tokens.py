"""Tokens and text forms: what is refused, and that nothing but an AgencyError comes out."""

from datetime import UTC, datetime, timedelta
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, strategies as st
from jwcrypto.jwk import JWK
import pytest

from agency import jws
from agency.__main__ import main
from agency.encoding import (
    b64url,
    b64url_decode,
    canonical_json,
    format_time,
    parse_object,
    parse_span,
    parse_time,
)
from agency.errors import AgencyError

from .packages import sign

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = {jws.thumbprint(KEY.public_key()): KEY.public_key()}
GOOD = jws.sign({"v": 1}, "t+jws", KEY)


def forged(header: dict[str, object]) -> bytes:
    """Sign any header with the good key."""
    signed = f"{b64url(canonical_json(header))}.{b64url(b'{}')}".encode()
    return signed + b"." + b64url(KEY.sign(signed)).encode()


def test_round_trip_with_jwcrypto() -> None:
    assert jws.verify(GOOD, "t+jws", KEYS, "it").payload == b'{"v":1}'
    other = JWK.generate(kty="OKP", crv="Ed25519")
    key = jws.public_key(other.export_public(as_dict=True))
    assert jws.thumbprint(key) == other.thumbprint()
    assert jws.verify(sign([1], "a", other), "a", {other.thumbprint(): key}, "it").payload == b"[1]"


KID = next(iter(KEYS))


@pytest.mark.parametrize(
    ("token", "complaint"),
    [
        (b"", "no signed token"),
        (b"a.b", "no signed token"),
        (b"\xc3\xa9.b.c", "no signed token"),
        (b"!.b.c", "base64url"),
        (b"e30.e30.e30", "not known here"),
        (b"W10.e30.e30", "not a JSON object"),
        (
            GOOD[:-2] + (b"AA" if GOOD[-2:] != b"AA" else b"QA"),
            "signature of it is wrong|base64url",
        ),
        (forged({"alg": "none", "typ": "t+jws", "kid": KID}), "signed with EdDSA"),
        (forged({"alg": "EdDSA", "typ": "u+jws", "kid": KID}), "not of type"),
        (forged({"alg": "EdDSA", "typ": "t+jws", "kid": KID, "crit": []}), "not of type"),
        (forged({"alg": "EdDSA", "typ": "t+jws", "kid": [KID]}), "not known here"),
        (forged({"alg": "EdDSA", "typ": "t+jws"}), "not known here"),
    ],
)
def test_tokens_that_are_refused(token: bytes, complaint: str) -> None:
    with pytest.raises(AgencyError, match=complaint):
        jws.verify(token, "t+jws", KEYS, "it")


@pytest.mark.parametrize(
    "change", [{"kty": "EC"}, {"crv": "X25519"}, {"x": 1}, {"x": "AA"}, {"x": "="}]
)
def test_keys_that_are_none(change: dict[str, str]) -> None:
    with pytest.raises(AgencyError):
        jws.public_key(jws.jwk(KEY.public_key()) | change)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with pytest.raises(AgencyError):
        jws.verify(data, "t+jws", KEYS, "it")
    with pytest.raises(AgencyError):
        parse_object(b"[" + data, "it")


@given(st.binary())
def test_base64url(data: bytes) -> None:
    assert b64url_decode(b64url(data)) == data


@pytest.mark.parametrize("text", ["AA==", "AB", "A", "A+", "\u00e9", "A A"])
def test_base64url_that_is_none(text: str) -> None:
    with pytest.raises(AgencyError):
        b64url_decode(text)


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"a":1,"a":2}', b"\xff", b"[" * 100_000])
def test_objects_that_are_none(data: bytes) -> None:
    with pytest.raises(AgencyError, match="it is not"):
        parse_object(data, "it")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_canonical_json_is_json(value: object) -> None:
    assert json.loads(canonical_json({"b": value, "a": "é"})) == {"a": "é", "b": value}
    assert canonical_json({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_come_back_to_the_millisecond(moment: datetime) -> None:
    exact = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert parse_time(format_time(moment)) == exact


@pytest.mark.parametrize(
    "text",
    ["", "2026-11-23", "2026-11-23T20:00:00", "2026-11-23T20:00:00+00:00", "2026-13-01T00:00:00Z"],
)
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(AgencyError, match="is no time"):
        parse_time(text)


def test_spans() -> None:
    assert parse_span("30m") == timedelta(minutes=30)
    assert parse_span("2h") == timedelta(hours=2)
    assert parse_span("7d") == timedelta(days=7)
    for text in ("", "m", "-1m", "1w", "30 m", "1.5h", "99999m", "\u0661m"):
        with pytest.raises(AgencyError, match="no span"):
            parse_span(text)


def test_control_c_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("agency.commands.show", interrupt)
    assert main(["list", "anywhere"]) == 130
