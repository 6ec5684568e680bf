/** One request: who asks, for what, why, on what basis, and what this home knows about it. */

import { h } from "../dom.js";
import { agencyCard, agencyName } from "../parts/agency.js";
import { areaMap } from "../parts/area-map.js";
import { button, card, chip, data, facts, notice, stateChip, waiting } from "../parts/basics.js";
import { declineButton, declinedCard } from "../parts/declined.js";
import { player } from "../parts/player.js";
import { approved, releaseStatus } from "../parts/release.js";
import { basisCard, historyCard, reasonCard, rulesCard } from "../parts/request-facts.js";
import { ROOT, decisionPath, follow } from "../router.js";
import { capped } from "../words.js";

export class RequestView {
  parent = ROOT;
  #request;
  #error;
  #loadedFor;

  constructor(desk, { handle }) {
    this.desk = desk;
    this.handle = handle;
  }

  get title() {
    return this.desk.words.t("panel_request");
  }

  /** A snapshot came: read the request again where something of it changed. */
  changed() {
    if (!this.desk.snapshot.approver) return;
    const { summary, agency, releases } = this.#known();
    const seen = JSON.stringify([summary, agency, releases.map((release) => release.state)]);
    if (seen !== this.#loadedFor) this.#load(seen);
  }

  async #load(seen) {
    this.#loadedFor = seen;
    try {
      const request = await this.desk.backend.request(this.handle);
      if (seen !== this.#loadedFor) return;
      this.#request = request;
      this.#error = undefined;
    } catch (error) {
      this.#error = error;
    }
    this.desk.update();
  }

  #known() {
    const { requests, agencies, releases } = this.desk.snapshot;
    const summary = requests.find((request) => request.handle === this.handle);
    return {
      summary,
      agency: agencies.find((agency) => agency.id === summary?.agency.id),
      releases: approved(releases.filter((release) => release.handle === this.handle)),
    };
  }

  render() {
    const { words, snapshot } = this.desk;
    if (!snapshot.approver) return notice("info", words.t("panel_not_approver_text"));
    if (!this.#request) return this.#error ? this.#failure() : waiting(words.t("panel_loading"));
    const { summary, agency, releases } = this.#known();
    const request = { ...this.#request, ...summary };
    const unconfirmed = agency && agency.state !== "confirmed";
    return h("div", { class: "page wide" },
      this.#head(request),
      unconfirmed && h("div", { key: "confirm" }, agencyCard(this.desk, agency)),
      request.state === "declined" && declinedCard(this.desk, this.handle),
      releases.length > 0 && card(words.t("panel_deliveries"), { key: "releases" },
        releases.map((release) => releaseStatus(this.desk, release))),
      h("div", { class: "columns" },
        h("div", null, reasonCard(this.desk, request), this.#clips(request), basisCard(this.desk, request)),
        h("div", null,
          this.#place(request),
          agency && !unconfirmed && agencyCard(this.desk, agency),
          rulesCard(this.desk, request),
          historyCard(this.desk, request))));
  }

  #failure() {
    const { words } = this.desk;
    return h("div", { class: "page" },
      h("h1", { tabindex: "-1" }, this.title),
      notice("error", h("p", null, words.error(this.#error)),
        button(words.t("panel_retry"), () => this.#load(this.#loadedFor), { class: "small" })));
  }

  #head(request) {
    const { words } = this.desk;
    const open = ["open", "quarantined"].includes(request.state);
    return card(undefined, { class: "head", key: "head" },
      h("div", { class: "chips" },
        stateChip(words, request.state),
        open && chip("", words.t("panel_expires", { when: words.relative(request.expires_at) })),
        request.stale && chip("bad", words.t("panel_stale"))),
      h("h1", { tabindex: "-1", "data-testid": "request-title" }, words.t("panel_request_title", {
        incident: words.name("incident", request.incident_type), case: capped(request.case_id, 60),
      })),
      h("p", null, agencyName(words, request.agency)),
      facts([
        [words.t("panel_wanted"), words.names("wanted", request.wanted)],
        [words.t("panel_window"), words.span(request.window.start, request.window.end)],
        [words.t("panel_legal_basis"), words.name("basis", request.legal_basis)],
        [words.t("panel_received_at"), words.dateTime(request.received_at)],
        [words.t("panel_expires_at"), words.dateTime(request.expires_at)],
      ]),
      request.reason && notice("info", data(words.name("reason", request.reason), 400)),
      open && this.#actions(request));
  }

  #actions({ may }) {
    const { words, blocked } = this.desk;
    return [
      may.why && notice("info", data(may.why, 400)),
      h("div", { class: "actions" },
        may.decline && declineButton(this.desk, this.handle),
        may.approve && !blocked &&
          h("a", { class: "button filled", "data-testid": "review", ...follow(decisionPath(this.handle)) }, words.t("panel_review"))),
    ];
  }

  #place(request) {
    const { words } = this.desk;
    const inside = request.doorbells.filter((bell) => bell.matches);
    return card(words.t("panel_where"), null,
      areaMap(words, { ...request, label: words.t("panel_map_label") }),
      h("p", { class: "quiet" }, words.count("panel_doorbells_inside", inside.length)));
  }

  #clips(request) {
    const { words } = this.desk;
    const names = new Map(request.doorbells.map((bell) => [bell.id, bell.name]));
    return card(words.t("panel_clips"), null,
      h("p", { class: "quiet" }, words.count("panel_clips_text", request.clips.length)),
      h("div", { class: "clips" }, request.clips.map((clip) => {
        const label = words.t("panel_clip_label", {
          doorbell: names.get(clip.doorbell) ?? clip.doorbell, time: words.dateTime(clip.start),
        });
        return h("figure", { key: clip.clip },
          player(this.desk, {
            path: clip.video, poster: clip.thumbnail, seconds: clip.seconds, label, testid: "clip-video",
          }),
          h("figcaption", null, data(label), h("span", { class: "quiet" }, this.#size(clip))));
      })));
  }

  #size(clip) {
    const { words } = this.desk;
    return ` ${words.t("panel_size", { duration: words.duration(clip.seconds), size: words.bytes(clip.bytes) })}`;
  }
}
