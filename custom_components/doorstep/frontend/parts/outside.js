/** Addresses outside this house: shown as text, opened only after a sentence that says what that tells whom. */

import { h } from "../dom.js";
import { button, data, dialog } from "./basics.js";

/** The address as text with a button to open it; anything but a web address is text only. */
export function outsideLink(desk, text) {
  if (!text) return undefined;
  const address = webAddress(text);
  return h("span", { class: "outside" }, data(text, 300), address && [
    " ",
    button(desk.words.t("panel_open_outside"), () => desk.ask(leaving(desk, address)), { class: "small plain" }),
  ]);
}

function leaving(desk, address) {
  const close = () => desk.ask(undefined);
  return () => dialog(desk.words.t("panel_outside_title"), close,
    h("p", null, desk.words.t("panel_outside_text", { host: address.host })),
    h("p", { class: "address" }, data(address.href, 300)),
    h("div", { class: "actions" },
      button(desk.words.t("panel_cancel"), close, { class: "plain" }),
      h("a", {
        class: "button filled", href: address.href, target: "_blank", rel: "noopener noreferrer external",
        referrerpolicy: "no-referrer", onclick: close,
      }, desk.words.t("panel_open"))));
}

function webAddress(text) {
  const address = URL.canParse(text) ? new URL(text) : undefined;
  return ["https:", "http:"].includes(address?.protocol) ? address : undefined;
}
