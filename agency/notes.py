"""Signed notes of C2SP: verifier keys, checkpoints, cosignatures, stand-alone proofs."""

from base64 import b64decode, b64encode
import binascii
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
import re
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from . import merkle
from .errors import AgencyError

SIGNATURE: Final = 1
COSIGNATURE: Final = 4
_PROOF: Final = "c2sp.org/tlog-proof@v1"
_KEY_ID: Final = 4
_TIME: Final = 8
_HASH: Final = 32
_BODY: Final = 4
_NUMBER: Final = re.compile(r"[0-9]{1,16}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head whose log signature was checked."""

    size: int
    root: bytes
    cosigned: int | None
    """When the log itself cosigned it (seconds since 1970), if it did."""


def verifier_key(name: str, key: Ed25519PublicKey, algorithm: int = SIGNATURE) -> str:
    """Return the vkey by which others know the key (signed-note)."""
    raw = bytes([algorithm]) + key.public_bytes_raw()
    return f"{name}+{_key_id(name, key, algorithm).hex()}+{b64encode(raw).decode()}"


def checkpoint(
    name: str, size: int, root: bytes, key: Ed25519PrivateKey, cosigned: datetime
) -> bytes:
    """Sign a tree head and cosign it with a time (tlog-checkpoint, tlog-cosignature)."""
    body = f"{name}\n{size}\n{b64encode(root).decode()}\n"
    seconds = int(cosigned.timestamp())
    signature = key.sign(body.encode())
    cosignature = seconds.to_bytes(_TIME) + key.sign(_cosigned(seconds, body))
    lines = (
        _line(name, key.public_key(), SIGNATURE, signature),
        _line(name, key.public_key(), COSIGNATURE, cosignature),
    )
    return f"{body}\n{''.join(lines)}".encode()


def open_checkpoint(note: str, name: str, key: Ed25519PublicKey) -> Checkpoint:
    """Check a tree head of the log NAME and its own cosignature. Raises AgencyError."""
    body, separator, lines = note.rpartition("\n\n")
    body += "\n"
    head = body.split("\n")
    if not separator or len(head) < _BODY or head[0] != name or not _NUMBER.fullmatch(head[1]):
        raise AgencyError(f"this is no checkpoint of the log {name}")
    signed = False
    cosigned: int | None = None
    for line in lines.splitlines():
        if raw := _raw(line, name, key, SIGNATURE):
            _check(key, raw, body.encode(), name)
            signed = True
        elif raw := _raw(line, name, key, COSIGNATURE):
            cosigned = int.from_bytes(raw[:_TIME])
            _check(key, raw[_TIME:], _cosigned(cosigned, body), name)
    if not signed:
        raise AgencyError(f"the checkpoint lacks the signature of the log {name}")
    return Checkpoint(size=int(head[1]), root=_hash(head[2]), cosigned=cosigned)


def check_proof(proof: bytes, entry: bytes, name: str, key: Ed25519PublicKey) -> Checkpoint:
    """Check a tlog-proof that ENTRY is in the log NAME; return its checkpoint or AgencyError."""
    try:
        text = proof.decode()
    except UnicodeDecodeError as error:
        raise AgencyError("the proof of logging is not text") from error
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    if lines[:1] != [_PROOF] or not separator:
        raise AgencyError("this is no proof of logging (C2SP tlog-proof)")
    lines = [line for line in lines[1:] if not line.startswith("extra ")]
    index = lines[0].removeprefix("index ") if lines else ""
    if not _NUMBER.fullmatch(index):
        raise AgencyError("the proof of logging names no index")
    tree = open_checkpoint(note, name, key)
    hashes = [_hash(line) for line in lines[1:]]
    if not merkle.holds(merkle.leaf_hash(entry), int(index), tree.size, hashes, tree.root):
        raise AgencyError("the proof of logging does not hold for this request")
    return tree


def _key_id(name: str, key: Ed25519PublicKey, algorithm: int) -> bytes:
    named = f"{name}\n".encode() + bytes([algorithm]) + key.public_bytes_raw()
    return sha256(named).digest()[:_KEY_ID]


def _line(name: str, key: Ed25519PublicKey, algorithm: int, signature: bytes) -> str:
    return f"— {name} {b64encode(_key_id(name, key, algorithm) + signature).decode()}\n"


def _cosigned(seconds: int, body: str) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{body}".encode()


def _raw(line: str, name: str, key: Ed25519PublicKey, algorithm: int) -> bytes | None:
    """Return the signature of a line if it is by this key, else None."""
    start = f"— {name} "
    raw = _base64(line.removeprefix(start)) if line.startswith(start) else b""
    return raw[_KEY_ID:] if raw[:_KEY_ID] == _key_id(name, key, algorithm) else None


def _check(key: Ed25519PublicKey, signature: bytes, signed: bytes, name: str) -> None:
    try:
        key.verify(signature, signed)
    except InvalidSignature as error:
        raise AgencyError(f"a signature of the log {name} is wrong") from error


def _hash(text: str) -> bytes:
    raw = _base64(text)
    if len(raw) != _HASH:
        raise AgencyError("a hash of the log is malformed")
    return raw


def _base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AgencyError("malformed base64 in a signed note") from error
