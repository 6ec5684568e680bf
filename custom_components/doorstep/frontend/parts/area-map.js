/** The area of a request as an outline with home, doorbells, scale and north: nothing is fetched for it. */

import { h } from "../dom.js";

const WIDTH = 400;
const HEIGHT = 260;
const MARGIN = 30;
const METRES_PER_DEGREE = 111_320;
// A home further from the area than this many times the area's size is told in words, not drawn.
const FAR = 4;

/**
 * Draw `geometry` (GeoJSON Polygon or MultiPolygon). `home` and `doorbells` hold `latitude` and
 * `longitude`; a doorbell also `name` and `matches`. Both may be missing.
 */
export function areaMap(words, { geometry, home, doorbells = [], label }) {
  const polygons = { Polygon: [geometry?.coordinates], MultiPolygon: geometry?.coordinates }[geometry?.type];
  if (!polygons?.flat(2).length) return undefined;
  const ground = flat(polygons);
  const near = home && ground.distance(home) < FAR * ground.size;
  const view = fit([...ground.points, ...(near ? [ground.at(home)] : [])]);
  const bells = near ? doorbells.filter((bell) => typeof bell.latitude === "number") : [];
  return h("figure", { class: "map" },
    h("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
      h("path", { class: "area", "fill-rule": "evenodd", d: ground.rings.map((ring) => outline(ring, view)).join("") }),
      near && mark("home", view.at(ground.at(home))),
      spread(bells.map((bell) => [bell, view.at(ground.at(bell))])),
      north(words),
      scaleBar(words, view.scale)),
    h("figcaption", null,
      h("span", null, words.t("panel_map_size", { area: words.area(ground.area) })),
      near && legend("home", words.t("panel_map_home")),
      home && !near && h("span", null, words.t("panel_map_far", { distance: words.distance(ground.distance(home)) })),
      bells.some((bell) => bell.matches) && legend("bell matching", words.t("panel_map_doorbell_inside")),
      bells.some((bell) => !bell.matches) && legend("bell", words.t("panel_map_doorbell_outside"))));
}

/** Lay the polygons flat: metres east and south of their middle. Right to a metre at this size. */
function flat(polygons) {
  const positions = polygons.flat(2);
  const [west, north, east, south] = bounds(positions.map(([longitude, latitude]) => [longitude, -latitude]));
  const middle = { longitude: (west + east) / 2, latitude: -(north + south) / 2 };
  const narrowing = Math.cos((middle.latitude * Math.PI) / 180);
  const at = ({ longitude, latitude }) => [
    (longitude - middle.longitude) * METRES_PER_DEGREE * narrowing,
    (middle.latitude - latitude) * METRES_PER_DEGREE,
  ];
  const place = ([longitude, latitude]) => at({ longitude, latitude });
  const rings = polygons.flat().map((ring) => ring.map(place));
  const points = rings.flat();
  const box = bounds(points);
  return {
    at,
    rings,
    points,
    size: Math.max(box[2] - box[0], box[3] - box[1], 1),
    distance: (home) => Math.hypot(...at(home)),
    area: polygons.map((polygon) => polygonArea(polygon.map((ring) => ring.map(place)))).reduce((a, b) => a + b),
  };
}

const bounds = (points) => points.reduce(
  ([left, top, right, bottom], [x, y]) => [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)],
  [Infinity, Infinity, -Infinity, -Infinity],
);

const ringArea = (ring) =>
  Math.abs(ring.reduce((sum, [x, y], i) => sum + x * ring[(i + 1) % ring.length][1] - y * ring[(i + 1) % ring.length][0], 0)) / 2;

const polygonArea = ([outer, ...holes]) => holes.reduce((area, hole) => area - ringArea(hole), ringArea(outer));

function fit(points) {
  const [left, top, right, bottom] = bounds(points);
  const scale = Math.min(
    (WIDTH - 2 * MARGIN) / Math.max(right - left, 1),
    (HEIGHT - 2 * MARGIN) / Math.max(bottom - top, 1),
  );
  const at = ([x, y]) => [
    WIDTH / 2 + (x - (left + right) / 2) * scale,
    HEIGHT / 2 + (y - (top + bottom) / 2) * scale,
  ];
  return { at, scale };
}

const outline = (ring, view) =>
  `M${ring.map((point) => view.at(point).map((value) => value.toFixed(1)).join(",")).join("L")}Z`;

const mark = (kind, [x, y]) => kind === "home"
  ? h("path", { class: "home", d: "M-9,1L0,-8L9,1H6V8H-6V1Z", transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` })
  : h("circle", { class: kind, cx: x.toFixed(1), cy: y.toFixed(1), r: 5 });

/** Doorbells of one home lie almost on each other: side by side below the home they can be counted. */
const spread = (bells) => bells.map(([bell, [x, y]], i) => {
  const kind = bell.matches ? "bell matching" : "bell";
  return mark(kind, [x + (i - (bells.length - 1) / 2) * 13, y + 17]);
});

const legend = (kind, text) =>
  h("span", { class: "legend" },
    h("svg", { viewBox: "-10 -10 20 20", "aria-hidden": "true" }, mark(kind, [0, 0])), text);

const north = (words) =>
  h("g", { class: "north", transform: `translate(${WIDTH - 18} 30)` },
    h("path", { d: "M0,-14L5,2L0,-1L-5,2Z" }),
    h("text", { y: 15, "text-anchor": "middle" }, words.t("panel_map_north")));

function scaleBar(words, scale) {
  const unit = words.miles ? 0.3048 : 1;
  const most = WIDTH / 4 / scale / unit;
  const power = 10 ** Math.floor(Math.log10(most));
  const length = [5, 2, 1].map((n) => n * power).find((n) => n <= most) * unit;
  const width = (length * scale).toFixed(1);
  return h("g", { class: "scale", transform: `translate(12 ${HEIGHT - 10})` },
    h("path", { d: `M0,-5V0H${width}V-5` }),
    h("text", { x: width / 2, y: -8, "text-anchor": "middle" }, words.distance(length)));
}
