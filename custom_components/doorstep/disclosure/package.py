"""The evidence package: a BagIt 1.0 bag (RFC 8493) in a deterministic tar, then age.

Made as a stream: whatever the footage's size, a few fragments at a time are in memory. The same
release gives the same tar, byte for byte; only age's own random keys differ.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
import os
from pathlib import Path
import tarfile
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..encoding import b64url, canonical_json, format_time, parse_time
from ..errors import ReleaseError, StorageError
from ..footage.clip import Clip
from ..inbox import jws
from ..ledger.notes import format_proof
from . import cut
from .age import encrypt
from .cut import CutPlan, Window
from .declaration import declaration, how_to_verify
from .release import Statement, describe, digest
from .seal import prove

SIGNATURE_TYPE: Final = "package-signature+jws"
_BLOCK = tarfile.BLOCKSIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Everything a package is made of: `index`, `hashes` and `checkpoint` prove the request."""

    request: bytes
    details: bytes
    index: int
    hashes: Sequence[bytes]
    checkpoint: bytes
    clips: Sequence[Clip]


@dataclass(frozen=True, slots=True)
class Decision:
    """The approval: when, and the key that was made for this release."""

    at: datetime
    key: Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Package:
    """A finished package file: SHA-256 in hex and size in bytes of the ciphertext."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class _Member:
    """One file of the bag; `chunks` starts reading it anew."""

    path: str
    size: int
    sha256: str
    chunks: Callable[[], Iterable[bytes]]


def release_json(statement: Statement, decision: Decision) -> bytes:
    """Write `metadata/release.json`; a receipt names its SHA-256."""
    public = b64url(decision.key.public_key().public_bytes_raw())
    return canonical_json(
        {
            "decision": {"at": format_time(decision.at), "statement_sha256": digest(statement)},
            "key": {"crv": "Ed25519", "kty": "OKP", "x": public},
            "statement": statement,
        }
    )


def bag(statement: Statement, decision: Decision, material: Material) -> Iterator[bytes]:
    """Stream the tar of the bag.

    ReleaseError keys: `release_changed` (the material isn't what was approved), and those of the
    cut.
    """
    if sha256(material.request).hexdigest() != statement["request_sha256"]:
        raise ReleaseError("release_changed")
    cuts = _cuts(statement, material)
    payload = [_video(facts["camera"], facts["sha256"], plan) for facts, plan in cuts]
    tags = [
        *_head(statement, decision, payload),
        _text("metadata/request.jws", material.request),
        _text("metadata/request.tlog-proof", _proof(material)),
        _text("metadata/details.json", material.details),
        _text("metadata/release.json", release_json(statement, decision)),
        *(_seals(plan) for _, plan in cuts),
        _text("declaration.txt", declaration(statement, decision.at).encode()),
        _text("VERIFY.txt", how_to_verify(statement).encode()),
    ]
    listed = _text("tagmanifest-sha256.txt", _manifest(tags))
    signature = _text("metadata/signature.jws", _signature(statement, decision, listed.sha256))
    folder, time = f"release-{statement['release']}", int(decision.at.timestamp())
    return _tar([*tags, listed, signature, *payload], folder, time)


def write_package(path: Path, tar: Iterable[bytes], recipients: Sequence[str]) -> Package:
    """Encrypt `tar` into `path`, which appears whole or not at all.

    A disk that fails or is full is a StorageError (`package_unwritable`).
    """
    partial = path.with_suffix(".partial")
    total, size = sha256(), 0
    sealed = encrypt(tar, recipients)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            for chunk in sealed:
                file.write(chunk)
                total.update(chunk)
                size += len(chunk)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StorageError("package_unwritable") from error
    except ReleaseError, StorageError:
        partial.unlink(missing_ok=True)
        raise
    return Package(total.hexdigest(), size)


def _cuts(statement: Statement, material: Material) -> list[tuple[Statement, CutPlan]]:
    window = Window(*(parse_time(statement["window"][name]) for name in ("start", "end")))
    clips = {clip.id: clip for clip in material.clips}
    cuts = []
    for facts in statement["clips"]:
        if facts["clip"] not in clips:
            raise ReleaseError("clip_missing", clip=facts["clip"])
        plan = cut.plan(clips[facts["clip"]], window, audio=statement["audio"])
        if describe(plan, facts["camera"], facts["sha256"]) != facts:
            raise ReleaseError("release_changed")
        cuts.append((facts, plan))
    return cuts


def _head(statement: Statement, decision: Decision, payload: Sequence[_Member]) -> list[_Member]:
    info = {
        "Bag-Software-Agent": "Doorstep",
        "Bagging-Date": f"{decision.at:%Y-%m-%d}",
        "External-Identifier": statement["release"],
        "Payload-Oxum": f"{sum(member.size for member in payload)}.{len(payload)}",
    }
    if statement["test"]:
        info["Internal-Sender-Description"] = "TEST: made in test mode, no evidence of anything"
    lines = "".join(f"{label}: {value}\n" for label, value in info.items())
    return [
        _text("bagit.txt", b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"),
        _text("bag-info.txt", lines.encode()),
        _text("manifest-sha256.txt", _manifest(payload)),
    ]


def _manifest(members: Sequence[_Member]) -> bytes:
    return "".join(f"{member.sha256}  {member.path}\n" for member in members).encode()


def _proof(material: Material) -> bytes:
    return format_proof(material.index, material.hashes, material.checkpoint)


def _signature(statement: Statement, decision: Decision, listed: str) -> bytes:
    signed = {"release": statement["release"], "tagmanifest_sha256": listed, "v": 1}
    return jws.sign(canonical_json(signed), SIGNATURE_TYPE, decision.key).encode()


def _text(path: str, data: bytes) -> _Member:
    return _Member(path, len(data), sha256(data).hexdigest(), lambda: [data])


def _seals(plan: CutPlan) -> _Member:
    # made twice rather than kept: a megabyte for every five minutes of footage
    data = prove(plan.lines.raw, plan.leaves)
    path = f"metadata/seals/{plan.clip.id}.jsonl"
    digest_ = sha256(data).hexdigest()
    return _Member(path, len(data), digest_, lambda: [prove(plan.lines.raw, plan.leaves)])


def _video(camera: str, expected: str, plan: CutPlan) -> _Member:
    path = f"data/{camera}/{plan.clip.id}.mp4"
    return _Member(path, plan.bytes, expected, lambda: cut.chunks(plan))


def _tar(members: Sequence[_Member], folder: str, time: int) -> Iterator[bytes]:
    for member in members:
        info = tarfile.TarInfo(f"{folder}/{member.path}")
        info.size, info.mtime = member.size, time
        yield info.tobuf(tarfile.USTAR_FORMAT)
        seen = sha256()
        for chunk in member.chunks():
            seen.update(chunk)
            yield chunk
        if seen.hexdigest() != member.sha256:
            raise ReleaseError("release_changed")
        yield bytes(-member.size % _BLOCK)
    yield bytes(2 * _BLOCK)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
