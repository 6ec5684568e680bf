"""Compact JWS (RFC 7515) with Ed25519 (RFC 8037) and nothing else (protocol 2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from ..encoding import b64url, b64url_decode, canonical_json
from ..errors import RequestError
from .strictjson import parse_object

MAX_TOKEN: Final = 0xFFFF
_ALGORITHM: Final = "EdDSA"
_PARTS: Final = 3
_KEY_LENGTH: Final = 32
# a token must not bring its own key, nor change what the signature covers
_REFUSED: Final = frozenset({"b64", "crit", "jku", "jwk", "x5c", "x5t", "x5t#S256", "x5u"})


@dataclass(frozen=True, slots=True)
class Jws:
    """A token taken apart: `kid` is the key it was, or claims to be, signed by."""

    header: Mapping[str, object]
    payload: Mapping[str, object]
    kid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A well-formed token whose signature nobody has checked yet."""

    header: Mapping[str, object]
    payload: Mapping[str, object]
    kid: str
    typ: str
    content_sha256: str
    signed: bytes
    signature: bytes

    @classmethod
    def parse(cls, token: bytes) -> Self:
        """Take a token apart.

        RequestError keys: those of `parse_object`, `jws_malformed`, `jws_algorithm` (not EdDSA),
        `jws_header` (a refused or missing member).
        """
        parts = token.split(b".")
        if len(parts) != _PARTS or len(token) > MAX_TOKEN:
            raise RequestError("jws_malformed")
        header_bytes, payload_bytes, signature = (_decode(part) for part in parts)
        header = parse_object(header_bytes)
        kid, typ = header.get("kid"), header.get("typ")
        if header.get("alg") != _ALGORITHM:
            raise RequestError("jws_algorithm")
        if not isinstance(kid, str) or not isinstance(typ, str) or _REFUSED & header.keys():
            raise RequestError("jws_header")
        return cls(
            header=header,
            payload=parse_object(payload_bytes),
            kid=kid,
            typ=typ,
            content_sha256=_content_hash(header_bytes, payload_bytes),
            signed=token.rpartition(b".")[0],
            signature=signature,
        )

    def verify(self, key: Ed25519PublicKey) -> None:
        """Check the signature; a wrong one is a RequestError (`jws_signature`)."""
        try:
            key.verify(self.signature, self.signed)
        except InvalidSignature as error:
            raise RequestError("jws_signature") from error


def verify(token: bytes, typ: str, keys: Mapping[str, Ed25519PublicKey]) -> Jws:
    """Check a token of type `typ` against `keys` (by kid); the keys it names itself don't count.

    RequestError keys: those of `Token.parse` and `Token.verify`, `jws_type`, `jws_key_unknown`.
    """
    parsed = Token.parse(token)
    if parsed.typ != typ:
        raise RequestError("jws_type")
    key = keys.get(parsed.kid)
    if key is None:
        raise RequestError("jws_key_unknown")
    parsed.verify(key)
    return Jws(parsed.header, parsed.payload, parsed.kid)


def sign(payload: bytes, typ: str, key: Ed25519PrivateKey) -> str:
    """Sign `payload` as it is; the header names the key by its thumbprint."""
    header = {"alg": _ALGORITHM, "kid": thumbprint(key.public_key()), "typ": typ}
    signed = f"{b64url(canonical_json(header))}.{b64url(payload)}"
    return f"{signed}.{b64url(key.sign(signed.encode()))}"


def thumbprint(key: Ed25519PublicKey) -> str:
    """Name a key by its JWK thumbprint (RFC 7638): base64url of SHA-256."""
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": b64url(key.public_bytes_raw())}
    return b64url(sha256(canonical_json(jwk)).digest())


def public_key(jwk: Mapping[str, object]) -> Ed25519PublicKey:
    """Read a public JWK (RFC 8037, section 2); anything else, also a private one: `jwk_bad`."""
    x = jwk.get("x")
    if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519" or "d" in jwk:
        raise RequestError("jwk_bad")
    try:
        raw = b64url_decode(x) if isinstance(x, str) else b""
    except ValueError as error:
        raise RequestError("jwk_bad") from error
    if len(raw) != _KEY_LENGTH:
        raise RequestError("jwk_bad")
    return Ed25519PublicKey.from_public_bytes(raw)


def _decode(part: bytes) -> bytes:
    try:
        return b64url_decode(part.decode("ascii"))
    except ValueError as error:
        raise RequestError("jws_malformed") from error


def _content_hash(header: bytes, payload: bytes) -> str:
    # equal for two tokens that say the same, whatever their signatures' bytes
    return sha256(len(header).to_bytes(4) + header + payload).hexdigest()
