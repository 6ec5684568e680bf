"""The JSON documents of the wire, written from protocol section 2 (no library has them).

Every builder returns what an honest agency would say; `patched` makes anything else of it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
import math
from typing import Any, Final
import uuid

type Document = dict[str, Any]
type Patch = Mapping[str, Any]

METRES_PER_DEGREE: Final = 111_320


def timestamp(at: datetime) -> str:
    """Return AT as RFC 3339 in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def square(latitude: float, longitude: float, half: float) -> Document:
    """Return a GeoJSON square around a point; HALF of a side in metres."""
    north = half / METRES_PER_DEGREE
    east = north / math.cos(math.radians(latitude))
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
    ring = [[round(longitude + x * east, 6), round(latitude + y * north, 6)] for x, y in corners]
    return {"type": "Polygon", "coordinates": [ring]}


def patched(document: object, patch: Patch) -> Document:
    """Return DOCUMENT with PATCH applied as an RFC 7396 merge patch (None removes)."""
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            result[key] = patched(result.get(key), value)
        else:
            result[key] = value
    return result


def statement(agency: str, *, jurisdiction: Document, base: str, now: datetime) -> Document:
    """Return an agency statement (section 2.1) without its keys; BASE is the agency's own site."""
    return {
        "v": 1,
        "id": agency,
        "sequence": 1,
        "name": "Exampleville Police Department",
        "kind": "municipal_police",
        "jurisdiction": jurisdiction,
        "contact": {
            "phone": "+1 555 0100",
            "email": "desk@police.example.gov",
            "url": "https://police.example.gov/contact",
        },
        "oversight": {
            "name": "Exampleville Police Oversight Board",
            "url": "https://oversight.example.gov/",
        },
        "policy_url": "https://police.example.gov/footage-policy",
        "keys": [],
        "encryption": [],
        "delivery": {"tus": base + "uploads", "receipts": base + "{package_sha256}.jws"},
        "issued_at": timestamp(now),
    }


def request(
    agency: str, *, area: Document, window: tuple[datetime, datetime], now: datetime
) -> Document:
    """Return a footage request (section 2.2), action `ask`, without the hash of its details."""
    start, end = window
    return {
        "v": 1,
        "type": "Feature",
        "id": f"urn:uuid:{uuid.uuid4()}",
        "geometry": area,
        "properties": {
            "agency": agency,
            "action": "ask",
            "case_id": "24-118",
            "incident_type": "burglary",
            "window": {"start": timestamp(start), "end": timestamp(end)},
            "wanted": ["video"],
            "legal_basis": "voluntary",
            "attestations": [
                "active_investigation",
                "own_case",
                "not_lawful_protest",
                "not_immigration_enforcement",
                "no_face_recognition",
            ],
            "terms": {
                "purpose": "Investigation of the burglary in case 24-118",
                "retain_until": timestamp(now + timedelta(days=180)),
                "onward_sharing": "prosecutor",
                "public_release": False,
                "biometrics": False,
                "disposal_notice": True,
            },
            "issued_at": timestamp(now),
            "expires_at": timestamp(now + timedelta(days=7)),
            "language": "en",
        },
    }


def details(salt: str) -> Document:
    """Return a details object; SALT is 16 bytes in base64url."""
    return {
        "salt": salt,
        "case": "24-118",
        "summary": "A parcel and a bicycle were taken from a porch.",
        "subject": "A person on a red cargo bike",
        "officer": {
            "name": "Sam Rivera",
            "badge": "4711",
            "email": "s.rivera@police.example.gov",
            "phone": "+1 555 0101",
        },
        "supervisor": "Lt. Ada Moreau",
    }
