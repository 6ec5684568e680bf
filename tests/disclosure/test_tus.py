"""Delivery to a real tus server (@tus/server), across power cuts on both sides."""

import asyncio
from collections.abc import AsyncIterator
import os
from pathlib import Path
import signal
import sys

import pytest

from custom_components.doorstep.disclosure.courier import RETRIES
from custom_components.doorstep.disclosure.store import Release, Releases
from tests.simulators.receiver import Receiver, Upload
from tests.simulators.waiting import until

from .clips import Sealer
from .conftest import Case, Clock
from .test_courier import House

pytestmark = pytest.mark.usefixtures("socket_enabled")
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    receiver = Receiver(tmp_path)
    yield receiver
    await receiver.stop()


@pytest.fixture
def big(case: Case, sealer: Sealer, tmp_path: Path) -> Case:
    """Enough footage that its way takes a while."""
    for name in ("aaaaaaaa", "bbbbbbbb", "cccccccc"):
        case.clips.append(sealer.write(tmp_path / name, f"20261114T200011Z-{name}"))
    return case


@pytest.fixture
def house(releases: Releases, big: Case, clock: Clock, tmp_path: Path, receiver: Receiver) -> House:
    big.delivery, big.receipts = receiver.url, f"{receiver.base}{{package_sha256}}.jws"
    return House(releases, big, clock, tmp_path / "kept")


def only(receiver: Receiver) -> Upload:
    (upload,) = receiver.uploads()
    return upload


async def begun(receiver: Receiver) -> Upload:
    """Wait until some bytes, but not all, have arrived."""
    files = receiver.folder.iterdir
    await until(lambda: any(file.stat().st_size for file in files() if file.suffix != ".json"))
    upload = only(receiver)
    assert not upload.complete
    return upload


async def test_it_arrives_whole(house: House, receiver: Receiver) -> None:
    await receiver.start()
    release = house.grant()
    await house.courier.run_once(release.id)
    upload = only(receiver)
    now = house.releases.get(release.id)
    assert now.state == "delivered"
    assert upload.complete
    assert upload.path.read_bytes() == house.package(release).read_bytes()
    assert upload.metadata == {
        "request": now.statement["request"],
        "release": release.id,
        "sha256": now.package_sha256,
        "filename": "release.age",
    }
    assert [one.method for one in receiver.requests()] == ["POST", "HEAD", "PATCH", "PATCH"]


async def test_a_receiver_that_loses_its_power_gets_only_the_rest(
    house: House, receiver: Receiver
) -> None:
    receiver.bytes_per_second = 400_000
    await receiver.start()
    release = house.grant()
    running = asyncio.create_task(house.courier.run_once(release.id))
    before = await begun(receiver)
    receiver.bytes_per_second = None
    await receiver.kill()
    await running
    assert house.releases.get(release.id).state == "delivering"
    await receiver.start()
    house.clock.wait(seconds=RETRIES[0])
    await house.courier.run_once(release.id)
    check(house, receiver, release, before)


async def test_a_courier_that_is_killed_is_followed_by_one_that_sends_the_rest(
    house: House, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.bytes_per_second = 400_000
    await receiver.start()
    release = house.grant()
    house.releases.package(release.id, house.clock())
    house.courier._write(house.releases.get(release.id))
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.disclosure.carry", str(tmp_path), release.id),
        cwd=ROOT,
        env={**os.environ, "DOORSTEP_TEST_MODE": "1"},
    )
    before = await begun(receiver)
    child.send_signal(signal.SIGKILL)
    assert await child.wait() == -signal.SIGKILL
    # the receiver notices that nobody sends any more
    await until(lambda: receiver.requests()[-1].received is not None)
    await house.courier.run_once(release.id)
    if house.releases.get(release.id).state == "delivering":
        house.clock.wait(seconds=RETRIES[0])
        await house.courier.run_once(release.id)
    check(house, receiver, release, before)


def check(house: House, receiver: Receiver, release: Release, before: Upload) -> None:
    """One upload, whole, and nothing of it sent again that had arrived."""
    upload = only(receiver)
    assert house.releases.get(release.id).state == "delivered"
    assert upload.id == before.id
    assert upload.path.read_bytes() == house.package(release).read_bytes()
    sent = [one for one in receiver.requests() if one.method == "PATCH"]
    offsets = [int(one.headers["upload-offset"]) for one in sent]
    assert offsets == sorted(offsets)
    assert offsets[0] == 0
    assert offsets[1] >= before.offset > 0
