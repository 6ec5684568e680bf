/** A video file of this house in the browser's own player. */

import { h } from "../dom.js";
import { button, notice } from "./basics.js";
import { downloadButton } from "./download.js";

const MISSABLE_SHARE = 0.1;
const MISSABLE_SECONDS = 0.5;

/** Tell whether nearly all of `seconds` was really played; jumping to the end is not playing. */
export function watched(video, seconds) {
  let played = 0;
  for (let i = 0; i < video.played.length; i += 1) played += video.played.end(i) - video.played.start(i);
  // The file itself knows best how long it is, where it says so.
  const length = Number.isFinite(video.duration) ? Math.min(video.duration, seconds) : seconds;
  return played >= length - Math.max(length * MISSABLE_SHARE, MISSABLE_SECONDS);
}

/**
 * Draw a player for the authenticated `path`. `file` holds {path, seconds, label, poster?,
 * testid?, name?}; under `name` it can be downloaded where the browser cannot play it. `onWatched`
 * is called once nearly all of it was played.
 */
export function player(desk, file, onWatched) {
  const source = desk.backend.signed(file.path, desk.update);
  if (source === null || desk.unplayable.has(file.path)) return failed(desk, file);
  const check = onWatched && ((event) => watched(event.target, file.seconds) && onWatched());
  return h("video", {
    key: file.path,
    class: "video",
    controls: true,
    playsinline: true,
    preload: "metadata",
    src: source,
    poster: (file.poster && desk.backend.signed(file.poster, desk.update)) ?? undefined,
    "aria-label": file.label,
    "data-testid": file.testid,
    ontimeupdate: check,
    onended: check,
    onerror: (event) => signAgain(desk, file, event.target),
    onloadeddata: (event) => goOn(desk, file, event.target),
  });
}

/** A signature ends after an hour; a second error in a row is not about that. */
async function signAgain(desk, file, video) {
  if (video.dataset.at === undefined) {
    video.dataset.at = video.currentTime;
    await desk.backend.sign(file.path);
  } else desk.unplayable.add(file.path);
  desk.update();
}

function goOn(desk, file, video) {
  // A browser that knows the sound but not the picture (H.265) plays a black film without an error.
  if (!video.videoWidth) {
    desk.unplayable.add(file.path);
    desk.update();
  }
  if (Number(video.dataset.at) > 0) video.currentTime = Number(video.dataset.at);
  delete video.dataset.at;
}

function failed(desk, file) {
  const again = async () => {
    desk.unplayable.delete(file.path);
    await desk.backend.sign(file.path);
    desk.update();
  };
  return h("div", { key: `${file.path} failed` },
    notice("error",
      h("p", null, desk.words.t(file.name ? "panel_clip_unplayable" : "panel_video_failed")),
      h("div", { class: "actions start" },
        file.name && downloadButton(desk, file, { class: "small" }),
        button(desk.words.t("panel_retry"), again, { class: "small" }))));
}
