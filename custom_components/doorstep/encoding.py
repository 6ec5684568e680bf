"""The three encodings everything hashed or signed goes through: JSON, base64url, time."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
import json
import re

type JSON = bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


def canonical_json(value: JSON) -> bytes:
    """One byte string per value: sorted keys, no spaces, UTF-8, no trailing newline."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def b64url(data: bytes) -> str:
    """base64url without padding (RFC 7515, section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def b64url_decode(text: str) -> bytes:
    """Decode base64url; padding, foreign characters and non-zero trailing bits: ValueError."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        msg = "not base64url"
        raise ValueError(msg)
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64url(data) != text:
        msg = "non-zero trailing bits"
        raise ValueError(msg)
    return data


def format_time(time: datetime) -> str:
    """RFC 3339 in UTC with `Z`; milliseconds only where they aren't zero."""
    utc = time.astimezone(UTC).replace(tzinfo=None)
    spec = "milliseconds" if utc.microsecond >= 1000 else "seconds"  # noqa: PLR2004 - 1 ms
    return f"{utc.isoformat(timespec=spec)}Z"


def parse_time(text: str) -> datetime:
    """Read RFC 3339 with `Z` as aware UTC (finer than 1 us is cut); anything else: ValueError."""
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        msg = "not an RFC 3339 time in UTC"
        raise ValueError(msg)
    return datetime.fromisoformat(text).astimezone(UTC)
