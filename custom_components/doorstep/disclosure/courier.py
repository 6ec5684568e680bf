"""The courier: takes a granted release to the agency and brings back the receipt.

Every step is written down before its effect leaves the house, so a courier that is killed anywhere
is followed by one that knows enough. Whoever holds a release's lock file works on it; nobody else.
"""

from asyncio import to_thread
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
import fcntl
from hashlib import file_digest, sha256
import os
from pathlib import Path
from typing import Final

from aiohttp import ClientSession
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ..encoding import parse_time
from ..errors import DeliveryError, DoorstepError, ReleaseError, StorageError
from ..inbox.web import TEST_MODE, session
from . import receipt as receipts
from .delivery import RefusedError, Tus, next_part
from .package import Material, bag, release_json, write_package
from .store import Release, Releases

RETRIES: Final = (10, 30, 60, 300, 900, 3600)
FIRST_RECEIPT: Final = 1 if TEST_MODE else 60
RECEIPTS: Final = (FIRST_RECEIPT, 600, 3600, 6 * 3600, *(86400 * day for day in range(1, 15)))
PATIENCE: Final = timedelta(days=14)
MAX_UPLOADS: Final = 3
_BLOCK = 1 << 20
_BUSY = ("packaging", "delivering", "delivered")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the courier asks of the house; all but `progress` block and are called in threads.

    `material` gathers what the package is made of. `still_allowed` names the reason why a release
    may no longer go (withdrawn request, stale feed, revoked key), or None. `keys` are the agency's
    active keys by kid. `progress` hears (release id, bytes sent, bytes in all) on the event loop.
    """

    material: Callable[[Release], Material]
    still_allowed: Callable[[Release], str | None]
    keys: Callable[[Release], Mapping[str, Ed25519PublicKey]]
    progress: Callable[[str, int, int], None]
    now: Callable[[], datetime]


class Courier:
    """Drives releases from `granted` on; `kept` is the folder of packages not yet answered."""

    def __init__(self, releases: Releases, kept: Path, ports: Ports) -> None:
        """Nothing happens before `run_once`."""
        self._releases = releases
        self._kept = kept
        self._ports = ports
        self._sending: dict[str, ClientSession] = {}

    async def run_once(self, release_id: str) -> None:
        """Do all that is due for one release; its errors end in its state, not here.

        A StorageError of the database itself is raised: nothing could be written down.
        """
        async with self._turn(release_id) as mine:
            while mine:
                release = await to_thread(self._releases.get, release_id)
                if not release.is_due(self._ports.now()):
                    break
                await self._step(release)

    async def stop(self, release_id: str, reason: str, actor: str | None = None) -> Release:
        """Stop packaging or delivery, also in the middle of a part; raises ReleaseError if over."""
        now = self._ports.now()
        release = await to_thread(self._releases.stop, release_id, reason, now, actor)
        if http := self._sending.get(release_id):
            await http.close()
        await to_thread(self._remove, release_id)
        return release

    def tidy(self) -> None:
        """Remove what crashes left in the folder of kept packages; blocks."""
        needed = {release.id for release in self._releases.all() if release.state in _BUSY}
        for path in self._kept.glob("*.*"):
            if path.stem not in needed and path.suffix in {".age", ".partial", ".lock"}:
                path.unlink(missing_ok=True)

    # --- steps: each leaves another state or a later due time

    async def _step(self, release: Release) -> None:
        steps = {
            "granted": self._begin,
            "packaging": self._pack,
            "delivering": self._deliver,
            "delivered": self._ask,
        }
        try:
            await steps[release.state](release)
        except (ReleaseError, RefusedError) as error:
            await to_thread(self._fail, release, error.key)
        except DoorstepError as error:
            await to_thread(self._postpone, release, error.key)

    async def _begin(self, release: Release) -> None:
        await self._check(release)
        await to_thread(self._releases.package, release.id, self._ports.now())

    async def _pack(self, release: Release) -> None:
        await self._check(release)
        await to_thread(self._write, release)

    def _write(self, release: Release) -> None:
        statement, decision = release.statement, release.decision
        tar = bag(statement, decision, self._ports.material(release))
        recipients = [recipient["recipient"] for recipient in statement["recipients"]]
        package = write_package(self._package(release.id), tar, recipients)
        named = sha256(release_json(statement, decision)).hexdigest()
        self._releases.deliver(release.id, package, named, self._ports.now())

    async def _deliver(self, release: Release) -> None:
        if not await to_thread(self._is_whole, release):
            raise ReleaseError("package_missing")
        async with session() as http:
            self._sending[release.id] = http
            try:
                await self._upload(Tus(http, release.statement["delivery"]), release)
            finally:
                del self._sending[release.id]

    async def _upload(self, tus: Tus, release: Release) -> None:
        if release.upload_url is None:
            release = await self._create(tus, release)
        offset = await tus.offset(str(release.upload_url), release.size)
        if offset is None:
            await self._lost(release)
        else:
            await self._send(tus, release, offset)

    async def _create(self, tus: Tus, release: Release) -> Release:
        if release.uploads == MAX_UPLOADS:
            raise ReleaseError("upload_lost")
        await self._check(release)
        metadata = {
            "request": release.statement["request"],
            "release": release.id,
            "sha256": str(release.package_sha256),
            "filename": "release.age",
        }
        url = await tus.create(release.size, metadata)
        return await to_thread(self._releases.created, release.id, url)

    async def _lost(self, release: Release) -> None:
        if release.offered == release.size:
            raise ReleaseError("unconfirmed")
        await to_thread(self._releases.forget_upload, release.id)

    async def _send(self, tus: Tus, release: Release, offset: int) -> None:
        """Send what is missing; `offset` is what the receiver says it has."""
        if offset > release.offered:
            raise RefusedError("receiver_confused")
        while offset < release.size:
            await self._check(release)
            end = next_part(offset, release.size)
            release = await to_thread(self._releases.offer, release.id, end)
            body = self._read(release, offset, end)
            await tus.send(str(release.upload_url), offset, end, body)
            release = await to_thread(self._releases.confirm, release.id, end)
            offset = end
        now = self._ports.now()
        due = now + timedelta(seconds=RECEIPTS[0])
        await to_thread(self._releases.finish, release.id, due, now)

    async def _read(self, release: Release, begin: int, end: int) -> AsyncIterator[bytes]:
        file = await to_thread(self._package(release.id).open, "rb")
        with file:
            await to_thread(file.seek, begin)
            while begin < end:
                chunk = await to_thread(file.read, min(_BLOCK, end - begin))
                if not chunk:
                    raise ReleaseError("package_missing")
                yield chunk
                begin += len(chunk)
                self._ports.progress(release.id, begin, release.size)

    async def _ask(self, release: Release) -> None:
        async with session() as http:
            template, package = release.statement["receipts"], str(release.package_sha256)
            token = await receipts.fetch(http, template, package)
        if token is None:
            raise DeliveryError("receipt_awaited")
        keys = await to_thread(self._ports.keys, release)
        receipt = receipts.verify(token, release.delivered, keys)
        now = self._ports.now()
        await to_thread(self._releases.acknowledge, release.id, receipt, token, now)
        await to_thread(self._remove, release.id)

    async def _check(self, release: Release) -> None:
        reason = await to_thread(self._ports.still_allowed, release)
        if reason:
            raise ReleaseError(reason)

    # --- what a step that didn't succeed leaves; these block

    def _fail(self, release: Release, reason: str) -> None:
        self._releases.fail(release, reason, self._ports.now())
        self._remove(release.id)

    def _postpone(self, release: Release, reason: str) -> None:
        now = self._ports.now()
        due = next_attempt(release, now)
        if due is not None:
            self._releases.postpone(release, reason, due, now)
        elif release.state == "delivered":
            self._releases.miss(release.id, now)
            self._remove(release.id)
        else:
            self._fail(release, "gave_up")

    # --- files; these block

    def _package(self, release_id: str) -> Path:
        return self._kept / f"{release_id}.age"

    def _remove(self, release_id: str) -> None:
        self._package(release_id).unlink(missing_ok=True)

    def _is_whole(self, release: Release) -> bool:
        try:
            with self._package(release.id).open("rb") as file:
                return file_digest(file, "sha256").hexdigest() == release.package_sha256
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StorageError("package_unreadable") from error

    def _lock(self, release_id: str) -> int | None:
        """Take the release's lock; the kernel gives it back when this process ends, however."""
        try:
            self._kept.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._kept / f"{release_id}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise StorageError("package_unwritable") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:
            # a file system without locks: nobody could promise that nothing is sent twice
            os.close(descriptor)
            raise StorageError("package_unwritable") from error
        return descriptor

    @asynccontextmanager
    async def _turn(self, release_id: str) -> AsyncIterator[bool]:
        descriptor = await to_thread(self._lock, release_id)
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                os.close(descriptor)


def next_attempt(release: Release, now: datetime) -> datetime | None:
    """Say when the step that didn't succeed at `now` is tried again; None: it isn't."""
    if release.state == "delivered":
        delivered = parse_time(str(release.delivered_at))
        times = (delivered + timedelta(seconds=seconds) for seconds in RECEIPTS)
        return next((time for time in times if time > now), None)
    if now >= parse_time(str(release.granted_at)) + PATIENCE:
        return None
    return now + timedelta(seconds=RETRIES[min(release.attempts, len(RETRIES) - 1)])
