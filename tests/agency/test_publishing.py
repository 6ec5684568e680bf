"""What an agency publishes, verified by aics-tlog and jwcrypto."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import hashlib
import json
import math
from pathlib import Path
import stat
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
import pytest

from agency import requests
from agency.area import around
from agency.desk import Desk
from agency.encoding import b64url_decode

from .conftest import ASK, INIT
from .judge import audited, details, statement, verified

type Run = Callable[..., tuple[int, str]]


def asked(folder: Path, index: int = -1) -> dict[str, Any]:
    header, payload = verified(audited(folder)[index], statement(folder)["keys"][0]["jwk"])
    assert header["typ"] == "footage-request+jws"
    return payload


def config(folder: Path, **changes: object) -> None:
    path = folder / "agency.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_init_separates_keys_from_what_is_served(folder: Path) -> None:
    private = sorted((folder / "private").iterdir())
    assert [path.name for path in private if path.name != "lock"] == [
        "age-identity.txt",
        "log.pem",
        "signing-1.pem",
    ]
    assert stat.S_IMODE((folder / "private").stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "evidence").stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "incoming").stat().st_mode) == 0o700
    for path in private:
        assert path.name == "lock" or stat.S_IMODE(path.stat().st_mode) == 0o600
    public = [path for path in (folder / "public").rglob("*") if path.is_file()]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o644 for path in public)
    assert not any(b"PRIVATE" in path.read_bytes() for path in public)
    assert not any(b"SECRET" in path.read_bytes() for path in public)


def test_feed_descriptor(folder: Path) -> None:
    feed = json.loads((folder / "public" / "feed.json").read_text())
    assert feed.pop("log_vkey").startswith("127.0.0.1:8765/2026+")
    assert feed == {
        "version": 1,
        "name": "Footage requests of Example Police",
        "operator": "Example Police",
        "log": "http://127.0.0.1:8765/2026/",
        "witnesses": [],
        "quorum": 0,
        "mirrors": [],
    }


def test_statement_says_what_the_protocol_wants(folder: Path) -> None:
    said = statement(folder)
    wanted = "v id sequence name kind jurisdiction contact oversight policy_url keys encryption"
    assert said.keys() == {*wanted.split(), "delivery", "issued_at"}
    assert said["sequence"] == 1
    assert said["kind"] == "municipal_police"
    assert said["encryption"][0]["holder"] == "Example Police"
    assert said["delivery"] == {
        "tus": "http://127.0.0.1:8765/uploads/",
        "receipts": "http://127.0.0.1:8765/receipts/{package_sha256}.jws",
    }
    assert said["keys"] == [{"jwk": said["keys"][0]["jwk"], "state": "active"}]
    known = json.loads((folder / "public" / ".well-known" / "footage-agency.json").read_text())
    header, _ = verified(audited(folder)[0], said["keys"][0]["jwk"])
    assert known == {"keys": [header["kid"]]}
    assert header == {"alg": "EdDSA", "kid": header["kid"], "typ": "agency-statement+jws"}


def test_statement_is_logged_again_only_when_it_says_something_new(folder: Path, run: Run) -> None:
    assert "homes hold statement 1" in run("statement", folder)[1]
    assert len(audited(folder)) == 1
    config(folder, contact={"phone": "112", "email": "a@b.example", "url": "https://b.example/"})
    assert "Logged statement 2" in run("statement", folder)[1]
    first = statement(folder)["keys"][0]["jwk"]
    assert verified(audited(folder)[1], first)[1]["contact"]["phone"] == "112"


def test_new_key_is_introduced_by_the_old_one(folder: Path, run: Run) -> None:
    old = statement(folder)["keys"][0]["jwk"]
    assert run("statement", folder, "--new-key")[0] == 0
    _, said = verified(audited(folder)[1], old)
    assert [key["state"] for key in said["keys"]] == ["retired", "active"]
    new = said["keys"][1]["jwk"]
    assert said["keys"][0]["jwk"] == old != new
    assert run("ask", folder, *ASK)[0] == 0
    header, _ = verified(audited(folder)[2], new)
    known = json.loads((folder / "public" / ".well-known" / "footage-agency.json").read_text())
    assert known["keys"] == [header["kid"]]


def test_keys_change_again_and_again(folder: Path, run: Run) -> None:
    for states in (["retired", "active"], ["retired", "retired", "active"]):
        assert run("statement", folder, "--new-key")[0] == 0
        config_keys = json.loads((folder / "agency.json").read_text())["keys"]
        assert [key["state"] for key in config_keys] == states
    assert [key["file"] for key in config_keys][-1] == "signing-3.pem"
    keys = statement(folder, 1)["keys"]
    assert verified(audited(folder)[2], keys[1]["jwk"])[1]["sequence"] == 3


def test_revoked_key_is_said_to_be_revoked(folder: Path, run: Run) -> None:
    run("statement", folder, "--new-key")
    new = json.loads((folder / "agency.json").read_text())["keys"]
    new[0] |= {"state": "revoked", "revoked_from": "2026-11-01T00:00:00Z"}
    config(folder, keys=new)
    run("statement", folder)
    said = verified(audited(folder)[2], statement(folder, 1)["keys"][1]["jwk"])[1]
    assert said["keys"][0]["state"] == "revoked"
    assert said["keys"][0]["revoked_from"] == "2026-11-01T00:00:00Z"


def test_request_is_a_feature_with_all_that_is_required(folder: Path, run: Run) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    code, told = run("ask", folder, *ASK)
    after = datetime.now(UTC)
    feature = asked(folder)
    assert code == 0
    assert feature["id"] in told
    assert feature["v"] == 1
    assert feature["type"] == "Feature"
    facts = feature["properties"]
    assert facts["agency"] == statement(folder)["id"]
    assert facts["action"] == "ask"
    assert facts["case_id"] == "24-118"
    assert facts["incident_type"] == "theft"
    assert facts["wanted"] == ["video"]
    assert facts["legal_basis"] == "voluntary"
    assert facts["attestations"] == list(requests.ATTESTATIONS)
    issued = datetime.fromisoformat(facts["issued_at"])
    assert before <= issued <= after
    assert datetime.fromisoformat(facts["window"]["end"]) == issued
    assert datetime.fromisoformat(facts["window"]["start"]) == issued - timedelta(minutes=30)
    assert datetime.fromisoformat(facts["expires_at"]) == issued + timedelta(days=7)
    assert facts["terms"] == {
        "purpose": "Investigation of case 24-118",
        "retain_until": facts["terms"]["retain_until"],
        "onward_sharing": "the prosecution only",
        "public_release": False,
        "biometrics": False,
        "disposal_notice": True,
    }
    retained = datetime.fromisoformat(facts["terms"]["retain_until"])
    assert retained == issued + timedelta(days=90)


def test_personal_data_lies_beside_the_log_only(folder: Path, run: Run) -> None:
    run("ask", folder, *ASK, "--badge", "B-7", "--subject", "a red van")
    line = details(folder, 2)[1]
    facts = asked(folder)["properties"]
    assert facts["details"] == {"sha256": hashlib.sha256(line).hexdigest()}
    said = json.loads(line)
    assert len(b64url_decode(said.pop("salt"))) == 16
    assert said == {
        "case": "24-118",
        "summary": "A bicycle was taken.",
        "subject": "a red van",
        "officer": {
            "name": "A. Jansen",
            "badge": "B-7",
            "email": "footage@127.0.0.1",
            "phone": "",
        },
        "supervisor": "",
    }
    assert not any(b"Jansen" in entry for entry in audited(folder))


def test_area_from_a_file_and_a_window_by_the_clock(folder: Path, tmp_path: Path, run: Run) -> None:
    ring = [[4.0, 52.0], [4.1, 52.0], [4.1, 52.1], [4.0, 52.0]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "geometry": geometry, "properties": {}}
    area = tmp_path / "area.geojson"
    area.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    when = ("--from", "2026-11-01T10:00:00Z", "--to", "2026-11-01T12:00:00.5Z")
    later = ("--expires", "2099-01-01T00:00:00Z", "--retain", "2099-02-01T00:00:00Z")
    code, told = run("ask", folder, "--area", area, *when, *later, *ASK[4:])
    assert code == 0, told
    asked_for = asked(folder)
    assert asked_for["geometry"] == geometry
    window = asked_for["properties"]["window"]
    assert window == {"start": "2026-11-01T10:00:00Z", "end": "2026-11-01T12:00:00.500Z"}


def test_circle_has_the_radius_that_was_asked_for() -> None:
    circle: dict[str, Any] = around(52.0, 4.0, 200.0)
    [ring] = circle["coordinates"]
    assert ring[0] == ring[-1]
    assert len(ring) == 33
    for longitude, latitude in ring:
        east = (longitude - 4.0) * 111_320 * math.cos(math.radians(52.0))
        assert math.hypot(east, (latitude - 52.0) * 111_320) == pytest.approx(200, abs=0.1)


@pytest.mark.parametrize("action", ["withdraw", "resolve"])
def test_closing_a_request_erases_its_details(folder: Path, run: Run, action: str) -> None:
    run("ask", folder, *ASK)
    urn = asked(folder)["id"]
    code, told = run(action, folder, urn.removeprefix("urn:uuid:"), "--reason", "Found.")
    assert code == 0
    assert urn in told
    closing = asked(folder)
    assert closing["properties"]["action"] == action
    assert closing["properties"]["replaces"] == urn
    assert closing["id"] != urn
    lines = details(folder, 3)
    assert lines[1] == b""
    assert json.loads(lines[2])["summary"] == "Found."
    assert closing["properties"]["details"]["sha256"] == hashlib.sha256(lines[2]).hexdigest()
    assert details(folder, 2)[1] == b""
    assert "before" in run(action, folder, urn)[1]


def test_amending_names_what_it_replaces(folder: Path, run: Run) -> None:
    run("ask", folder, *ASK)
    urn = asked(folder)["id"]
    run("ask", folder, *ASK, "--amend", "last")
    assert asked(folder)["properties"]["action"] == "amend"
    assert asked(folder)["properties"]["replaces"] == urn
    assert "amend" in run("list", folder)[1]


def test_disposal_notice(folder: Path, run: Run) -> None:
    assert run("dispose", folder, "0f" * 16)[0] == 0
    header, said = verified(audited(folder)[1], statement(folder)["keys"][0]["jwk"])
    assert header["typ"] == "disposal+jws"
    assert said.keys() == {"v", "agency", "release", "disposed_at", "reason"}
    assert said["release"] == "0f" * 16


def test_refresh_cosigns_anew_and_erases_what_has_expired(folder: Path, run: Run) -> None:
    run("ask", folder, *ASK, "--expires", "1m")
    run("ask", folder, *ASK)
    past = datetime.now(UTC) - timedelta(days=3)
    Desk(folder, lambda: past).log().refresh()
    with pytest.raises(AssertionError, match="quorum"):
        audited(folder, max_age=48 * 3600)
    ahead = datetime.now(UTC) + timedelta(hours=1)
    assert requests.refresh(Desk(folder, lambda: ahead)) == 1
    assert details(folder, 3)[1] == b""
    assert details(folder, 3)[2] != b""
    assert "erased the details of 0" in run("refresh", folder)[1]
    assert len(audited(folder, max_age=60)) == 3
    cosigned = Desk(folder).log().head().cosigned
    assert cosigned is not None
    assert abs(cosigned - time.time()) < 60


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--from", "2026-11-01T10:00:00Z"), "--from and --to, or --last"),
        (("--from", "2026-11-01T10:00:00Z", "--to", "2026-11-01T09:00:00Z"), "in the past"),
        (("--from", "2026-11-01T10:00:00Z", "--to", "2099-11-01T09:00:00Z"), "in the past"),
        (("--from", "yesterday", "--to", "2026-11-01T09:00:00Z"), "is no time"),
        (("--last", "soon"), "no span of time"),
        (("--last", "30m", "--expires", "2026-11-01T09:00:00Z"), "would have expired"),
        (("--last", "30m", "--amend", "last"), "no request last"),
        (("--last", "30m", "--summary", "x" * 5000), "too long"),
    ],
)
def test_requests_that_every_home_would_refuse(
    folder: Path, run: Run, arguments: tuple[str, ...], complaint: str
) -> None:
    code, told = run("ask", folder, *ASK[:2], *ASK[4:], *arguments)
    assert code == 1
    assert complaint in told
    assert len(audited(folder)) == 1


@pytest.mark.parametrize("around", ["here", "1,2", "91,0,10", "0,0,0", "0,0,nan"])
def test_points_that_are_none(folder: Path, run: Run, around: str) -> None:
    assert run("ask", folder, "--around", around, *ASK[2:])[0] == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"type":"Point","coordinates":[1,2]}', "\xff"])
def test_areas_that_are_none(folder: Path, tmp_path: Path, run: Run, text: str) -> None:
    (tmp_path / "area").write_bytes(text.encode("latin-1"))
    assert run("ask", folder, "--area", tmp_path / "area", *ASK[2:])[0] == 1
    assert "cannot read" in run("ask", folder, "--area", tmp_path / "none", *ASK[2:])[1]


def test_asking_before_the_statement(tmp_path: Path, run: Run) -> None:
    assert run("init", tmp_path / "a", *INIT)[0] == 0
    assert "statement first" in run("ask", tmp_path / "a", *ASK)[1]
    assert audited(tmp_path / "a") == []


@pytest.mark.parametrize("url", ["http://police.example/", "ftp://a.example/", "https://", "a"])
def test_only_https_leaves_this_machine(tmp_path: Path, run: Run, url: str) -> None:
    assert "https" in run("init", tmp_path / "a", *INIT, "--base-url", url)[1]
    assert not (tmp_path / "a").exists()


def test_init_overwrites_nothing(folder: Path, run: Run) -> None:
    assert "not empty" in run("init", folder, *INIT)[1]
    with pytest.raises(Exception, match="already"):
        Desk(folder).log().create()


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ({"keys": 1}, "keys is missing"),
        ({"keys": [1]}, "no object"),
        ({"keys": [{"file": "none.pem", "state": "active"}]}, "cannot read the key"),
        ({"keys": [{"file": "age-identity.txt", "state": "active"}]}, "no private key"),
        ({"keys": [{"state": "active"}]}, "file is missing"),
        ({"keys": []}, "is active in the statement"),
        ({"id": 1}, "id is missing"),
        ({"delivery": 1}, "delivery is missing"),
    ],
)
def test_damaged_configuration(
    folder: Path, run: Run, damage: dict[str, object], complaint: str
) -> None:
    config(folder, **damage)
    code, told = run("statement", folder)
    assert code == 1
    assert complaint in told
    assert run("statement", folder, "--new-key")[0] == 1


def test_other_kinds_of_key_are_refused(folder: Path, run: Run) -> None:
    other = X25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (folder / "private" / "signing-1.pem").write_bytes(other)
    assert "no Ed25519 key" in run("statement", folder)[1]


def test_no_folder(tmp_path: Path, run: Run) -> None:
    code, told = run("list", tmp_path / "nothing")
    assert code == 1
    assert "agency init" in told


def test_help_teaches(capsys: pytest.CaptureFixture[str], run: Run) -> None:
    with pytest.raises(SystemExit) as ended:
        run("--help")
    assert ended.value.code == 0
    assert "python -m agency ask desk --around" in capsys.readouterr().out
