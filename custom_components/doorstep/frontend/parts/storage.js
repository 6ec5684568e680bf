/** How full the library is, and what keeps it in order. */

import { h } from "../dom.js";
import { button, card, data, notice } from "./basics.js";
import { verifyResult } from "./verify.js";

/** Draw the storage of the latest snapshot; `bin` is drawn at its end for those who decide. */
export function storageCard(desk, bin) {
  const { words, snapshot } = desk;
  const { storage, approver } = snapshot;
  return card(undefined, { key: "storage", class: "storage", "aria-label": words.t("panel_storage") },
    storage && usage(words, storage),
    storage?.full && notice("error", words.t("panel_storage_full")),
    storage?.indexing && indexing(words, storage.indexing),
    approver && tools(desk, bin));
}

function usage(words, storage) {
  const used = words.t("panel_storage_used", { used: words.bytes(storage.used), limit: words.bytes(storage.limit) });
  const share = storage.used / Math.max(storage.limit, 1);
  return h("div", { key: "usage", class: ["progress", (storage.full || share > 0.95) && "nearly"] },
    h("progress", { value: Math.min(storage.used, storage.limit), max: Math.max(storage.limit, 1), "aria-label": used }),
    h("div", { class: "row", "data-testid": "storage" },
      h("span", { class: "strong" }, used),
      h("span", { class: "quiet" }, words.count("panel_storage_clips", storage.clips)),
      h("span", { class: "quiet" }, words.t("panel_storage_free", { free: words.bytes(storage.free) })),
      !storage.full && typeof storage.days_left === "number" && h("span", { class: "quiet" }, left(words, storage.days_left))));
}

const left = (words, days) => days < 1
  ? words.t("panel_storage_rolling")
  : words.count("panel_storage_days", Math.floor(days));

function indexing(words, { done, total }) {
  const text = words.t("panel_indexing", { done: words.number(done), total: words.number(total) });
  return h("div", { key: "indexing", class: "progress" },
    h("progress", { value: done, max: Math.max(total, 1), "aria-label": text }),
    h("span", { class: "quiet" }, text));
}

function tools(desk, bin) {
  const { words, backend, blocked } = desk;
  const job = desk.job("verify");
  const verify = () => job.run((onStep) => backend.verifyClips(onStep));
  const reading = desk.job("rescan");
  const rescan = () => reading.run(async (onStep) => {
    await backend.rescan();
    onStep({ finished: true });
  });
  return [
    h("div", { key: "tools", class: "actions start" },
      button(words.t("panel_verify_all"), verify, {
        class: "small", "data-testid": "verify-all", "data-focus": "verify-all", disabled: blocked }),
      button(words.t("panel_rescan"), rescan, {
        class: "small", "data-testid": "rescan", disabled: blocked || reading.look().running }),
      bin.renderButton()),
    verifyResult(desk, job),
    h("div", { key: "rescan", class: "result", role: "status", "data-testid": "rescan-result" },
      reading.error && notice("error", data(reading.error, 400)),
      reading.step?.finished && notice("good", words.t("panel_rescan_done"))),
    bin.render(),
  ];
}
