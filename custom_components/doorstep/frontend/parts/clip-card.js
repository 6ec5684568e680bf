/** One clip: played, and what can be done with it. */

import { h } from "../dom.js";
import { button, card, data, icon } from "./basics.js";
import { clipChips, clipTime, clipTitle, happened } from "./clip-list.js";
import { downloadButton } from "./download.js";
import { player } from "./player.js";
import { verifyResult } from "./verify.js";

/**
 * Draw `clip`. `stills` shows it where it is made of pictures; `onClose`, `onDelete` and
 * `onChanged` are called with nothing.
 */
export function clipCard(desk, clip, { stills, onClose, onDelete, onChanged }) {
  const { words, snapshot } = desk;
  const title = clipTitle(words, clip);
  const name = `${clip.id}.mp4`;
  const label = words.t("panel_clip_label", { doorbell: clip.doorbell_name, time: clipTime(words, happened(clip)) });
  return card(undefined, { key: `opened ${clip.id}`, class: "opened", "aria-labelledby": "clip-title" },
    h("div", { class: "heading" },
      h("h2", { id: "clip-title", tabindex: "-1", "data-focus": "clip", "data-testid": "clip-title" }, title),
      h("button", {
        type: "button", class: "tool", "aria-label": words.t("panel_close"), "data-testid": "clip-close", onclick: onClose,
      }, icon("close"))),
    clip.pictures
      ? stills?.render(label)
      : player(desk, {
        path: clip.video, poster: clip.picture, seconds: clip.seconds, label, name, testid: "clip-video" }),
    h("div", { class: "row" },
      h("span", null, data(clip.doorbell_name, 60), " · ", words.t("panel_size", {
        duration: words.duration(clip.seconds), size: words.bytes(clip.size) })),
      clipChips(desk, clip)),
    clip.held && snapshot.approver && h("p", { class: "quiet" }, words.t("panel_kept_text")),
    h("div", { class: "actions start" },
      !clip.pictures && downloadButton(desk, { path: clip.video, name }),
      snapshot.approver && [
        keepButton(desk, clip, onChanged),
        button(words.t("panel_clip_verify"), () => verifyOne(desk, clip), {
          "data-testid": "clip-verify", "data-focus": "clip-verify", disabled: desk.blocked }),
        button(words.t("panel_delete"), onDelete, { "data-testid": "clip-delete", disabled: desk.blocked }),
      ]),
    snapshot.approver && verifyResult(desk, desk.job(jobName(clip)), { one: true }));
}

const jobName = (clip) => `verify ${clip.id}`;

const verifyOne = (desk, clip) =>
  desk.job(jobName(clip)).run((onStep) => desk.backend.verifyClips(onStep, clip.id));

function keepButton(desk, clip, onChanged) {
  const { words, backend } = desk;
  const change = async () => {
    const done = await (clip.held
      ? desk.act(() => backend.letGo(clip.id), words.t("panel_let_go_done"))
      : desk.act(() => backend.holdClip(clip.id), words.t("panel_keep_done")));
    if (done) onChanged();
  };
  return button(words.t(clip.held ? "panel_let_go" : "panel_keep"), change, {
    "data-testid": "clip-keep", disabled: desk.blocked });
}
