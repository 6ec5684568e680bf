"""The package, judged by others' tools: age, tar, bagit, sha256sum, jwcrypto, aics-tlog."""

from base64 import b64decode
import errno
from hashlib import sha256
import io
from itertools import chain
import os
from pathlib import Path
import subprocess
import tarfile
from typing import Any

import aics_tlog
import bagit
from jwcrypto import jwk, jws
import orjson
import pytest

from custom_components.doorstep.disclosure.package import bag, release_json, write_package
from custom_components.doorstep.disclosure.release import Statement, digest
from custom_components.doorstep.errors import ReleaseError, StorageError
from scripts.children import tool
from tests.simulators.package import AgeKey, BadPackageError, open_package

from .clips import CLIP_ID, DOORBELL, Sealer, split
from .conftest import DECIDED, RELEASE, Case

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:bagit")

FOLDER = f"release-{RELEASE}"


def tar(case: Case, statement: Statement | None = None) -> bytes:
    return b"".join(bag(statement or case.statement(), case.decision, case.material))


@pytest.fixture
def opened(case: Case, age_key: AgeKey, tmp_path: Path) -> Path:
    """The folder of the bag, after `age -d`, tar and `bagit.py --validate`."""
    statement = case.statement()
    parts = bag(statement, case.decision, case.material)
    package = write_package(tmp_path / "kept" / "r.age", parts, [case.recipient])
    found = open_package(tmp_path / "kept" / "r.age", age_key, tmp_path / "agency")
    assert (tmp_path / "kept" / "r.age").stat().st_size == package.size
    assert found.sha256 == package.sha256
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["r.age"]
    return found.bag


def test_it_holds_what_the_protocol_names_and_nothing_else(opened: Path) -> None:
    files = {str(path.relative_to(opened)) for path in opened.rglob("*") if path.is_file()}
    assert files == {
        "bagit.txt",
        "bag-info.txt",
        "manifest-sha256.txt",
        "tagmanifest-sha256.txt",
        f"data/camera-1/{CLIP_ID}.mp4",
        "metadata/request.jws",
        "metadata/request.tlog-proof",
        "metadata/details.json",
        "metadata/release.json",
        f"metadata/seals/{CLIP_ID}.jsonl",
        "metadata/signature.jws",
        "declaration.txt",
        "VERIFY.txt",
    }
    assert opened.name == FOLDER


def test_sha256sum_and_ffmpeg_agree(opened: Path) -> None:
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        command = ["sha256sum", "--strict", "--quiet", "-c", manifest]
        subprocess.run(command, cwd=opened, check=True)
    video = opened / f"data/camera-1/{CLIP_ID}.mp4"
    command = [tool("ffmpeg"), "-v", "error", "-i", str(video), "-f", "null", "-"]
    done = subprocess.run(command, check=True, capture_output=True)
    assert not done.stderr


def test_bag_info_says_what_and_when(opened: Path) -> None:
    video = opened / f"data/camera-1/{CLIP_ID}.mp4"
    assert (opened / "bag-info.txt").read_text().splitlines() == [
        "Bag-Software-Agent: Doorstep",
        "Bagging-Date: 2026-11-23",
        f"External-Identifier: {RELEASE}",
        f"Payload-Oxum: {video.stat().st_size}.1",
        "Internal-Sender-Description: TEST: made in test mode, no evidence of anything",
    ]


def test_release_json_carries_the_statement_word_for_word(opened: Path, case: Case) -> None:
    told = orjson.loads((opened / "metadata/release.json").read_bytes())
    statement = case.statement()
    assert told["statement"] == statement
    assert told["decision"] == {
        "at": "2026-11-23T21:00:00.250Z",
        "statement_sha256": digest(statement),
    }
    assert (opened / "metadata/release.json").read_bytes() == release_json(statement, case.decision)
    for clip in statement["clips"]:
        video = opened / "data" / clip["camera"] / f"{clip['clip']}.mp4"
        assert sha256(video.read_bytes()).hexdigest() == clip["sha256"]
        assert video.stat().st_size == clip["bytes"]


def test_the_signature_binds_all_parts_to_the_releases_key(opened: Path) -> None:
    key = jwk.JWK(**orjson.loads((opened / "metadata/release.json").read_bytes())["key"])
    token = jws.JWS()
    token.deserialize((opened / "metadata/signature.jws").read_text(), key=key)
    assert orjson.loads(token.payload) == {
        "release": RELEASE,
        "tagmanifest_sha256": sha256((opened / "tagmanifest-sha256.txt").read_bytes()).hexdigest(),
        "v": 1,
    }
    header = orjson.loads(token.objects["protected"])
    assert header == {"alg": "EdDSA", "kid": key.thumbprint(), "typ": "package-signature+jws"}
    listed = (opened / "tagmanifest-sha256.txt").read_text()
    assert "signature.jws" not in listed
    assert all(
        name in listed for name in ("manifest-sha256.txt", "seals", "VERIFY", "release.json")
    )


def test_the_request_is_proved_to_be_in_its_log(opened: Path, case: Case) -> None:
    assert (opened / "metadata/request.jws").read_bytes() == case.request
    assert (opened / "metadata/details.json").read_bytes() == case.details
    proof, _, note = (opened / "metadata/request.tlog-proof").read_text().partition("\n\n")
    kind, index, *hashes = proof.split("\n")
    assert (kind, index) == ("c2sp.org/tlog-proof@v1", f"index {case.index}")
    bundle = aics_tlog.Bundle(
        entry_bytes=case.request,
        index=case.index,
        inclusion_proof=tuple(b64decode(node, validate=True) for node in hashes),
        checkpoint_note=note,
    )
    verdict = aics_tlog.verify_bundle(bundle, aics_tlog.parse_vkey(case.log.vkey))
    assert verdict.ok, verdict


def test_seals_name_the_fragments_of_the_file_in_their_order(opened: Path, case: Case) -> None:
    lines = (opened / f"metadata/seals/{CLIP_ID}.jsonl").read_text().splitlines()
    video = (opened / f"data/camera-1/{CLIP_ID}.mp4").read_bytes()
    fragments = []
    for text in lines:
        line = orjson.loads(text)
        proof = [bytes.fromhex(node) for node in line["proof"]]
        assert aics_tlog.verify_leaf_inclusion(
            line["line"].encode(),
            line["index"],
            line["size"],
            proof,
            bytes.fromhex(case.clips[0].root),
        )
        fragments.append(orjson.loads(line["line"]))
    assert "init" in fragments.pop(0)
    assert "end" in fragments.pop()
    at = len(video) - sum(one["length"] for one in fragments)
    assert b"".join(data for _, data in split(video)[:2]) + video[at - 8 : at] == video[:at]
    for one in fragments:
        assert sha256(video[at : at + one["length"]]).hexdigest() == one["sha256"]
        at += one["length"]


def test_nothing_in_it_names_the_home(opened: Path) -> None:
    for path in opened.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert DOORBELL.encode() not in data
            assert b"Smith" not in data


def test_the_same_release_gives_the_same_tar(case: Case) -> None:
    assert tar(case) == tar(case)


def test_the_tar_says_nothing_about_the_machine(case: Case) -> None:
    with tarfile.open(fileobj=io.BytesIO(tar(case))) as archive:
        members = archive.getmembers()
    for member in members:
        assert member.name.startswith(f"{FOLDER}/")
        assert member.isreg()
        assert member.mtime == int(DECIDED.timestamp())
        assert (member.mode, member.uid, member.gid) == (0o644, 0, 0)
        assert (member.uname, member.gname) == ("", "")
    assert members[0].name == f"{FOLDER}/bagit.txt"


def test_only_test_mode_is_marked(case: Case) -> None:
    real = tar(case, {**case.statement(), "test": False})
    assert b"TEST" in tar(case)
    assert b"TEST" not in real


def test_sound_and_several_cameras(
    case: Case, sealer: Sealer, age_key: AgeKey, tmp_path: Path
) -> None:
    case.clips.append(sealer.write(tmp_path / "b", "20261114T200011Z-aaaaaaaa", "01JDBACKDOOR"))
    statement = case.statement(audio=True)
    parts = bag(statement, case.decision, case.material)
    write_package(tmp_path / "r.age", parts, [case.recipient])
    files = open_package(tmp_path / "r.age", age_key, tmp_path / "agency").files()
    assert "data/camera-2/20261114T200011Z-aaaaaaaa.mp4" in files
    assert "metadata/seals/20261114T200011Z-aaaaaaaa.jsonl" in files


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"request_sha256": "0" * 64}, "release_changed"),
        ({"audio": True}, "release_changed"),
        ({"window": {"start": "2026-11-14T20:00:43Z", "end": "2026-11-14T20:00:55Z"}}, None),
        ({"window": {"start": "2026-11-14T21:00:43Z", "end": "2026-11-14T21:00:55Z"}}, "cut_empty"),
    ],
)
def test_material_that_is_not_what_was_approved_is_refused(
    case: Case, change: dict[str, Any], key: str | None
) -> None:
    with pytest.raises(ReleaseError) as caught:
        tar(case, {**case.statement(), **change})
    assert caught.value.key == (key or "release_changed")


def test_a_cut_of_another_hash_is_refused_at_its_end(case: Case) -> None:
    statement = case.statement()
    clip = {**statement["clips"][0], "sha256": "0" * 64}
    with pytest.raises(ReleaseError, match="release_changed"):
        tar(case, {**statement, "clips": [clip]})


@pytest.mark.parametrize("change", [{"root": "0" * 64}, {"start": "2026-11-14T20:00:40Z"}])
def test_a_cut_that_was_stated_otherwise_is_refused_before_the_first_byte(
    case: Case, change: dict[str, str]
) -> None:
    statement = case.statement()
    changed = {**statement, "clips": [statement["clips"][0] | change]}
    with pytest.raises(ReleaseError, match="release_changed"):
        next(bag(changed, case.decision, case.material))


def test_a_clip_that_is_gone_is_refused(case: Case) -> None:
    statement = case.statement()
    case.clips = []
    with pytest.raises(ReleaseError) as caught:
        tar(case, statement)
    assert (caught.value.key, caught.value.placeholders) == ("clip_missing", {"clip": CLIP_ID})


def test_a_refusal_leaves_no_file(case: Case, tmp_path: Path) -> None:
    statement = case.statement()
    parts = bag(statement, case.decision, case.material)
    begun = [next(parts)]
    data = bytearray(case.clips[0].video.read_bytes())
    data[-30_000 - len(data) // 6] ^= 1
    case.clips[0].video.write_bytes(data)
    path = tmp_path / "kept" / "r.age"
    with pytest.raises(ReleaseError, match="fragment_differs"):
        write_package(path, chain(begun, parts), [case.recipient])
    with pytest.raises(ReleaseError, match="recipient_missing"):
        write_package(path, [], [])
    assert not list(tmp_path.glob("kept/*"))


def test_a_full_disk_is_a_storage_error(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError) as caught:
        write_package(tmp_path / "r.age", [b"x"], [case.recipient])
    assert caught.value.key == "package_unwritable"
    assert not list(tmp_path.glob("r.*"))


@pytest.mark.parametrize("at", range(13))
def test_a_flipped_byte_in_any_file_is_found_by_bagit_or_the_signature(
    opened: Path, at: int
) -> None:
    path = sorted(path for path in opened.rglob("*") if path.is_file())[at]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    assert not (valid(opened) and signed(opened))


def valid(opened: Path) -> bool:
    """What `bagit.py --validate` says."""
    try:
        bagit.Bag(str(opened)).validate()
    except bagit.BagError, UnicodeDecodeError:
        return False
    return True


def signed(opened: Path) -> bool:
    """Whether jwcrypto accepts the signature, and it is over this tagmanifest."""
    key = jwk.JWK(**orjson.loads((opened / "metadata/release.json").read_bytes())["key"])
    token = jws.JWS()
    try:
        token.deserialize((opened / "metadata/signature.jws").read_text(), key=key)
        told = orjson.loads(token.payload)["tagmanifest_sha256"]
    except jws.InvalidJWSObject, jws.InvalidJWSSignature, ValueError:
        return False
    return bool(told == sha256((opened / "tagmanifest-sha256.txt").read_bytes()).hexdigest())


def test_a_damaged_package_does_not_open(case: Case, age_key: AgeKey, tmp_path: Path) -> None:
    parts = bag(case.statement(), case.decision, case.material)
    write_package(tmp_path / "r.age", parts, [case.recipient])
    data = bytearray((tmp_path / "r.age").read_bytes())
    data[-1] ^= 1
    (tmp_path / "r.age").write_bytes(data)
    with pytest.raises(BadPackageError):
        open_package(tmp_path / "r.age", age_key, tmp_path / "agency")
