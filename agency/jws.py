"""Compact JWS with Ed25519 (RFC 7515, RFC 8037): how everything an agency says is signed."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .encoding import JSON, b64url, b64url_decode, canonical_json, parse_object
from .errors import AgencyError

_PARTS: Final = 3
_KEY: Final = 32


@dataclass(frozen=True, slots=True)
class Jws:
    """What a token says, before or after its signature was checked."""

    header: dict[str, JSON]
    payload: bytes
    signed: bytes
    signature: bytes


def jwk(key: Ed25519PublicKey) -> dict[str, JSON]:
    """Return the public key as a JSON Web Key (RFC 8037)."""
    return {"kty": "OKP", "crv": "Ed25519", "x": b64url(key.public_bytes_raw())}


def thumbprint(key: Ed25519PublicKey) -> str:
    """Return the RFC 7638 thumbprint, which is the `kid` everywhere."""
    return b64url(sha256(canonical_json(jwk(key))).digest())


def public_key(record: Mapping[str, JSON]) -> Ed25519PublicKey:
    """Read an Ed25519 JWK. Raises AgencyError."""
    x = record.get("x")
    if record.get("kty") != "OKP" or record.get("crv") != "Ed25519" or not isinstance(x, str):
        raise AgencyError("the key is no Ed25519 JWK")
    raw = b64url_decode(x)
    if len(raw) != _KEY:
        raise AgencyError("the key is no Ed25519 JWK")
    return Ed25519PublicKey.from_public_bytes(raw)


def sign(payload: Mapping[str, JSON], typ: str, key: Ed25519PrivateKey) -> bytes:
    """Sign PAYLOAD as a token of type TYP (`footage-request+jws`, ...)."""
    header: dict[str, JSON] = {"alg": "EdDSA", "kid": thumbprint(key.public_key()), "typ": typ}
    signed = f"{b64url(canonical_json(header))}.{b64url(canonical_json(payload))}".encode()
    return signed + b"." + b64url(key.sign(signed)).encode()


def read(token: bytes, what: str) -> Jws:
    """Take a token apart without believing it. Raises AgencyError, naming WHAT."""
    parts = token.split(b".")
    if len(parts) != _PARTS or not token.isascii():
        raise AgencyError(f"{what} is no signed token (compact JWS)")
    header, payload, signature = (b64url_decode(part.decode()) for part in parts)
    return Jws(
        header=parse_object(header, f"the header of {what}"),
        payload=payload,
        signed=token.rpartition(b".")[0],
        signature=signature,
    )


def verify(token: bytes, typ: str, keys: Mapping[str, Ed25519PublicKey], what: str) -> Jws:
    """Check type, algorithm and signature by one of KEYS (kid -> key). Raises AgencyError."""
    jws = read(token, what)
    kid = jws.header.get("kid")
    key = keys.get(kid) if isinstance(kid, str) else None
    if key is None:
        raise AgencyError(f"{what} is signed with a key that is not known here")
    if jws.header.get("typ") != typ or jws.header.get("alg") != "EdDSA" or "crit" in jws.header:
        raise AgencyError(f"{what} is not of type {typ} signed with EdDSA")
    try:
        key.verify(jws.signature, jws.signed)
    except InvalidSignature as error:
        raise AgencyError(f"the signature of {what} is wrong") from error
    return jws
