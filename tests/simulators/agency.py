"""An agency with its feed, its upload receiver and its receipts."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import hashlib
from pathlib import Path
import secrets
from typing import Final, Self
import uuid

from . import documents
from .documents import Document, Patch, patched
from .package import AgeKey, BadPackageError, Package, open_package
from .receiver import Receiver
from .signing import Signer, base64url, to_json
from .tlog import Log
from .webserver import Reply, Request, WebServer

AGENCY: Final = "https://police.example.gov/"
LOG: Final = "/2026/"
HOME: Final = (52.3731, 4.8922)
ONE_BLOCK: Final = 300.0
ONE_CITY: Final = 15_000.0
STALE: Final = timedelta(hours=49)


@dataclass(slots=True)
class Receipts:
    """How the agency answers: honestly, unless one of these says otherwise."""

    withheld: bool = False
    signer: Signer | None = None
    patch: Patch | None = None
    raw: bytes | None = None


class AgencySimulator:
    """One agency that runs its own feed.

        async with AgencySimulator(folder) as agency:
            agency.publish_statement()
            request = agency.ask()
            ...                                   # a home reads agency.feed_url, delivers
            [package] = agency.packages()

    Every method that publishes takes PATCH, an RFC 7396 merge patch over what an honest agency
    would say, so that bad input differs from good in exactly one place.
    """

    def __init__(
        self,
        folder: Path,
        *,
        agency: str = AGENCY,
        home: tuple[float, float] = HOME,
        witnessed: bool = False,
    ) -> None:
        """Prepare an agency around HOME (latitude, longitude) that keeps its files in FOLDER."""
        self.id = agency
        self.home = home
        self.signer = Signer()
        self.age = AgeKey.generate(folder / "agency.age-key")
        self.log = Log("feed.police.example.gov/2026", witnessed=witnessed)
        self.web = WebServer()
        self.receiver = Receiver(folder)
        self.receipts = Receipts()
        self.statement: Document = {}
        self.refused: dict[str, str] = {}
        self._folder = folder
        self._packages: dict[str, Package] = {}
        self.web.answers["/receipts/"] = self._receipt
        self.web.files["/.well-known/footage-agency.json"] = to_json(
            {"keys": [self.signer.thumbprint]}
        )
        self.publish()

    @property
    def feed_url(self) -> str:
        """Return the URL of the feed's descriptor."""
        return self.web.url + "feed.json"

    @property
    def log_url(self) -> str:
        """Return the log's URL, with a slash at its end."""
        return self.web.url + LOG[1:]

    async def __aenter__(self) -> Self:
        """Serve the feed and receive uploads."""
        await self.web.start()
        await self.receiver.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Serve nothing any more."""
        await self.web.stop()
        await self.receiver.stop()

    # --- what an honest agency does -----------------------------------------

    def publish(self, *, cosigned: datetime | None = None) -> None:
        """Put feed.json and the log as it is now on the web server."""
        descriptor = {
            "version": 1,
            "name": "Exampleville footage requests",
            "operator": "Exampleville Police Department",
            "log": self.log_url,
            "log_vkey": self.log.vkey,
            "witnesses": self.log.witnesses,
            "quorum": len(self.log.witnesses),
            "mirrors": [],
        }
        self.web.files["/feed.json"] = to_json(descriptor)
        self._serve(self.log.files(cosigned or _now()))

    def publish_statement(self, patch: Patch | None = None) -> Document:
        """Log the agency's first statement, or the next one; return it."""
        honest = documents.statement(
            self.id,
            jurisdiction=documents.square(*self.home, ONE_CITY),
            base=self.receiver.base,
            now=_now(),
        )
        said: Patch = {
            "sequence": self.statement.get("sequence", 0) + 1,
            "keys": [{"jwk": self.signer.public, "state": "active"}],
            "encryption": [{"recipient": self.age.recipient, "holder": "Evidence unit"}],
            "delivery": {
                "tus": self.receiver.url,
                "receipts": self.web.url + "receipts/{package_sha256}.jws",
            },
        }
        self.statement = patched(patched(honest, said), patch or {})
        self.raw(self.signer.sign(self.statement, "agency-statement+jws"))
        return self.statement

    def ask(
        self,
        patch: Patch | None = None,
        *,
        area: Document | None = None,
        window: tuple[datetime, datetime] | None = None,
        details: Patch | None = None,
        signer: Signer | None = None,
    ) -> Document:
        """Log a footage request for the last hour around the home; return its payload."""
        now = _now()
        honest = documents.request(
            self.id,
            area=area or documents.square(*self.home, ONE_BLOCK),
            window=window or (now - timedelta(hours=1), now),
            now=now,
        )
        return self._log_request(honest, patch or {}, details, signer)

    def amend(self, request: Document, patch: Patch) -> Document:
        """Log an amendment of REQUEST; return its payload."""
        return self._follow("amend", request, patch)

    def withdraw(self, request: Document) -> Document:
        """Log that REQUEST is withdrawn; return the entry's payload."""
        return self._follow("withdraw", request, {})

    def resolve(self, request: Document) -> Document:
        """Log that the case of REQUEST is resolved; return the entry's payload."""
        return self._follow("resolve", request, {})

    def blank(self, index: int) -> None:
        """Erase the details of entry INDEX, as agencies do when a request is closed."""
        self.log.details[index] = b""
        self.publish()

    def raw(self, entry: bytes, details: bytes = b"") -> int:
        """Log any bytes as an entry; return its index."""
        index = self.log.append(entry, details)
        self.publish()
        return index

    # --- what a dishonest one does, or somebody between ----------------------

    def go_stale(self) -> None:
        """Serve a checkpoint whose newest cosignature is 49 hours old."""
        self.publish(cosigned=_now() - STALE)

    def roll_back(self, size: int) -> None:
        """Serve a shorter history, properly signed."""
        self.log.rewrite(self.log.entries[:size], self.log.details[:size])
        self.publish()

    def fork(self, index: int, entry: bytes) -> None:
        """Serve another history of the same length, properly signed: ENTRY in place of INDEX."""
        entries = [*self.log.entries]
        entries[index] = entry
        self.log.rewrite(entries, [*self.log.details])
        self.publish()

    def replay(self, checkpoint: bytes) -> None:
        """Serve an old checkpoint (bytes of `checkpoint` at the time) over the present tiles."""
        self.web.files[LOG + "checkpoint"] = checkpoint

    def forge_checkpoint(self) -> None:
        """Serve the present checkpoint signed by a key that is not the log's."""
        other = Log(self.log.origin)
        self.web.files[LOG + "checkpoint"] = self.log.checkpoint(_now(), key=other.key)

    def swell(self, path: str = "/feed.json", length: int = 100_000_000) -> None:
        """Answer PATH with LENGTH bytes (100 MB) of JSON that never ends."""
        self.web.replies[path] = Reply(body=b'{"version":1,"name":"', length=length)

    @property
    def checkpoint(self) -> bytes:
        """Return the checkpoint that is served."""
        return self.web.files[LOG + "checkpoint"]

    # --- what was received ---------------------------------------------------

    def packages(self) -> list[Package]:
        """Open every complete upload with the agency's tools; return what they accept.

        What they refuse is in `refused`: the ciphertext's SHA-256 and what the tool said.
        """
        for upload in self.receiver.uploads():
            digest = hashlib.sha256(upload.path.read_bytes()).hexdigest()
            if not upload.complete or digest in self._packages or digest in self.refused:
                continue
            try:
                folder = self._folder / "opened" / digest
                self._packages[digest] = open_package(upload.path, self.age, folder)
            except BadPackageError as refusal:
                self.refused[digest] = str(refusal)
        return list(self._packages.values())

    def receipt(self, package: Package) -> bytes:
        """Return the receipt that `receipts` makes the agency give for PACKAGE."""
        stated = package.release["statement"]
        honest = {
            "v": 1,
            "release": stated["release"],
            "request": stated["request"],
            "package_sha256": package.sha256,
            "release_sha256": package.release_sha256,
            "received_at": documents.timestamp(_now()),
            "evidence_id": f"EX-{package.sha256[:8]}",
            "terms_accepted": True,
        }
        signer = self.receipts.signer or self.signer
        said = patched(honest, self.receipts.patch or {})
        return self.receipts.raw or signer.sign(said, "receipt+jws")

    def _receipt(self, request: Request) -> Reply:
        digest = request.path.removeprefix("/receipts/").removesuffix(".jws")
        given = {package.sha256: package for package in self.packages()}
        if self.receipts.withheld or digest not in given:
            return Reply(status=404)
        return Reply(body=self.receipt(given[digest]))

    def _follow(self, action: str, request: Document, patch: Patch) -> Document:
        said: Patch = {
            "id": f"urn:uuid:{uuid.uuid4()}",
            "properties": {
                "action": action,
                "replaces": request["id"],
                "issued_at": documents.timestamp(_now()),
            },
        }
        return self._log_request(patched(request, said), patch)

    def _log_request(
        self,
        request: Document,
        patch: Patch,
        details: Patch | None = None,
        signer: Signer | None = None,
    ) -> Document:
        salt = base64url(secrets.token_bytes(16)).decode()
        line = to_json(patched(documents.details(salt), details or {}))
        digest = {"properties": {"details": {"sha256": hashlib.sha256(line).hexdigest()}}}
        said = patched(patched(request, digest), patch)
        self.raw((signer or self.signer).sign(said, "footage-request+jws"), line)
        return said

    def _serve(self, files: dict[str, bytes]) -> None:
        stale = [path for path in self.web.files if path.startswith(LOG)]
        for path in stale:
            del self.web.files[path]
        self.web.files.update({LOG + path: body for path, body in files.items()})


def _now() -> datetime:
    return datetime.now(UTC)
