"""Areas as GeoJSON (RFC 7946): read from a file, or drawn around a point."""

import math
from pathlib import Path
from typing import Final

from .encoding import JSON, parse_object
from .errors import AgencyError

CORNERS: Final = 32
_METRES_PER_DEGREE: Final = 111_320.0
_KINDS: Final = {"Polygon", "MultiPolygon"}


def read(name: str) -> dict[str, JSON]:
    """Return the polygon of a GeoJSON file: a geometry, a Feature, or a collection of one."""
    path = Path(name)
    try:
        record = parse_object(path.read_bytes(), str(path))
    except OSError as error:
        raise AgencyError(f"cannot read {path}: {error.strerror}") from error
    features = record.get("features")
    if isinstance(features, list) and len(features) == 1 and isinstance(features[0], dict):
        record = features[0]
    geometry = record.get("geometry")
    if isinstance(geometry, dict):
        record = geometry
    if record.get("type") not in _KINDS or not isinstance(record.get("coordinates"), list):
        raise AgencyError(f"{path} holds no single Polygon or MultiPolygon")
    return {"type": record["type"], "coordinates": record["coordinates"]}


def around(latitude: float, longitude: float, metres: float) -> dict[str, JSON]:
    """Return a polygon of 32 corners, counterclockwise, METRES around a point (degrees)."""
    if not (abs(latitude) <= 85 and abs(longitude) <= 179 and 0 < metres <= 1_000_000):  # noqa: PLR2004 - see below
        raise AgencyError(
            "a point is LATITUDE,LONGITUDE in degrees, and a distance lies below 1000 km"
        )
    height = metres / _METRES_PER_DEGREE
    width = height / math.cos(math.radians(latitude))
    angles = [2 * math.pi * corner / CORNERS for corner in range(CORNERS)]
    ring: list[JSON] = [
        [round(longitude + width * math.cos(a), 7), round(latitude + height * math.sin(a), 7)]
        for a in angles
    ]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def parse_around(text: str) -> dict[str, JSON]:
    """Read `LATITUDE,LONGITUDE,METRES`. Raises AgencyError."""
    try:
        latitude, longitude, metres = (float(part) for part in text.split(","))
    except ValueError as error:
        raise AgencyError(
            f"{text!r} is not LATITUDE,LONGITUDE,METRES (like 52.3731,4.8922,200)"
        ) from error
    return around(latitude, longitude, metres)
