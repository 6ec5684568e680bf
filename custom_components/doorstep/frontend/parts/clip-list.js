/** Clips as a list: what happened when at which door, to open or to choose from. */

import { h } from "../dom.js";
import { homeDay } from "../home-time.js";
import { clipPath, follow } from "../router.js";
import { button, chip, data, icon } from "./basics.js";
import { thumbnail } from "./thumbnail.js";

/** "Ring". */
export const eventName = (words, clip) => words.name("clip_event", clip.event);

/** "Ring, Tue, 24 Nov 2026, 14:05:12". */
export const clipTitle = (words, clip) =>
  words.t("panel_clip_title", { event: eventName(words, clip), time: clipTime(words, happened(clip)) });

/** When it happened, or where a clip only goes on with what began before it: when that does. */
export const happened = ({ event_at: at, start }) => (Date.parse(at) < Date.parse(start) ? start : at);

/** A day and a time by the clock of the home. */
export const clipTime = (words, time) =>
  words.atHome(time, { weekday: "short", day: "numeric", month: "short", year: "numeric" });

/** "Tue, 24 Nov 2026, 14:05:12 to 14:06:02" by the clock of the home. */
export function clipSpan(words, zone, { start, end }) {
  const sameDay = homeDay(zone, start) === homeDay(zone, end);
  return words.t("panel_span", { start: clipTime(words, start), end: sameDay ? words.atHome(end) : clipTime(words, end) });
}

/** What is special about a clip; who does not decide is not told what was asked for. */
export const clipChips = ({ words, snapshot }, clip) => [
  clip.held && chip("good", words.t("panel_kept"), { key: "held" }),
  clip.asked_for && snapshot.approver && chip("attention", words.t("panel_asked_for"), { key: "asked" }),
];

/** The picture of a clip with its length on it. */
export const frame = (desk, clip) =>
  h("span", { class: "frame" },
    icon("video"),
    clip.thumbnail && thumbnail(desk, clip.thumbnail),
    h("span", { class: "length" }, desk.words.duration(clip.seconds)));

/**
 * Draw `clips`. `opened` is the id of the one that is shown; where `selected` (a set of ids) is
 * given, they are chosen instead of opened, and `onSelect` is called with an id.
 */
export const clipList = (desk, clips, { opened, selected, onSelect }) =>
  h("ul", { class: "clip-list", "data-testid": "clip-list" }, clips.map((clip) =>
    h("li", { key: clip.id },
      selected
        ? h("label", { key: "pick", class: "clip pick" },
          h("input", {
            type: "checkbox", "data-testid": "clip-pick", "data-focus": `clip ${clip.id}`, ".checked": selected.has(clip.id),
            "aria-label": clipTitle(desk.words, clip), onchange: () => onSelect(clip.id),
          }),
          frame(desk, clip), about(desk, clip))
        : h("a", {
          key: "open", class: "clip", "data-testid": "clip", "data-focus": `clip ${clip.id}`,
          "aria-current": clip.id === opened && "true", ...follow(clipPath(clip.id), { replace: Boolean(opened) }),
        }, frame(desk, clip), about(desk, clip)))));

const about = (desk, clip) =>
  h("span", { class: "about" },
    h("span", { class: "named" }, icon(clip.event), eventName(desk.words, clip)),
    h("span", null, desk.words.atHome(happened(clip))),
    h("span", { class: "quiet" }, data(clip.doorbell_name, 60)),
    h("span", { class: "chips" }, clipChips(desk, clip)));

/** What can be done with the chosen clips; it stays at the lower edge of the window. */
export function selectionBar(desk, { selected, clips, onAll, onDelete, onDone }) {
  const { words, blocked } = desk;
  return h("div", { key: "selection", class: "card floating", role: "group", "aria-label": words.t("panel_selection") },
    h("span", { class: "strong", role: "status" }, words.count("panel_selected", selected.size)),
    h("div", { class: "actions" },
      button(words.t("panel_select_shown"), onAll, { class: "plain", disabled: selected.size === clips.length }),
      button(words.t("panel_done"), onDone, { "data-testid": "select-done" }),
      button(words.t("panel_delete"), onDelete, {
        class: "filled", "data-testid": "delete-selected", disabled: blocked || selected.size === 0 })));
}
