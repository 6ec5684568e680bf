"""Signed notes, checkpoints, cosignatures and proofs in C2SP's formats.

`signed-note`, `tlog-checkpoint`, `tlog-cosignature` (cosignature/v1), `tlog-proof`; Ed25519 only.
Bytes in, verdict out; a note that doesn't hold is a FeedError.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
import struct
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from ..errors import FeedError
from .merkle import HASH_LENGTH

MAX_NOTE = 64 * 1024
SIGNATURE = 0x01
COSIGNATURE = 0x04
_MAX_SIGNATURES = 100
_MARK = "— "
_ID_LENGTH = 4
_TIME_LENGTH = 8
_BODY_LINES = 3


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A named Ed25519 key: `<name>+<id in hex>+<base64 of algorithm and key>` (signed-note)."""

    name: str
    algorithm: int
    public: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a vkey; a malformed one or a wrong id is a FeedError."""
        try:
            name, key_id, encoded = text.split("+", 2)
            raw = b64decode(encoded, validate=True)
            key = cls(name, raw[0], raw[1:])
            Ed25519PublicKey.from_public_bytes(key.public)
        except (ValueError, IndexError) as error:
            raise FeedError("key_malformed") from error
        named = bool(name) and not any(c.isspace() for c in name)
        if not named or key.algorithm not in {SIGNATURE, COSIGNATURE} or key.id.hex() != key_id:
            raise FeedError("key_malformed")
        return key

    def __str__(self) -> str:
        """Write the vkey again."""
        encoded = b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    @property
    def id(self) -> bytes:
        """Key id (signed-note): 4 bytes."""
        return sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public).digest()[
            :_ID_LENGTH
        ]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key, in hex: what people compare."""
        return sha256(self.public).hexdigest()

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` is this key's over `message`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A verified tree head: `cosigned` maps a key's name to when it cosigned."""

    origin: str
    size: int
    root: bytes
    cosigned: Mapping[str, datetime]
    note: bytes


def open_checkpoint(
    note: bytes, log_key: VerifierKey, witnesses: Sequence[VerifierKey] = ()
) -> Checkpoint:
    """Verify a checkpoint of `log_key`'s log; lines of unknown keys are passed over (signed-note).

    The log's own cosignature and those of `witnesses` are verified and timed. FeedError keys:
    `note_malformed`, `note_signature` (missing or wrong), `note_origin`.
    """
    body, lines = _split(note)
    cosigners = {
        (key.name, key.id): key
        for key in (VerifierKey(log_key.name, COSIGNATURE, log_key.public), *witnesses)
    }
    signed = False
    cosigned: dict[str, datetime] = {}
    for line in lines:
        name, key_id, signature = _signature_line(line)
        if (name, key_id) == (log_key.name, log_key.id):
            if signed or not log_key.verifies(signature, body):
                raise FeedError("note_signature", name=name)
            signed = True
        elif cosigner := cosigners.get((name, key_id)):
            if name in cosigned:
                raise FeedError("note_signature", name=name)
            cosigned[name] = _cosigned_at(cosigner, signature, body)
    if not signed:
        raise FeedError("note_signature", name=log_key.name)
    origin, size, root = _body(body)
    if origin != log_key.name:
        raise FeedError("note_origin", origin=origin)
    return Checkpoint(origin, size, root, cosigned, note)


def sign_checkpoint(name: str, size: int, root: bytes, key: Ed25519PrivateKey) -> bytes:
    """Write the checkpoint of a log called `name`, signed by its key (tlog-checkpoint)."""
    body = f"{name}\n{size}\n{b64encode(root).decode()}\n"
    verifier = VerifierKey(name, SIGNATURE, key.public_key().public_bytes_raw())
    signature = b64encode(verifier.id + key.sign(body.encode())).decode()
    return f"{body}\n{_MARK}{name} {signature}\n".encode()


def format_proof(index: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """Write a proof of inclusion that stands on its own (tlog-proof)."""
    hashes = "".join(f"{b64encode(node).decode()}\n" for node in proof)
    return f"c2sp.org/tlog-proof@v1\nindex {index}\n{hashes}\n".encode() + note


def _split(note: bytes) -> tuple[bytes, list[str]]:
    if len(note) > MAX_NOTE:
        raise FeedError("note_malformed")
    try:
        text, separator, signatures = note.decode().rpartition("\n\n")
    except UnicodeDecodeError as error:
        raise FeedError("note_malformed") from error
    lines = signatures.split("\n")
    if not separator or lines.pop() or not 0 < len(lines) <= _MAX_SIGNATURES:
        raise FeedError("note_malformed")
    return f"{text}\n".encode(), lines


def _signature_line(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_MARK).partition(" ")
    try:
        raw = b64decode(encoded, validate=True)
    except ValueError as error:
        raise FeedError("note_malformed") from error
    if not line.startswith(_MARK) or not name or len(raw) <= _ID_LENGTH:
        raise FeedError("note_malformed")
    return name, raw[:_ID_LENGTH], raw[_ID_LENGTH:]


def _cosigned_at(key: VerifierKey, raw: bytes, body: bytes) -> datetime:
    if len(raw) <= _TIME_LENGTH:
        raise FeedError("note_signature", name=key.name)
    (seconds,) = struct.unpack(">Q", raw[:_TIME_LENGTH])
    message = f"cosignature/v1\ntime {seconds}\n".encode() + body
    if not key.verifies(raw[_TIME_LENGTH:], message):
        raise FeedError("note_signature", name=key.name)
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise FeedError("note_signature", name=key.name) from error


def _body(body: bytes) -> tuple[str, int, bytes]:
    lines = body.decode().split("\n")[:-1]
    if len(lines) < _BODY_LINES or not all(lines):
        raise FeedError("note_malformed")
    origin, size, root = lines[:_BODY_LINES]
    if not (size.isascii() and size.isdigit()) or (len(size) > 1 and size.startswith("0")):
        raise FeedError("note_malformed")
    try:
        digest = b64decode(root, validate=True)
        count = int(size)
    except ValueError as error:
        raise FeedError("note_malformed") from error
    if len(digest) != HASH_LENGTH or count >= 1 << 53:
        raise FeedError("note_malformed")
    return origin, count, digest
