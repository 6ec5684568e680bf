"""The agency's receipt: its signed answer to exactly one package (protocol 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import ClientSession
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ..encoding import parse_time
from ..errors import DeliveryError, FeedError, ReceiptError, RequestError
from ..inbox import jws
from ..inbox.web import check_url, fetch as get

TYPE: Final = "receipt+jws"
MAX_RECEIPT: Final = 64 * 1024
_MAX_EVIDENCE_ID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What a receipt must name: both hashes in hex, the ids of the release and its request."""

    release: str
    request: str
    package_sha256: str
    release_sha256: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A valid receipt: when the agency opened the package, and its own name for it."""

    received_at: datetime
    evidence_id: str


async def fetch(session: ClientSession, template: str, package_sha256: str) -> bytes | None:
    """Ask once for the receipt; None while there is none (404).

    Anything else that isn't a receipt-sized answer is a DeliveryError with `fetch`'s keys.
    """
    try:
        url = check_url(template.replace("{package_sha256}", package_sha256))
        return await get(session, url, MAX_RECEIPT)
    except FeedError as error:
        if error.key == "feed_not_found":
            return None
        raise DeliveryError("receipt_unreachable", problem=error.key) from error


def verify(token: bytes, of: Delivered, keys: Mapping[str, Ed25519PublicKey]) -> Receipt:
    """Check a receipt against what was delivered; `keys` are the agency's active ones, by kid.

    ReceiptError keys: `receipt_invalid` (no valid JWS of such a key), `receipt_foreign` (of another
    package), `receipt_incomplete` (a member is missing or isn't what it must be).
    """
    try:
        payload = jws.verify(token.strip(), TYPE, keys).payload
    except RequestError as error:
        raise ReceiptError("receipt_invalid", problem=error.key) from error
    named = {
        "release": of.release,
        "request": of.request,
        "package_sha256": of.package_sha256,
        "release_sha256": of.release_sha256,
    }
    for name, value in named.items():
        if payload.get(name) != value:
            raise ReceiptError("receipt_foreign", member=name)
    return _receipt(payload)


def _receipt(payload: Mapping[str, object]) -> Receipt:
    evidence_id, received_at = payload.get("evidence_id"), payload.get("received_at")
    if payload.get("v") != 1 or payload.get("terms_accepted") is not True:
        raise ReceiptError("receipt_incomplete")
    if not isinstance(evidence_id, str) or not 0 < len(evidence_id) <= _MAX_EVIDENCE_ID:
        raise ReceiptError("receipt_incomplete")
    try:
        return Receipt(parse_time(str(received_at)), evidence_id)
    except ValueError as error:
        raise ReceiptError("receipt_incomplete") from error
