"""Footage requests: `footage-request+jws` and the erasable details beside them (section 2.2)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
import os
from typing import Final
import uuid

from . import jws, statement
from .desk import Desk
from .encoding import (
    JSON,
    b64url,
    canonical_json,
    format_time,
    object_member,
    parse_object,
    parse_time,
    text_member,
)
from .errors import AgencyError
from .files import locked
from .log import Entry

TYP: Final = "footage-request+jws"
DISPOSAL: Final = "disposal+jws"
URN: Final = "urn:uuid:"
ATTESTATIONS: Final = (
    "active_investigation",
    "own_case",
    "not_lawful_protest",
    "not_immigration_enforcement",
    "no_face_recognition",
)
RETENTION: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What somebody at the agency asks for."""

    area: dict[str, JSON]
    start: datetime
    end: datetime
    expires: datetime
    case: str
    incident: str
    wanted: tuple[str, ...]
    basis: str
    attestations: tuple[str, ...]
    terms: dict[str, JSON]
    language: str
    summary: str
    subject: str
    officer: dict[str, JSON]
    supervisor: str
    amends: str | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """A request of ours as it stands in the log."""

    index: int
    token: bytes
    details: bytes
    feature: dict[str, JSON]

    @property
    def urn(self) -> str:
        """Return its id."""
        return text_member(self.feature, "id", "a request in the log")

    @property
    def properties(self) -> dict[str, JSON]:
        """Return its GeoJSON properties."""
        return object_member(self.feature, "properties", "a request in the log")

    @property
    def expires(self) -> datetime:
        """Return when it ends by itself."""
        return parse_time(text_member(self.properties, "expires_at", "a request in the log"))


def ask(desk: Desk, wish: Ask) -> Logged:
    """Sign and log a request. Raises AgencyError for one that every home would refuse."""
    now = desk.now().replace(microsecond=0)
    if not wish.start < wish.end <= now:
        raise AgencyError("the window has to lie in the past, its start before its end")
    if wish.expires <= now:
        raise AgencyError("the request would have expired before it is published")
    with locked(desk.lock):
        details = _details(wish)
        replaces = find(desk, wish.amends).urn if wish.amends else None
        properties: dict[str, JSON] = {
            "agency": desk.text("id"),
            "action": "amend" if replaces else "ask",
            "case_id": wish.case,
            "incident_type": wish.incident,
            "window": {"start": format_time(wish.start), "end": format_time(wish.end)},
            "wanted": list(wish.wanted),
            "legal_basis": wish.basis,
            "attestations": list(wish.attestations),
            "terms": wish.terms,
            "language": wish.language,
            "expires_at": format_time(wish.expires),
        }
        if replaces:
            properties["replaces"] = replaces
        return _log(desk, wish.area, properties, details, now)


def close(desk: Desk, urn: str, action: str, reason: str) -> Logged:
    """Log a `withdraw` or `resolve` of a request and erase its details."""
    with locked(desk.lock):
        logged = find(desk, urn)
        if any(other.properties.get("replaces") == logged.urn for other in all_logged(desk)):
            raise AgencyError(f"{logged.urn} was amended, withdrawn or resolved before")
        details = parse_object(logged.details or b"{}", "the details in the log")
        details |= {"salt": b64url(os.urandom(16)), "summary": reason}
        properties = {**logged.properties, "action": action, "replaces": logged.urn}
        area = object_member(logged.feature, "geometry", "the request")
        closing = _log(desk, area, properties, details, desk.now().replace(microsecond=0))
        desk.log().blank([logged.index])
        return closing


def dispose(desk: Desk, release: str, reason: str) -> None:
    """Tell the home that gave RELEASE that its footage was deleted (section 2.3)."""
    notice: dict[str, JSON] = {
        "v": 1,
        "agency": desk.text("id"),
        "release": release,
        "disposed_at": format_time(desk.now().replace(microsecond=0)),
        "reason": reason,
    }
    with locked(desk.lock):
        desk.log().append(Entry(jws.sign(notice, DISPOSAL, statement.signer(desk).key)))


def refresh(desk: Desk) -> int:
    """Cosign the log anew and erase the details of what has expired; return how many."""
    now = desk.now()
    with locked(desk.lock):
        log = desk.log()
        ended = [one.index for one in all_logged(desk) if one.details and one.expires < now]
        log.blank(ended)
        log.refresh()
    return len(ended)


def find(desk: Desk, wanted: str) -> Logged:
    """Return a request by its URN, its UUID or the word `last`. Raises AgencyError."""
    requests = [one for one in all_logged(desk) if one.properties.get("action") in {"ask", "amend"}]
    if wanted == "last" and requests:
        return requests[-1]
    urn = wanted if wanted.startswith(URN) else f"{URN}{wanted}"
    for logged in requests:
        if logged.urn == urn:
            return logged
    raise AgencyError(f"there is no request {wanted} in the log")


def all_logged(desk: Desk) -> list[Logged]:
    """Return every request entry of the log, oldest first."""
    found = []
    for index, entry in enumerate(desk.log().entries()):
        token = jws.read(entry.data, "an entry of the log")
        if token.header.get("typ") == TYP:
            feature = parse_object(token.payload, "a request in the log")
            found.append(Logged(index, entry.data, entry.details, feature))
    return found


def _details(wish: Ask) -> dict[str, JSON]:
    return {
        "salt": b64url(os.urandom(16)),
        "case": wish.case,
        "summary": wish.summary,
        "subject": wish.subject,
        "officer": wish.officer,
        "supervisor": wish.supervisor,
    }


def _log(
    desk: Desk,
    area: dict[str, JSON],
    properties: dict[str, JSON],
    details: dict[str, JSON],
    now: datetime,
) -> Logged:
    """Sign what was asked, with its details beside it, as one entry."""
    line = canonical_json(details)
    feature: dict[str, JSON] = {
        "v": 1,
        "type": "Feature",
        "id": uuid.uuid4().urn,
        "geometry": area,
        "properties": {
            **properties,
            "details": {"sha256": sha256(line).hexdigest()},
            "issued_at": format_time(now),
        },
    }
    token = jws.sign(feature, TYP, statement.signer(desk).key)
    index = desk.log().append(Entry(token, line))
    return Logged(index, token, line, feature)
