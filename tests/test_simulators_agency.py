"""The simulated agency, judged by tools that are not ours and with crypto that is not ours."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
import hashlib
import json
from pathlib import Path
import subprocess

from aics_tlog import (
    HttpTileReader,
    VerifiedTileReader,
    audit_tiles,
    parse_note,
    parse_vkey,
    verify_checkpoint,
)
from aics_tlog.checkpoint import CheckpointVerifyResult
import aiohttp
import bagit
from jwcrypto.jws import InvalidJWSSignature
import pytest

from scripts.children import tool

from .simulators.agency import AgencySimulator
from .simulators.signing import Signer, to_json, with_broken_signature
from .simulators.tlog import Log
from .simulators.waiting import until
from .simulators.webserver import Reply

pytestmark = [
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:bagit"),
]

DAY = 86_400


@pytest.fixture
async def agency(tmp_path: Path) -> AsyncIterator[AgencySimulator]:
    async with AgencySimulator(tmp_path, witnessed=True) as agency:
        yield agency


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def judged(agency: AgencySimulator, *, max_age: int | None = None) -> CheckpointVerifyResult:
    descriptor = json.loads(agency.web.files["/feed.json"])
    return verify_checkpoint(
        parse_note(agency.checkpoint),
        parse_vkey(descriptor["log_vkey"]),
        [parse_vkey(vkey) for vkey in descriptor["witnesses"]],
        quorum=descriptor["quorum"],
        max_age_seconds=max_age,
    )


async def audited(agency: AgencySimulator) -> list[bytes]:
    """Let aics-tlog read the whole log over HTTP, prove it, and return its entries."""

    def audit() -> list[bytes]:
        verdict = judged(agency)
        size, root = verdict.size, verdict.root
        assert size is not None
        assert root is not None
        reader = HttpTileReader([agency.log_url])
        audit_tiles(reader, size, root)
        proven = VerifiedTileReader(reader, size, root)
        return [proven.entry(index) for index in range(size)]

    return await asyncio.to_thread(audit)


async def upload(agency: AgencySimulator, http: aiohttp.ClientSession, data: bytes) -> str:
    tus = {"Tus-Resumable": "1.0.0"}
    length = {"Upload-Length": str(len(data)), "Upload-Metadata": "filename cmVsZWFzZS5hZ2U="}
    async with http.post(agency.receiver.url, headers=tus | length) as created:
        assert created.status == 201
        url = created.headers["Location"]
    await send(http, url, data, 0)
    return url


async def send(http: aiohttp.ClientSession, url: str, data: bytes, offset: int) -> None:
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream",
    }
    async with http.patch(url, headers=headers, data=data[offset:]) as sent:
        assert sent.status == 204


def sealed_package(agency: AgencySimulator, folder: Path) -> bytes:
    """Make a package with bagit.py, tar and `age`: what a home would send."""
    bag = folder / "bag"
    (bag / "metadata").mkdir(parents=True)
    (bag / "clip.mp4").write_bytes(b"moof")
    bagit.make_bag(str(bag), checksums=["sha256"])
    statement = {"release": "0" * 32, "request": "urn:uuid:1"}
    (bag / "metadata").mkdir()
    (bag / "metadata" / "release.json").write_bytes(to_json({"statement": statement}))
    bagit.Bag(str(bag)).save(manifests=True)
    plain = folder / "package.tar"
    subprocess.run(["tar", "-cf", plain, "-C", folder, "bag"], check=True)
    (folder / "recipients").write_text(agency.age.recipient)
    command = [tool("age"), "-R", str(folder / "recipients"), str(plain)]
    return subprocess.run(command, check=True, capture_output=True).stdout


async def test_log_verifies(agency: AgencySimulator) -> None:
    agency.publish_statement()
    request = agency.ask()
    verdict = judged(agency, max_age=60)
    assert verdict.ok
    entries = await audited(agency)
    assert agency.signer.opens(entries[0]) == agency.statement
    assert agency.signer.opens(entries[1]) == request


async def test_log_of_many_bundles_verifies(tmp_path: Path) -> None:
    agency = AgencySimulator(tmp_path)
    for number in range(600):
        agency.log.append(b"entry %d" % number, b"line %d" % number)
    agency.publish()
    async with agency.web:
        assert (await audited(agency))[599] == b"entry 599"
    files = agency.web.files
    assert files["/2026/details/001"].splitlines()[-1] == b"line 511"
    assert files["/2026/details/002.p/88"].splitlines()[0] == b"line 512"
    assert "/2026/details/002" not in files


async def test_details_match_the_request(agency: AgencySimulator) -> None:
    agency.publish_statement()
    request = agency.ask(details={"summary": "Zwarte bakfiets ontvreemd"})
    empty, line = agency.web.files["/2026/details/000.p/2"].splitlines()
    assert empty == b""
    assert request["properties"]["details"]["sha256"] == hashlib.sha256(line).hexdigest()
    assert json.loads(line)["summary"] == "Zwarte bakfiets ontvreemd"
    agency.blank(1)
    assert agency.web.files["/2026/details/000.p/2"] == b"\n\n"


async def test_patches_change_one_thing(agency: AgencySimulator) -> None:
    agency.publish_statement()
    second = agency.publish_statement({"name": "Other", "policy_url": None})
    assert second["sequence"] == 2
    assert "policy_url" not in second
    first = agency.ask({"properties": {"legal_basis": "warrant", "terms": {"purpose": "x"}}})
    assert first["properties"]["legal_basis"] == "warrant"
    assert first["properties"]["terms"]["biometrics"] is False
    amended = agency.amend(first, {"properties": {"wanted": ["stills"]}})
    assert amended["id"] != first["id"]
    assert amended["properties"]["replaces"] == first["id"]
    assert agency.withdraw(first)["properties"]["action"] == "withdraw"
    assert agency.resolve(first)["properties"]["action"] == "resolve"
    assert judged(agency).ok


async def test_forgeries_are_refused_by_the_judge(agency: AgencySimulator) -> None:
    agency.publish_statement()
    broken = with_broken_signature(agency.log.entries[0])
    with pytest.raises(InvalidJWSSignature):
        agency.signer.opens(broken)
    with pytest.raises(InvalidJWSSignature):
        Signer().opens(agency.log.entries[0])
    strange = agency.signer.sign_raw({"alg": "EdDSA"}, b'{"v":1}')
    assert agency.signer.opens(strange) == {"v": 1}
    agency.forge_checkpoint()
    assert not judged(agency).ok


async def test_stale_is_signed_but_too_old(agency: AgencySimulator) -> None:
    agency.publish_statement()
    agency.go_stale()
    assert judged(agency).ok
    assert not judged(agency, max_age=2 * DAY).ok


async def test_other_histories_are_properly_signed(agency: AgencySimulator) -> None:
    agency.publish_statement()
    before = agency.checkpoint
    agency.ask()
    agency.fork(1, b"something else")
    assert judged(agency).ok
    assert (await audited(agency))[1] == b"something else"
    agency.roll_back(1)
    assert (await audited(agency)) == agency.log.entries
    assert len(agency.log.entries) == 1
    agency.replay(before)
    assert agency.checkpoint == before


async def test_checkpoint_has_the_operators_own_cosignature() -> None:
    log = Log("feed.example/2026")
    note = parse_note(log.checkpoint(datetime(2026, 1, 1, tzinfo=UTC)))
    assert [line.name for line in note.signatures] == ["feed.example/2026"] * 2
    assert len({line.key_id for line in note.signatures}) == 2
    assert log.witnesses == []


async def test_web_server_remembers_and_misbehaves(
    agency: AgencySimulator, http: aiohttp.ClientSession
) -> None:
    async with http.get(agency.feed_url, headers={"X-Home": "1"}) as answer:
        assert (await answer.json(content_type=None))["log"] == agency.log_url
    assert agency.web.paths == ["/feed.json"]
    assert agency.web.requests[0].headers["x-home"] == "1"
    agency.swell(length=3_000_000)
    async with http.get(agency.feed_url) as answer:
        assert answer.content_length is None
        assert len(await answer.read()) == 3_000_000
    agency.web.replies["/feed.json"] = Reply(hang=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), http.get(agency.feed_url):
            pass
    async with http.get(agency.web.url + "nothing") as answer:
        assert answer.status == 404


async def test_receives_opens_and_acknowledges(
    agency: AgencySimulator, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    data = sealed_package(agency, tmp_path / "home")
    receipt_url = f"{agency.web.url}receipts/{hashlib.sha256(data).hexdigest()}.jws"
    async with http.get(receipt_url) as answer:
        assert answer.status == 404
    await upload(agency, http, data)
    [package] = agency.packages()
    assert package.read("data/clip.mp4") == b"moof"
    assert "metadata/release.json" in package.files()
    async with http.get(receipt_url) as answer:
        receipt = agency.signer.opens(await answer.read())
    assert receipt["package_sha256"] == hashlib.sha256(data).hexdigest()
    assert receipt["release_sha256"] == package.release_sha256
    assert receipt["request"] == "urn:uuid:1"
    agency.receipts.withheld = True
    async with http.get(receipt_url) as answer:
        assert answer.status == 404


async def test_receipts_lie_when_told_to(agency: AgencySimulator, tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as http:
        await upload(agency, http, sealed_package(agency, tmp_path / "home"))
    [package] = agency.packages()
    agency.receipts.patch = {"release_sha256": "0" * 64}
    assert agency.signer.opens(agency.receipt(package))["release_sha256"] == "0" * 64
    agency.receipts.signer = Signer()
    with pytest.raises(InvalidJWSSignature):
        agency.signer.opens(agency.receipt(package))
    agency.receipts.raw = b"garbage"
    assert agency.receipt(package) == b"garbage"


async def test_refuses_what_the_tools_refuse(
    agency: AgencySimulator, http: aiohttp.ClientSession
) -> None:
    await upload(agency, http, b"not encrypted")
    assert agency.packages() == []
    assert list(agency.refused) == [hashlib.sha256(b"not encrypted").hexdigest()]


async def test_upload_survives_a_crash_of_the_receiver(
    agency: AgencySimulator, http: aiohttp.ClientSession
) -> None:
    receiver = agency.receiver
    receiver.bytes_per_second = 1_000_000
    await receiver.restart()
    data = bytes(range(256)) * 4_000
    sending = asyncio.create_task(upload(agency, http, data))
    await until(lambda: any(upload.offset for upload in receiver.uploads()))
    receiver.bytes_per_second = None
    await receiver.restart()
    with pytest.raises(aiohttp.ClientError):
        await sending
    [part] = receiver.uploads()
    assert 0 < part.offset < part.size == len(data)
    assert part.metadata == {"filename": "release.age"}
    await send(http, f"{receiver.url}/{part.id}", data, part.offset)
    [whole] = receiver.uploads()
    assert whole.complete
    assert whole.path.read_bytes() == data
    await until(lambda: receiver.requests()[-1].status)
    last = receiver.requests()[-1]
    assert (last.method, last.received) == ("PATCH", len(data) - part.offset)
    receiver.forget(whole)
    assert receiver.uploads() == []


async def test_receiver_points_elsewhere(
    agency: AgencySimulator, http: aiohttp.ClientSession
) -> None:
    agency.receiver.location = "http://127.0.0.1:9/elsewhere"
    await agency.receiver.restart()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "1"}
    async with http.post(agency.receiver.url, headers=headers) as created:
        assert created.headers["Location"].startswith("http://127.0.0.1:9/elsewhere/")
