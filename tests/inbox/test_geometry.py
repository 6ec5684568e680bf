import math
import time
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.doorstep.inbox.geometry import MAX_POINTS, Geometry
from tests.simulators.documents import square

from .world import PLACE, error_key

WGS84_AREA = 510_065_621_724_088.0


def polygon(*rings: list[list[float]]) -> Geometry:
    return Geometry.parse({"type": "Polygon", "coordinates": list(rings)})


def box(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def circle(x: float, y: float, radius: float, corners: int) -> list[list[float]]:
    ring = [
        [
            x + radius * math.cos(2 * math.pi * n / corners),
            y + radius * math.sin(2 * math.pi * n / corners),
        ]
        for n in range(corners)
    ]
    return [*ring, ring[0]]


UNIT = box(0, 0, 1, 1)
HOLE = box(0.4, 0.4, 0.6, 0.6)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "Polygon",
        {},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": {}},
        {"type": "Polygon", "coordinates": [[]]},
        {"type": "Polygon", "coordinates": [UNIT, []]},
        {"type": "Polygon", "coordinates": ["ring"]},
        {"type": "MultiPolygon", "coordinates": [UNIT]},
        {"type": "MultiPolygon", "coordinates": []},
        {"type": "MultiPolygon", "coordinates": [[]]},
        {"type": "Point", "coordinates": [1, 1]},
        {"type": "GeometryCollection", "geometries": []},
        {"type": ["Polygon"], "coordinates": [UNIT]},
        {"type": "Polygon", "coordinates": [UNIT[:-1]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0, 0, 0], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [True, 0], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], ["1", 0], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0, "m"], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [180.1, 0], [170, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, -90.1], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]]]},
    ],
)
def test_what_is_no_polygon_is_refused(value: object) -> None:
    assert error_key(Geometry.parse, value) == "geometry_malformed"


@pytest.mark.parametrize(
    "rings",
    [
        [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]],  # a bow tie
        [[[0, 0], [2, 0], [1, 0], [1, 1], [0, 0]]],  # a way back on itself
        [[[0, 0], [1, 0], [1, 1], [1, 0.5], [0, 0]]],  # a spike at the end
        [[[0, 0], [2, 0], [2, 2], [1, 0], [0, 2], [0, 0]]],  # touches itself in a point
        [[[0, 0], [4, 0], [4, 4], [1, 0], [2, 0], [0, 4], [0, 0]]],  # runs along itself
        [[[0, 0], [1, 0], [2, 0], [0, 0]]],  # no area
        [UNIT, box(0.5, 0.5, 1.5, 0.7)],  # a hole across the shell
        [UNIT, box(2, 2, 3, 3)],  # a hole outside
        [UNIT, HOLE, box(0.5, 0.5, 0.7, 0.7)],  # holes across each other
    ],
)
def test_what_crosses_itself_is_refused(rings: list[Any]) -> None:
    assert (
        error_key(Geometry.parse, {"type": "Polygon", "coordinates": rings}) == "geometry_crosses"
    )


@pytest.mark.parametrize(
    "rings",
    [
        [UNIT],
        [UNIT[::-1]],
        [[[0, 0], [0, 0], [1, 0], [1, 0], [1, 1], [0, 0]]],  # the same point twice in a row
        [[[0, 0], [0.5, 0], [1, 0], [1, 1], [0, 0]]],  # a point on a straight border
        [[[0, 0, 12], [1, 0, 12], [1, 1, 12], [0, 0, 12]]],  # with altitude
        [UNIT, HOLE],
        [UNIT, box(0, 0.4, 0.2, 0.6)],  # a hole that touches the border
        [circle(0, 0, 1, MAX_POINTS - 1)],
    ],
)
def test_simple_polygons_are_read(rings: list[Any]) -> None:
    assert polygon(*rings).area > 0


def test_more_points_than_allowed_are_refused() -> None:
    rings = [circle(0, 0, 1, 1500), circle(0, 0, 0.5, 499)]
    assert error_key(Geometry.parse, {"type": "Polygon", "coordinates": rings}) == "geometry_points"
    many = {"type": "MultiPolygon", "coordinates": [[UNIT]] * 401}
    assert error_key(Geometry.parse, many) == "geometry_points"


def test_a_polygon_made_to_be_slow_is_not() -> None:
    # 999 long needles side by side, across both axes: every bounding box meets every other
    ring = [[0.0, 0.0]]
    for n in range(998):
        x = n / 1000
        ring += [[10 + x, 10 - x], [x + 0.0005, -x - 0.0005]]
    ring += [[-0.5, -0.9], [0.0, 0.0]]
    started = time.process_time()
    error_key(Geometry.parse, {"type": "Polygon", "coordinates": [ring]})
    assert time.process_time() - started < 5


def test_inside_outside_and_holes() -> None:
    area = polygon(UNIT, HOLE)
    assert area.contains(0.2, 0.2)
    assert not area.contains(0.5, 0.5)
    assert not area.contains(1.5, 0.5)
    assert not area.contains(-0.5, 0.5)
    assert not area.contains(0.5, 1.5)


def test_multipolygons_are_either() -> None:
    both = Geometry.parse({"type": "MultiPolygon", "coordinates": [[UNIT], [box(5, 5, 6, 6)]]})
    assert both.contains(0.5, 0.5)
    assert both.contains(5.5, 5.5)
    assert not both.contains(3, 3)
    assert both.area == pytest.approx(polygon(UNIT).area + polygon(box(5, 5, 6, 6)).area)


@settings(max_examples=50)
@given(st.floats(-85, 85), st.floats(-170, 170), st.floats(0, 2 * math.pi), st.floats(0, 190))
def test_distance_in_metres(lat: float, lon: float, angle: float, metres: float) -> None:
    # from a corner of a far larger square, straight out
    north, east = math.sin(angle) * metres, math.cos(angle) * metres
    corner = [lon, lat]
    width, height = 0.01, 0.01
    area = polygon(box(corner[0] - width, corner[1] - height, corner[0], corner[1]))
    x = lon + east / (111_320 * math.cos(math.radians(lat)))
    y = lat + north / 111_132
    outside = math.hypot(max(east, 0), max(north, 0))
    if outside < 97:
        assert area.within(x, y, 100)
    if outside > 103:
        assert not area.within(x, y, 100)


def test_the_neighbour_across_the_antimeridian_is_near() -> None:
    area = polygon(box(179.99, 0, 180, 0.01))
    assert area.within(-179.9999, 0.005, 100)
    assert not area.within(-179.99, 0.005, 100)
    assert not area.within(0, 0.005, 100)


def test_an_area_of_the_whole_globe_is_the_ellipsoids() -> None:
    halves = {
        "type": "MultiPolygon",
        "coordinates": [[box(-180, -90, 0, 90)], [box(0, -90, 180, 90)]],
    }
    assert Geometry.parse(halves).area == pytest.approx(WGS84_AREA, rel=1e-9)


@pytest.mark.parametrize("latitude", [0, 30, 52, -52, 80])
def test_area_of_a_degree(latitude: float) -> None:
    south, north = latitude - 0.5, latitude + 0.5
    assert polygon(box(4, south, 5, north)).area / 1e6 == pytest.approx(
        _band(south, north), rel=1e-6
    )


def _band(south: float, north: float, steps: int = 2000) -> float:
    """Integrate the ellipsoid's area element numerically: square kilometres a degree."""
    a, e2 = 6378.137, 0.00669437999014
    total = 0.0
    for n in range(steps):
        phi = math.radians(south + (n + 0.5) * (north - south) / steps)
        total += math.cos(phi) / (1 - e2 * math.sin(phi) ** 2) ** 2
    return a * a * (1 - e2) * total * math.radians((north - south) / steps) * math.radians(1)


def test_the_simulators_square_has_its_size() -> None:
    assert Geometry.parse(square(*PLACE, 300.0)).area == pytest.approx(600 * 600, rel=0.01)


@pytest.mark.parametrize(
    ("outer", "inner", "covered"),
    [
        ([UNIT], [box(0.1, 0.1, 0.2, 0.2)], True),
        ([UNIT], [UNIT], True),
        ([UNIT], [box(0, 0.2, 1, 0.8)], True),
        ([UNIT], [box(0.5, 0.5, 1.5, 0.6)], False),
        ([UNIT], [box(2, 2, 3, 3)], False),
        ([box(0.1, 0.1, 0.2, 0.2)], [UNIT], False),
        ([UNIT, HOLE], [box(0.1, 0.1, 0.9, 0.9)], False),
        ([UNIT, HOLE], [box(0.45, 0.45, 0.55, 0.55)], False),
        ([UNIT, HOLE], [box(0.1, 0.1, 0.3, 0.3)], True),
        # a comb: every corner inside, an edge outside
        ([[[0, 0], [3, 0], [3, 2], [2, 2], [2, 1], [1, 1], [1, 2], [0, 2], [0, 0]]],
         [[[0.5, 0.5], [2.5, 0.5], [2.5, 1.5], [0.5, 1.6], [0.5, 0.5]]], False),
    ],
)  # fmt: skip
def test_covering(outer: list[Any], inner: list[Any], covered: bool) -> None:
    assert polygon(*outer).covers(polygon(*inner)) is covered


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ([UNIT], [box(0.5, 0.5, 2, 2)], True),
        ([UNIT], [box(0.1, 0.1, 0.2, 0.2)], True),
        ([UNIT], [box(-1, 0.4, 2, 0.6)], True),
        ([UNIT], [box(2, 2, 3, 3)], False),
        ([UNIT, HOLE], [box(0.45, 0.45, 0.55, 0.55)], False),
    ],
)
def test_overlapping(one: list[Any], other: list[Any], shared: bool) -> None:
    assert polygon(*one).overlaps(polygon(*other)) is shared
    assert polygon(*other).overlaps(polygon(*one)) is shared


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(-200, 200) | st.integers(-200, 200) | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=30,
)


@given(st.sampled_from(["Polygon", "MultiPolygon"]), JSON)
def test_any_coordinates_give_a_geometry_or_our_error(kind: str, coordinates: object) -> None:
    key = error_key(Geometry.parse, {"type": kind, "coordinates": coordinates})
    assert key == "nothing raised" or key.startswith("geometry_")


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=7))
def test_crossing_is_found_as_by_comparing_all_edges(points: list[tuple[int, int]]) -> None:
    ring = [list(p) for n, p in enumerate(points) if n == 0 or p != points[n - 1]]
    if len(ring) < 3 or ring[0] == ring[-1]:
        return
    key = error_key(Geometry.parse, {"type": "Polygon", "coordinates": [[*ring, ring[0]]]})
    assert (key == "nothing raised") is _is_simple(ring)


def _is_simple(ring: list[list[int]]) -> bool:
    """Slow and plain: exact integers, every pair of edges, every point on every edge."""
    count = len(ring)
    if len({tuple(p) for p in ring}) != count:
        return False

    def side(a: list[int], b: list[int], c: list[int]) -> int:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    def on(a: list[int], b: list[int], c: list[int]) -> bool:
        return side(a, b, c) == 0 and all(
            min(a[k], b[k]) <= c[k] <= max(a[k], b[k]) for k in (0, 1)
        )

    for i in range(count):
        a, b = ring[i], ring[(i + 1) % count]
        if any(on(a, b, ring[k]) for k in range(count) if k not in {i, (i + 1) % count}):
            return False
        for j in range(count):
            c, d = ring[j], ring[(j + 1) % count]
            if side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0:
                return False
    return True
