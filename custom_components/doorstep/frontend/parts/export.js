/** One ordinary video file of all that a doorbell recorded in a span of time. */

import { h } from "../dom.js";
import { fieldTime, moment } from "../home-time.js";
import { button, card, data, notice } from "./basics.js";
import { choice } from "./clip-filters.js";
import { clipSpan } from "./clip-list.js";
import { downloadButton } from "./download.js";
import { working } from "./verify.js";

export class ExportForm {
  open = false;
  #doorbell;
  #start;
  #end;
  #shown = 0;
  #filled = {};

  constructor(desk) {
    this.desk = desk;
    if (this.#job.running || this.#job.step?.path) this.#fill(this.#job.asked);
  }

  get #job() {
    return this.desk.job("export");
  }

  /** Show the form, filled in with a doorbell and a span in UTC where they are known. */
  show(range) {
    if (!this.#job.running) {
      this.#job.clear();
      this.#fill(range);
    }
    this.desk.focus("export");
  }

  #fill({ doorbell, start, end }) {
    this.open = true;
    this.#shown += 1;
    this.#filled = { start, end };
    this.#doorbell = doorbell;
    this.#start = start;
    this.#end = end;
  }

  #close = () => {
    this.open = false;
    this.#job.clear();
    this.desk.focus("export-open");
  };

  #begin = (event) => {
    event.preventDefault();
    const range = { doorbell: this.#doorbell, start: this.#start, end: this.#end };
    if (this.#ready) this.#job.run((onStep) => this.desk.backend.exportClips(onStep, range), range);
  };

  get #ready() {
    return this.#doorbell && Date.parse(this.#start) < Date.parse(this.#end);
  }

  render(doorbells) {
    const { words } = this.desk;
    if (!this.open) return undefined;
    const { running, step, error } = this.#job.look();
    if (!doorbells.some(([id]) => id === this.#doorbell)) this.#doorbell = doorbells[0]?.[0];
    return card(undefined, { key: "export", "aria-labelledby": "export-title" },
      h("h2", { id: "export-title", tabindex: "-1", "data-focus": "export" }, words.t("panel_export_title")),
      h("p", { class: "quiet" }, words.t("panel_export_text")),
      this.#form(doorbells, running),
      error && notice("error", data(error, 400)),
      h("div", { role: "status", "data-testid": "export-result" },
        running && working(this.desk, this.#job, "export", words.t("panel_exporting", {
          share: words.number(step?.done ?? 0, { style: "percent" }) }), [step?.done ?? 0, 1]),
        step?.path && this.#result(step)));
  }

  #form(doorbells, running) {
    const { words, blocked } = this.desk;
    const choose = (id) => {
      this.#doorbell = id;
      this.desk.update();
    };
    return h("form", { class: "filters", onsubmit: this.#begin },
      choice(words.t("panel_doorbell"), this.#doorbell, doorbells, choose, { "data-testid": "export-doorbell" }),
      this.#field("panel_export_begin", "export-begin", this.#filled.start, (text) => {
        this.#start = moment(this.desk.zone, text);
      }),
      this.#field("panel_export_end", "export-end", this.#filled.end, (text) => {
        this.#end = moment(this.desk.zone, text, { latest: true });
      }),
      Date.parse(this.#start) >= Date.parse(this.#end) && h("p", { class: "bad", role: "alert" }, words.t("panel_export_order")),
      h("div", { class: "actions" },
        button(words.t("panel_close"), this.#close, { class: "plain" }),
        h("button", {
          type: "submit", class: "button filled", "data-testid": "export-start",
          disabled: blocked || running || !this.#ready,
        }, words.t("panel_export_start"))));
  }

  #field(key, testid, value, set) {
    const { words } = this.desk;
    const change = (event) => {
      set(event.target.value);
      this.desk.update();
    };
    // What a person types is never written back: that would take the keyboard from the digit being typed.
    return h("label", { key: `${key} ${this.#shown}`, class: "field" },
      h("span", null, words.t(key)),
      h("input", {
        type: "datetime-local", step: 1, required: true, "data-testid": testid, onchange: change,
        value: value && fieldTime(this.desk.zone, value),
      }));
  }

  #result(file) {
    const { words, zone } = this.desk;
    return notice("good",
      h("p", null, words.t("panel_exported", {
        span: clipSpan(words, zone, file), duration: words.duration(file.seconds), size: words.bytes(file.size) })),
      file.gaps.length > 0 && h("p", null, words.count("panel_export_gaps", file.gaps.length)),
      file.gaps.length > 0 && h("ul", { class: "plain-list", "data-testid": "gaps" }, file.gaps.map((gap, i) =>
        h("li", { key: i }, clipSpan(words, zone, gap)))),
      downloadButton(this.desk, file, { class: "filled" }));
  }
}
