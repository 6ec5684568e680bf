/** Who asks: what an agency says about itself, and confirming it for the first time. */

import { h } from "../dom.js";
import { areaMap } from "./area-map.js";
import { button, card, chip, data, facts, fingerprint, icon, notice } from "./basics.js";
import { outsideLink } from "./outside.js";

/** The agency's name with how far it can be believed. */
export const agencyName = (words, agency) =>
  h("span", { class: "agency" },
    data(agency.name), " ",
    agency.confirmed ?? agency.state === "confirmed"
      ? h("span", { class: "confirmed" }, icon("shield"), words.t("panel_confirmed"))
      : chip("attention", words.t("panel_unconfirmed")));

function agencyFacts(desk, agency) {
  const { words } = desk;
  const contact = agency.contact ?? {};
  return facts([
    [words.t("panel_agency_kind"), words.name("kind", agency.kind)],
    [words.t("panel_agency_id"), data(agency.id, 300)],
    [words.t("panel_agency_domain"), agency.domain && words.name("domain", agency.domain)],
    [words.t("panel_agency_oversight"), agency.oversight &&
      h("div", null, data(agency.oversight.name), h("br"), outsideLink(desk, agency.oversight.url))],
    [words.t("panel_agency_policy"), outsideLink(desk, agency.policy_url)],
    [words.t("panel_agency_contact"), [contact.phone, contact.email, contact.url].some(Boolean) &&
      h("div", { class: "lines" },
        [contact.phone, contact.email].map((line) => line && h("div", null, data(line))),
        outsideLink(desk, contact.url))],
    [words.t("panel_agency_recipients"), recipients(agency.recipients)],
    [words.t("panel_agency_delivery"), agency.delivery && data(agency.delivery, 300)],
    [words.t("panel_agency_fingerprints"), agency.fingerprints?.map((hex) => h("div", null, fingerprint(hex)))],
  ]);
}

/** Who can decrypt: the holders first, their keys beneath. */
export const recipients = (list) =>
  h("ul", { class: "plain-list" }, (list ?? []).map((one) =>
    h("li", null, data(one.holder), h("br"), h("code", { class: "key" }, data(one.recipient, 120)))));

/** The card of an agency on a request; its details open on demand once it is confirmed. */
export function agencyCard(desk, agency) {
  const { words } = desk;
  if (!agency) return undefined;
  if (agency.state !== "confirmed") return confirmation(desk, agency);
  return card(words.t("panel_who"), null,
    h("p", { class: "strong" }, agencyName(words, agency)),
    h("p", { class: "quiet" }, words.name("kind", agency.kind)),
    h("details", null, h("summary", null, words.t("panel_agency_details")), agencyFacts(desk, agency), webCheck(desk, agency)));
}

function confirmation(desk, agency) {
  const { words } = desk;
  const confirm = () => desk.act(
    () => desk.backend.confirmAgency(agency.id, agency.statement_sha256), words.t("panel_agency_confirmed"));
  return card(words.t("panel_confirm_title"), { class: "attention" },
    agency.conflict && notice("warning", words.t("panel_conflict_text")),
    h("p", null, words.t(agency.changed?.length ? "panel_changed_text" : "panel_confirm_text", {
      what: (agency.changed ?? []).map((name) => words.name("changed", name)).join(", ") })),
    h("p", { class: "strong large" }, data(agency.name)),
    areaMap(words, { geometry: agency.jurisdiction, label: words.t("panel_map_jurisdiction") }),
    agencyFacts(desk, agency),
    notice("info", words.t("panel_call_back")),
    webCheck(desk, agency),
    h("div", { class: "actions" },
      button(words.t("panel_confirm_agency"), confirm, {
        class: "filled", "data-testid": "confirm-agency", disabled: desk.blocked,
      })));
}

/** Ask the agency's web site for its keys: the sentence of what that does stands before the button. */
function webCheck(desk, agency) {
  const { words } = desk;
  const host = URL.canParse(agency.id) ? new URL(agency.id).host : agency.id;
  const domain = agency.domain ?? desk.domains.get(agency.id);
  const check = async () => {
    const answer = await desk.act(() => desk.backend.checkAgency(agency.id), words.t("panel_checked"));
    if (answer) desk.domains.set(agency.id, answer.domain);
    desk.update();
  };
  return h("div", { class: "step" },
    h("p", null, words.t("panel_check_text", { host })),
    button(words.t("panel_check"), check, { disabled: desk.blocked, "data-testid": "check-agency" }),
    domain && notice(domain === "proven" ? "good" : "warning",
      words.t(domain === "proven" ? "panel_domain_proven_text" : "panel_domain_not_proven_text", { host })));
}
