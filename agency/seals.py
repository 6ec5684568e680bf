"""What a released clip proves: each of its fragments is one that the home sealed (protocol 3)."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
import os
from pathlib import Path
from typing import BinaryIO, Final

from . import merkle
from .encoding import JSON, parse_object, parse_time, text_member
from .errors import AgencyError

_MAX_FRAGMENT: Final = 256 << 20
_HASH: Final = 32


@dataclass(frozen=True, slots=True)
class Window:
    """The time that was asked for."""

    start: datetime
    end: datetime


def check(seals: bytes, video: Path, root: str, window: Window) -> int:
    """Check a clip against its seals; return its number of fragments. Raises AgencyError.

    SEALS are JSON lines `{"index","line","proof","root","size"}`: each line of the home's
    `fragments.jsonl` that was released, proved to be leaf `index` of the tree with ROOT (hex). The
    video has to be an index for players and then exactly the fragments of the lines, in their
    order, inside WINDOW. The index itself was made at home and is not sealed.
    """
    pieces = []
    last = -1
    for number, text in enumerate(seals.splitlines()):
        what = f"line {number + 1} of the seals of {video.name}"
        proof = parse_object(text, what)
        index, line = _prove(proof, root, what)
        if index <= last:
            raise AgencyError(f"{what} is out of order")
        last = index
        fact = parse_object(line, what)
        if "sha256" in fact:
            _check_time(fact, window, what)
            pieces.append((fact.get("length"), text_member(fact, "sha256", what)))
    with video.open("rb") as file:
        if not pieces or not _consists(file, pieces):
            raise AgencyError(f"{video.name} is not made of the fragments that its seals list")
    return len(pieces)


def _prove(proof: dict[str, JSON], root: str, what: str) -> tuple[int, bytes]:
    index, size, hashes = proof.get("index"), proof.get("size"), proof.get("proof")
    line = text_member(proof, "line", what).encode()
    if type(index) is not int or type(size) is not int or not isinstance(hashes, list):
        raise AgencyError(f"{what} is no proof")
    path = [_hash(item, what) for item in hashes]
    if not merkle.holds(merkle.leaf_hash(line), index, size, path, _hash(root, what)):
        raise AgencyError(f"{what} is not proved by the clip's seal")
    return index, line


def _check_time(fact: dict[str, JSON], window: Window, what: str) -> None:
    start = parse_time(text_member(fact, "utc", what))
    if not window.start <= start <= window.end:
        raise AgencyError(f"{what} lies outside the time that was asked for")


def _consists(file: BinaryIO, pieces: list[tuple[JSON, str]]) -> bool:
    """Say whether FILE is an index (`ftyp`, `moov`) and one `mdat` of just these fragments."""
    for wanted in (b"ftyp", b"moov"):
        kind, size = _box(file)
        if kind != wanted:
            return False
        file.seek(size, os.SEEK_CUR)
    kind, size = _box(file)
    start = file.tell()
    for length, digest in pieces:
        if type(length) is not int or not 0 < length <= _MAX_FRAGMENT:
            return False
        if sha256(file.read(length)).hexdigest() != digest:
            return False
    return kind == b"mdat" and file.tell() == start + size and not file.read(1)


def _box(file: BinaryIO) -> tuple[bytes, int]:
    """Read the head of a box (ISO/IEC 14496-12, 4.2): its kind, and how many bytes follow."""
    head = file.read(8)
    size = int.from_bytes(head[:4])
    if size == 1:
        return head[4:], max(int.from_bytes(file.read(8)) - 16, 0)
    return head[4:], max(size - 8, 0)


def _hash(text: JSON, what: str) -> bytes:
    try:
        raw = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        raw = b""
    if len(raw) != _HASH:
        raise AgencyError(f"{what} holds something that is no hash")
    return raw
