import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings, strategies as st
from jwcrypto import jwk, jws as oracle
import pytest

from custom_components.doorstep.encoding import b64url
from custom_components.doorstep.errors import RequestError
from custom_components.doorstep.inbox.jws import Token, public_key, sign, thumbprint, verify
from tests.simulators.signing import Signer, base64url, to_json, with_broken_signature

from .world import error_key

TYP = "footage-request+jws"
SIGNER = Signer()
KEYS = {SIGNER.thumbprint: public_key(SIGNER.public)}
GOOD = SIGNER.sign({"v": 1}, TYP)
HEADER = {"alg": "EdDSA", "kid": SIGNER.thumbprint, "typ": TYP}


def raw(header: dict[str, object] | None = None, payload: bytes = b'{"v":1}') -> bytes:
    return SIGNER.sign_raw(HEADER if header is None else header, payload)


def key_of(token: bytes, keys: dict[str, Ed25519PublicKey] = KEYS) -> str:
    return error_key(verify, token, TYP, keys)


def test_a_token_of_another_library_verifies() -> None:
    signed = verify(GOOD, TYP, KEYS)
    assert (signed.kid, dict(signed.payload)) == (SIGNER.thumbprint, {"v": 1})
    assert signed.header["alg"] == "EdDSA"


def test_another_library_verifies_our_token() -> None:
    key = Ed25519PrivateKey.generate()
    token = sign(b'{"a":"\xc3\xa9"}', "receipt+jws", key)
    public = {"kty": "OKP", "crv": "Ed25519", "x": b64url(key.public_key().public_bytes_raw())}
    judge = jwk.JWK(**public)
    opened = oracle.JWS()
    opened.deserialize(token, key=judge)
    assert opened.payload == b'{"a":"\xc3\xa9"}'
    header = json.loads(opened.objects["protected"])
    assert header == {"alg": "EdDSA", "kid": judge.thumbprint(), "typ": "receipt+jws"}
    assert thumbprint(key.public_key()) == judge.thumbprint()


def test_two_signatures_over_the_same_content_are_the_same_content() -> None:
    one, other = Token.parse(GOOD), Token.parse(with_broken_signature(GOOD))
    assert one.signature != other.signature
    assert one.content_sha256 == other.content_sha256
    assert one.content_sha256 != Token.parse(raw(payload=b'{"v":2}')).content_sha256
    assert one.content_sha256 != Token.parse(raw({**HEADER, "x": 1})).content_sha256


@pytest.mark.parametrize(
    ("token", "key"),
    [
        (with_broken_signature(GOOD), "jws_signature"),
        (GOOD.rpartition(b".")[0] + b".", "jws_signature"),
        (GOOD.replace(b".", b"..", 1), "jws_malformed"),
        (GOOD.rpartition(b".")[0], "jws_malformed"),
        (GOOD + b".", "jws_malformed"),
        (GOOD + b"=", "jws_malformed"),
        (GOOD + b"\n", "jws_malformed"),
        (GOOD[:-1] + bytes([GOOD[-1] + 1]), "jws_malformed"),
        (b" " + GOOD, "jws_malformed"),
        ("é.é.é".encode(), "jws_malformed"),
        (b"", "jws_malformed"),
        (GOOD + b"A" * 65536, "jws_malformed"),
        (raw({**HEADER, "alg": "none"}), "jws_algorithm"),
        (raw({**HEADER, "alg": "Ed25519"}), "jws_algorithm"),
        (raw({**HEADER, "alg": "HS256"}), "jws_algorithm"),
        (raw({"kid": "x", "typ": TYP}), "jws_algorithm"),
        (raw({"alg": "EdDSA", "typ": TYP}), "jws_header"),
        (raw({"alg": "EdDSA", "kid": SIGNER.thumbprint}), "jws_header"),
        (raw({**HEADER, "kid": 1}), "jws_header"),
        *(
            (raw({**HEADER, name: []}), "jws_header")
            for name in ("crit", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "b64")
        ),
        (raw({**HEADER, "typ": "receipt+jws"}), "jws_type"),
        (raw({**HEADER, "typ": "Footage-Request+JWS"}), "jws_type"),
        (raw({**HEADER, "kid": "somebody else"}), "jws_key_unknown"),
        (raw(payload=b"[]"), "json_malformed"),
        (raw(payload=b'{"v":1,"v":1}'), "json_duplicate"),
        (base64url(b'{"a":1,"a":1}') + b"." + base64url(b"{}") + b".", "json_duplicate"),
    ],
)
def test_tricks_are_refused(token: bytes, key: str) -> None:
    assert key_of(token) == key


def test_a_key_under_another_name_does_not_verify() -> None:
    other = Signer()
    assert key_of(GOOD, {SIGNER.thumbprint: public_key(other.public)}) == "jws_signature"
    assert key_of(GOOD, {}) == "jws_key_unknown"


@pytest.mark.parametrize(
    "jwk_value",
    [
        {},
        {**SIGNER.public, "kty": "EC"},
        {**SIGNER.public, "crv": "X25519"},
        {**SIGNER.public, "d": "AA"},
        {**SIGNER.public, "x": 1},
        {**SIGNER.public, "x": SIGNER.public["x"] + "="},
        {**SIGNER.public, "x": SIGNER.public["x"][:-4]},
    ],
)
def test_other_keys_are_refused(jwk_value: dict[str, object]) -> None:
    assert error_key(public_key, jwk_value) == "jwk_bad"


@settings(max_examples=200)
@given(st.binary(max_size=40) | st.lists(st.binary(max_size=30).map(base64url)).map(b".".join))
def test_any_bytes_give_our_error(token: bytes) -> None:
    with pytest.raises(RequestError):
        verify(token, TYP, KEYS)


@settings(max_examples=100)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_any_changed_byte_gives_our_error(place: int, change: int) -> None:
    token = GOOD[:place] + bytes([GOOD[place] ^ change]) + GOOD[place + 1 :]
    with pytest.raises(RequestError):
        verify(token, TYP, KEYS)


def test_to_json_of_the_simulator_is_what_was_signed() -> None:
    assert Token.parse(SIGNER.sign({"é": 1}, TYP)).payload == json.loads(to_json({"é": 1}))
