"""An agency's folder: what it says about itself, its keys, its public log.

agency.json   what the agency says about itself; edit it, then run `statement` again
public/       everything a web server hands out, and nothing else
private/      the keys; back them up, and let nobody else read them
incoming/     uploads on their way        evidence/    packages that arrived
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
import json
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from . import jws
from .age import Identity
from .encoding import JSON, format_time, object_member, parse_object, text_member
from .errors import AgencyError
from .files import write, write_private
from .log import Log

type Clock = Callable[[], datetime]

CONFIG: Final = "agency.json"
_LOG_KEY: Final = "log.pem"
_IDENTITY: Final = "age-identity.txt"
_FOLDER_MODE: Final = 0o700


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One of the agency's signing keys and what the agency says of it."""

    key: Ed25519PrivateKey
    state: str
    revoked_from: str | None = None

    @property
    def public(self) -> Ed25519PublicKey:
        """Return the public half."""
        return self.key.public_key()

    @property
    def kid(self) -> str:
        """Return its thumbprint."""
        return jws.thumbprint(self.public)


class Desk:
    """An agency's folder that exists. Open it anew after changing agency.json."""

    def __init__(self, folder: Path, now: Clock = utc_now) -> None:
        """Read agency.json. Raises AgencyError if FOLDER is no agency's folder."""
        self.folder = folder
        self.now = now
        try:
            text = (folder / CONFIG).read_bytes()
        except OSError as error:
            raise AgencyError(
                f"{folder} holds no {CONFIG}; make one with: python -m agency init {folder}"
            ) from error
        self.config = parse_object(text, str(folder / CONFIG))

    @property
    def public(self) -> Path:
        """Return the folder that is served."""
        return self.folder / "public"

    @property
    def private(self) -> Path:
        """Return the folder of the keys."""
        return self.folder / "private"

    @property
    def incoming(self) -> Path:
        """Return the folder of unfinished uploads."""
        return self.folder / "incoming"

    @property
    def evidence(self) -> Path:
        """Return the folder of packages that arrived."""
        return self.folder / "evidence"

    @property
    def lock(self) -> Path:
        """Return the file that whoever appends to the log holds locked."""
        return self.private / "lock"

    def text(self, name: str) -> str:
        """Return a text of agency.json. Raises AgencyError."""
        return text_member(self.config, name, CONFIG)

    @property
    def delivery(self) -> dict[str, JSON]:
        """Return where packages go and receipts are read."""
        return object_member(self.config, "delivery", CONFIG)

    def log(self) -> Log:
        """Return the public log."""
        base = urlsplit(self.text("base_url"))
        year = self.text("log")
        name = f"{base.netloc}{base.path}{year}"
        return Log(self.public / year, name, self._load(_LOG_KEY), self.now)

    def identity(self) -> Identity:
        """Return the identity that opens packages. Raises AgencyError."""
        return Identity.parse(self._read(_IDENTITY).decode(errors="replace"))

    def signing_keys(self) -> list[SigningKey]:
        """Return the signing keys, oldest first. Raises AgencyError."""
        records = self.config.get("keys")
        if not isinstance(records, list):
            raise AgencyError(f"{CONFIG}: keys is missing or no list")
        return [self._signing_key(record) for record in records]

    def add_key(self) -> None:
        """Make a new signing key, retire those that were active, and save agency.json."""
        self.signing_keys()
        records = cast("list[dict[str, JSON]]", self.config["keys"])
        for record in records:
            if record.get("state") == "active":
                record["state"] = "retired"
        names = (f"signing-{number}.pem" for number in count(1))
        name = next(name for name in names if not (self.private / name).exists())
        write_private(self.private / name, _pem(Ed25519PrivateKey.generate()))
        records.append({"file": name, "state": "active"})
        self._save()

    def publish_feed(self) -> None:
        """Write feed.json, the page a home is given (protocol section 1)."""
        base = self.text("base_url")
        feed = {
            "version": 1,
            "name": f"Footage requests of {self.text('name')}",
            "operator": self.text("name"),
            "log": f"{base}{self.text('log')}/",
            "log_vkey": self.log().vkey,
            "witnesses": [],
            "quorum": 0,
            "mirrors": [],
        }
        write(self.public / "feed.json", _pretty(feed))

    def publish_thumbprints(self) -> None:
        """Write the page by which a home checks the agency's web site."""
        active = [key.kid for key in self.signing_keys() if key.state == "active"]
        path = self.public / ".well-known" / "footage-agency.json"
        write(path, _pretty({"keys": active}))

    def _save(self) -> None:
        write(self.folder / CONFIG, _pretty(self.config))

    def _signing_key(self, record: JSON) -> SigningKey:
        if not isinstance(record, dict):
            raise AgencyError(f"{CONFIG}: keys holds something that is no object")
        revoked_from = record.get("revoked_from")
        return SigningKey(
            key=self._load(text_member(record, "file", CONFIG)),
            state=text_member(record, "state", CONFIG),
            revoked_from=revoked_from if isinstance(revoked_from, str) else None,
        )

    def _load(self, name: str) -> Ed25519PrivateKey:
        try:
            key = serialization.load_pem_private_key(self._read(name), password=None)
        except (ValueError, TypeError) as error:
            raise AgencyError(f"{self.private / name} is no private key: {error}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise AgencyError(f"{self.private / name} is no Ed25519 key")
        return key

    def _read(self, name: str) -> bytes:
        try:
            return (self.private / name).read_bytes()
        except OSError as error:
            raise AgencyError(
                f"cannot read the key {self.private / name}: {error.strerror}"
            ) from error


def create(folder: Path, config: dict[str, JSON], now: Clock = utc_now) -> Desk:
    """Make an agency's folder with fresh keys and an empty log. Raises AgencyError if it exists."""
    if folder.exists() and any(folder.iterdir()):
        raise AgencyError(f"{folder} is not empty; give a folder that does not exist yet")
    for name in ("", "public", "private", "incoming", "evidence"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in ("private", "incoming", "evidence"):
        (folder / name).chmod(_FOLDER_MODE)
    first = "signing-1.pem"
    for name in (_LOG_KEY, first):
        write_private(folder / "private" / name, _pem(Ed25519PrivateKey.generate()))
    write_private(folder / "private" / _IDENTITY, _identity_file(Identity.generate(), now()))
    record = {**config, "log": str(now().year), "keys": [{"file": first, "state": "active"}]}
    write(folder / CONFIG, _pretty(record))
    desk = Desk(folder, now)
    desk.log().create()
    desk.publish_feed()
    return desk


def _identity_file(identity: Identity, now: datetime) -> bytes:
    """Write what `age-keygen` would have written."""
    made = f"# created: {format_time(now)}\n# public key: {identity.recipient}\n"
    return f"{made}{identity.text()}\n".encode()


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _pretty(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
