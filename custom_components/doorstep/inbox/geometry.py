"""Areas: GeoJSON polygons (RFC 7946), where a point lies, how large they are.

Edges are straight lines in longitude and latitude (RFC 7946, section 3.1.1). An area that crosses
the antimeridian comes as two polygons (section 3.1.9).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import atanh, cos, hypot, radians, sin
from typing import Final

from ..errors import RequestError

MAX_POINTS: Final = 2000
METRES_PER_DEGREE: Final = 111_195.0
_MIN_EDGES: Final = 3
_DIMENSIONS: Final = range(2, 4)
_BORDER: Final = 1.0
# WGS 84: equatorial radius in metres, eccentricity
_RADIUS: Final = 6_378_137.0
_ECCENTRICITY: Final = 0.0818191908426215

type Point = tuple[float, float]
type Edge = tuple[Point, Point]
type Ring = tuple[Point, ...]
type Polygon = tuple[Ring, ...]


@dataclass(frozen=True, slots=True)
class Geometry:
    """Polygons of closed rings of (longitude, latitude) in degrees: a shell, then its holes."""

    polygons: tuple[Polygon, ...]

    @classmethod
    def parse(cls, value: object) -> Geometry:
        """Read a Polygon or MultiPolygon.

        RequestError keys: `geometry_malformed`, `geometry_points` (more than 2,000),
        `geometry_crosses` (a ring that touches itself or crosses another, a hole outside its shell,
        no area at all).
        """
        polygons = tuple(_polygon(polygon) for polygon in _polygons(value))
        for polygon in polygons:
            _check_simple(polygon)
        return cls(polygons)

    @property
    def area(self) -> float:
        """Square metres on the WGS 84 ellipsoid, holes left out."""
        return sum(
            _ring_area(shell) - sum(map(_ring_area, holes)) for shell, *holes in self.polygons
        )

    def contains(self, longitude: float, latitude: float) -> bool:
        """Whether a point lies inside and not in a hole."""
        return any(
            _in_ring(shell, longitude, latitude)
            and not any(_in_ring(hole, longitude, latitude) for hole in holes)
            for shell, *holes in self.polygons
        )

    def within(self, longitude: float, latitude: float, metres: float) -> bool:
        """Whether a point lies inside, or at most `metres` (up to some kilometres) from it."""
        margin = metres / METRES_PER_DEGREE
        low, high = latitude - margin, latitude + margin
        return self.contains(longitude, latitude) or any(
            _distance(edge, longitude, latitude) <= metres
            for edge in self._edges()
            if (edge[0][1] >= low or edge[1][1] >= low)
            and (edge[0][1] <= high or edge[1][1] <= high)
        )

    def covers(self, other: Geometry) -> bool:
        """Whether all of `other` lies inside; their borders may touch."""
        edges, others = list(self._edges()), list(other._edges())
        return (
            all(self.within(*start, _BORDER) for start, _ in others)
            and not any(_cross(a, b) for a, b in _between(edges, others))
            and not any(other.contains(*hole[0]) for _, *holes in self.polygons for hole in holes)
        )

    def overlaps(self, other: Geometry) -> bool:
        """Whether the two share some area."""
        edges, others = list(self._edges()), list(other._edges())
        return (
            any(self.contains(*start) for start, _ in others)
            or any(other.contains(*start) for start, _ in edges)
            or any(_cross(a, b) for a, b in _between(edges, others))
        )

    def _edges(self) -> Iterator[Edge]:
        for polygon in self.polygons:
            for ring in polygon:
                yield from pairwise(ring)


def _polygons(value: object) -> list[object]:
    if not isinstance(value, Mapping) or value.get("type") not in ("Polygon", "MultiPolygon"):
        raise RequestError("geometry_malformed")
    coordinates = _items(value.get("coordinates"))
    polygons: list[object] = [coordinates] if value["type"] == "Polygon" else coordinates
    # counted before anything is built from them
    points = sum(len(_items(ring)) for polygon in polygons for ring in _items(polygon))
    if points > MAX_POINTS:
        raise RequestError("geometry_points")
    return polygons


def _items(value: object) -> list[object]:
    if not isinstance(value, list) or not value:
        raise RequestError("geometry_malformed")
    return value


def _polygon(value: object) -> Polygon:
    return tuple(_ring(ring) for ring in _items(value))


def _ring(value: object) -> Ring:
    points = [_point(point) for point in _items(value)]
    ring = (points[0], *(b for a, b in pairwise(points) if a != b))
    if len(ring) <= _MIN_EDGES or ring[0] != ring[-1]:
        raise RequestError("geometry_malformed")
    # which way around the globe such an edge goes, nobody can know
    if any(abs(a[0] - b[0]) > 180 for a, b in pairwise(ring)):  # noqa: PLR2004 - degrees
        raise RequestError("geometry_malformed")
    return ring


def _point(value: object) -> Point:
    numbers = [n for n in _items(value) if isinstance(n, int | float) and not isinstance(n, bool)]
    if len(numbers) not in _DIMENSIONS or len(numbers) != len(_items(value)):
        raise RequestError("geometry_malformed")
    longitude, latitude = float(numbers[0]), float(numbers[1])
    if not (abs(longitude) <= 180 and abs(latitude) <= 90):  # noqa: PLR2004 - degrees
        raise RequestError("geometry_malformed")
    return longitude, latitude


def _check_simple(polygon: Polygon) -> None:
    shell, *holes = polygon
    edges = [edge for ring in polygon for edge in pairwise(ring)]
    # where each edge's ring begins, and how many edges it has
    ring_of = [
        (start, len(ring) - 1)
        for ring, start in zip(polygon, _starts(polygon), strict=True)
        for _ in range(len(ring) - 1)
    ]
    crossing = any(
        _cross(edges[i], edges[j])
        if ring_of[i] != ring_of[j]
        else _collide(edges, i, j, *ring_of[i])
        for i, j in _near(edges)
    )
    outside = not all(_in_ring(shell, *hole[0]) for hole in holes)
    if crossing or outside or not all(map(_ring_area, polygon)):
        raise RequestError("geometry_crosses")


def _starts(polygon: Polygon) -> Iterator[int]:
    start = 0
    for ring in polygon:
        yield start
        start += len(ring) - 1


def _collide(edges: list[Edge], i: int, j: int, start: int, count: int) -> bool:
    """Whether two edges of one ring meet where they should not."""
    i, j = sorted((i, j))
    if (j - i) % count == count - 1:
        i, j = j, i
    elif j - i != 1:
        return _touch(edges[i], edges[j])
    # neighbours share a corner: only a way straight back is wrong
    (a, b), (_, c) = edges[i], edges[j]
    back = (a[0] - b[0]) * (c[0] - b[0]) + (a[1] - b[1]) * (c[1] - b[1])
    return _side(a, b, c) == 0 and back > 0


def _near(edges: list[Edge]) -> Iterator[tuple[int, int]]:
    """Sweep from west to east: pairs of edges whose bounding boxes meet."""
    boxes = sorted(
        (*sorted((a[0], b[0])), *sorted((a[1], b[1])), number)
        for number, (a, b) in enumerate(edges)
    )
    active: list[tuple[float, ...]] = []
    for west, east, south, north, number in boxes:
        active = [box for box in active if box[1] >= west]
        for box in active:
            if box[2] <= north and box[3] >= south:
                yield int(box[4]), int(number)
        active.append((west, east, south, north, number))


def _between(edges: list[Edge], others: list[Edge]) -> Iterator[tuple[Edge, Edge]]:
    both = edges + others
    for i, j in _near(both):
        if (i < len(edges)) != (j < len(edges)):
            yield both[i], both[j]


def _side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _cross(e: Edge, f: Edge) -> bool:
    return _side(*e, f[0]) * _side(*e, f[1]) < 0 and _side(*f, e[0]) * _side(*f, e[1]) < 0


def _touch(e: Edge, f: Edge) -> bool:
    # for edges in one line the meeting of their boxes, checked before, decides
    return _side(*e, f[0]) * _side(*e, f[1]) <= 0 and _side(*f, e[0]) * _side(*f, e[1]) <= 0


def _in_ring(ring: Ring, x: float, y: float) -> bool:
    """Count the edges that a ray to the east crosses."""
    inside = False
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            inside = not inside
    return inside


def _distance(edge: Edge, longitude: float, latitude: float) -> float:
    """Metres from a point to an edge, on a plane that touches the globe at the point."""
    scale = METRES_PER_DEGREE * cos(radians(latitude))
    (x1, y1), (x2, y2) = edge
    # the short way around: the neighbour may live on the other side of the antimeridian
    ax, ay = ((x1 - longitude + 180) % 360 - 180) * scale, (y1 - latitude) * METRES_PER_DEGREE
    dx, dy = (x2 - x1) * scale, (y2 - y1) * METRES_PER_DEGREE
    length = dx * dx + dy * dy
    part = max(0.0, min(1.0, -(ax * dx + ay * dy) / length)) if length else 0.0
    return hypot(ax + part * dx, ay + part * dy)


def _ring_area(ring: Ring) -> float:
    """Area between ring and equator, summed along its edges (Snyder 1987, equation 3-12)."""
    twice = sum(
        radians(b[0] - a[0]) * (_authalic(a[1]) + _authalic(b[1])) for a, b in pairwise(ring)
    )
    return abs(twice) / 2


def _authalic(latitude: float) -> float:
    """Square metres between equator and `latitude` per radian of longitude."""
    s = sin(radians(latitude))
    es = _ECCENTRICITY * s
    flat = s / (1 - es * es) + atanh(es) / _ECCENTRICITY
    return _RADIUS * _RADIUS * (1 - _ECCENTRICITY * _ECCENTRICITY) / 2 * flat
