"""Compact JWS (RFC 7515, RFC 8037) and thumbprints (RFC 7638), made and checked by jwcrypto."""

import base64
from collections.abc import Mapping
import json
from typing import Any

from jwcrypto import jwk, jws


class Signer:
    """One Ed25519 key that signs what its holder says."""

    def __init__(self) -> None:
        """Make a new key."""
        self._key = jwk.JWK.generate(kty="OKP", crv="Ed25519")

    @property
    def public(self) -> dict[str, str]:
        """Return the public JWK."""
        public: dict[str, str] = self._key.export_public(as_dict=True)
        return public

    @property
    def thumbprint(self) -> str:
        """Return the RFC 7638 thumbprint: what `kid` holds."""
        return str(self._key.thumbprint())

    def sign(self, payload: object, typ: str) -> bytes:
        """Return the compact JWS over PAYLOAD as JSON."""
        token = jws.JWS(to_json(payload))
        header = {"alg": "EdDSA", "kid": self.thumbprint, "typ": typ}
        token.add_signature(self._key, protected=json.dumps(header))
        return str(token.serialize(compact=True)).encode()

    def sign_raw(self, header: Mapping[str, object], payload: bytes) -> bytes:
        """Sign any header and any bytes, also such as no honest library would.

        Written by hand for the attacks only; the signature itself is good.
        """
        signed = b".".join((base64url(to_json(header)), base64url(payload)))
        signature: bytes = self._key.get_op_key("sign").sign(signed)
        return signed + b"." + base64url(signature)

    def opens(self, token: bytes) -> dict[str, Any]:
        """Return the payload of a token of this key; raises jwcrypto's error for any other."""
        opened = jws.JWS()
        opened.deserialize(token.decode(), key=self._key)
        payload: dict[str, Any] = json.loads(opened.payload)
        return payload


def to_json(value: object) -> bytes:
    """Return VALUE as UTF-8 JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def base64url(data: bytes) -> bytes:
    """Return DATA in base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def with_broken_signature(token: bytes) -> bytes:
    """Return TOKEN with another first character in its signature."""
    head, dot, signature = token.rpartition(b".")
    other = b"A" if signature[:1] != b"A" else b"B"
    return head + dot + other + signature[1:]
