/** Whether clips are as they were recorded: how far that is, and what was found. */

import { h } from "../dom.js";
import { clipPath, follow } from "../router.js";
import { eventTime } from "../shelf.js";
import { button, data, notice } from "./basics.js";
import { clipTime } from "./clip-list.js";

/** A bar for long work with a button that ends it and brings the keyboard back to where it was begun. */
export const working = (desk, job, begun, text, [value, max]) =>
  h("div", { key: "working", class: "progress" },
    h("progress", { value, max: Math.max(max, 1), "aria-label": text }),
    h("div", { class: "row" },
      h("span", { class: "quiet" }, text),
      button(desk.words.t("panel_job_stop"), () => stop(desk, job, begun), { class: "small plain", "data-testid": "job-stop" })));

function stop(desk, job, begun) {
  job.clear();
  desk.focus(begun);
}

const named = (words, clip) => {
  const time = eventTime(clip);
  return time ? clipTime(words, time) : data(clip, 60);
};

/** How `job` goes or went; `one` where it is about a single clip that is shown anyway. */
export function verifyResult(desk, job, { one = false } = {}) {
  const { words } = desk;
  const { step, running, error } = job.look();
  const findings = step?.findings ?? [];
  return h("div", { key: "verify", class: "result", role: "status", "data-testid": "verify-result" },
    running && working(desk, job, one ? "clip-verify" : "verify-all", words.t("panel_verifying", {
      done: words.bytes(step?.done ?? 0), total: words.bytes(step?.total ?? 0) }), [step?.done ?? 0, step?.total ?? 0]),
    error && notice("error", data(error, 400)),
    step?.finished && findings.length === 0 && notice("good", one
      ? words.t("panel_verified_one") : words.count("panel_verified", step.checked)),
    findings.length > 0 && notice("error",
      h("p", { class: "strong" }, words.count("panel_findings", findings.length)),
      h("ul", { class: "plain-list" }, findings.map((finding, i) =>
        h("li", { key: `${finding.clip} ${i}` },
          !one && [h("a", follow(clipPath(finding.clip)), named(words, finding.clip)), ": "],
          data(finding.problem, 400),
          finding.at && [" ", h("span", null, "(", words.atHome(finding.at), ")")])))));
}
