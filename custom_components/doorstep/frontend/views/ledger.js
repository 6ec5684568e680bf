/** The household's own log: what was asked, decided, sent and deleted, and whether it is intact. */

import { h } from "../dom.js";
import { button, card, data, facts, fingerprint, notice, waiting } from "../parts/basics.js";
import { capped } from "../words.js";

const PAGE = 50;

export class LedgerView {
  parent = undefined;
  #entries;
  #error;
  #result;
  #size = 0;
  #reading = false;

  constructor(desk) {
    this.desk = desk;
  }

  get title() {
    return this.desk.words.t("panel_ledger");
  }

  /** A snapshot came: there may be new entries. */
  changed() {
    if (this.desk.snapshot.approver && !this.#reading) this.#read();
  }

  async #read(before) {
    this.#reading = true;
    try {
      const page = await this.desk.backend.ledger(PAGE, before);
      const known = new Map([...(this.#entries ?? []), ...page.entries].map((entry) => [entry.index, entry]));
      this.#entries = [...known.values()].sort((a, b) => b.index - a.index);
      this.#size = page.size;
      this.#error = undefined;
    } catch (error) {
      this.#error = error;
    }
    this.#reading = false;
    this.desk.update();
  }

  #verify = async () => {
    this.#result = await this.desk.act(() => this.desk.backend.verifyLedger());
    this.desk.update();
  };

  render() {
    const { words, snapshot } = this.desk;
    if (!snapshot.approver) return notice("info", words.t("panel_not_approver_text"));
    return h("div", { class: "page" },
      h("h1", { class: "unseen", tabindex: "-1" }, this.title),
      this.#check(),
      this.#error && notice("error", h("p", null, words.error(this.#error)),
        button(words.t("panel_retry"), () => this.#read(), { class: "small" })),
      this.#entries ? this.#list() : !this.#error && waiting(words.t("panel_loading")));
  }

  #check() {
    const { words, blocked } = this.desk;
    return card(undefined, { key: "check" },
      h("p", null, words.t("panel_ledger_text")),
      h("div", { class: "actions start" },
        button(words.t("panel_ledger_verify"), this.#verify, { "data-testid": "ledger-verify", disabled: blocked })),
      h("div", { role: "status" }, this.#result && this.#verdict(this.#result)));
  }

  #verdict({ ok, size, root, problem }) {
    const { words } = this.desk;
    return h("div", { "data-testid": "ledger-result", "data-ok": String(ok) },
      ok
        ? notice("good", h("p", null, words.count("panel_ledger_ok", size)), fingerprint(root))
        : notice("error", words.t("panel_ledger_bad"), " ", data(words.name("reason", problem), 400)));
  }

  #list() {
    const { words, blocked } = this.desk;
    if (this.#entries.length === 0) return card(undefined, { class: "empty" }, h("p", null, words.t("panel_ledger_empty")));
    const last = this.#entries.at(-1).index;
    return card(undefined, { key: "entries" },
      h("p", { class: "quiet" }, words.count("panel_ledger_entries", this.#size)),
      h("ol", { class: "history ledger", "data-testid": "ledger-list" }, this.#entries.map((entry) => this.#entry(entry))),
      last > 0 && button(words.t("panel_show_older"), () => this.#read(last), { class: "plain", disabled: blocked }));
  }

  #entry(entry) {
    const { words } = this.desk;
    const pairs = Object.entries(entry.facts ?? {});
    return h("li", { key: entry.index },
      h("time", { datetime: entry.at }, words.dateTime(entry.at)),
      h("div", null,
        data(entry.text || entry.kind, 400), " ", h("span", { class: "quiet" }, `#${entry.index}`),
        pairs.length > 0 && h("details", null,
          h("summary", null, words.t("panel_ledger_facts")),
          facts(pairs.map(([name, value]) => [name, data(shown(value), 300)])))));
  }
}

const shown = (value) => (typeof value === "string" ? value : capped(JSON.stringify(value), 300));
