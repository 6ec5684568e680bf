"""What becomes of an entry: the way from verified bytes to a row in the right state.

Entries that don't concern this home leave a light row and no ledger entry of their own: `feed_read`
in the ledger names the checkpoint they are in. Forged ones leave only a number there.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from sqlite3 import Row
from typing import Final

from ..errors import RequestError
from . import agencies, agency_table, request_table, requests
from .agencies import KeyState, Standing
from .assess import Assessment, is_around, matching_clips, matching_doorbells
from .feed import Entry
from .jws import Token
from .request_table import Arrival, move
from .requests import Action, Closing, Details, Request
from .rules import Case, HouseRules, Outcome, Verdict, worst
from .states import REQUEST, after
from .tables import Work, reckon
from .values import CLOCK, FEED, RULE, Actor, Home

MAX_OPEN: Final = 50
_CLOSED: Final = {Action.WITHDRAW: "withdrawn", Action.RESOLVE: "resolved"}
# a clip of the window's last minutes may still be open when its request comes in
SETTLE: Final = timedelta(minutes=10)


class Intake:
    """Takes in entries, in the log's order, inside one transaction."""

    def __init__(self, work: Work, rules: HouseRules, home: Home) -> None:
        """Write into `work`, judge by `rules`, match with `home`."""
        self._work = work
        self._rules = rules
        self._home = home
        self._time = reckon(work.tx, work.now)
        self.opened: list[str] = []
        self.counts: Counter[str] = Counter()

    def take_in(self, feed: str, entry: Entry, logged_at: datetime) -> None:
        """Take in one verified entry; a bad one is counted under its error's key."""
        try:
            self._sort(Token.parse(entry.data), entry, feed, logged_at)
        except RequestError as error:
            self.counts[error.key] += 1

    def settle(self) -> None:
        """Match live requests with what the home has by now, and decide those that waited."""
        for row in request_table.live(self._work.tx):
            request, found = request_table.read(row), request_table.assessment(row)
            doorbells, clips = self._match(request)
            fresh = Assessment(doorbells=doorbells, clips=clips, verdicts=found.verdicts)
            if fresh != found:
                request_table.assess(self._work.tx, row["handle"], fresh)
            if row["state"] == "received":
                self._place(row["handle"], request, fresh)

    def release_quarantine(self, agency: str) -> None:
        """Decide an agency's quarantined requests, now that a person has confirmed it."""
        keys = agency_table.keys(self._work.tx, agency)
        for row in request_table.live(self._work.tx, agency):
            if row["state"] != "quarantined":
                continue
            key = keys.get(row["kid"])
            if key is None or key.state is KeyState.REVOKED:
                self._note(
                    row["handle"], "refuse", "jws_key_unknown" if key is None else "key_revoked"
                )
                continue
            self._leave_quarantine(row)

    def _leave_quarantine(self, row: Row) -> None:
        handle, request = row["handle"], request_table.read(row)
        details = request_table.read_details(row)
        verdicts = self._judge(request, details) if details else ()
        doorbells, clips = self._match(request)
        assessment = Assessment(doorbells=doorbells, clips=clips, verdicts=verdicts)
        request_table.assess(self._work.tx, handle, assessment)
        outcome = worst(verdicts)
        if request.expires_at <= self._time:
            self._note(handle, "refuse", "expired")
        elif outcome is Outcome.LIST:
            self._note(handle, "refuse", "rule")
        else:
            self._open(handle, request, assessment)

    def _sort(self, token: Token, entry: Entry, feed: str, logged_at: datetime) -> None:
        if token.typ == agencies.TYP:
            self._statement(token, entry, feed)
        elif token.typ == requests.TYP:
            self._request(token, entry, feed, logged_at)
        else:
            raise RequestError("jws_type")

    def _statement(self, token: Token, entry: Entry, feed: str) -> None:
        standing = agency_table.take_in(self._work, token, entry.data, feed)
        self.counts[f"statement_{standing}"] += 1
        agency = str(token.payload["id"])
        if standing in {Standing.SUCCESSOR, Standing.CONFLICT}:
            for key in agency_table.keys(self._work.tx, agency).values():
                if key.state is KeyState.REVOKED:
                    self._revoke(agency, key.kid)
        if agency_table.is_confirmed(self._work.tx, agency):
            self.release_quarantine(agency)

    def _revoke(self, agency: str, kid: str) -> None:
        for row in request_table.under_key(self._work.tx, agency, kid):
            close(self._work, row, "revoke_key", "key_revoked")

    def _request(self, token: Token, entry: Entry, feed: str, logged_at: datetime) -> None:
        if request_table.is_known(self._work.tx, token.content_sha256):
            raise RequestError("request_known")
        agency = _agency(token)
        agency_table.verify(self._work.tx, agency, token)
        arrival = Arrival(feed=feed, entry=entry, token=token, agency=agency, logged_at=logged_at)
        try:
            request = self._read(arrival)
        except RequestError as error:
            self._unreadable(arrival, error.key)
            return
        if isinstance(request, Closing):
            self._closing(arrival, request)
        else:
            self._ask(arrival, request)

    def _read(self, arrival: Arrival) -> Request | Closing:
        request = requests.parse_request(arrival.token.payload, arrival.logged_at)
        if request_table.named(self._work.tx, arrival.agency, request.id):
            raise RequestError("id_reused")
        return request

    def _unreadable(self, arrival: Arrival, reason: str) -> None:
        """Keep an authentic entry that is no valid request: listed if too new, else refused."""
        handle = request_table.add(self._work, arrival)
        if reason == "newer_version":
            self._list(handle, reason)
        else:
            self._note(handle, "refuse", reason)

    def _closing(self, arrival: Arrival, closing: Closing) -> None:
        handle = request_table.add(
            self._work,
            arrival,
            urn=closing.id,
            replaces=closing.replaces,
            action=closing.action,
        )
        self._list(handle, _CLOSED[closing.action])
        row = request_table.named(self._work.tx, closing.agency, closing.replaces)
        if row:
            close(self._work, row, "withdraw", _CLOSED[closing.action])

    def _ask(self, arrival: Arrival, request: Request) -> None:
        details, problem = self._details(arrival.entry.details, request)
        doorbells, clips = self._match(request)
        expired = request.expires_at <= self._time
        kept = not expired and (bool(doorbells) or is_around(request, self._home))
        handle = request_table.add(
            self._work,
            arrival,
            urn=request.id,
            replaces=request.replaces,
            action=request.action,
            case_id=request.case_id,
            expires_at=request.expires_at.timestamp(),
            jws=arrival.entry.data if kept else None,
            details=arrival.entry.details if kept else None,
        )
        self._supersede(request)
        if expired or not doorbells:
            self._list(handle, "expired" if expired else "elsewhere")
            return
        verdicts = self._judge(request, details) if details else ()
        assessment = Assessment(doorbells=doorbells, clips=clips, verdicts=verdicts)
        request_table.assess(self._work.tx, handle, assessment)
        if details is None:
            self._note(handle, "list", problem)
        else:
            self._place(handle, request, assessment)

    def _details(self, line: bytes, request: Request) -> tuple[Details | None, str]:
        try:
            return Details.parse(line, request.details_sha256), ""
        except RequestError as error:
            return None, error.key

    def _match(self, request: Request) -> tuple[tuple[str, ...], tuple[str, ...]]:
        doorbells = matching_doorbells(request, self._home)
        clips = matching_clips(request, doorbells, self._home)
        return tuple(doorbell.id for doorbell in doorbells), clips

    def _judge(self, request: Request, details: Details) -> tuple[Verdict, ...]:
        in_thread, this_month = request_table.matched_before(self._work, request)
        return self._rules.check(
            Case(
                request=request,
                details=details,
                statement=agency_table.head(self._work.tx, request.agency),
                now=self._work.now,
                in_thread=in_thread,
                this_month=this_month,
            )
        )

    def _place(self, handle: str, request: Request, assessment: Assessment) -> None:
        """Decide where a received request goes that concerns this home."""
        confirmed = agency_table.is_confirmed(self._work.tx, request.agency)
        if reason := self._why_listed(request, assessment, confirmed=confirmed):
            self._note(handle, "list", reason)
        elif not assessment.clips:
            request_table.set_state(self._work.tx, handle, REQUEST.start, "settling")
        elif not confirmed:
            self._note(handle, "quarantine", "agency_unconfirmed")
        else:
            self._open(handle, request, assessment)

    def _why_listed(
        self, request: Request, assessment: Assessment, *, confirmed: bool
    ) -> str | None:
        outcome = worst(assessment.verdicts)
        if request_table.replaced(self._work.tx, request.agency, request.id):
            return "replaced"
        if request.expires_at <= self._time:
            return "expired"
        if outcome is Outcome.LIST or (outcome and not confirmed):
            return "rule"
        if request_table.live_count(self._work.tx, request.agency) >= MAX_OPEN:
            return "too_many"
        if not assessment.clips and request.end <= self._time - SETTLE:
            return "nothing_recorded"
        return None

    def _open(self, handle: str, request: Request, assessment: Assessment) -> None:
        row = request_table.get(self._work.tx, handle)
        move(
            self._work,
            handle,
            "open",
            FEED,
            agency=request.agency,
            request=request.id,
            feed=row["feed"],
            leaf=row["leaf"],
            clips=len(assessment.clips),
        )
        if worst(assessment.verdicts) is Outcome.DECLINE:
            move(self._work, handle, "decline", RULE, reason="rule")
            return
        self._work.errand("notify", handle, self._rules.notify_at(request, self._work.now))
        self.opened.append(handle)

    def _supersede(self, request: Request) -> None:
        if request.replaces:
            row = request_table.named(self._work.tx, request.agency, request.replaces)
            if row:
                close(self._work, row, "supersede", "superseded")

    def _note(self, handle: str, event: str, reason: str) -> None:
        """Cause an event that the ledger has to know of."""
        self.counts[reason] += 1
        move(self._work, handle, event, FEED, reason=reason)

    def _list(self, handle: str, reason: str) -> None:
        """List what doesn't concern this home: no ledger entry."""
        self.counts[reason] += 1
        state = after(REQUEST, REQUEST.start, "list")
        request_table.set_state(self._work.tx, handle, state, reason)


def close(work: Work, row: Row, event: str, reason: str, actor: Actor = FEED) -> None:
    """End a request for a reason that lies outside the home, whatever state it is in."""
    match row["state"]:
        case "open":
            move(work, row["handle"], event, actor, reason=reason)
        case "quarantined":
            move(work, row["handle"], "refuse", actor, reason=reason)
        case "received":
            move(work, row["handle"], "list", actor, reason=reason)
        case "answered" | "declined":
            request_table.stop(work, row["handle"], reason, actor)


def expire(work: Work) -> list[str]:
    """End what has reached its time, by the later of host and feeds; returns the handles."""
    time = reckon(work.tx, work.now).timestamp()
    due = [row for row in request_table.live(work.tx) if row["expires_at"] <= time]
    for row in due:
        close(work, row, "expire", "expired", CLOCK)
    return [row["handle"] for row in due]


def _agency(token: Token) -> str:
    properties = token.payload.get("properties")
    agency = properties.get("agency") if isinstance(properties, Mapping) else None
    if not isinstance(agency, str):
        raise RequestError("agency_unknown")
    return agency
