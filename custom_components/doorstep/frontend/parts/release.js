/** One release on its way: its state, its grace period with undo, its progress. */

import { h } from "../dom.js";
import { button, data, facts, notice, stateChip } from "./basics.js";

const GONE = ["draft", "dropped"];
const MOVING = ["packaging", "delivering"];

/** Releases that were approved and not taken back, the newest first. */
export const approved = (releases) =>
  releases
    .filter((release) => !GONE.includes(release.state))
    .sort((a, b) => String(b.granted_at).localeCompare(String(a.granted_at)));

export function releaseStatus(desk, release) {
  const { words } = desk;
  return h("div", { class: "release", key: release.id },
    h("div", { class: "row" },
      stateChip(words, release.state, { "data-testid": "release-state" }),
      release.test && h("span", { class: "chip attention" }, words.t("panel_test_mode"))),
    h("p", { class: "sentence" }, data(release.sentence, 1000)),
    release.state === "granted" && grace(desk, release),
    release.state === "delivering" && progress(words, release),
    release.reason && notice(release.state === "stopped" ? "warning" : "info", data(words.name("reason", release.reason), 400)),
    MOVING.includes(release.state) &&
      button(words.t("panel_stop"), () => desk.act(() => desk.backend.stop(release.id), words.t("panel_stopped")), {
        "data-testid": "stop", disabled: desk.blocked }),
    release.state === "stopped" && again(desk, release),
    facts([
      [words.t("panel_granted_at"), release.granted_at && words.dateTime(release.granted_at)],
      [words.t("panel_acknowledged_at"), release.acknowledged_at && words.dateTime(release.acknowledged_at)],
      [words.t("panel_evidence_id"), release.evidence_id && data(release.evidence_id)],
    ]));
}

function grace(desk, release) {
  const { words } = desk;
  const left = Math.max(0, (Date.parse(release.send_at) - Date.now()) / 1000);
  desk.tick();
  const undo = async () => {
    if (await desk.act(() => desk.backend.undo(release.id), words.t("panel_taken_back"))) desk.focusHeading();
  };
  return h("div", { class: "grace" },
    h("span", { role: "timer", class: "timer" },
      left > 0 ? words.t("panel_sending_in", { time: words.duration(Math.ceil(left)) }) : words.t("panel_sending_now")),
    button(words.t("panel_undo"), undo, { class: "filled", "data-testid": "undo", disabled: desk.blocked }));
}

/** A stopped release can go again under its approval; what may be there already is said first. */
function again(desk, release) {
  const { words } = desk;
  return h("div", { class: "grace" },
    h("span", null, words.t(release.reason === "unconfirmed" ? "panel_retry_unconfirmed" : "panel_retry_text")),
    button(words.t("panel_send_again"), () => desk.act(() => desk.backend.retry(release.id), words.t("panel_retried")), {
      "data-testid": "retry", disabled: desk.blocked }));
}

function progress(words, { sent, total }) {
  const text = words.t("panel_sent", { sent: words.bytes(sent), total: words.bytes(total) });
  return h("div", { class: "progress" },
    h("progress", { value: sent, max: Math.max(total, 1), "aria-label": text }),
    h("span", { class: "quiet" }, text));
}
