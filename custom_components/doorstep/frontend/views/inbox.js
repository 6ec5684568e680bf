/** All requests, what is on its way, and how the feeds are. */

import { h } from "../dom.js";
import { agencyCard, agencyName } from "../parts/agency.js";
import { button, card, chip, data, icon, notice, stateChip } from "../parts/basics.js";
import { approved, releaseStatus } from "../parts/release.js";
import { follow, requestPath, settingsPath } from "../router.js";

const OPEN = ["open", "received"];
const QUARANTINED = ["quarantined"];
const CLOSED = ["answered", "declined", "listed", "expired", "withdrawn", "superseded", "key_revoked", "refused"];
const PAGE = 20;

export class InboxView {
  parent = undefined;
  #shown = {};

  constructor(desk) {
    this.desk = desk;
  }

  get title() {
    return this.desk.words.t("panel_inbox");
  }

  changed() {}

  render() {
    const { words, snapshot } = this.desk;
    if (!snapshot.approver) return this.#counts();
    return h("div", { class: "page" },
      h("h1", { class: "unseen", tabindex: "-1" }, this.title),
      snapshot.doorbells.length === 0 && notice("info", words.t("panel_no_doorbell")),
      snapshot.requests.length === 0 && this.#empty(),
      this.#group("panel_group_open", OPEN),
      this.#newAgencies(),
      this.#group("panel_group_quarantined", QUARANTINED),
      this.#deliveries(),
      this.#group("panel_group_closed", CLOSED),
      snapshot.feeds.length > 0 && this.#feeds());
  }

  #counts() {
    const { words, snapshot } = this.desk;
    return h("div", { class: "page" },
      h("h1", { class: "unseen", tabindex: "-1" }, this.title),
      card(words.t("panel_not_approver_title"), { class: "empty" },
        h("p", null, words.count("panel_open", snapshot.counts.open)),
        h("p", null, words.t("panel_not_approver_text"))));
  }

  #empty() {
    const { words, snapshot } = this.desk;
    const count = snapshot.feeds.length;
    return card(words.t(count ? "panel_empty_title" : "panel_no_feed_title"), { key: "empty", class: "empty" },
      icon("inbox"),
      h("p", null, count ? words.count("panel_empty_text", count) : words.t("panel_no_feed_text")),
      !count && h("div", { class: "actions" },
        h("a", { class: "button filled", ...follow(settingsPath) }, words.t("panel_add_feed"))));
  }

  #group(key, states) {
    const requests = this.desk.snapshot.requests.filter((request) => states.includes(request.state));
    if (requests.length === 0) return undefined;
    return h("section", { key },
      h("h2", null, this.desk.words.t(key), " ", h("span", { class: "quiet" }, this.desk.words.number(requests.length))),
      h("ul", { class: "items" }, requests.slice(0, this.#count(key)).map((request) =>
        h("li", { key: request.handle }, this.#item(request)))),
      this.#more(key, requests.length));
  }

  #item(request) {
    const { words } = this.desk;
    const open = ["open", "quarantined"].includes(request.state);
    return h("a", { class: "item", "data-testid": "inbox-item", ...follow(requestPath(request.handle)) },
      h("span", { class: "strong" }, agencyName(words, request.agency)),
      h("span", null, words.name("incident", request.incident_type), " · ", words.t("panel_case"), " ", data(request.case_id, 60)),
      h("span", { class: "quiet" }, words.span(request.window.start, request.window.end)),
      h("span", { class: "chips" },
        !open && stateChip(words, request.state),
        open && chip(request.matched ? "busy" : "", words.count("panel_matched", request.matched)),
        open && request.rules.broken > 0 && chip("attention", words.count("panel_rules_broken", request.rules.broken)),
        open && request.stale && chip("bad", words.t("panel_stale")),
        open && chip("", words.t("panel_expires", { when: words.relative(request.expires_at) }))),
      request.reason && h("span", { class: "quiet" }, data(words.name("reason", request.reason), 300)),
      icon("forward"));
  }

  /** One new agency is shown at once; many, as a relay brings them, are opened one by one. */
  #newAgencies() {
    const { words, snapshot } = this.desk;
    const agencies = snapshot.agencies.filter((agency) => agency.state !== "confirmed");
    if (agencies.length === 1) return h("div", { key: agencies[0].id }, agencyCard(this.desk, agencies[0]));
    return agencies.length > 1 && card(words.t("panel_agencies"), { key: "agencies" },
      agencies.slice(0, this.#count("agencies")).map((agency) =>
        h("details", { key: agency.id },
          h("summary", null, data(agency.name)),
          agencyCard(this.desk, agency))),
      this.#more("agencies", agencies.length));
  }

  #deliveries() {
    const releases = approved(this.desk.snapshot.releases);
    return releases.length > 0 && card(this.desk.words.t("panel_deliveries"), { key: "deliveries" },
      releases.slice(0, this.#count("deliveries")).map((release) =>
        h("div", { key: release.id, class: "delivery" },
          h("p", { class: "strong" }, this.#requestLink(release)),
          releaseStatus(this.desk, release))),
      this.#more("deliveries", releases.length));
  }

  #requestLink(release) {
    const name = data(typeof release.agency === "string" ? release.agency : release.agency?.name);
    return h("a", follow(requestPath(release.handle)), name);
  }

  #feeds() {
    const { words, snapshot } = this.desk;
    return card(words.t("panel_feeds"), { key: "feeds" },
      h("ul", { class: "plain-list spaced" }, snapshot.feeds.map((feed) =>
        h("li", { key: feed.id },
          h("div", { class: "row" },
            h("span", { class: "strong" }, data(feed.name)),
            chip(feed.state === "ok" ? "good" : "bad", words.name("feed", feed.state))),
          h("div", { class: "quiet" },
            words.t("panel_feed_operator"), " ", data(feed.operator), " · ",
            feed.read_at
              ? words.t("panel_feed_read", { when: words.dateTime(feed.read_at) })
              : words.t("panel_feed_not_read")),
          feed.reason && h("div", { class: "bad" }, data(words.name("reason", feed.reason), 400)),
          !feed.independent_witness && h("div", { class: "quiet" }, words.t("panel_feed_no_witness"))))));
  }

  #count(key) {
    return this.#shown[key] ?? PAGE;
  }

  #more(key, total) {
    const more = () => {
      this.#shown[key] = this.#count(key) + 5 * PAGE;
      this.desk.update();
    };
    return total > this.#count(key) && button(this.desk.words.t("panel_show_more"), more, { class: "plain" });
  }
}
