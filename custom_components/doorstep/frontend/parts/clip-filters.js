/** Which clips are shown: of which doorbell, on which day, in which hour. */

import { h } from "../dom.js";
import { button, icon } from "./basics.js";

/** A list to choose one of: `options` are [value, text]. */
export const choice = (label, value, options, onChoose, props) =>
  h("label", { key: label, class: "field" },
    h("span", null, label),
    h("select", { ...props, onchange: (event) => onChoose(event.target.value) }, options.map(([key, text]) =>
      h("option", { key, value: key, ".selected": key === value }, text))));

/** All doorbells that clips are of, removed ones too: [id, name]. */
export const doorbells = (desk, shelf) => {
  const names = new Map(shelf.names);
  for (const { id, name } of desk.snapshot.doorbells ?? []) names.set(id, name);
  return [...names].sort(([, a], [, b]) => String(a).localeCompare(String(b)));
};

export function clipFilters(desk, shelf, actions) {
  const { words } = desk;
  const bells = doorbells(desk, shelf);
  return h("div", { key: "filters", class: "card filters", role: "search", "aria-label": words.t("panel_clips_filter") },
    dayChoice(words, shelf),
    hourChoice(words, shelf),
    (bells.length > 1 || shelf.doorbell) && choice(words.t("panel_doorbell"), shelf.doorbell ?? "",
      [["", words.t("panel_doorbells_all")], ...bells], (doorbell) => shelf.choose({ doorbell: doorbell || null }),
      { "data-testid": "doorbell" }),
    actions && h("div", { key: "actions", class: "actions" }, actions));
}

function dayChoice(words, shelf) {
  const days = shelf.days.includes(shelf.day) ? shelf.days : [shelf.day, ...shelf.days].filter(Boolean).sort().reverse();
  const at = days.indexOf(shelf.day);
  const step = (name, label, day) =>
    h("button", {
      key: name, type: "button", class: "tool", "aria-label": words.t(label), "data-testid": name,
      "aria-disabled": day === undefined && "true", onclick: () => day && shelf.choose({ day }),
    }, icon(name));
  return h("div", { key: "day", class: "day" },
    step("previous", "panel_day_older", days[at + 1]),
    choice(words.t("panel_day"), shelf.day, days.map((day) => [day, words.day(day)]), (day) => shelf.choose({ day }),
      { "data-testid": "day" }),
    step("forward", "panel_day_newer", days[at - 1]));
}

function hourChoice(words, shelf) {
  const all = shelf.hours.reduce((sum, { clips }) => sum + clips, 0);
  const named = (name, n) => words.t("panel_hour_count", { name, n: words.number(n) });
  return choice(words.t("panel_hour"), shelf.hour ?? "", [
    ["", named(words.t("panel_hours_all"), all)],
    ...shelf.hours.map(({ start, label, clips }) => [start, named(label, clips)]),
  ], (hour) => shelf.choose({ hour: hour || undefined }), { "data-testid": "hour" });
}

/** Nothing to show where something was asked for. */
export const nothingThere = (desk, shelf) =>
  h("div", { key: "nothing", class: "card empty" },
    icon("video"),
    h("p", null, desk.words.t("panel_clips_none_here")),
    h("div", { class: "actions" },
      shelf.doorbell && button(desk.words.t("panel_doorbells_all"), () => shelf.choose({ doorbell: null })),
      shelf.days.length > 0 && shelf.day !== shelf.days[0] &&
        button(desk.words.t("panel_day_newest"), () => shelf.choose({ day: shelf.days[0] }), { class: "filled" })));
