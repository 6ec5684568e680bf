"""A household with one granted release, and a courier for it that can be started over and over."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from custom_components.doorstep.disclosure import delivery, store
from custom_components.doorstep.disclosure.courier import Courier, Ports
from custom_components.doorstep.disclosure.package import bag, release_json
from custom_components.doorstep.disclosure.store import Release, Releases
from custom_components.doorstep.encoding import parse_time
from custom_components.doorstep.inbox.jws import public_key
from custom_components.doorstep.ledger import log, outbox
from custom_components.doorstep.ledger.database import Database
from tests.disclosure.clips import Sealer, encode
from tests.disclosure.conftest import DECIDED, REQUEST, Case, Clock
from tests.simulators.package import AgeKey

FINAL = frozenset({"acknowledged", "overdue", "stopped", "dropped"})


@cache
def recording() -> bytes:
    """Encode a minute of film and sound, once."""
    return encode(seconds=60)


@cache
def agency_key() -> AgeKey:
    """Make the agency's age key, once."""
    return AgeKey.generate(Path(_key_folder().name) / "agency.txt")


@cache
def _key_folder() -> TemporaryDirectory[str]:
    """Keep a folder until this process ends; its forks end without tidying."""
    return TemporaryDirectory(prefix="doorstep-soak-")


@dataclass
class Household:
    """Its folder is all that lasts; `case` is what the release is made of."""

    folder: Path
    case: Case
    clock: Clock

    @classmethod
    def moved_in(cls, folder: Path, base: str) -> Household:
        """Record a clip, and have an agency at BASE ask for it."""
        clip = Sealer(recording()).write(folder / "library")
        case = Case(agency_key().recipient, [clip])
        case.delivery, case.receipts = f"{base}/files", f"{base}/receipts/{{package_sha256}}.jws"
        return cls(folder, case, Clock(DECIDED))

    @property
    def kept(self) -> Path:
        return self.folder / "kept"

    def open(self) -> tuple[Database, log.Ledger, Releases]:
        schemas = [log.SCHEMA, outbox.SCHEMA, store.SCHEMA]
        database = Database(self.folder / "doorstep.db", schemas)
        ledger = log.Ledger(database, self.folder / "ledger.key", self.clock)
        return database, ledger, Releases(database, ledger)

    def grant(self) -> Release:
        """Approve a release and let its grace period pass."""
        database, _, releases = self.open()
        draft = releases.draft("k3v9", self.case.statement, DECIDED)
        release = releases.approve(draft.id, draft.digest, "anna", DECIDED)
        database.close()
        return release

    def receipt(self, release: Release) -> dict[str, object]:
        """What the agency's receipt has to say, but for the package's hash."""
        named = release_json(release.statement, release.decision)
        return {
            "v": 1,
            "release": release.id,
            "request": REQUEST,
            "release_sha256": sha256(named).hexdigest(),
            "received_at": "2026-11-23T21:05:00Z",
            "evidence_id": "24-118/7",
            "terms_accepted": True,
        }

    def expected(self, release: Release) -> bytes:
        """The tar that the agency has to find in the package."""
        return b"".join(bag(release.statement, release.decision, self.case.material))

    def hire(self, releases: Releases) -> Courier:
        """A courier that knows nothing but what is on disk."""
        ports = Ports(
            material=lambda _: self.case.material,
            still_allowed=lambda _: None,
            keys=lambda _: {self.case.signer.thumbprint: public_key(self.case.signer.public)},
            progress=lambda *_: None,
            now=self.clock,
        )
        return Courier(releases, self.kept, ports)

    async def carry(self, courier: Courier, releases: Releases, release_id: str) -> Release:
        """Let the courier work until nothing is left to do; waiting takes no time."""
        while (release := releases.get(release_id)).state not in FINAL:
            self.clock.now = max(self.clock.now, _due(release))
            await courier.run_once(release_id)
            await asyncio.sleep(0.005)
        return release


def small_parts(dice: Random) -> None:
    """Send in many parts, as a large package would be."""
    vars(delivery)["PART"] = dice.choice((10_000, 40_000, 1 << 20))


def _due(release: Release) -> datetime:
    return parse_time(str(release.due_at))
