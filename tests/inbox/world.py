"""A home with its inbox, an agency with its log, and a clock that only moves when told.

The log, its notes and its signatures come from third-party libraries (see tests/simulators).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
import hashlib
from pathlib import Path
from typing import Any, Final
import uuid
import weakref

from custom_components.doorstep.errors import FeedError
from custom_components.doorstep.inbox.feed import FeedDescriptor, FeedUpdate, TrustedFeed
from custom_components.doorstep.inbox.rules import HouseRules
from custom_components.doorstep.inbox.store import SCHEMA, Applied, Inbox
from custom_components.doorstep.inbox.values import Actor, Doorbell, Home
from custom_components.doorstep.inbox.views import RequestView
from custom_components.doorstep.ledger import log as ledger_log, outbox
from custom_components.doorstep.ledger.database import Database
from custom_components.doorstep.ledger.log import Ledger
from tests.simulators import documents
from tests.simulators.documents import Document, Patch, patched
from tests.simulators.signing import Signer, to_json
from tests.simulators.tlog import Log

NOW: Final = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
AGENCY: Final = "https://police.example.gov/"
RECIPIENT: Final = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
RECIPIENT_2: Final = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"
PLACE: Final = (52.3731, 4.8922)
FAR: Final = (53.2, 6.5)
SALT: Final = "AAECAwQFBgcICQoLDA0ODw"
ME: Final = Actor("a-user", "panel")
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

STATEMENT: Final = "agency-statement+jws"
REQUEST: Final = "footage-request+jws"


@dataclass(frozen=True, slots=True)
class Clip:
    """What the library would find."""

    id: str
    doorbell: str
    start: datetime
    end: datetime


FRONT: Final = Doorbell(id="front", name="Front door", latitude=PLACE[0], longitude=PLACE[1])
CLIP: Final = Clip("c1", "front", NOW - HOUR / 2, NOW - HOUR / 2 + timedelta(seconds=30))


class Feed:
    """A log with its operator; DESCRIPTOR is what `feed.json` says."""

    def __init__(self, origin: str = "feed.example.gov/2026", *, witnessed: bool = False) -> None:
        self.log = Log(origin, witnessed=witnessed)
        self.url = f"https://{origin.partition('/')[0]}/feed.json"

    def described(self, patch: Patch | None = None) -> bytes:
        honest = {
            "version": 1,
            "name": "Requests",
            "operator": "Example City",
            "log": f"https://{self.log.origin}/",
            "log_vkey": self.log.vkey,
            "witnesses": self.log.witnesses,
            "quorum": len(self.log.witnesses),
            "mirrors": [],
        }
        return to_json(patched(honest, patch or {}))


class World:
    """Everything a room test of the inbox needs, without a network."""

    def __init__(self, folder: Path, rules: HouseRules | None = None) -> None:
        self.now = NOW
        self.folder = folder
        self.rules = rules
        self.signer = Signer()
        self.feed = Feed()
        self.clips = [CLIP]
        self.home = Home(
            latitude=PLACE[0], longitude=PLACE[1], doorbells=(FRONT,), clips=self._clips
        )
        self.open()
        self.feed_id = self.follow(self.feed)
        self.sequence = 0

    def open(self) -> None:
        """Start, or start again."""
        schemas = [ledger_log.SCHEMA, outbox.SCHEMA, SCHEMA]
        self.database = Database(self.folder / "doorstep.db", schemas)
        self.ledger = Ledger(self.database, self.folder / "ledger.key", lambda: self.now)
        self.inbox = Inbox(self.database, self.ledger, self.rules)
        weakref.finalize(self, self.database.close)

    def answer(self, handle: str) -> None:
        """Let a release for a request leave its grace period."""
        with self.database.transaction() as tx:
            self.inbox.answered(tx, handle, self.now)

    def restart(self) -> None:
        self.database.close()
        self.open()

    def follow(self, feed: Feed) -> str:
        return self.inbox.add_feed(feed.url, FeedDescriptor.parse(feed.described()), ME, self.now)

    # --- what the agency does ------------------------------------------------

    def statement(self, patch: Patch | None = None, signer: Signer | None = None) -> Document:
        """Log a statement; returns its payload."""
        signer, self.sequence = signer or self.signer, self.sequence + 1
        honest = documents.statement(
            AGENCY,
            jurisdiction=documents.square(*PLACE, 15_000.0),
            base="https://in.example.gov/",
            now=self.now,
        )
        said: Patch = {
            "sequence": self.sequence,
            "keys": [{"jwk": self.signer.public, "state": "active"}],
            "encryption": [{"recipient": RECIPIENT, "holder": "Evidence unit"}],
        }
        payload = patched(patched(honest, said), patch or {})
        self.feed.log.append(signer.sign(payload, STATEMENT))
        return payload

    def ask(
        self,
        patch: Patch | None = None,
        *,
        details: Patch | None = None,
        line: bytes | None = None,
        signer: Signer | None = None,
        into: Feed | None = None,
    ) -> Document:
        """Log a request for the last hour around the home; returns its payload."""
        honest = documents.request(
            AGENCY,
            area=documents.square(*PLACE, 300.0),
            window=(self.now - HOUR, self.now),
            now=self.now,
        )
        said = to_json(patched(documents.details(SALT), details or {}))
        digest = {"properties": {"details": {"sha256": hashlib.sha256(said).hexdigest()}}}
        payload = patched(patched(honest, digest), patch or {})
        token = (signer or self.signer).sign(payload, REQUEST)
        (into or self.feed).log.append(token, said if line is None else line)
        return payload

    def follow_up(self, action: str, request: Document, patch: Patch | None = None) -> Document:
        """Log an amendment, a withdrawal or a resolution of REQUEST; returns its payload."""
        said: Patch = {
            "id": f"urn:uuid:{uuid.uuid4()}",
            "properties": {"action": action, "replaces": request["id"]},
        }
        return self.ask(patched(patched(request, said), patch or {}))

    # --- what the home does --------------------------------------------------

    def poll(self, feed: Feed | None = None, *, cosigned: datetime | None = None) -> Applied:
        """Read all that a feed has, and take it in."""
        update = self.fetch(feed, cosigned=cosigned)
        return self.inbox.apply(update, self.home, self.now)

    def fetch(self, feed: Feed | None = None, *, cosigned: datetime | None = None) -> FeedUpdate:
        """Read all that a feed has."""
        feed = feed or self.feed
        identity = self.feed_id if feed is self.feed else self.follow(feed)
        trusted = TrustedFeed(self.inbox.feed_state(identity))
        files = feed.log.files(cosigned or self.now)
        return read(trusted, files, self.now, f"https://{feed.log.origin}/")

    def confirm(self) -> Applied:
        sha256 = self.inbox.agency(AGENCY).statement.sha256
        return self.inbox.confirm_agency(AGENCY, sha256, ME, self.home, self.now)

    def settled(self) -> World:
        """An agency that is known and confirmed."""
        self.statement()
        self.poll()
        self.confirm()
        return self

    def view(self, request: Document) -> RequestView:
        """Return what became of a request."""
        [found] = [
            view for view in self.inbox.requests(self.now) if view.request.id == request["id"]
        ]
        return found

    def state(self, request: Document) -> tuple[str, str | None]:
        """Return state and reason of a request, also of one that doesn't concern the home."""
        with self.database.read() as tx:
            row = tx.execute(
                "SELECT state, reason FROM requests WHERE urn = ?", (request["id"],)
            ).fetchone()
        return row["state"], row["reason"]

    def errands(self, at: datetime | None = None) -> list[tuple[str, str]]:
        with self.database.read() as tx:
            return [(e.kind, e.subject) for e in outbox.pending(tx, at or self.now)]

    def kinds(self) -> list[str]:
        """Kinds of all ledger entries, oldest first."""
        return [entry.kind for entry in self.ledger.entries(limit=1000)][::-1]

    def with_home(self, **changes: Any) -> None:
        self.home = replace(self.home, **changes)

    def _clips(self, doorbell: str, start: datetime, end: datetime) -> list[Clip]:
        return [
            clip
            for clip in self.clips
            if clip.doorbell == doorbell and clip.start < end and clip.end > start
        ]


def read(trusted: TrustedFeed, files: Mapping[str, bytes], now: datetime, log: str) -> FeedUpdate:
    """Poll as the reader does, from files in memory."""

    def get(tile: Any, kind: str) -> bytes:
        return files[str(tile.url(log, kind)).removeprefix(log)]

    trusted.update_checkpoint(files["checkpoint"], now)
    while tile := trusted.next_tile:
        trusted.update_bundle(get(tile, "tile/entries"))
    entries = []
    for tile in trusted.unread:
        entries += trusted.entries(tile, get(tile, "tile/entries"), get(tile, "details"))
    return trusted.update(entries)


def error_key(call: Any, *args: Any) -> str:
    """Return the key of the FeedError that a call raises."""
    try:
        call(*args)
    except FeedError as error:
        return error.key
    return "nothing raised"
