"""Text forms of the wire: canonical JSON, base64url, times, spans of time."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
import json
import re
from typing import Final

from .errors import AgencyError

type JSON = bool | int | float | str | list[JSON] | dict[str, JSON] | None

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
_SPAN: Final = re.compile(r"(\d{1,4})([mhd])", re.ASCII)
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


def canonical_json(value: object) -> bytes:
    """Write JSON with sorted keys, without spaces, in UTF-8."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def parse_object(data: bytes, what: str) -> dict[str, JSON]:
    """Read a UTF-8 JSON object. Raises AgencyError, naming WHAT, for anything else."""
    try:
        value = json.loads(data.decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise AgencyError(f"{what} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise AgencyError(f"{what} is not a JSON object")
    return value


def _unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return members


def b64url(data: bytes) -> str:
    """Write base64url without padding (RFC 7515 section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def b64url_decode(text: str) -> bytes:
    """Read base64url; padding, foreign characters and non-zero trailing bits are AgencyErrors."""
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise AgencyError("malformed base64url") from error
    if b64url(data) != text:
        raise AgencyError("malformed base64url")
    return data


def format_time(moment: datetime) -> str:
    """Write RFC 3339 in UTC with `Z`; milliseconds only where there are any."""
    utc = moment.astimezone(UTC)
    places = "milliseconds" if utc.microsecond // 1000 else "seconds"
    return utc.isoformat(timespec=places).removesuffix("+00:00") + "Z"


def parse_time(text: str) -> datetime:
    """Read RFC 3339 with `Z`. Raises AgencyError."""
    try:
        return datetime.fromisoformat(text if _TIME.fullmatch(text) else "")
    except ValueError as error:
        raise AgencyError(f"{text!r} is no time; write it like 2026-11-23T20:00:00Z") from error


def parse_span(text: str) -> timedelta:
    """Read `30m`, `2h` or `7d`. Raises AgencyError."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise AgencyError(f"{text!r} is no span of time; write it like 30m, 2h or 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def text_member(record: Mapping[str, JSON], name: str, what: str) -> str:
    """Return a member that has to be text. Raises AgencyError, naming WHAT."""
    value = record.get(name)
    if not isinstance(value, str):
        raise AgencyError(f"{what}: {name} is missing or no text")
    return value


def object_member(record: Mapping[str, JSON], name: str, what: str) -> dict[str, JSON]:
    """Return a member that has to be an object. Raises AgencyError, naming WHAT."""
    value = record.get(name)
    if not isinstance(value, dict):
        raise AgencyError(f"{what}: {name} is missing or no object")
    return value
