"""What others make of an agency's public files: aics-tlog for the log, jwcrypto for the tokens."""

import json
from pathlib import Path
from typing import Any

from aics_tlog import (
    FileSystemTileReader,
    VerifiedTileReader,
    audit_tiles,
    cosignature_vkey,
    parse_note,
    parse_vkey,
    verify_checkpoint,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS


def audited(folder: Path, *, max_age: int | None = None) -> list[bytes]:
    """Let aics-tlog verify checkpoint, cosignature and every tile; returns the entries."""
    log = folder / "public" / "2026"
    feed = json.loads((folder / "public" / "feed.json").read_text())
    key = parse_vkey(feed["log_vkey"])
    cosigner = cosignature_vkey(key.name, Ed25519PublicKey.from_public_bytes(key.public_key))
    verdict = verify_checkpoint(
        parse_note((log / "checkpoint").read_bytes()),
        key,
        [cosigner],
        quorum=1,
        expected_origin=key.name,
        max_age_seconds=max_age,
    )
    assert verdict.ok, verdict.error
    assert verdict.size is not None
    assert verdict.root is not None
    reader = FileSystemTileReader(log)
    audit_tiles(reader, verdict.size, verdict.root)
    proven = VerifiedTileReader(reader, verdict.size, verdict.root)
    return [proven.entry(index) for index in range(verdict.size)]


def details(folder: Path, size: int) -> list[bytes]:
    """Return the details lines beside a log of at most 255 entries."""
    data = (folder / "public" / "2026" / "details" / "000.p" / str(size)).read_bytes()
    lines = data.split(b"\n")
    assert lines.pop() == b""
    assert len(lines) == size
    return lines


def verified(token: bytes, jwk: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Let jwcrypto verify a token under a key; returns header and payload."""
    jws = JWS()
    jws.deserialize(token.decode(), JWK(**jwk), "EdDSA")
    header: dict[str, Any] = jws.jose_header
    assert header["kid"] == JWK(**jwk).thumbprint()
    payload: dict[str, Any] = json.loads(jws.payload)
    return header, payload


def statement(folder: Path, index: int = 0) -> dict[str, Any]:
    """Return the statement at INDEX of the log, verified under the first key it lists."""
    token = audited(folder)[index]
    unverified = JWS()
    unverified.deserialize(token.decode())
    said = json.loads(unverified.objects["payload"])
    return verified(token, said["keys"][0]["jwk"])[1]
