"""One home, one agency, one request: what the tests of this room release."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from aics_tlog import MerkleTree
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
import pytest

from custom_components.doorstep.disclosure import cut, store
from custom_components.doorstep.disclosure.cut import Window
from custom_components.doorstep.disclosure.package import Decision, Material
from custom_components.doorstep.disclosure.release import Addressee, Ask, Statement, make_statement
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.inbox.agencies import Recipient
from custom_components.doorstep.ledger import log, outbox
from custom_components.doorstep.ledger.database import Database
from tests.simulators.package import AgeKey
from tests.simulators.signing import Signer
from tests.simulators.tlog import Log

from .clips import START, Sealer, encode

REQUEST = "urn:uuid:6f1c7f9e-54b5-4f0e-9a55-0d3f1d2b7c11"
RELEASE = "0123456789abcdef0123456789abcdef"
DECIDED = datetime(2026, 11, 23, 21, 0, 0, 250_000, tzinfo=UTC)
WINDOW = Window(START + timedelta(seconds=40.2), START + timedelta(seconds=55.3))


@pytest.fixture(scope="session")
def recording() -> bytes:
    """A minute of H.264 with B-frames and AAC, as the recorder's ffmpeg pipes it."""
    return encode(seconds=60)


@pytest.fixture
def sealer(recording: bytes) -> Sealer:
    """The recording, not yet sealed: a test may still change its lines."""
    return Sealer(recording)


@pytest.fixture
def clip(sealer: Sealer, tmp_path: Path) -> Clip:
    """The recording as a sealed clip of the library."""
    return sealer.write(tmp_path / "library")


@pytest.fixture(scope="session")
def age_key(tmp_path_factory: pytest.TempPathFactory) -> AgeKey:
    """The agency's decryption key."""
    return AgeKey.generate(tmp_path_factory.mktemp("age") / "agency.txt")


@dataclass
class Case:
    """A request in its log, the agency that signed it, and how to state and pack a release."""

    recipient: str
    clips: list[Clip]
    signer: Signer = field(default_factory=Signer)
    log: Log = field(default_factory=lambda: Log("relay.example.org/2026"))
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    delivery: str = "https://upload.example.gov/files"
    receipts: str = "https://upload.example.gov/receipts/{package_sha256}.jws"
    details: bytes = b'{"case":"24-118","salt":"AAAAAAAAAAAAAAAAAAAAAA"}'

    def __post_init__(self) -> None:
        self.log.append(b"an agency's statement")
        self.request = self.signer.sign({"v": 1, "id": REQUEST}, "footage-request+jws")
        self.index = self.log.append(self.request, self.details)
        self.log.append(b"something later")

    @property
    def ask(self) -> Ask:
        return Ask(
            id=REQUEST,
            sha256=sha256(self.request).hexdigest(),
            window=WINDOW,
            terms={"purpose": "burglary", "retain_until": "2027-11-14T00:00:00Z"},
        )

    @property
    def addressee(self) -> Addressee:
        return Addressee(
            id="https://police.example.gov/",
            name="Example Police Department",
            recipients=[Recipient(self.recipient, "Evidence unit")],
            delivery=self.delivery,
            receipts=self.receipts,
        )

    def statement(self, release: str = RELEASE, *, audio: bool = False) -> Statement:
        cuts = [cut.plan(clip, WINDOW, audio=audio) for clip in self.clips]
        return make_statement(release, self.ask, self.addressee, cuts, audio=audio)

    @property
    def decision(self) -> Decision:
        return Decision(DECIDED, self.key)

    @property
    def material(self) -> Material:
        return Material(
            request=self.request,
            details=self.details,
            index=self.index,
            hashes=MerkleTree(self.log.entries).inclusion_proof(self.index),
            checkpoint=self.log.checkpoint(DECIDED),
            clips=self.clips,
        )


@pytest.fixture
def case(age_key: AgeKey, clip: Clip) -> Case:
    return Case(age_key.recipient, [clip])


@dataclass
class Clock:
    """A clock that only moves when told to."""

    now: datetime = DECIDED

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "doorstep.db", [log.SCHEMA, outbox.SCHEMA, store.SCHEMA])
    yield opened
    opened.close()


@pytest.fixture
def ledger(database: Database, tmp_path: Path, clock: Clock) -> log.Ledger:
    return log.Ledger(database, tmp_path / "ledger.key", clock)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def releases(database: Database, ledger: log.Ledger) -> store.Releases:
    return store.Releases(database, ledger)
