/** Small things every view is made of. */

import { h } from "../dom.js";
import { capped } from "../words.js";

// Shapes from Material Design Icons (Apache-2.0), as Home Assistant uses them.
const ICONS = {
  alert: "M13 14H11V9H13M13 18H11V16H13M1 21H23L12 2L1 21Z",
  back: "M20,11V13H8L13.5,18.5L12.08,19.92L4.16,12L12.08,4.08L13.5,5.5L8,11H20Z",
  check: "M21,7L9,19L3.5,13.5L4.91,12.09L9,16.17L19.59,5.59L21,7Z",
  close: "M19,6.41L17.59,5L12,10.59L6.41,5L5,6.41L10.59,12L5,17.59L6.41,19L12,13.41L17.59,19L19,17.59L13.41,12L19,6.41Z",
  forward: "M8.59,16.58L13.17,12L8.59,7.41L10,6L16,12L10,18L8.59,16.58Z",
  inbox: "M19,15H15A3,3 0 0,1 12,18A3,3 0 0,1 9,15H5V5H19M19,3H5C3.89,3 3,3.9 3,5V19A2,2 0 0,0 5,21H19A2,2 0 0,0 21,19V5A2,2 0 0,0 19,3Z",
  info: "M13,9H11V7H13M13,17H11V11H13M12,2A10,10 0 0,0 2,12A10,10 0 0,0 12,22A10,10 0 0,0 22,12A10,10 0 0,0 12,2Z",
  menu: "M3,6H21V8H3V6M3,11H21V13H3V11M3,16H21V18H3V16Z",
  shield: "M10,17L6,13L7.41,11.59L10,14.17L16.59,7.58L18,9M12,1L3,5V11C3,16.55 6.84,21.74 12,23C17.16,21.74 21,16.55 21,11V5L12,1Z",
};

export const icon = (name) =>
  h("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, h("path", { d: ICONS[name] }));

/** Text from outside: capped, and its writing direction kept to itself. */
export const data = (text, limit) => h("bdi", null, capped(text, limit));

/** A longer text from outside: its beginning, and the rest when asked for. */
export function longText(words, text, limit = 400) {
  const all = capped(text, 4096);
  if (all.length <= limit) return h("p", { class: "said", dir: "auto" }, all);
  return h("div", { class: "said", dir: "auto" },
    h("p", null, capped(text, limit)),
    h("details", null, h("summary", null, words.t("panel_show_all")), h("p", null, all)));
}

/** `content` as one card with a heading of its own. */
export const card = (heading, props, ...content) =>
  h("section", { ...props, class: ["card", props?.class] }, heading && h("h2", null, heading), ...content);

/** Pairs of name and value; a pair whose value is missing is left out. */
export const facts = (pairs) =>
  h("dl", { class: "facts" },
    pairs.map(([name, value]) => value !== undefined && value !== null && value !== "" && [
      h("dt", { key: name }, name),
      h("dd", { key: `${name}=` }, value),
    ]));

export const chip = (tone, text, props) => h("span", { ...props, class: ["chip", tone] }, text);

/** A message that stands out; `tone` is info, good, warning or error. */
export const notice = (tone, ...content) =>
  h("div", { class: ["notice", tone], role: tone === "error" ? "alert" : undefined },
    icon({ good: "check", info: "info" }[tone] ?? "alert"),
    h("div", null, ...content));

export const button = (label, onclick, props) =>
  h("button", { type: "button", onclick, ...props, class: ["button", props?.class] }, label);

export const waiting = (label) =>
  h("div", { class: "waiting", role: "status" }, h("span", { class: "spinner" }), h("span", { class: "unseen" }, label));

/** A window over everything else; the browser keeps the keyboard inside it and gives it back. */
export const dialog = (heading, onClose, ...content) =>
  h("dialog", {
    "aria-labelledby": "dialog-heading",
    created: (element) => queueMicrotask(() => element.isConnected && element.showModal()),
    leaving: (element) => element.close(),
    oncancel: (event) => {
      event.preventDefault();
      onClose();
    },
  }, h("h2", { id: "dialog-heading", tabindex: "-1", autofocus: true }, heading), ...content);

/** Hexadecimal digits in groups of four, as people compare them. */
export const fingerprint = (hex) =>
  h("code", { class: "fingerprint" }, capped(hex, 128).replace(/(.{4})(?=.)/g, "$1 "));

const TONES = {
  open: "attention", quarantined: "attention", answered: "good", acknowledged: "good", disposed: "good",
  delivered: "good", granted: "busy", packaging: "busy", delivering: "busy", stopped: "bad", overdue: "bad",
  key_revoked: "bad", refused: "bad",
};

/** The state of a request or of a release. */
export const stateChip = (words, state, props) =>
  chip(TONES[state], words.name("state", state), { "data-state": state, ...props });
