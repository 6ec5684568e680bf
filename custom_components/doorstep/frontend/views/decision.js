/** Deciding: exactly what would be sent, to whom, and the two answers. */

import { h } from "../dom.js";
import { agencyName, recipients } from "../parts/agency.js";
import { button, card, data, dialog, facts, icon, notice, stateChip, waiting } from "../parts/basics.js";
import { declineButton, declinedCard } from "../parts/declined.js";
import { player } from "../parts/player.js";
import { approved, releaseStatus } from "../parts/release.js";
import { decisionPath, go, requestPath } from "../router.js";

export class DecisionView {
  #digest;
  #draft;
  #error;
  #loading = false;
  #renewed = false;
  #seen = false;
  #skipping = false;
  #watched = new Set();

  constructor(desk, { handle, confirm }) {
    this.desk = desk;
    this.handle = handle;
    this.confirming = confirm;
    this.parent = requestPath(handle);
  }

  get title() {
    return this.desk.words.t("panel_decision");
  }

  /** A snapshot came: a draft that the home dropped says no longer what would be sent. */
  changed() {
    if (!this.desk.snapshot.approver) return;
    const { summary } = this.#known();
    const current = this.#draft !== undefined && summary?.draft === this.#draft.release;
    // snapshots that were on their way may still be older than the draft
    if (this.#seen && !current && summary?.state === "open" && !summary.release) this.#renew();
    else this.#seen ||= current;
    if (!this.#draft && !this.#error) this.#load();
  }

  #renew() {
    this.#draft = undefined;
    this.#seen = false;
    this.confirming = false;
    return this.#load();
  }

  async #load() {
    const { summary, release } = this.#known();
    if (this.#loading || summary?.state !== "open" || release) return;
    this.#loading = true;
    try {
      this.#show(await this.desk.backend.draft(this.handle));
    } catch (error) {
      this.#error = error;
    }
    this.#loading = false;
    this.desk.update();
  }

  #show(draft) {
    this.#renewed = this.#digest !== undefined && this.#digest !== draft.digest;
    if (this.#renewed) {
      this.#skipping = false;
      this.#watched.clear();
    }
    this.#digest = draft.digest;
    this.#draft = draft;
    this.#error = undefined;
  }

  #known() {
    const { requests, releases } = this.desk.snapshot;
    return {
      summary: requests.find((request) => request.handle === this.handle),
      release: approved(releases.filter((one) => one.handle === this.handle))[0],
    };
  }

  render() {
    const { words, snapshot } = this.desk;
    if (!snapshot.approver) return notice("info", words.t("panel_not_approver_text"));
    const { summary } = this.#known();
    return h("div", { class: "page" },
      h("div", null,
        h("h1", { tabindex: "-1", "data-testid": "request-title" }, words.t("panel_decision_title")),
        summary && h("p", null, agencyName(words, summary.agency)),
        summary && h("p", { class: "quiet" },
          words.name("incident", summary.incident_type), " · ", words.t("panel_case"), " ", data(summary.case_id, 60))),
      this.#renewed && notice("warning", words.t("panel_draft_renewed")),
      this.#content());
  }

  #content() {
    const { words } = this.desk;
    const { summary, release } = this.#known();
    if (!summary) return notice("warning", words.t("panel_request_gone"));
    if (release) return this.#sent(release);
    if (summary.state === "declined") return declinedCard(this.desk, this.handle);
    if (summary.state !== "open") return this.#closed(summary);
    if (this.#error) return this.#failure();
    if (!this.#draft) return waiting(words.t("panel_loading"));
    return [this.#plan(), this.#files(), this.#answers(), this.confirming && this.#confirmation()];
  }

  #sent(release) {
    return card(this.desk.words.t("panel_approved"), { key: "sent", "data-focus": "sent", tabindex: "-1" },
      releaseStatus(this.desk, release));
  }

  #closed(summary) {
    const { words } = this.desk;
    return card(words.t("panel_cannot_decide"), { key: "closed" }, h("p", null, stateChip(words, summary.state)));
  }

  #failure() {
    const { words } = this.desk;
    return notice("error", h("p", null, words.error(this.#error)),
      button(words.t("panel_retry"), () => this.#load(), { class: "small" }));
  }

  #plan() {
    const { words } = this.desk;
    const draft = this.#draft;
    return card(words.t("panel_plan"), { key: "plan" },
      h("p", { class: "sentence large" }, data(draft.sentence, 1000)),
      facts([
        [words.t("panel_recipients"), recipients(draft.recipients)],
        [words.t("panel_delivery"), data(draft.delivery, 300)],
        [words.t("panel_identity"), words.name("identity", draft.identity)],
        [words.t("panel_audio"), words.t(draft.audio ? "panel_audio_on" : "panel_audio_off")],
        [words.t("panel_total"), this.#size(draft)],
      ]),
      draft.delivery_differs && notice("warning", words.t("panel_delivery_differs")),
      h("p", { class: "quiet" }, words.t("panel_address_known")));
  }

  #size({ seconds, bytes }) {
    const { words } = this.desk;
    return words.t("panel_size", { duration: words.duration(seconds), size: words.bytes(bytes) });
  }

  #files() {
    const { words } = this.desk;
    return card(words.t("panel_files"), { key: "files" },
      h("p", null, words.t("panel_files_text")),
      h("div", { class: "clips" }, this.#draft.clips.map((clip) => {
        const label = words.t("panel_clip_label", { doorbell: clip.camera, time: words.dateTime(clip.start) });
        const file = { path: clip.video, seconds: clip.seconds, label, testid: "review-video" };
        return h("figure", { key: clip.clip },
          player(this.desk, file, () => this.#watch(clip)),
          h("figcaption", null, data(label), h("span", { class: "quiet" }, " ", this.#size(clip)),
            this.#watched.has(clip.video) && h("span", { class: "confirmed" }, icon("check"), words.t("panel_watched"))));
      })));
  }

  #watch(clip) {
    if (this.#watched.has(clip.video)) return;
    this.#watched.add(clip.video);
    this.desk.announce(this.#progress());
    this.desk.update();
  }

  get #unwatched() {
    return this.#draft.clips.filter((clip) => !this.#watched.has(clip.video)).length;
  }

  #progress() {
    const { words } = this.desk;
    const all = this.#draft.clips.length;
    return words.t("panel_watched_count", { n: words.number(all - this.#unwatched), all: words.number(all) });
  }

  get #ready() {
    return this.#unwatched === 0 || this.#skipping;
  }

  #answers() {
    const { words, blocked } = this.desk;
    return card(words.t("panel_answer"), { key: "answer", class: "answers" },
      this.#unwatched > 0 && [h("p", null, this.#progress()), !this.confirming && this.#skip()],
      h("p", { class: "quiet" }, words.t("panel_decline_hint")),
      h("div", { class: "actions" },
        declineButton(this.desk, this.handle),
        button(words.t("panel_approve"), () => this.#confirm(true), {
          class: "filled", "data-testid": "approve", disabled: blocked || !this.#ready,
        })));
  }

  #skip() {
    const skip = (event) => {
      this.#skipping = event.target.checked;
      this.desk.update();
    };
    return h("label", { class: "choice", key: "skip" },
      h("input", { type: "checkbox", "data-testid": "skip-watching", ".checked": this.#skipping, onchange: skip }),
      h("span", null, this.desk.words.t("panel_skip_watching")));
  }

  #confirm(open) {
    this.confirming = open;
    if (!open && location.search) go(decisionPath(this.handle), { replace: true });
    this.desk.update();
  }

  #confirmation() {
    const { words, blocked } = this.desk;
    const draft = this.#draft;
    const close = () => this.#confirm(false);
    return dialog(words.t("panel_confirm_send_title"), close,
      h("p", { class: "sentence" }, data(draft.sentence, 1000)),
      facts([
        [words.t("panel_recipients"), h("div", null, draft.recipients.map((one) => h("div", null, data(one.holder))))],
        [words.t("panel_delivery"), data(draft.delivery, 300)],
        [words.t("panel_total"), this.#size(draft)],
      ]),
      draft.delivery_differs && notice("warning", words.t("panel_delivery_differs")),
      this.#unwatched > 0 && [notice("warning", this.#progress()), this.#skip()],
      h("p", null, words.t("panel_grace", { time: words.duration(draft.grace) })),
      h("div", { class: "actions" },
        button(words.t("panel_cancel"), close, { class: "plain" }),
        button(words.t("panel_approve_confirm"), () => this.#approve(), {
          class: "filled", "data-testid": "approve-confirm", disabled: blocked || !this.#ready,
        })));
  }

  async #approve() {
    const { desk } = this;
    const draft = this.#draft;
    const said = desk.words.t("panel_approved_announce", { time: desk.words.duration(draft.grace) });
    const done = await desk.act(() => desk.backend.approve(this.handle, draft, this.#unwatched === 0), said);
    this.#confirm(false);
    if (!done) return this.#renew();
    this.#draft = undefined;
    this.#digest = undefined;
    this.#skipping = false;
    return desk.focus("sent");
  }
}
