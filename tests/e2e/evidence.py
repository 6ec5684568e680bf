"""What a package proves, checked against the clip on the household's disk by other people's code.

Written by hand from the standards, because no library reads them: the walk over ISO BMFF boxes
(ISO/IEC 14496-12 section 4.2) and the lines of a C2SP tlog-proof.
"""

import base64
from collections.abc import Iterator, Mapping
from hashlib import sha256
import json
from pathlib import Path
from typing import Any, Final

from aics_tlog import (
    MerkleTree,
    parse_note,
    parse_vkey,
    verify_checkpoint,
    verify_leaf_inclusion,
)
import av
from jwcrypto import jwk, jws

from ..simulators.agency import AgencySimulator
from ..simulators.documents import Document
from ..simulators.package import Package

PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"


def check(package: Package, agency: AgencySimulator, request: Document, library: Path) -> int:
    """Check everything that the package claims; return how many fragments were released."""
    stated = package.release["statement"]
    assert stated["request"] == request["id"]
    assert stated["agency"]["id"] == agency.id
    assert stated["terms"] == request["properties"]["terms"]
    assert stated["window"] == request["properties"]["window"]
    assert stated["identity"] == "none"
    assert stated["audio"] is False
    _check_decision(package.release)
    _check_request(package, agency, request)
    _check_signature(package)
    return sum(_check_clip(package, clip, library) for clip in stated["clips"])


def _check_decision(release: Mapping[str, Any]) -> None:
    stated = release["statement"]
    shown = json.dumps(stated, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert release["decision"]["statement_sha256"] == sha256(shown).hexdigest()


def _check_request(package: Package, agency: AgencySimulator, request: Document) -> None:
    token = package.read("metadata/request.jws")
    assert agency.signer.opens(token) == request
    details = package.read("metadata/details.json").rstrip(b"\n")
    assert sha256(details).hexdigest() == request["properties"]["details"]["sha256"]
    index, path, note = _read_proof(package.read("metadata/request.tlog-proof"))
    head = verify_checkpoint(parse_note(note), parse_vkey(agency.log.vkey))
    assert head.log_ok
    assert head.size is not None
    assert head.root is not None
    assert verify_leaf_inclusion(token, index, head.size, path, head.root)


def _read_proof(proof: bytes) -> tuple[int, list[bytes], str]:
    header, _, note = proof.decode().partition("\n\n")
    name, index, *path = header.splitlines()
    assert name == PROOF_HEADER
    hashes = [base64.b64decode(line, validate=True) for line in path]
    return int(index.removeprefix("index ")), hashes, note


def _check_signature(package: Package) -> None:
    key = jwk.JWK(**package.release["key"])
    token = jws.JWS()
    token.deserialize(package.read("metadata/signature.jws").decode(), key=key)
    signed = sha256(package.read("tagmanifest-sha256.txt")).hexdigest()
    assert signed in json.loads(token.payload).values()


def _check_clip(package: Package, clip: Mapping[str, Any], library: Path) -> int:
    """Compare one released clip with the sealed one, byte for byte; return its fragments."""
    released = package.read(f"data/{clip['camera']}/{clip['clip']}.mp4")
    assert sha256(released).hexdigest() == clip["sha256"]
    [sealed] = library.rglob(f"{clip['clip']}.mp4")
    lines = sealed.with_suffix(".jsonl").read_bytes().splitlines()
    assert MerkleTree(lines).root().hex() == clip["root"]
    original = sealed.read_bytes()
    seals = package.read(f"metadata/seals/{clip['clip']}.jsonl").splitlines()
    facts = [_proved(json.loads(seal), lines, clip["root"]) for seal in seals]
    cut = [fact for fact in facts if "offset" in fact]
    expected = [original[fact["offset"] : fact["offset"] + fact["length"]] for fact in cut]
    assert list(_fragments(_media(released))) == expected
    assert [sha256(part).hexdigest() for part in expected] == [fact["sha256"] for fact in cut]
    assert 0 < len(cut) < sum("offset" in json.loads(line) for line in lines)
    _plays(package.bag / "data" / clip["camera"] / f"{clip['clip']}.mp4")
    return len(cut)


def _proved(seal: Mapping[str, Any], lines: list[bytes], root: str) -> dict[str, Any]:
    line, path = seal["line"].encode(), [bytes.fromhex(node) for node in seal["proof"]]
    assert lines[seal["index"]] == line
    assert verify_leaf_inclusion(line, seal["index"], seal["size"], path, bytes.fromhex(root))
    fact: dict[str, Any] = json.loads(line)
    return fact


def _media(movie: bytes) -> bytes:
    """Return what the released file holds behind its index: the fragments as they were sealed."""
    (_, _, _), (_, _, start), (kind, begin, end) = _boxes(movie)
    assert (kind, begin, end) == (b"mdat", start, len(movie))
    return movie[begin + 8 :]


def _fragments(movie: bytes) -> Iterator[bytes]:
    """Yield each moof with its mdat."""
    start = 0
    for kind, begin, end in _boxes(movie):
        if kind == b"moof":
            start = begin
        elif kind == b"mdat":
            yield movie[start:end]


def _boxes(movie: bytes) -> Iterator[tuple[bytes, int, int]]:
    begin = 0
    while begin < len(movie):
        size = int.from_bytes(movie[begin : begin + 4])
        assert size >= 8, "64-bit and endless boxes do not occur in clips"
        yield movie[begin + 4 : begin + 8], begin, begin + size
        begin += size
    assert begin == len(movie)


def _plays(video: Path) -> None:
    """Let FFmpeg decode every frame: pictures only, since no sound was released."""
    with av.open(video) as movie:
        assert [stream.type for stream in movie.streams] == ["video"]
        assert sum(1 for _ in movie.decode(video=0)) > 0
