"""Requests as rows, and the one place where a request changes its state."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from secrets import token_hex
from sqlite3 import Connection, Row
from typing import Final

from ..encoding import JSON
from ..errors import RequestError
from . import agency_table, feed_table
from .assess import Assessment
from .feed import Entry
from .jws import Token
from .requests import Details, Request, parse_request
from .states import REQUEST, after
from .tables import Work, when
from .values import Actor
from .views import Refusal, RequestView

THREAD: Final = timedelta(days=45)
MONTH: Final = timedelta(days=30)
_HANDLE_BYTES: Final = 8
_LIVE: Final = ("received", "quarantined", "open")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An authentic entry on its way in: its bytes, where it was logged and when that was shown."""

    feed: str
    entry: Entry
    token: Token
    agency: str
    logged_at: datetime


def is_known(tx: Connection, content: str) -> bool:
    """Whether a token with this content was taken in before, through whatever feed."""
    return tx.execute("SELECT 1 FROM requests WHERE content = ?", (content,)).fetchone() is not None


def add(work: Work, arrival: Arrival, **columns: object) -> str:
    """Add a row in state `received`; `columns` are what could be read of it. Returns its handle."""
    handle = token_hex(_HANDLE_BYTES)
    row = {
        "handle": handle,
        "agency": arrival.agency,
        "content": arrival.token.content_sha256,
        "kid": arrival.token.kid,
        "state": REQUEST.start,
        "feed": arrival.feed,
        "leaf": arrival.entry.index,
        "received_at": work.now.timestamp(),
        "logged_at": arrival.logged_at.timestamp(),
        **columns,
    }
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    work.tx.execute(f"INSERT INTO requests ({names}) VALUES ({marks})", tuple(row.values()))  # noqa: S608 - names are ours
    return handle


def move(
    work: Work,
    handle: str,
    event: str,
    actor: Actor,
    **facts: JSON,
) -> None:
    """Cause `event`: state, ledger entry and errands together; RequestError where impossible.

    `facts` go to the ledger; the one called `reason` also to the row.
    """
    row = get(work.tx, handle)
    state = after(REQUEST, row["state"], event)
    set_state(work.tx, handle, state, facts.get("reason"))
    work.log(f"request_{'reopened' if event == 'undo' else state}", handle, facts, actor)
    if row["state"] == "open":
        work.errand("closed", handle)


def set_state(tx: Connection, handle: str, state: str, reason: JSON) -> None:
    """Write a state; alone only for what needs no ledger entry of its own (see `Intake`)."""
    tx.execute(
        "UPDATE requests SET state = ?, reason = ? WHERE handle = ?", (state, reason, handle)
    )


def stop(work: Work, handle: str, reason: str, actor: Actor) -> None:
    """Stop what may still come of a request that a person decided."""
    work.tx.execute("UPDATE requests SET stopped = ? WHERE handle = ?", (reason, handle))
    work.log("request_stopped", handle, {"reason": reason}, actor)
    work.errand("closed", handle)


def assess(tx: Connection, handle: str, assessment: Assessment) -> None:
    """Store what the home found out about a request."""
    tx.execute(
        "UPDATE requests SET assessment = ?, matches = ? WHERE handle = ?",
        (assessment.to_json(), bool(assessment.doorbells), handle),
    )


def get(tx: Connection, handle: str) -> Row:
    """Return a row; an unknown handle is a RequestError (`request_unknown`)."""
    row: Row | None = tx.execute("SELECT * FROM requests WHERE handle = ?", (handle,)).fetchone()
    if row is None:
        raise RequestError("request_unknown")
    return row


def named(tx: Connection, agency: str, urn: str) -> Row | None:
    """Return an agency's request by its own id."""
    row: Row | None = tx.execute(
        "SELECT * FROM requests WHERE agency = ? AND urn = ?", (agency, urn)
    ).fetchone()
    return row


def replaced(tx: Connection, agency: str, urn: str) -> bool:
    """Whether something that amends, withdraws or resolves `urn` was seen before it."""
    row = tx.execute(
        "SELECT 1 FROM requests WHERE agency = ? AND replaces = ? AND urn IS NOT NULL",
        (agency, urn),
    ).fetchone()
    return row is not None


def live(tx: Connection, agency: str | None = None) -> list[Row]:
    """Return rows that wait for something: received, quarantined or open."""
    return tx.execute(
        "SELECT * FROM requests WHERE state IN (?, ?, ?) AND (?4 IS NULL OR agency = ?4)"
        " ORDER BY rowid",
        (*_LIVE, agency),
    ).fetchall()


def under_key(tx: Connection, agency: str, kid: str) -> list[Row]:
    """Return rows that a key's revocation closes or stops."""
    return tx.execute(
        "SELECT * FROM requests WHERE agency = ? AND kid = ?"
        " AND state IN (?, ?, ?, 'answered', 'declined')",
        (agency, kid, *_LIVE),
    ).fetchall()


def matched_before(work: Work, request: Request) -> tuple[int, int]:
    """Count earlier requests of the agency that concerned this home: (case thread, 30 days).

    A case thread has one case id, or overlaps in area and window, within 45 days. Amendments count
    like new requests: people are told of them all the same.
    """
    rows = work.tx.execute(
        "SELECT case_id, jws, logged_at, received_at FROM requests WHERE agency = ? AND matches"
        " AND received_at > ? AND urn != ?",
        (request.agency, (work.now - THREAD).timestamp(), request.id),
    ).fetchall()
    month = (work.now - MONTH).timestamp()
    return (
        sum(_same_thread(row, request) for row in rows),
        sum(row["received_at"] > month for row in rows),
    )


def concerning(tx: Connection, limit: int) -> list[Row]:
    """Return the newest rows that match a doorbell of this home."""
    return tx.execute(
        "SELECT * FROM requests WHERE matches ORDER BY rowid DESC LIMIT ?", (limit,)
    ).fetchall()


def refusals(tx: Connection, limit: int) -> list[Refusal]:
    """Return the newest rows that an agency signed and that couldn't be read."""
    rows = tx.execute(
        "SELECT * FROM requests WHERE state = 'refused' AND jws IS NULL"
        " ORDER BY rowid DESC LIMIT ?",
        (limit,),
    )
    return [
        Refusal(row["handle"], row["agency"], row["reason"], when(row["received_at"]))
        for row in rows
    ]


def live_count(tx: Connection, agency: str) -> int:
    """Count an agency's requests that are open or would be."""
    (count,) = tx.execute(
        "SELECT count(*) FROM requests WHERE agency = ? AND state IN ('open', 'quarantined')",
        (agency,),
    ).fetchone()
    return int(count)


def read(row: Row) -> Request:
    """Return the request in a row that kept it."""
    if row["jws"] is None:
        raise RequestError("request_unknown")
    request = _parse(row["jws"], row["logged_at"])
    assert isinstance(request, Request)  # only those keep their bytes
    return request


def read_details(row: Row) -> Details | None:
    """Return the details of a row, if they are there and are what was signed."""
    try:
        return Details.parse(row["details"] or b"", read(row).details_sha256)
    except RequestError:
        return None


def assessment(row: Row) -> Assessment:
    """Return what the home found out about a request."""
    data = row["assessment"]
    return Assessment.from_json(data) if data else Assessment(doorbells=(), clips=())


def view(work: Work, row: Row) -> RequestView:
    """Return a row that kept its request, as it is shown."""
    return RequestView(
        handle=row["handle"],
        state=row["state"],
        reason=row["stopped"] or row["reason"],
        agency=agency_table.view(work.tx, row["agency"]),
        request=read(row),
        details=read_details(row),
        details_line=row["details"] or b"",
        assessment=assessment(row),
        received_at=when(row["received_at"]),
        logged_at=when(row["logged_at"]),
        feed=row["feed"],
        leaf=row["leaf"],
        jws=row["jws"],
        kid=row["kid"],
        stale=feed_table.stale(work, row["feed"]),
    )


def _same_thread(row: Row, request: Request) -> bool:
    if row["case_id"] == request.case_id:
        return True
    other = read(row)
    return (
        other.start < request.end
        and request.start < other.end
        and other.geometry.overlaps(request.geometry)
    )


@lru_cache(maxsize=256)
def _parse(jws: bytes, logged_at: float) -> object:
    return parse_request(Token.parse(jws).payload, when(logged_at))
