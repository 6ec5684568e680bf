/** Small things every view is made of. */

import { h } from "../dom.js";
import { capped } from "../words.js";

// Shapes from Material Design Icons (Apache-2.0), as Home Assistant uses them.
const ICONS = {
  motion: "M14.12,10H19V8.2H15.38L13.38,4.87C13.08,4.37 12.54,4.03 11.92,4.03C11.74,4.03 11.58,4.06 11.42,4.11L6,5.8V11H7.8V7.33L9.91,6.67L6,22H7.8L10.67,13.89L13,17V22H14.8V15.59L12.31,11.05L13.04,8.18M14,3.8C15,3.8 15.8,3 15.8,2C15.8,1 15,0.2 14,0.2C13,0.2 12.2,1 12.2,2C12.2,3 13,3.8 14,3.8Z",
  previous: "M15.41,16.58L10.83,12L15.41,7.41L14,6L8,12L14,18L15.41,16.58Z",
  ring: "M21,19V20H3V19L5,17V11C5,7.9 7.03,5.17 10,4.29C10,4.19 10,4.1 10,4A2,2 0 0,1 12,2A2,2 0 0,1 14,4C14,4.1 14,4.19 14,4.29C16.97,5.17 19,7.9 19,11V17L21,19M14,21A2,2 0 0,1 12,23A2,2 0 0,1 10,21",
  manual: "M12,2A10,10 0 0,0 2,12A10,10 0 0,0 12,22A10,10 0 0,0 22,12A10,10 0 0,0 12,2M12,7A5,5 0 0,1 17,12A5,5 0 0,1 12,17A5,5 0 0,1 7,12A5,5 0 0,1 12,7Z",
  video: "M17,10.5V7A1,1 0 0,0 16,6H4A1,1 0 0,0 3,7V17A1,1 0 0,0 4,18H16A1,1 0 0,0 17,17V13.5L21,17.5V6.5L17,10.5Z",
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
