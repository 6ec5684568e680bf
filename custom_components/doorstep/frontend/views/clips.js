/** What the doorbells recorded: to look at, and for those who decide to keep, give away or delete. */

import { h } from "../dom.js";
import { button, card, icon, notice, waiting } from "../parts/basics.js";
import { Bin } from "../parts/bin.js";
import { clipCard } from "../parts/clip-card.js";
import { clipFilters, doorbells, nothingThere } from "../parts/clip-filters.js";
import { clipList, selectionBar } from "../parts/clip-list.js";
import { ExportForm } from "../parts/export.js";
import { Stills } from "../parts/stills.js";
import { storageCard } from "../parts/storage.js";
import { clipsPath, follow, go, settingsPath } from "../router.js";
import { Shelf } from "../shelf.js";

// as many as can be deleted at once
const MOST = 500;
const byTime = (a, b) => Date.parse(a) - Date.parse(b);

export class ClipsView {
  parent = undefined;
  #id;
  #clip;
  #gone = false;
  #stills;
  #selected;
  #place;
  #seen;

  constructor(desk, { clip }) {
    this.desk = desk;
    this.shelf = new Shelf(desk);
    this.bin = new Bin(desk, (ids) => this.#moved(ids));
    this.export = new ExportForm(desk);
    this.#id = clip ?? undefined;
  }

  get title() {
    return this.desk.words.t("panel_clips_tab");
  }

  /** A snapshot came: read again what is shown where clips came, went or changed. */
  changed() {
    const { clips, storage, counts, requests, doorbells: bells } = this.desk.snapshot;
    if (!clips) return;
    const { indexing, free, days_left: _, ...library } = storage ?? {};
    const seen = JSON.stringify([library, indexing && library.clips, counts, bells,
      requests?.map(({ handle, state, matched }) => [handle, state, matched])]);
    if (seen === this.#seen && !this.shelf.error) return;
    const first = this.#seen === undefined;
    this.#seen = seen;
    if (first && this.#id) this.#begin();
    else this.#reload();
  }

  /** A link led straight to a clip: show its day around it. */
  async #begin() {
    await this.#look();
    if (this.#clip) await this.shelf.turnTo(this.#clip);
    else await this.#reload();
  }

  async #reload() {
    await this.shelf.refresh();
    await this.#look();
    this.bin.refresh();
  }

  /** Find the clip that is open, which may lie on another day or be gone. */
  async #look() {
    const id = this.#id;
    if (!id) return;
    let clip;
    try {
      clip = await this.shelf.find(id);
    } catch {
      return; // the list could not be read either, and says so
    }
    if (id !== this.#id) return;
    this.#clip = clip;
    this.#gone = !clip;
    if (clip?.pictures && this.#stills?.clip !== id) this.#stills = new Stills(this.desk, id);
    this.desk.update();
  }

  /** The address changed within this view: another clip, or none. */
  moved({ clip }) {
    const id = clip ?? undefined;
    if (id === this.#id) return;
    const before = this.#id;
    Object.assign(this.desk, { error: undefined });
    this.#id = id;
    this.#clip = undefined;
    this.#gone = false;
    if (id) this.#look().then(() => id === this.#id && this.desk.focus("clip", `clip ${id}`));
    else if (this.shelf.clips.some((one) => one.id === before)) this.desk.focus(`clip ${before}`);
    else this.desk.focusHeading();
  }

  #close = () => go(clipsPath);

  /** Clips were deleted or came back. */
  #moved(ids) {
    this.#selected = undefined;
    if (ids.includes(this.#id) && !this.#gone) {
      this.#id = undefined;
      go(clipsPath, { replace: true });
    }
    this.#reload();
  }

  render() {
    const { words, snapshot } = this.desk;
    const heading = h("h1", { key: "h1", class: "unseen", tabindex: "-1" }, this.title);
    if (!snapshot.clips) return h("div", { class: "page" }, heading, notice("info", words.t("panel_clips_refused")));
    const { error, days } = this.shelf;
    return h("div", { class: "page wide" },
      heading,
      storageCard(this.desk, this.bin),
      error && h("div", { key: "error" }, notice("error", h("p", null, words.error(error)),
        button(words.t("panel_retry"), () => this.#reload(), { class: "small" }))),
      days ? this.#content() : !error && waiting(words.t("panel_loading")),
      this.bin.renderUndo());
  }

  #content() {
    const { shelf, desk } = this;
    if (this.#selected && this.#place !== shelf.place) this.#select([]);
    const none = shelf.days.length === 0 && !shelf.doorbell && !shelf.day;
    return [
      none ? this.#empty() : clipFilters(desk, shelf, this.#actions()),
      this.export.render(doorbells(desk, shelf)),
      h("div", { key: "shelf", class: ["shelf", this.#id && "open"] },
        this.#id && h("div", { key: "clip", class: "side" }, this.#opened()),
        !none && h("div", { key: "list", class: "main" }, this.#list())),
      this.#selected && selectionBar(desk, {
        selected: this.#chosen, clips: shelf.clips, onDone: this.#done,
        onAll: () => this.#select(shelf.clips.slice(0, MOST).map(({ id }) => id)), onDelete: () => this.bin.remove([...this.#chosen]) }),
    ];
  }

  #empty() {
    const { words, snapshot } = this.desk;
    const without = snapshot.doorbells?.length === 0;
    return card(words.t(without ? "panel_clips_no_doorbell_title" : "panel_clips_empty_title"), { key: "empty", class: "empty" },
      icon("video"),
      h("p", null, words.t(without ? "panel_clips_no_doorbell_text" : "panel_clips_empty_text")),
      without && h("div", { class: "actions" },
        h("a", { class: "button filled", ...follow(settingsPath) }, words.t("panel_add_doorbell"))));
  }

  #actions() {
    const { words, snapshot } = this.desk;
    if (!snapshot.approver) return undefined;
    return [
      button(words.t("panel_select"), () => this.#select(this.#selected ? undefined : []), {
        "aria-pressed": String(Boolean(this.#selected)), "data-testid": "select", "data-focus": "select" }),
      button(words.t("panel_export"), () => this.export.show(this.#range()), {
        "data-testid": "export-open", "data-focus": "export-open" }),
    ];
  }

  /** What a person most likely wants a file of: the chosen clips, the open one, or what is listed. */
  #range() {
    const chosen = this.shelf.clips.filter(({ id }) => this.#chosen?.has(id));
    const clips = chosen.length || !this.#clip ? chosen : [this.#clip];
    const { doorbell = clips[0]?.doorbell } = this.shelf;
    if (clips.length === 0) return { doorbell, ...this.shelf.range };
    return {
      doorbell,
      start: clips.map(({ start }) => start).sort(byTime)[0],
      end: clips.map(({ end }) => end).sort(byTime).at(-1),
    };
  }

  #opened() {
    const { words } = this.desk;
    if (this.#gone) {
      return notice("warning", h("p", { tabindex: "-1", "data-focus": "clip" }, words.t("panel_clip_gone")),
        button(words.t("panel_close"), this.#close, { class: "small" }));
    }
    if (!this.#clip) return waiting(words.t("panel_loading"));
    return clipCard(this.desk, this.#clip, {
      stills: this.#stills,
      onClose: this.#close,
      onDelete: () => this.bin.remove([this.#id]),
      onChanged: () => this.#reload(),
    });
  }

  #list() {
    const { desk, shelf } = this;
    if (shelf.clips.length === 0) return shelf.reading ? waiting(desk.words.t("panel_loading")) : nothingThere(desk, shelf);
    return [
      clipList(desk, shelf.clips, {
        opened: this.#id, selected: this.#chosen, onSelect: (id) => this.#toggle(id) }),
      shelf.more && h("div", { key: "more", class: "actions more" },
        button(desk.words.t("panel_clips_more"), () => this.#more(), { "data-testid": "more", disabled: !desk.online })),
    ];
  }

  /** Read one page more, and go on with the keyboard where it begins. */
  async #more() {
    const before = this.shelf.clips.length;
    await this.shelf.next();
    const first = this.shelf.clips[before];
    if (first) this.desk.focus(`clip ${first.id}`);
  }

  #done = () => {
    this.#select(undefined);
    this.desk.focus("select");
  };

  #select(ids) {
    this.#selected = ids && new Set(ids);
    this.#place = this.shelf.place;
    this.desk.update();
  }

  /** The chosen clips: only ever some of those that are shown; undefined while none can be chosen. */
  get #chosen() {
    if (!this.#selected) return undefined;
    return new Set(this.shelf.clips.map(({ id }) => id).filter((id) => this.#selected.has(id)));
  }

  #toggle(id) {
    const chosen = this.#chosen;
    if (!chosen.delete(id)) chosen.add(id);
    this.#select(chosen);
  }
}
