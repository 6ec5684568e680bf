"""The courier: exactly one package arrives, or the release says plainly why not."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
import errno
import fcntl
from hashlib import sha256
import os
from pathlib import Path
from typing import Any

from aiohttp import web
import pytest

from custom_components.doorstep.disclosure import courier as couriers, delivery
from custom_components.doorstep.disclosure.courier import (
    FIRST_RECEIPT,
    RECEIPTS,
    RETRIES,
    Courier,
    Ports,
)
from custom_components.doorstep.disclosure.store import Release, Releases
from custom_components.doorstep.errors import FeedError, ReleaseError, StorageError
from custom_components.doorstep.inbox.jws import public_key

from .conftest import REQUEST, Case, Clock
from .receivers import FakeReceiver, hang_up, status, swallow

pytestmark = pytest.mark.usefixtures("socket_enabled")


class House:
    """What the courier asks, and what it heard."""

    def __init__(self, releases: Releases, case: Case, clock: Clock, kept: Path) -> None:
        self.releases, self.case, self.clock, self.kept = releases, case, clock, kept
        self.forbidden: Callable[[Release], str | None] = lambda _: None
        self.progress: list[tuple[str, int, int]] = []
        self.heard: Callable[[], None] = lambda: None
        self.courier = self.hire()

    def hire(self) -> Courier:
        """A courier that knows nothing but what is on disk."""
        ports = Ports(
            material=lambda _: self.case.material,
            still_allowed=self._judge,
            keys=lambda _: {self.case.signer.thumbprint: public_key(self.case.signer.public)},
            progress=self._note,
            now=self.clock,
        )
        return Courier(self.releases, self.kept, ports)

    def _judge(self, release: Release) -> str | None:
        return self.forbidden(release)

    def _note(self, release: str, sent: int, total: int) -> None:
        self.progress.append((release, sent, total))
        self.heard()

    def grant(self) -> Release:
        """Approve a release and let the grace period pass."""
        draft = self.releases.draft("k3v9", self.case.statement, self.clock())
        release = self.releases.approve(draft.id, draft.digest, "anna", self.clock())
        self.clock.wait(seconds=60)
        return release

    def package(self, release: Release) -> Path:
        return self.kept / f"{release.id}.age"

    def receipt(self, release: Release, **changes: Any) -> bytes:
        """The agency's answer to what was delivered."""
        now = self.releases.get(release.id)
        payload = {
            "v": 1,
            "release": release.id,
            "request": REQUEST,
            "package_sha256": now.package_sha256,
            "release_sha256": now.release_sha256,
            "received_at": "2026-11-23T21:05:00Z",
            "evidence_id": "24-118/7",
            "terms_accepted": True,
        }
        return self.case.signer.sign(payload | changes, "receipt+jws")


@pytest.fixture
async def receiver() -> AsyncIterator[FakeReceiver]:
    async with FakeReceiver() as receiver:
        yield receiver


@pytest.fixture
def house(
    releases: Releases, case: Case, clock: Clock, tmp_path: Path, receiver: FakeReceiver
) -> House:
    case.delivery, case.receipts = receiver.url, receiver.template
    return House(releases, case, clock, tmp_path / "kept")


async def run(house: House, release: Release) -> Release:
    await house.courier.run_once(release.id)
    return house.releases.get(release.id)


def arrived(receiver: FakeReceiver) -> bytes:
    """The only upload that any byte ever reached."""
    (upload,) = (data for data in receiver.uploads.values() if data)
    return bytes(upload)


# --- the way it should go


async def test_from_the_decision_to_the_receipt(house: House, receiver: FakeReceiver) -> None:
    release = house.grant()
    delivered = await run(house, release)
    assert delivered.state == "delivered"
    package = house.package(release).read_bytes()
    assert arrived(receiver) == package
    assert sha256(package).hexdigest() == delivered.package_sha256
    assert receiver.methods() == ["POST", "HEAD", "PATCH", "PATCH"]
    assert house.releases.next_due() == house.clock() + timedelta(seconds=FIRST_RECEIPT)
    house.clock.wait(seconds=FIRST_RECEIPT)
    path = f"/receipts/{delivered.package_sha256}.jws"
    receiver.receipts[path] = house.receipt(release)
    done = await run(house, release)
    assert (done.state, done.evidence_id) == ("acknowledged", "24-118/7")
    assert done.receipt == receiver.receipts[path]
    assert not house.package(release).exists()


async def test_the_upload_says_what_it_is(house: House, receiver: FakeReceiver) -> None:
    release = await run(house, house.grant())
    told = dict(pair.split(" ") for pair in receiver.metadata[0].split(","))
    expected = {
        "request": REQUEST,
        "release": release.id,
        "sha256": str(release.package_sha256),
        "filename": "release.age",
    }
    assert told == {name: b64encode(v.encode()).decode() for name, v in expected.items()}


async def test_progress_is_told_up_to_the_last_byte(house: House) -> None:
    release = await run(house, house.grant())
    assert house.progress[-1] == (release.id, release.size, release.size)
    assert [sent for _, sent, _ in house.progress] == [release.size - delivery.TAIL, release.size]


async def test_nothing_happens_during_the_grace_period(
    house: House, receiver: FakeReceiver
) -> None:
    release = house.grant()
    house.clock.wait(milliseconds=-1)
    assert (await run(house, release)).state == "granted"
    house.releases.undo(release.id, "ben", house.clock())
    house.clock.wait(days=1)
    assert (await run(house, release)).state == "dropped"
    assert receiver.requests == []
    assert not list(house.kept.glob("*.age"))


async def test_an_unknown_release_is_said(house: House) -> None:
    with pytest.raises(ReleaseError, match="release_unknown"):
        await house.courier.run_once("none")


# --- what no longer may go


@pytest.mark.parametrize(
    ("calls", "state", "seen"),
    [
        (1, "dropped", []),
        (2, "stopped", []),
        (3, "stopped", []),
        (4, "stopped", ["POST", "HEAD"]),
        (5, "stopped", ["POST", "HEAD", "PATCH"]),
        (6, "delivered", ["POST", "HEAD", "PATCH", "PATCH"]),
    ],
)
async def test_a_withdrawal_stops_it_at_the_next_step(
    house: House, receiver: FakeReceiver, calls: int, state: str, seen: list[str]
) -> None:
    asked: list[str] = []

    def forbidden(release: Release) -> str | None:
        asked.append(release.state)
        return "why_not_open" if len(asked) == calls else None

    house.forbidden = forbidden
    release = await run(house, house.grant())
    assert release.state == state
    assert receiver.methods() == seen
    if state != "delivered":
        assert release.reason == "why_not_open"
        assert not house.package(release).exists()
        assert sum(map(len, receiver.uploads.values())) < release.size or not release.size


async def test_a_check_that_fails_sends_nothing(house: House, receiver: FakeReceiver) -> None:
    def forbidden(_: Release) -> str | None:
        raise FeedError("feed_unreachable")

    house.forbidden = forbidden
    release = await run(house, house.grant())
    assert (release.state, release.reason) == ("granted", "feed_unreachable")
    assert not release.is_due(house.clock())
    assert receiver.requests == []


async def test_a_person_stops_it_in_the_middle_of_a_part(
    house: House, receiver: FakeReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(couriers, "_BLOCK", 4096)
    release = house.grant()
    stopping: list[asyncio.Task[Release]] = []

    def heard() -> None:
        if len(house.progress) == 3:
            stop = house.courier.stop(release.id, "taken_back", "ben")
            stopping.append(asyncio.get_running_loop().create_task(stop))

    house.heard = heard

    async def wait(_: web.Request) -> None:
        await receiver.over.wait()

    receiver.fault("PATCH", wait)
    done = await run(house, release)
    (stop,) = stopping
    assert (await stop).state == "stopped"
    assert (done.state, done.reason) == ("stopped", "taken_back")
    assert done.offered == done.size - delivery.TAIL
    assert not house.package(release).exists()
    assert receiver.methods() == ["POST", "HEAD", "PATCH"]


async def test_a_person_stops_it_between_two_attempts(house: House, receiver: FakeReceiver) -> None:
    receiver.fault("POST", status(500))
    release = await run(house, house.grant())
    stopped = await house.courier.stop(release.id, "taken_back", "ben")
    assert (stopped.state, stopped.reason) == ("stopped", "taken_back")
    assert not house.package(release).exists()
    house.clock.wait(days=1)
    assert await run(house, release) == stopped


async def test_after_a_stop_a_person_may_send_it_again(
    house: House, receiver: FakeReceiver
) -> None:
    receiver.fault("POST", status(401))
    release = await run(house, house.grant())
    assert (release.state, release.reason) == ("stopped", "receiver_refused")
    house.releases.retry(release.id, "anna", house.clock())
    again = await run(house, release)
    assert again.state == "delivered"
    assert again.release_sha256 == release.release_sha256
    assert arrived(receiver) == house.package(release).read_bytes()


async def test_stopping_what_is_over_is_refused(house: House) -> None:
    release = await run(house, house.grant())
    with pytest.raises(ReleaseError, match="not_possible"):
        await house.courier.stop(release.id, "taken_back", "ben")


# --- receivers that misbehave


@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH"])
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (301, "receiver_redirects"),
        (307, "receiver_redirects"),
        (308, "receiver_redirects"),
        (400, "receiver_refused"),
        (401, "receiver_refused"),
        (412, "receiver_refused"),
        (413, "receiver_refused"),
    ],
)
async def test_refusals_and_redirects_stop_it(
    house: House, receiver: FakeReceiver, method: str, code: int, reason: str
) -> None:
    receiver.fault(method, status(code, Location=f"{receiver.url}/elsewhere"))
    release = await run(house, house.grant())
    assert (release.state, release.reason) == ("stopped", reason)
    assert ("GET", "/files/elsewhere") not in receiver.requests
    assert all(path != "/files/elsewhere" for _, path in receiver.requests)
    assert not house.package(release).exists()


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/files/1",
        "https://127.0.0.1:{port}/files/1",
        "http://localhost:{port}/files/1",
        "//localhost:{port}/files/1",
        "http://user@127.0.0.1:{port}/files/1",
        "http://127.0.0.1:{port}/files/1#part",
        "http://127.0.0.1:99999/",
        "ftp://127.0.0.1:{port}/files/1",
        "",
    ],
)
async def test_an_upload_that_lives_elsewhere_is_refused(
    house: House, receiver: FakeReceiver, location: str
) -> None:
    receiver.fault("POST", status(201, Location=location.format(port=receiver.port)))
    release = await run(house, house.grant())
    assert (release.state, release.reason) == ("stopped", "receiver_elsewhere")
    assert receiver.methods() == ["POST"]


async def test_an_address_that_may_never_be_asked_is_refused(house: House) -> None:
    house.case.delivery = "http://192.168.1.1/files"
    release = await run(house, house.grant())
    assert (release.state, release.reason) == ("stopped", "receiver_elsewhere")


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {"Upload_Offset": "1"}),
        ("HEAD", {"Upload_Offset": "999999999"}),
        ("HEAD", {"Upload_Offset": "-1"}),
        ("HEAD", {"Upload_Offset": "0x0"}),
        ("HEAD", {"Upload_Offset": "²"}),
        ("HEAD", {"Upload_Offset": "9" * 5000}),
        ("HEAD", {}),
        ("HEAD", {"Upload_Offset": "0", "Upload_Length": "7"}),
        ("PATCH", {}),
        ("PATCH", {"Upload_Offset": "0"}),
        ("PATCH", {"Upload_Offset": "7"}),
        ("PATCH", {"Upload_Offset": "999999999"}),
    ],
)
async def test_lies_about_offsets_stop_it(
    house: House, receiver: FakeReceiver, method: str, headers: dict[str, str]
) -> None:
    code = 200 if method == "HEAD" else 204
    receiver.fault(method, swallow(code, **headers))
    release = await run(house, house.grant())
    assert (release.state, release.reason) == ("stopped", "receiver_confused")


@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH"])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (swallow(500), "receiver_busy"),
        (swallow(503), "receiver_busy"),
        (swallow(423), "receiver_busy"),
        (swallow(409), "receiver_busy"),
        (swallow(429), "receiver_busy"),
        (hang_up, "receiver_unreachable"),
    ],
)
async def test_what_passes_is_tried_again_and_nothing_is_sent_twice(
    house: House, receiver: FakeReceiver, method: str, fault: Any, reason: str
) -> None:
    # aiohttp itself asks once more where a kept connection closes
    receiver.fault(method, fault, times=2 if method == "HEAD" and fault is hang_up else 1)
    release = await run(house, house.grant())
    assert (release.state, release.reason) == ("delivering", reason)
    house.clock.wait(seconds=9.9)
    assert await run(house, release) == release
    house.clock.wait(seconds=0.1)
    done = await run(house, release)
    assert (done.state, done.reason) == ("delivered", None)
    assert arrived(receiver) == house.package(release).read_bytes()


async def test_a_receiver_that_keeps_half_a_part_gets_the_rest(
    house: House, receiver: FakeReceiver
) -> None:
    async def half(request: web.Request) -> web.Response:
        receiver.uploads[request.path] += await request.content.readexactly(20_000)
        return await hang_up(request)

    receiver.fault("PATCH", half)
    release = await run(house, house.grant())
    assert (release.state, release.sent) == ("delivering", 0)
    house.clock.wait(seconds=RETRIES[0])
    assert (await run(house, release)).state == "delivered"
    assert arrived(receiver) == house.package(release).read_bytes()


async def test_a_receiver_that_stalls_is_given_up_for_now(
    house: House, receiver: FakeReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "STALL", 0.2)

    async def stall(_: web.Request) -> None:
        await receiver.over.wait()

    receiver.fault("PATCH", stall)
    release = await run(house, house.grant())
    assert (release.state, release.reason) == ("delivering", "receiver_unreachable")


async def test_while_bytes_flow_nobody_is_impatient(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "STALL", 0.5)
    monkeypatch.setattr(couriers, "_BLOCK", 8192)
    read = Courier._read

    async def slowly(*arguments: Any) -> AsyncIterator[bytes]:
        async for chunk in read(*arguments):
            await asyncio.sleep(0.1)
            yield chunk

    monkeypatch.setattr(Courier, "_read", slowly)
    assert (await run(house, house.grant())).state == "delivered"


async def test_nobody_listens(house: House) -> None:
    house.case.delivery = "http://127.0.0.1:1/files"
    release = await run(house, house.grant())
    delays = []
    for _ in range(8):
        assert (release.state, release.reason) == ("delivering", "receiver_unreachable")
        due = house.releases.next_due()
        assert due is not None
        delays.append(round((due - house.clock()).total_seconds()))
        house.clock.now = due
        release = await run(house, release)
    assert delays == [10, 30, 60, 300, 900, 3600, 3600, 3600]
    house.clock.wait(days=14)
    release = await run(house, release)
    assert (release.state, release.reason) == ("stopped", "gave_up")
    assert house.releases.next_due() is None
    assert not house.package(release).exists()


# --- uploads that vanish


async def test_an_upload_lost_before_its_last_part_is_begun_anew(
    house: House, receiver: FakeReceiver
) -> None:
    async def lose(request: web.Request) -> web.Response:
        await request.read()
        receiver.uploads.clear()
        return web.Response(status=404)

    receiver.fault("PATCH", lose)
    release = await run(house, house.grant())
    assert (release.state, release.reason) == ("delivering", "receiver_busy")
    house.clock.wait(seconds=RETRIES[0])
    done = await run(house, release)
    assert (done.state, done.uploads) == ("delivered", 2)
    assert arrived(receiver) == house.package(release).read_bytes()


@pytest.mark.parametrize("code", [403, 404, 410])
async def test_a_receiver_that_loses_every_upload_is_left(
    house: House, receiver: FakeReceiver, code: int
) -> None:
    receiver.fault("HEAD", status(code), times=9)
    release = await run(house, house.grant())
    assert (release.state, release.reason, release.uploads) == ("stopped", "upload_lost", 3)
    assert receiver.methods() == ["POST", "HEAD"] * 3


@pytest.mark.parametrize("code", [404, 410])
async def test_an_upload_lost_after_its_last_byte_is_never_sent_again(
    house: House, receiver: FakeReceiver, code: int
) -> None:
    async def swallow_all(request: web.Request) -> web.Response | None:
        if request.headers["Upload-Offset"] == "0":
            receiver.fault("PATCH", swallow_all)
            return None
        await request.read()
        receiver.uploads.clear()
        return await hang_up(request)

    receiver.fault("PATCH", swallow_all)
    release = await run(house, house.grant())
    assert (release.state, release.reason) == ("delivering", "receiver_unreachable")
    assert release.offered == release.size
    receiver.fault("HEAD", status(code))
    house.clock.wait(seconds=RETRIES[0])
    done = await run(house, release)
    assert (done.state, done.reason) == ("stopped", "unconfirmed")
    house.clock.wait(days=1)
    await run(house, release)
    assert receiver.methods() == ["POST", "HEAD", "PATCH", "PATCH", "HEAD"]


async def test_an_answer_lost_after_the_last_byte_is_asked_for(
    house: House, receiver: FakeReceiver
) -> None:
    async def keep_and_hang_up(request: web.Request) -> web.Response:
        receiver.uploads[request.path] += await request.read()
        receiver.fault("PATCH", keep_and_hang_up)
        return await hang_up(request)

    receiver.fault("PATCH", keep_and_hang_up)
    release = await run(house, house.grant())
    for _ in range(2):
        assert release.state == "delivering"
        house.clock.wait(seconds=RETRIES[1])
        release = await run(house, release)
    assert release.state == "delivered"
    assert arrived(receiver) == house.package(release).read_bytes()
    assert receiver.methods() == ["POST", "HEAD", "PATCH", "HEAD", "PATCH", "HEAD"]


# --- the package on disk


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"x" * 70_000)])
async def test_a_package_that_is_gone_or_other_is_not_sent(
    house: House, receiver: FakeReceiver, spoil: Callable[[Path], Any]
) -> None:
    receiver.fault("POST", status(500))
    release = await run(house, house.grant())
    spoil(house.package(release))
    house.clock.wait(seconds=RETRIES[0])
    done = await run(house, release)
    assert (done.state, done.reason) == ("stopped", "package_missing")
    assert receiver.methods() == ["POST"]


async def test_a_package_that_cannot_be_read_waits_for_the_disk(
    house: House, receiver: FakeReceiver
) -> None:
    receiver.fault("POST", status(500))
    release = await run(house, house.grant())
    data = house.package(release).read_bytes()
    house.package(release).unlink()
    house.package(release).mkdir()
    house.clock.wait(seconds=RETRIES[0])
    waiting = await run(house, release)
    assert (waiting.state, waiting.reason) == ("delivering", "package_unreadable")
    house.package(release).rmdir()
    house.package(release).write_bytes(data)
    house.clock.wait(seconds=RETRIES[1])
    assert (await run(house, release)).state == "delivered"


async def test_a_package_that_shrinks_while_it_is_sent_is_noticed(
    house: House, receiver: FakeReceiver
) -> None:
    release = house.grant()

    async def shrink(_: web.Request) -> None:
        os.truncate(house.package(release), 1000)

    receiver.fault("HEAD", shrink)
    waiting = await run(house, release)
    assert (waiting.state, waiting.reason) == ("delivering", "receiver_unreachable")
    house.clock.wait(seconds=RETRIES[0])
    assert (await run(house, release)).reason == "package_missing"


async def test_a_clip_that_changed_after_the_approval_stops_it(
    house: House, receiver: FakeReceiver
) -> None:
    release = house.grant()
    house.case.clips[0].video.unlink()
    stopped = await run(house, release)
    assert (stopped.state, stopped.reason) == ("stopped", "clip_missing")
    assert receiver.requests == []


async def test_a_full_disk_waits_for_room(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    release = house.grant()
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", _no_room)
        waiting = await run(house, release)
    assert (waiting.state, waiting.reason) == ("packaging", "package_unwritable")
    house.clock.wait(seconds=RETRIES[0])
    assert (await run(house, release)).state == "delivered"


def _no_room(_: int) -> None:
    raise OSError(28, "No space left on device")


async def test_a_folder_that_cannot_be_made_is_a_storage_error(house: House) -> None:
    release = house.grant()
    house.kept.write_bytes(b"a file")
    with pytest.raises(StorageError, match="package_unwritable"):
        await house.courier.run_once(release.id)


async def test_leftovers_are_removed(house: House, receiver: FakeReceiver) -> None:
    receiver.fault("POST", status(500))
    release = await run(house, house.grant())
    for name in ("gone.age", "gone.partial", "gone.lock", "01JD.mp4", f"{release.id}.partial"):
        (house.kept / name).write_bytes(b"")
    house.courier.tidy()
    assert {path.name for path in house.kept.iterdir()} == {
        "01JD.mp4",
        f"{release.id}.age",
        f"{release.id}.lock",
        f"{release.id}.partial",
    }


# --- killed, doubled


@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH"])
async def test_a_courier_that_is_killed_is_followed_by_one_that_knows_enough(
    house: House, receiver: FakeReceiver, method: str
) -> None:
    release = house.grant()
    reached = asyncio.Event()

    async def note(request: web.Request) -> None:
        if method == "PATCH":
            receiver.uploads[request.path] += await request.content.readexactly(10_000)
        reached.set()
        await receiver.over.wait()

    receiver.fault(method, note)
    first = asyncio.create_task(house.courier.run_once(release.id))
    await reached.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    house.courier = house.hire()
    done = await run(house, release)
    assert done.state == "delivered"
    assert arrived(receiver) == house.package(release).read_bytes()


async def test_two_couriers_never_send_twice(house: House, receiver: FakeReceiver) -> None:
    release = house.grant()
    couriers_ = [house.hire() for _ in range(4)]
    await asyncio.gather(*(one.run_once(release.id) for one in couriers_ for _ in range(2)))
    assert house.releases.get(release.id).state == "delivered"
    assert receiver.methods() == ["POST", "HEAD", "PATCH", "PATCH"]


async def test_no_byte_leaves_before_the_decision_is_on_disk(
    house: House, receiver: FakeReceiver
) -> None:
    release = house.grant()
    states = []

    async def look(_: web.Request) -> None:
        states.append(house.releases.get(release.id))

    for method in ("POST", "HEAD", "PATCH", "PATCH"):
        receiver.fault(method, look)
    await run(house, release)
    assert [state.state for state in states] == ["delivering"] * 4
    size = states[0].size
    assert [s.upload_url is not None for s in states] == [False, True, True, True]
    assert [s.offered for s in states] == [0, 0, size - delivery.TAIL, size]


# --- receipts


async def test_receipts_are_asked_for_on_schedule_then_overdue(
    house: House, receiver: FakeReceiver
) -> None:
    release = await run(house, house.grant())
    begun, asked = house.clock(), []
    while release.state == "delivered":
        due = house.releases.next_due()
        assert due is not None
        asked.append((due - begun) / timedelta(seconds=1))
        house.clock.now = due
        release = await run(house, release)
    assert asked == [FIRST_RECEIPT, 600, 3600, 21600, *(86400 * day for day in range(1, 15))]
    assert asked == list(RECEIPTS)
    assert receiver.methods().count("GET") == len(asked)
    assert (release.state, release.reason) == ("overdue", "receipt_awaited")
    assert not house.package(release).exists()
    house.clock.wait(days=1)
    assert await run(house, release) == release


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"package_sha256": "0" * 64}, "receipt_foreign"),
        ({"release_sha256": "0" * 64}, "receipt_foreign"),
        ({"terms_accepted": False}, "receipt_incomplete"),
    ],
)
async def test_a_bad_receipt_is_shown_and_a_good_one_still_counts(
    house: House, receiver: FakeReceiver, changes: dict[str, Any], reason: str
) -> None:
    release = await run(house, house.grant())
    path = f"/receipts/{release.package_sha256}.jws"
    receiver.receipts[path] = house.receipt(release, **changes)
    house.clock.wait(seconds=60)
    waiting = await run(house, release)
    assert (waiting.state, waiting.reason) == ("delivered", reason)
    receiver.receipts[path] = house.receipt(release)
    house.clock.wait(minutes=10)
    done = await run(house, release)
    assert (done.state, done.reason) == ("acknowledged", None)


@pytest.mark.parametrize(
    "fault",
    [status(500), status(302, Location="http://127.0.0.1:1/"), hang_up, status(200)],
)
async def test_a_receipt_that_cannot_be_fetched_is_asked_for_later(
    house: House, receiver: FakeReceiver, fault: Any
) -> None:
    release = await run(house, house.grant())
    receiver.fault("GET", fault, times=2)
    house.clock.wait(seconds=60)
    waiting = await run(house, release)
    assert waiting.state == "delivered"
    assert waiting.reason in {"receipt_unreachable", "receipt_invalid"}
    assert waiting.due_at == "2026-11-23T21:11:00.250Z"


async def test_a_receipt_of_a_gigabyte_is_cut_off(house: House, receiver: FakeReceiver) -> None:
    release = await run(house, house.grant())
    path = f"/receipts/{release.package_sha256}.jws"
    receiver.receipts[path] = bytes(1 << 20)
    house.clock.wait(seconds=60)
    assert (await run(house, release)).reason == "receipt_unreachable"


async def test_without_locks_nothing_is_sent(
    house: House, receiver: FakeReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    release = house.grant()
    with monkeypatch.context() as broken:
        broken.setattr(fcntl, "flock", flock)
        with pytest.raises(StorageError) as caught:
            await run(house, release)
    assert caught.value.key == "package_unwritable"
    assert receiver.methods() == []
    assert (await run(house, release)).state == "delivered"
