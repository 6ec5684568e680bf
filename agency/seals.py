"""What a released clip proves: each of its fragments is one that the home sealed (protocol 3)."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from . import merkle
from .encoding import JSON, parse_object, parse_time, text_member
from .errors import AgencyError

_HEADER: Final = 8
_MAX_BOX: Final = 256 << 20
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
    video's fragments have to be exactly those of the lines, in their order, inside WINDOW.
    """
    name = video.name
    fragments = []
    last = -1
    for number, text in enumerate(seals.splitlines()):
        what = f"line {number + 1} of the seals of {name}"
        proof = parse_object(text, what)
        index, line = _prove(proof, root, what)
        if index <= last:
            raise AgencyError(f"{what} is out of order")
        last = index
        fact = parse_object(line, what)
        if "sha256" in fact:
            _check_time(fact, window, what)
            fragments.append(text_member(fact, "sha256", what))
    if not fragments or fragments != _fragments(video):
        raise AgencyError(f"{name} does not consist of the fragments that its seals list")
    return len(fragments)


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


def _fragments(video: Path) -> list[str]:
    """Return the SHA-256 of each fragment (moof and mdat) of an fMP4 file, in hex."""
    hashes = []
    size = video.stat().st_size
    with video.open("rb") as file:
        while file.tell() < size:
            kind, box = _box(file, video.name)
            if kind == b"moof":
                following, data = _box(file, video.name)
                if following != b"mdat":
                    raise AgencyError(f"{video.name} holds a fragment without media")
                hashes.append(sha256(box + data).hexdigest())
            elif hashes or kind not in {b"ftyp", b"moov"}:
                raise AgencyError(f"{video.name} holds something that was not sealed")
    return hashes


def _box(file: BinaryIO, name: str) -> tuple[bytes, bytes]:
    """Read one box with its header (ISO/IEC 14496-12 section 4.2, 32-bit sizes)."""
    header = file.read(_HEADER)
    size = int.from_bytes(header[:4])
    body = file.read(size - _HEADER) if _HEADER <= size <= _MAX_BOX else b""
    if len(header) != _HEADER or len(body) != size - _HEADER:
        raise AgencyError(f"{name} is cut short or no MP4")
    return header[4:], header + body


def _hash(text: JSON, what: str) -> bytes:
    try:
        raw = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        raw = b""
    if len(raw) != _HASH:
        raise AgencyError(f"{what} holds something that is no hash")
    return raw
