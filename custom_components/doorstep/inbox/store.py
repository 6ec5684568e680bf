"""The inbox: feeds, agencies and requests of this home, in the one database.

Every public method is one or more whole transactions: state, ledger entries and errands (`notify`,
`closed`, `agency_changed`, `feed_stopped`) commit together or not at all. All methods block and
belong in an executor. Who may call what is not decided here.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import batched
from sqlite3 import Connection, Row
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ..errors import FeedError, RequestError
from ..ledger.database import Database
from ..ledger.log import Entry as LedgerEntry, Ledger
from . import agency_table, feed_table, request_table
from .agencies import KeyState
from .feed import BUNDLE, FeedDescriptor, FeedState, FeedUpdate
from .intake import Intake, expire
from .request_table import move
from .rules import HouseRules
from .tables import SCHEMA, Work, reckon
from .values import CLOCK, Actor, Home
from .views import AgencyView, FeedView, Proof, Refusal, RequestView

__all__ = ["SCHEMA", "Actor", "Applied", "Home", "Inbox"]

_HISTORY: Final = 1000


@dataclass(frozen=True, slots=True)
class Applied:
    """What an update did: handles that opened, and how many entries ended for which reason."""

    opened: tuple[str, ...]
    counts: Mapping[str, int]


class Inbox:
    """What came in, and what became of it."""

    def __init__(self, database: Database, ledger: Ledger, rules: HouseRules | None = None) -> None:
        """Use `database` (made with this module's SCHEMA and the ledger's) and its ledger."""
        self._database = database
        self._ledger = ledger
        self._rules = rules or HouseRules()

    # --- feeds ---------------------------------------------------------------

    def add_feed(self, url: str, descriptor: FeedDescriptor, actor: Actor, now: datetime) -> str:
        """Follow a feed whose fingerprint a person has seen; returns its local id."""
        with self._work(now) as work:
            return feed_table.add(work, url, descriptor, actor)

    def remove_feed(self, feed: str, actor: Actor, now: datetime) -> None:
        """Follow a feed no longer; nothing of it can be approved any more."""
        with self._work(now) as work:
            feed_table.remove(work, feed, actor)

    def renew_feed(self, feed: str, descriptor: FeedDescriptor, now: datetime) -> None:
        """Take over a newly read descriptor; other keys are a FeedError (`feed_key_changed`)."""
        with self._work(now) as work:
            feed_table.renew(work, feed, descriptor)

    def resume_feed(self, feed: str, actor: Actor, now: datetime) -> None:
        """Read a stopped feed again from where it was."""
        with self._work(now) as work:
            feed_table.resume(work, feed, actor)

    def feed_state(self, feed: str) -> FeedState:
        """Return where the next poll of a feed continues."""
        with self._database.read() as tx:
            return feed_table.state(tx, feed)

    def feed_failed(self, feed: str, error: FeedError, now: datetime) -> None:
        """Remember why a poll failed; the feed's state is kept, see `feed.STOPPING`."""
        with self._work(now) as work:
            feed_table.failed(work, feed, error)

    def followed(self) -> list[str]:
        """Return the ids of the feeds that are followed."""
        with self._database.read() as tx:
            return [row["id"] for row in feed_table.followed(tx)]

    def feeds(self, now: datetime) -> list[FeedView]:
        """Return the feeds that are followed."""
        with self._reading(now) as work:
            return _readable(partial(feed_table.view, work), feed_table.followed(work.tx))

    def apply(self, update: FeedUpdate, home: Home, now: datetime) -> Applied:
        """Take in what a poll gave, bundle by bundle, each with its cursor in one transaction.

        After a crash the next poll goes on behind the last bundle that was taken in. An update of
        a feed that was stopped, removed or read on meanwhile is a FeedError; nothing changes then.
        """
        counts: Counter[str] = Counter()
        opened: list[str] = []
        bundles = list(batched(update.entries, BUNDLE, strict=False)) or [()]
        for number, bundle in enumerate(bundles, 1):
            with self._work(now) as work:
                if number == 1:
                    feed_table.verified(work, update)
                intake = Intake(work, self._rules, home)
                for entry in bundle:
                    intake.take_in(update.feed, entry, feed_table.advance(work, update.feed, entry))
                counts += intake.counts
                if number == len(bundles):
                    expire(work)
                    intake.settle()
                    feed_table.log_read(work, update, counts)
                opened += intake.opened
        return Applied(tuple(opened), dict(counts))

    # --- agencies ------------------------------------------------------------

    def agencies(self, limit: int = 1000) -> list[AgencyView]:
        """Return the agencies that were seen last, at most `limit`, in the order they came."""
        with self._database.read() as tx:
            return _readable(partial(agency_table.view, tx), agency_table.every(tx, limit))

    def agency(self, agency: str) -> AgencyView:
        """Return one agency; an unknown one is a RequestError (`agency_unknown`)."""
        with self._database.read() as tx:
            return agency_table.view(tx, agency)

    def active_keys(self, agency: str) -> Mapping[str, Ed25519PublicKey]:
        """Return the keys that may sign for an agency now, by kid: what receipts verify under."""
        with self._database.read() as tx:
            return {
                kid: Ed25519PublicKey.from_public_bytes(key.public)
                for kid, key in agency_table.keys(tx, agency).items()
                if key.state is KeyState.ACTIVE
            }

    def confirm_agency(
        self, agency: str, statement_sha256: str, actor: Actor, home: Home, now: datetime
    ) -> Applied:
        """Take the statement a person has checked as the agency's; its requests open.

        A statement that isn't held is a RequestError (`statement_unknown`).
        """
        with self._work(now) as work:
            agency_table.confirm(work, agency, statement_sha256, actor)
            intake = Intake(work, self._rules, home)
            intake.release_quarantine(agency)
            return Applied(tuple(intake.opened), dict(intake.counts))

    def set_domain(self, agency: str, actor: Actor, now: datetime, *, proven: bool) -> None:
        """Remember whether the agency's web site lists its keys (`reader.proves_domain`)."""
        with self._work(now) as work:
            agency_table.set_domain(work, agency, actor, proven=proven)

    # --- requests ------------------------------------------------------------

    def requests(self, now: datetime, limit: int = 200) -> list[RequestView]:
        """Return the requests that concern this home, newest first."""
        with self._reading(now) as work:
            rows = request_table.concerning(work.tx, limit)
            return _readable(partial(request_table.view, work), rows)

    def request(self, handle: str, now: datetime) -> RequestView:
        """Return one of them; an unknown handle is a RequestError (`request_unknown`)."""
        with self._reading(now) as work:
            return request_table.view(work, request_table.get(work.tx, handle))

    def refusals(self, limit: int = 100) -> list[Refusal]:
        """Return what agencies signed and this home refused to read, newest first."""
        with self._database.read() as tx:
            return request_table.refusals(tx, limit)

    def settle(self, home: Home, now: datetime) -> tuple[str, ...]:
        """Match waiting requests again, after a clip was sealed; returns what opened."""
        with self._work(now) as work:
            intake = Intake(work, self._rules, home)
            intake.settle()
            return tuple(intake.opened)

    def expire(self, now: datetime) -> tuple[str, ...]:
        """End the requests whose time has come; returns their handles."""
        with self._work(now) as work:
            return tuple(expire(work))

    def decline(self, handle: str, actor: Actor, now: datetime) -> None:
        """Say no. Nothing is sent; RequestError where there is nothing to decline."""
        with self._work(now) as work:
            move(work, handle, "decline", actor)

    def undo_decline(self, handle: str, actor: Actor, now: datetime) -> None:
        """Open a declined request again, unless it has ended meanwhile (`request_over`)."""
        with self._work(now) as work:
            row = request_table.get(work.tx, handle)
            over = row["stopped"] or row["expires_at"] <= reckon(work.tx, now).timestamp()
            if row["state"] == "declined" and over:
                raise RequestError("request_over")
            move(work, handle, "undo", actor)

    def answered(self, tx: Connection, handle: str, now: datetime) -> None:
        """Record, inside another room's transaction, that a release has left its grace period.

        A request that ended meanwhile stays as it is.
        """
        work = Work(tx, self._ledger, now)
        if request_table.get(tx, handle)["state"] == "open":
            move(work, handle, "answer", CLOCK)

    def may_approve(self, handle: str, now: datetime) -> str | None:
        """Return the key of why this request can't be approved now (`why_...`), or None."""
        with self._reading(now) as work:
            row = request_table.get(work.tx, handle)
            if row["state"] != "open":
                return "why_not_open"
            if row["expires_at"] <= reckon(work.tx, now).timestamp():
                return "why_expired"
            if not request_table.assessment(row).clips:
                return "why_no_clips"
            return self._why_not(work, row)

    def may_deliver(self, handle: str, now: datetime) -> str | None:
        """Return the key of why an approved release must not go on (`why_...`), or None."""
        with self._reading(now) as work:
            row = request_table.get(work.tx, handle)
            if row["stopped"] or row["state"] not in {"open", "answered"}:
                return "why_not_open"
            return self._why_not(work, row)

    def history(self, handle: str) -> list[LedgerEntry]:
        """Return what happened to a request, newest first (kinds `request_...`)."""
        return self._ledger.entries(subject=handle, limit=_HISTORY)

    def proof(self, handle: str) -> Proof:
        """Prove that a request's entry is in the newest verified checkpoint of its feed."""
        with self._database.read() as tx:
            row = request_table.get(tx, handle)
            return feed_table.proof(tx, row["feed"], row["leaf"])

    @staticmethod
    def _why_not(work: Work, row: Row) -> str | None:
        if not agency_table.is_confirmed(work.tx, row["agency"]):
            return "why_agency_unconfirmed"
        return feed_table.why_not(work, row["feed"])

    @contextmanager
    def _work(self, now: datetime) -> Iterator[Work]:
        with self._database.transaction() as tx:
            yield Work(tx, self._ledger, now)

    @contextmanager
    def _reading(self, now: datetime) -> Iterator[Work]:
        with self._database.read() as tx:
            yield Work(tx, self._ledger, now)


def _readable[R, V](view: Callable[[R], V], rows: Iterable[R]) -> list[V]:
    """View what can still be read: a trial in test mode leaves what real life refuses."""
    found = []
    for row in rows:
        try:
            found.append(view(row))
        except FeedError:
            continue
    return found
