/** A clip of single pictures: one after the other, by buttons or along a slider. */

import { h } from "../dom.js";
import { button, icon, notice, waiting } from "./basics.js";

export class Stills {
  #stills;
  #error;
  #at = 0;
  #failed = new Set();

  constructor(desk, clip) {
    this.desk = desk;
    this.clip = clip;
    this.#load();
  }

  async #load() {
    this.#error = undefined;
    try {
      this.#stills = await this.desk.backend.stills(this.clip);
    } catch (error) {
      this.#error = error;
    }
    this.desk.update();
  }

  render(label) {
    const { words } = this.desk;
    if (this.#error) {
      return notice("error", h("p", null, words.error(this.#error)),
        button(words.t("panel_retry"), () => this.#load(), { class: "small" }));
    }
    if (!this.#stills) return waiting(words.t("panel_loading"));
    if (this.#stills.length === 0) return notice("warning", words.t("panel_no_stills"));
    const still = this.#stills[this.#at];
    const text = words.t("panel_still", {
      n: words.number(this.#at + 1), all: words.number(this.#stills.length), time: words.atHome(still.at),
    });
    return h("div", { key: this.clip, class: "stills", role: "group", "aria-label": label },
      h("img", {
        class: "video", alt: text, "data-testid": "still",
        src: this.desk.backend.signed(still.path, this.desk.update) ?? undefined,
        onerror: () => this.#again(still.path),
      }),
      this.#stills.length > 1 && h("div", { class: "stepper" },
        this.#step("previous", "panel_still_before", -1),
        h("input", {
          type: "range", min: 0, max: this.#stills.length - 1, step: 1, ".value": String(this.#at),
          "aria-label": words.t("panel_stills"), "aria-valuetext": text, "data-testid": "still-range",
          oninput: (event) => this.#show(Number(event.target.value)),
        }),
        this.#step("forward", "panel_still_after", 1)),
      h("p", { class: "quiet", role: "status" }, text));
  }

  #step(name, key, by) {
    const there = this.#stills[this.#at + by] !== undefined;
    return h("button", {
      key: name, type: "button", class: "tool", "aria-label": this.desk.words.t(key), "data-testid": `still-${name}`,
      "aria-disabled": !there && "true", onclick: () => there && this.#show(this.#at + by),
    }, icon(name));
  }

  #show(at) {
    this.#at = at;
    this.desk.update();
  }

  /** A signature ends after an hour; a second error is not about that. */
  async #again(path) {
    if (this.#failed.has(path)) return;
    this.#failed.add(path);
    await this.desk.backend.sign(path);
    this.desk.update();
  }
}
