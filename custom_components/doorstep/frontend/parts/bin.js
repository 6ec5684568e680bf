/** Deleting clips, taking that back, and what can still be taken back. */

import { h } from "../dom.js";
import { button, data, dialog, icon, notice, waiting } from "./basics.js";
import { clipTitle, frame } from "./clip-list.js";

export class Bin {
  #clips;
  #error;
  #open = false;
  #undoable;

  /** `onChanged` is called with the ids of clips that went or came back. */
  constructor(desk, onChanged) {
    this.desk = desk;
    this.onChanged = onChanged;
  }

  /** Delete `ids`; where that may matter to somebody, a person is asked first. */
  async remove(ids, confirmed = false) {
    const { desk } = this;
    const answer = await desk.act(() => desk.backend.deleteClips(ids, confirmed));
    if (!answer) return;
    if (answer.confirm) {
      desk.ask(() => this.#question(ids, answer.confirm));
      return;
    }
    this.#undoable = { ids: answer.deleted, until: answer.until };
    this.#changed(answer.deleted);
    desk.announce(this.#said());
    desk.focus("undo");
  }

  #question(ids, { asked_for: asked, held }) {
    const { words } = this.desk;
    const one = ids.length === 1;
    const close = () => this.desk.ask(undefined);
    const remove = () => {
      close();
      this.remove(ids, true);
    };
    return dialog(words.count("panel_delete_title", ids.length), close,
      asked > 0 && h("p", null, one ? words.t("panel_delete_this_asked") : words.count("panel_delete_asked", asked)),
      held > 0 && h("p", null, one ? words.t("panel_delete_this_held") : words.count("panel_delete_held", held)),
      notice("warning", words.t("panel_delete_notice")),
      h("div", { class: "actions" },
        button(words.t("panel_cancel"), close, { class: "plain" }),
        button(words.t("panel_delete_anyway"), remove, { class: "filled", "data-testid": "delete-anyway" })));
  }

  /** Take `ids` out of the bin; the keyboard goes to the part named `next`, else to the heading. */
  async #restore(ids, next) {
    const { desk } = this;
    const done = await desk.act(() => desk.backend.restoreClips(ids), desk.words.t("panel_restored"));
    this.#changed(ids);
    if (!done) return;
    this.#undoable = undefined;
    if (next) desk.focus(next);
    else desk.rest();
  }

  #changed(ids) {
    this.refresh();
    this.onChanged(ids);
  }

  /** Something changed: read the list again where it is shown. */
  async refresh() {
    if (!this.#open) return;
    try {
      this.#clips = await this.desk.backend.binned();
      this.#error = undefined;
    } catch (error) {
      this.#error = error;
    }
    this.desk.update();
  }

  #said() {
    const { words } = this.desk;
    const { ids, until } = this.#undoable;
    return words.count("panel_deleted", ids.length, { until: words.dateTime(until) });
  }

  /** What was just deleted, with the way back: at the lower edge of the window until it is put away. */
  renderUndo() {
    if (!this.#undoable) return undefined;
    const { words, blocked } = this.desk;
    const close = () => {
      this.#undoable = undefined;
      this.desk.rest();
    };
    return h("div", { key: "undo", class: "card floating", role: "group", "aria-label": words.t("panel_undo") },
      h("p", { tabindex: "-1", "data-focus": "undo", "data-testid": "deleted" }, this.#said()),
      h("div", { class: "actions" },
        button(words.t("panel_close"), close, { class: "plain" }),
        button(words.t("panel_undo"), () => this.#restore(this.#undoable.ids), {
          class: "filled", "data-testid": "undo-delete", disabled: blocked })));
  }

  renderButton() {
    const toggle = () => {
      this.#open = !this.#open;
      this.desk.update();
      this.refresh();
    };
    return button(this.desk.words.t("panel_bin"), toggle, {
      class: "small", "aria-expanded": String(this.#open), "aria-controls": "bin", "data-testid": "bin", "data-focus": "bin" });
  }

  render() {
    return h("div", { key: "bin", id: "bin", class: "result" }, this.#open && this.#content());
  }

  #content() {
    const { words } = this.desk;
    if (this.#error) {
      return notice("error", h("p", null, words.error(this.#error)),
        button(words.t("panel_retry"), () => this.refresh(), { class: "small" }));
    }
    if (!this.#clips) return waiting(words.t("panel_loading"));
    if (this.#clips.length === 0) return h("p", { class: "quiet" }, words.t("panel_bin_empty"));
    return [
      h("p", { class: "quiet" }, words.t("panel_bin_text")),
      h("ul", { class: "binned" }, this.#clips.map((clip) => h("li", { key: clip.id }, this.#item(clip)))),
    ];
  }

  #item(clip) {
    const { words, blocked } = this.desk;
    return [
      // the pictures of what was thrown away are not to be had
      frame(this.desk, { ...clip, thumbnail: undefined }),
      h("div", { class: "about" },
        h("span", { class: "named" }, icon(clip.event), clipTitle(words, clip)),
        h("span", { class: "quiet" }, data(clip.doorbell_name, 60)),
        clip.deleted?.until && h("span", { class: "quiet" },
          words.t("panel_bin_until", { when: words.relative(clip.deleted.until) }))),
      button(words.t("panel_restore"), () => this.#restore([clip.id], "bin"), {
        class: "small", "data-testid": "restore", disabled: blocked,
        "aria-label": words.t("panel_restore_clip", { clip: clipTitle(words, clip) }) }),
    ];
  }
}
