/** What an agency asks for and what it binds itself to, as pairs and lists. */

import { h } from "../dom.js";
import { card, data, facts, icon, longText } from "./basics.js";

const ATTESTATIONS = [
  "active_investigation", "own_case", "not_lawful_protest", "not_immigration_enforcement", "no_face_recognition",
];

/** Why: the incident in the agency's own words, and who signs for it. */
export function reasonCard(desk, request) {
  const { words } = desk;
  const { details } = request;
  const officer = details?.officer ?? {};
  return card(words.t("panel_why"), null,
    details ? longText(words, details.summary) : h("p", { class: "quiet" }, words.t("panel_no_details")),
    facts([
      [words.t("panel_incident"), words.name("incident", request.incident_type)],
      [words.t("panel_case"), data(request.case_id)],
      [words.t("panel_subject"), details?.subject && data(details.subject, 400)],
      [words.t("panel_officer"), officer.name && h("div", { class: "lines" },
        h("div", null, data(officer.name), officer.badge && [" · ", words.t("panel_badge"), " ", data(officer.badge, 40)]),
        [officer.phone, officer.email].map((line) => line && h("div", null, data(line))))],
      [words.t("panel_supervisor"), details?.supervisor && data(details.supervisor)],
    ]));
}

/** On what basis, and what the agency promises about what it gets. */
export function basisCard(desk, request) {
  const { words } = desk;
  const given = new Set(request.attestations);
  return card(words.t("panel_basis"), null,
    h("p", { class: "strong" }, words.name("basis", request.legal_basis)),
    h("p", null, words.name("basis_text", request.legal_basis)),
    h("h3", null, words.t("panel_attestations")),
    h("ul", { class: "verdicts" }, ATTESTATIONS.map((one) => verdict(
      words, one, given.has(one), words.name(given.has(one) ? "attestation" : "attestation_missing", one)))),
    h("h3", null, words.t("panel_terms")),
    facts(terms(words, request.terms ?? {})));
}

const terms = (words, given) => [
  [words.t("panel_term_purpose"), given.purpose && data(given.purpose, 400)],
  [words.t("panel_term_retain_until"), given.retain_until && words.date(given.retain_until)],
  [words.t("panel_term_onward_sharing"), answer(words, given.onward_sharing)],
  [words.t("panel_term_public_release"), answer(words, given.public_release)],
  [words.t("panel_term_biometrics"), answer(words, given.biometrics)],
  [words.t("panel_term_disposal_notice"), answer(words, given.disposal_notice)],
];

const answer = (words, value) =>
  typeof value === "boolean" ? words.t(value ? "panel_yes" : "panel_no") : value && data(words.name("sharing", value));

/** What the household's own rules say about it. */
export const rulesCard = ({ words }, request) =>
  card(words.t("panel_rules"), null,
    h("ul", { class: "verdicts" },
      request.verdicts.map((one) => verdict(words, one.rule, one.ok, data(one.sentence, 400)))));

const verdict = (words, key, ok, sentence) =>
  h("li", { key, class: ok ? "kept" : "broken" },
    icon(ok ? "check" : "alert"),
    h("span", { class: "unseen" }, words.t(ok ? "panel_rule_kept" : "panel_rule_broken"), ": "),
    h("span", null, sentence));

export const historyCard = ({ words }, request) =>
  card(words.t("panel_history"), null,
    h("ol", { class: "history" }, request.history.map((entry, i) =>
      h("li", { key: `${entry.at} ${entry.kind} ${i}` },
        h("time", { datetime: entry.at }, words.dateTime(entry.at)), h("span", null, data(entry.text, 400))))));
