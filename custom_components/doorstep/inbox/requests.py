"""Footage requests: every member read, none trusted (protocol 2.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final, Self

from ..encoding import b64url_decode
from ..errors import RequestError
from .agencies import check_version
from .geometry import Geometry
from .members import Members
from .strictjson import parse_object

TYP: Final = "footage-request+jws"
# an agency's clock may run ahead of the witness's
SKEW: Final = timedelta(minutes=10)
MAX_DETAILS: Final = 4096
_SALT_LENGTH: Final = 16
_FLAGS: Final = ("onward_sharing", "public_release", "biometrics", "disposal_notice")


class Action(StrEnum):
    """What an entry does: ask, or something about an earlier ask that it `replaces`."""

    ASK = "ask"
    AMEND = "amend"
    WITHDRAW = "withdraw"
    RESOLVE = "resolve"


class IncidentType(StrEnum):
    """What happened (closed list)."""

    THEFT = "theft"
    BURGLARY = "burglary"
    ROBBERY = "robbery"
    ASSAULT = "assault"
    SEXUAL_OFFENCE = "sexual_offence"
    HOMICIDE = "homicide"
    MISSING_PERSON = "missing_person"
    VANDALISM = "vandalism"
    WEAPONS = "weapons"
    TRAFFIC = "traffic"
    FIRE = "fire"
    DISASTER = "disaster"
    OTHER = "other"


class Basis(StrEnum):
    """On what footing it asks; anything compelled is served on people, not by feeds."""

    VOLUNTARY = "voluntary"
    PRESERVATION = "preservation"
    EMERGENCY = "emergency"


class Wanted(StrEnum):
    """What is wanted."""

    VIDEO = "video"
    AUDIO = "audio"
    STILLS = "stills"


class Attestation(StrEnum):
    """What the agency puts its signature to."""

    ACTIVE_INVESTIGATION = "active_investigation"
    OWN_CASE = "own_case"
    NOT_LAWFUL_PROTEST = "not_lawful_protest"
    NOT_IMMIGRATION_ENFORCEMENT = "not_immigration_enforcement"
    NO_FACE_RECOGNITION = "no_face_recognition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A valid ask or amendment. Times are aware UTC; `area` is the GeoJSON as it came."""

    id: str
    agency: str
    action: Action
    replaces: str | None
    geometry: Geometry
    area: Mapping[str, object]
    case_id: str
    incident_type: IncidentType
    start: datetime
    end: datetime
    wanted: tuple[Wanted, ...]
    legal_basis: Basis
    attestations: tuple[Attestation, ...]
    terms: Mapping[str, str | bool]
    details_sha256: str
    issued_at: datetime
    expires_at: datetime
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A valid withdrawal or resolution. Only what it closes is read: the rest can't do harm."""

    id: str
    agency: str
    action: Action
    replaces: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """The erasable part: personal data and free text, None where the agency gave none."""

    case: str | None
    summary: str | None
    subject: str | None
    officer: Mapping[str, str | None]
    supervisor: str | None

    @classmethod
    def parse(cls, line: bytes, digest: str) -> Self:
        """Read the line beside an entry, if it is the one that was hashed.

        RequestError keys: `details_missing`, `details_changed`, `member_bad`, JSON's.
        """
        if not line or len(line) > MAX_DETAILS:
            raise RequestError("details_missing")
        if sha256(line).hexdigest() != digest:
            raise RequestError("details_changed")
        members = Members(parse_object(line))
        _check_salt(members)
        officer = members.inner("officer") if "officer" in members.values else Members({})
        return cls(
            case=members.optional("case"),
            summary=members.optional("summary", MAX_DETAILS),
            subject=members.optional("subject", MAX_DETAILS),
            officer={name: officer.optional(name) for name in ("name", "badge", "email", "phone")},
            supervisor=members.optional("supervisor"),
        )


def parse_request(payload: Mapping[str, object], logged_at: datetime) -> Request | Closing:
    """Read a request's payload; `logged_at` is the time of the checkpoint that first showed it.

    RequestError keys: `newer_version`, `member_bad`, `claims_legal_force`, `window_backwards`,
    `window_future`, `issued_future`, `expires_early`, the geometry's.
    """
    members = Members(payload)
    check_version(members)
    if members.get("type") != "Feature":
        raise members.bad("type")
    identity, properties = members.urn("id"), members.inner("properties")
    agency, action = properties.text("agency", 2000), properties.choice("action", Action)
    replaces = None if action is Action.ASK else properties.urn("replaces")
    if replaces is not None and action in {Action.WITHDRAW, Action.RESOLVE}:
        return Closing(id=identity, agency=agency, action=action, replaces=replaces)
    window = properties.inner("window")
    request = Request(
        id=identity,
        agency=agency,
        action=action,
        replaces=replaces,
        geometry=Geometry.parse(members.get("geometry")),
        area=members.inner("geometry").values,
        case_id=properties.text("case_id"),
        incident_type=properties.choice("incident_type", IncidentType),
        start=window.time("start"),
        end=window.time("end"),
        wanted=_some(properties, properties.choices("wanted", Wanted)),
        legal_basis=_basis(properties),
        attestations=properties.choices("attestations", Attestation),
        terms=_terms(properties.inner("terms")),
        details_sha256=properties.inner("details").sha256("sha256"),
        issued_at=properties.time("issued_at"),
        expires_at=properties.time("expires_at"),
        language=properties.language("language"),
    )
    _check_times(request, logged_at)
    return request


def _check_times(request: Request, logged_at: datetime) -> None:
    if request.start >= request.end:
        raise RequestError("window_backwards")
    if request.end > request.issued_at or request.end > logged_at:
        raise RequestError("window_future")
    if request.issued_at > logged_at + SKEW:
        raise RequestError("issued_future")
    if request.expires_at <= request.issued_at:
        raise RequestError("expires_early")


def _basis(properties: Members) -> Basis:
    try:
        return properties.choice("legal_basis", Basis)
    except RequestError as error:
        # a warrant, a subpoena, an order: whoever has one has to serve it on a person
        if isinstance(properties.values.get("legal_basis"), str):
            raise RequestError("claims_legal_force") from error
        raise


def _some(properties: Members, wanted: tuple[Wanted, ...]) -> tuple[Wanted, ...]:
    if not wanted:
        raise properties.bad("wanted")
    return wanted


def _terms(terms: Members) -> dict[str, str | bool]:
    terms.time("retain_until")
    plain: dict[str, str | bool] = {
        "purpose": terms.text("purpose", 2000),
        "retain_until": terms.text("retain_until"),
    }
    for name in _FLAGS:
        value = terms.get(name)
        plain[name] = value if isinstance(value, bool) else terms.text(name)
    return plain


def _check_salt(members: Members) -> None:
    try:
        salt = b64url_decode(members.text("salt"))
    except ValueError as error:
        raise members.bad("salt") from error
    if len(salt) != _SALT_LENGTH:
        raise members.bad("salt")
