"""Packages as a home would send them, made from the protocol with other people's tools.

The clip is not playable (a fragment's media are noise); the tests of the whole use real ones.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import hashlib
import io
import json
import os
from pathlib import Path
import struct
import subprocess
import sys
import tarfile
from typing import Any

from aics_tlog import FileSystemTileReader, MerkleTree, inclusion_proof_from_tiles
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from scripts.children import tool

from .judge import audited, details, statement

CLIP = "20261123T200000Z-0a1b2c3d"
RELEASE = "5eed" * 8


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sign(payload: object, typ: str, key: JWK) -> bytes:
    jws = JWS(canonical(payload))
    header = {"alg": "EdDSA", "kid": key.thumbprint(), "typ": typ}
    jws.add_signature(key, alg="EdDSA", protected=canonical(header).decode())
    return str(jws.serialize(compact=True)).encode()


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


@dataclass
class Home:
    """A home that answers the last request of the agency in FOLDER; spoil what you like."""

    folder: Path
    recipient: str = ""
    key: JWK = field(default_factory=lambda: JWK.generate(kty="OKP", crv="Ed25519"))
    files: dict[str, bytes] = field(default_factory=dict)
    stated: dict[str, Any] = field(default_factory=dict)
    lines: list[bytes] = field(default_factory=list)
    video: bytes = b""
    feature: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        entries = audited(self.folder)
        token = entries[-1]
        said = statement(self.folder)
        jws = JWS()
        jws.deserialize(token.decode())
        self.feature = json.loads(jws.objects["payload"])
        self.recipient = self.recipient or said["encryption"][0]["recipient"]
        self.files["metadata/request.jws"] = token
        self.files["metadata/request.tlog-proof"] = self._proof(len(entries))
        self.files["metadata/details.json"] = details(self.folder, len(entries))[-1]
        self._record(datetime.fromisoformat(self.feature["properties"]["window"]["start"]))
        self.stated = {
            "v": 1,
            "release": RELEASE,
            "request": self.feature["id"],
            "request_sha256": hashlib.sha256(token).hexdigest(),
            "agency": {"id": said["id"], "name": said["name"]},
            "recipients": said["encryption"],
            "terms": self.feature["properties"]["terms"],
            "window": self.feature["properties"]["window"],
            "identity": "none",
            "audio": False,
            "sealed_when": "home",
            "test": True,
            "clips": [self.clip()],
        }

    def clip(self) -> dict[str, Any]:
        digest = hashlib.sha256(self.video).hexdigest()
        root = self._tree().root().hex()
        return {"camera": "camera-1", "clip": CLIP, "sha256": digest, "root": root}

    def seals(self, indexes: list[int]) -> bytes:
        tree = self._tree()
        proofs = [
            {
                "index": index,
                "line": self.lines[index].decode(),
                "proof": [node.hex() for node in tree.inclusion_proof(index, tree.size)],
                "root": tree.root().hex(),
                "size": tree.size,
            }
            for index in indexes
        ]
        return b"".join(canonical(proof) + b"\n" for proof in proofs)

    def pack(self, out: Path, *, spoil: Callable[[dict[str, bytes]], object] | None = None) -> Path:
        """Write the package; SPOIL may change the files of a bag that is complete."""
        release = {
            "statement": self.stated,
            "decision": {
                "at": "2026-11-23T20:30:00Z",
                "statement_sha256": hashlib.sha256(canonical(self.stated)).hexdigest(),
            },
            "key": self.key.export_public(as_dict=True),
        }
        files = {f"data/camera-1/{CLIP}.mp4": self.video}
        files["metadata/release.json"] = canonical(release)
        files[f"metadata/seals/{CLIP}.jsonl"] = self.seals([0, 2, 3, 5])
        files |= self.files
        files["bagit.txt"] = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
        files["manifest-sha256.txt"] = manifest(files, payload=True)
        files["tagmanifest-sha256.txt"] = manifest(files, payload=False)
        listed = hashlib.sha256(files["tagmanifest-sha256.txt"]).hexdigest()
        signed = {"v": 1, "release": RELEASE, "tagmanifest_sha256": listed}
        files.setdefault("metadata/signature.jws", sign(signed, "package-signature+jws", self.key))
        if spoil is not None:
            spoil(files)
        return seal(tar(files), out, self.recipient)

    def _record(self, start: datetime) -> None:
        """Seal a clip of a header, four fragments (two are released) and an end."""
        fragments = [
            box(b"moof", os.urandom(40)) + box(b"mdat", os.urandom(4000)) for _ in range(4)
        ]
        self.lines = [canonical({"v": 1, "clip": CLIP, "init": {"sha256": "00" * 32}})]
        for index, fragment in enumerate(fragments):
            utc = (start + timedelta(seconds=index)).isoformat().replace("+00:00", "Z")
            digest = hashlib.sha256(fragment).hexdigest()
            fact = {"i": index, "utc": utc, "length": len(fragment), "sha256": digest}
            self.lines.append(canonical(fact))
        self.lines.append(canonical({"end": "post-roll", "fragments": 4}))
        init = box(b"ftyp", b"isom" + bytes(4)) + box(b"moov", bytes(90))
        self.video = init + box(b"mdat", fragments[1] + fragments[2])

    def _tree(self) -> MerkleTree:
        return MerkleTree(self.lines)

    def _proof(self, size: int) -> bytes:
        log = self.folder / "public" / "2026"
        proof = inclusion_proof_from_tiles(FileSystemTileReader(log), size - 1, size)
        lines = [b64encode(node).decode() for node in proof]
        head = ["c2sp.org/tlog-proof@v1", f"index {size - 1}", *lines, "", ""]
        return "\n".join(head).encode() + (log / "checkpoint").read_bytes()


def manifest(files: dict[str, bytes], *, payload: bool) -> bytes:
    listed = {name: data for name, data in files.items() if name.startswith("data/") == payload}
    listed.pop("metadata/signature.jws", None)
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in listed.items()]
    return "".join(lines).encode()


def tar(files: dict[str, bytes], *members: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(f"release-{RELEASE}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for member in members:
            archive.addfile(member)
    return out.getvalue()


def seal(data: bytes, out: Path, recipient: str) -> Path:
    # by file: a random recipient on the command line would differ in every egress ledger
    recipients = out.with_name("recipients")
    recipients.write_text(recipient)
    command = [tool("age"), "-R", str(recipients), "-o", str(out)]
    subprocess.run(command, input=data, check=True)
    return out


def bagit(folder: Path) -> None:
    """Let bagit.py validate the bag in FOLDER."""
    subprocess.run([sys.executable, "-m", "bagit", "--quiet", "--validate", folder], check=True)
