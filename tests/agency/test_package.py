"""Opening packages: a good one, and one for every lie we could think of."""

from collections.abc import Callable
import hashlib
import json
from pathlib import Path
import stat
import tarfile
from typing import Any

import pytest

from agency.desk import Desk
from agency.package import Trust, open_package

from .conftest import ASK
from .packages import CLIP, RELEASE, Home, bagit, box, canonical, seal, sign, tar

type Run = Callable[..., tuple[int, str]]
type Spoil = Callable[[dict[str, bytes]], object]


@pytest.fixture
def home(folder: Path, run: Run) -> Home:
    """A home that wants to answer the agency's only request."""
    assert run("ask", folder, *ASK)[0] == 0
    return Home(folder)


@pytest.fixture
def verdict(home: Home, tmp_path: Path, run: Run) -> Callable[..., str]:
    """Pack and open; returns what is wrong, empty if nothing is."""

    def verdict(spoil: Spoil | None = None, package: Path | None = None) -> str:
        package = package or home.pack(tmp_path / "release.age", spoil=spoil)
        code, report = run("open", home.folder, package, "--out", tmp_path / "out")
        wrong = [line for line in report.splitlines() if line.startswith("FAILED")]
        assert code == (1 if wrong else 0), report
        assert ("NOT GOOD" in report) == bool(wrong)
        return "\n".join(wrong)

    return verdict


def test_a_good_package(home: Home, tmp_path: Path, run: Run) -> None:
    package = home.pack(tmp_path / "release.age")
    code, report = run("open", home.folder, package, "--out", tmp_path / "out")
    assert code == 0, report
    assert "GOOD: every check passed" in report
    assert f"release {RELEASE} was approved by a person at 2026-11-23T20:30:00Z" in report
    assert home.feature["id"] in report
    assert "1 clips, 2 fragments" in report
    assert "A TEST, not evidence" in report
    opened = tmp_path / "out" / f"release-{RELEASE}"
    bagit(opened)
    assert (opened / "data" / "camera-1" / f"{CLIP}.mp4").read_bytes() == home.video
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_the_folder_must_be_new(home: Home, tmp_path: Path, run: Run) -> None:
    package = home.pack(tmp_path / "release.age")
    (tmp_path / "out").mkdir()
    code, report = run("open", home.folder, package, "--out", tmp_path / "out")
    assert code == 1
    assert "exists; give a folder that does not" in report


def test_no_package(home: Home, tmp_path: Path, run: Run) -> None:
    report = run("open", home.folder, tmp_path / "none", "--out", tmp_path / "out")[1]
    assert "cannot unpack none" in report


def test_a_package_for_somebody_else(home: Home, verdict: Callable[..., str]) -> None:
    home.recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
    assert "not encrypted to this" in verdict()


def test_a_package_cut_short(home: Home, tmp_path: Path, verdict: Callable[..., str]) -> None:
    package = home.pack(tmp_path / "release.age")
    package.write_bytes(package.read_bytes()[:-1])
    assert "damaged or cut short" in verdict(package=package)


def test_damage_after_the_end_of_the_tar(
    home: Home, tmp_path: Path, verdict: Callable[..., str]
) -> None:
    long = tar({"bagit.txt": b""}) + bytes(200_000)
    package = seal(long, tmp_path / "release.age", home.recipient)
    package.write_bytes(package.read_bytes()[:-1])
    assert "damaged or cut short" in verdict(package=package)


def link(kind: bytes, target: str = "/etc/passwd") -> tarfile.TarInfo:
    info = tarfile.TarInfo("link")
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "member",
    [
        link(tarfile.SYMTYPE),
        link(tarfile.LNKTYPE),
        link(tarfile.CHRTYPE),
        link(tarfile.FIFOTYPE),
        link(tarfile.GNUTYPE_SPARSE),
        tarfile.TarInfo("/absolute"),
        tarfile.TarInfo("../above"),
        tarfile.TarInfo("a/../../above"),
        tarfile.TarInfo("back\\slash"),
        tarfile.TarInfo(f"release-{RELEASE}/bagit.txt"),
    ],
)
def test_members_that_no_package_may_hold(
    home: Home, tmp_path: Path, verdict: Callable[..., str], member: tarfile.TarInfo
) -> None:
    data = tar({"bagit.txt": b"x"}, member)
    package = seal(data, tmp_path / "release.age", home.recipient)
    assert "something it must not" in verdict(package=package)
    assert not (tmp_path / "above").exists()


def test_no_tar(home: Home, tmp_path: Path, verdict: Callable[..., str]) -> None:
    package = seal(b"no tar at all", tmp_path / "release.age", home.recipient)
    assert "cannot unpack" in verdict(package=package)


def test_a_bag_without_a_folder_around_it(
    home: Home, tmp_path: Path, verdict: Callable[..., str]
) -> None:
    one = tarfile.TarInfo("a")
    package = seal(tar({}, one, tarfile.TarInfo("b")), tmp_path / "release.age", home.recipient)
    assert "bagit.txt is missing" in verdict(package=package)


def change(name: str, data: bytes) -> Spoil:
    return lambda files: files.__setitem__(name, data)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (change("bagit.txt", b"BagIt-Version: 0.97\n"), "not that of a BagIt 1.0 bag"),
        (change("bagit.txt", b"\xff"), "not UTF-8"),
        (change("data/more.mp4", b""), "differ: data/more.mp4"),
        (lambda files: files.pop(f"data/camera-1/{CLIP}.mp4"), "differ: data/camera-1"),
        (change(f"data/camera-1/{CLIP}.mp4", b""), "is not what the bag lists"),
        (change("metadata/details.json", b"{}"), "details.json is not what the bag lists"),
        (change("manifest-sha256.txt", b"what\n"), "malformed or repeated"),
        (change("tagmanifest-sha256.txt", b""), "does not cover"),
        (lambda files: files.pop("tagmanifest-sha256.txt"), "is missing"),
        (lambda files: files.pop("metadata/request.jws"), "lists what is not there"),
        (change("metadata/signature.jws", b"a.b.c"), "base64url"),
        (lambda files: files.pop("metadata/signature.jws"), "is missing"),
    ],
)
def test_bags_that_were_changed(verdict: Callable[..., str], spoil: Spoil, complaint: str) -> None:
    assert complaint in verdict(spoil)


def test_a_request_of_somebody_else(home: Home, verdict: Callable[..., str]) -> None:
    token = sign(home.feature, "footage-request+jws", home.key)
    home.files["metadata/request.jws"] = token
    assert "a key that is not known here" in verdict()


def test_proof_and_details_of_another_request(
    home: Home, folder: Path, run: Run, verdict: Callable[..., str]
) -> None:
    run("ask", folder, *ASK)
    other = Home(folder)
    for name in ("metadata/request.tlog-proof", "metadata/details.json"):
        home.files[name] = other.files[name]
    wrong = verdict()
    assert "proof of logging does not hold" in wrong
    assert "details.json is not what the request names" in wrong


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("request", "urn:uuid:0"),
        ("request_sha256", "00" * 32),
        ("window", {"start": "2026-11-23T00:00:00Z", "end": "2026-11-23T01:00:00Z"}),
        ("terms", {"purpose": "anything", "biometrics": True}),
        ("agency", {"id": "https://elsewhere.example/"}),
        ("recipients", []),
        ("recipients", None),
    ],
)
def test_releases_that_state_something_else(
    home: Home, verdict: Callable[..., str], name: str, value: object
) -> None:
    home.stated[name] = value
    assert f"states another {name.removesuffix('s') if name == 'recipients' else name}" in verdict()


def test_a_statement_that_was_changed_after_the_decision(
    home: Home, verdict: Callable[..., str]
) -> None:
    decision = {"at": "2026-11-23T20:30:00Z", "statement_sha256": "00" * 32}
    release = {"statement": home.stated, "decision": decision}
    home.files["metadata/release.json"] = canonical(release)
    assert "what was approved is not what" in verdict()


@pytest.mark.parametrize(
    ("signed", "complaint"),
    [
        ({"v": 1, "release": RELEASE, "tagmanifest_sha256": "00" * 32}, "signs another"),
        ([], "not a JSON object"),
    ],
)
def test_signatures_over_something_else(
    home: Home, verdict: Callable[..., str], signed: object, complaint: str
) -> None:
    home.files["metadata/signature.jws"] = sign(signed, "package-signature+jws", home.key)
    assert complaint in verdict()


def seals(home: Home) -> list[dict[str, Any]]:
    return [json.loads(line) for line in home.seals([0, 2, 3, 5]).splitlines()]


def put(home: Home, proofs: list[dict[str, Any]]) -> None:
    lines = b"".join(canonical(proof) + b"\n" for proof in proofs)
    home.files[f"metadata/seals/{CLIP}.jsonl"] = lines


@pytest.mark.parametrize(
    ("member", "value", "complaint"),
    [
        ("index", "2", "is no proof"),
        ("index", True, "is no proof"),
        ("index", 1, "is not proved"),
        ("index", 0, "is not proved"),
        ("size", None, "is no proof"),
        ("size", 3, "is not proved"),
        ("proof", None, "is no proof"),
        ("proof", ["zz"], "no hash"),
        ("proof", [1], "no hash"),
        ("proof", ["00"], "no hash"),
        ("proof", [], "is not proved"),
        ("line", None, "line is missing"),
        ("line", "{}", "is not proved"),
    ],
)
def test_seals_that_prove_nothing(
    home: Home, verdict: Callable[..., str], member: str, value: object, complaint: str
) -> None:
    proofs = seals(home)
    proofs[1][member] = value
    put(home, proofs)
    assert complaint in verdict()


@pytest.mark.parametrize(
    ("order", "complaint"),
    [
        ([0, 2, 1, 3], "out of order"),
        ([0, 1, 1, 2, 3], "out of order"),
        ([0, 1, 3], "is not made of"),
        ([0, 3], "is not made of"),
        ([], "is not made of"),
    ],
)
def test_seals_left_out_or_shuffled(
    home: Home, verdict: Callable[..., str], order: list[int], complaint: str
) -> None:
    proofs = seals(home)
    put(home, [proofs[index] for index in order])
    assert complaint in verdict()


@pytest.mark.parametrize(
    "build",
    [
        lambda video: video + b"x",
        lambda video: video + box(b"free", b""),
        lambda video: box(b"free", b"") + video,
        lambda video: video[:-1],
        lambda video: video[:-1] + b"x",
        lambda video: video.replace(b"mdat", b"free", 1),
        lambda video: video.replace(b"moov", b"moof"),
        lambda video: video[:16] + video[114:],
        lambda video: video[:114] + box(b"mdat", video[122:] + b"x"),
        lambda video: video[:114] + b"\0\0\0\7mdat" + video[122:],
        lambda video: video[:114] + b"\0\0\0\1mdat" + bytes(8) + video[122:],
        lambda video: video[:50],
        lambda _: b"",
    ],
)
def test_videos_that_are_not_what_was_sealed(
    home: Home, verdict: Callable[..., str], build: Callable[[bytes], bytes]
) -> None:
    assert home.video[118:122] == b"mdat"
    home.video = build(home.video)
    home.stated["clips"] = [home.clip()]
    assert "is not made of the fragments that its seals list" in verdict()


def test_a_video_so_long_that_its_size_takes_64_bits(
    home: Home, verdict: Callable[..., str]
) -> None:
    content = home.video[122:]
    head = b"\0\0\0\1mdat" + (len(content) + 16).to_bytes(8)
    home.video = home.video[:114] + head + content
    home.stated["clips"] = [home.clip()]
    assert verdict() == ""


@pytest.mark.parametrize("length", [None, "4056", 0, -1, 1 << 40, 4055])
def test_lengths_that_are_none(home: Home, verdict: Callable[..., str], length: object) -> None:
    home.lines[2] = canonical(json.loads(home.lines[2]) | {"length": length})
    home.stated["clips"] = [home.clip()]
    assert "is not made of" in verdict()


@pytest.mark.parametrize(
    ("clips", "complaint"),
    [
        ([], "no clips"),
        (None, "no clips"),
        ([1], "no object"),
        ([{"camera": "camera-1"}], "clip is missing"),
        ([{"camera": "..", "clip": CLIP}], "oddly"),
        ([{"camera": "camera-1", "clip": "../x"}], "oddly"),
        ([{"camera": "camera-2", "clip": CLIP}], "not what was approved"),
        ([{"camera": "camera-1", "clip": CLIP, "sha256": "00" * 32}], "not what was approved"),
    ],
)
def test_clips_that_are_named_wrongly(
    home: Home, verdict: Callable[..., str], clips: object, complaint: str
) -> None:
    home.stated["clips"] = clips
    assert complaint in verdict()


def test_a_root_that_is_none(home: Home, verdict: Callable[..., str]) -> None:
    home.stated["clips"] = [{**home.clip(), "root": "what"}]
    assert "no hash" in verdict()


@pytest.mark.parametrize("seconds", [-1, 3600])
def test_fragments_outside_the_window(
    home: Home, verdict: Callable[..., str], seconds: int
) -> None:
    fact = json.loads(home.lines[2])
    window = home.stated["window"]
    fact["utc"] = "2020-01-01T00:00:00Z" if seconds < 0 else "2099-01-01T00:00:00Z"
    home.lines[2] = canonical(fact)
    home.stated["clips"] = [home.clip()]
    assert "outside the time that was asked for" in verdict()
    assert window == home.feature["properties"]["window"]


def test_identity_hash_is_that_of_the_release(home: Home, tmp_path: Path) -> None:
    """What a receipt names is the hash of the very file in the bag."""
    package = home.pack(tmp_path / "release.age")
    report = open_package(package, tmp_path / "out", Trust.of(Desk(home.folder)))
    release = tmp_path / "out" / f"release-{RELEASE}" / "metadata" / "release.json"
    assert report.release_sha256 == hashlib.sha256(release.read_bytes()).hexdigest()
    assert (report.release, report.request) == (RELEASE, home.feature["id"])
