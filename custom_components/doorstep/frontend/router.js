/** Addresses of the views, and moving between them the way Home Assistant's front end expects. */

export const ROOT = "/doorstep";
export const requestPath = (handle) => `${ROOT}/request/${encodeURIComponent(handle)}`;
export const decisionPath = (handle) => `${requestPath(handle)}/decision`;
export const clipsPath = `${ROOT}/clips`;
export const clipPath = (clip) => `${clipsPath}?clip=${encodeURIComponent(clip)}`;
export const ledgerPath = `${ROOT}/ledger`;
export const settingsPath = "/config/integrations/integration/doorstep";

const VIEWS = [
  [/^\/request\/([^/]+)\/decision$/, "decision"],
  [/^\/request\/([^/]+)$/, "request"],
  [/^\/clips$/, "clips"],
  [/^\/ledger$/, "ledger"],
];

/** Read an address: which view, of which request or clip, and whether straight at the final confirmation. */
export function place(path, search) {
  const trimmed = path.replace(/\/$/, "");
  for (const [pattern, view] of VIEWS) {
    const match = pattern.exec(trimmed);
    if (!match) continue;
    const query = new URLSearchParams(search);
    const confirm = view === "request" && query.get("confirm") === "1";
    return { view: confirm ? "decision" : view, handle: decoded(match[1]), confirm, clip: query.get("clip") };
  }
  return { view: "inbox", handle: undefined, confirm: false };
}

export function go(path, { replace = false } = {}) {
  // `from` is what Home Assistant's own back buttons look for.
  if (replace) history.replaceState(history.state, "", path);
  else history.pushState({ from: location.pathname }, "", path);
  window.dispatchEvent(new CustomEvent("location-changed", { detail: { replace } }));
}

/** Back to where the person came from; to `fallback` where a link led straight here. */
export function back(fallback) {
  if (history.state?.from === undefined) go(fallback, { replace: true });
  else history.back();
}

/** An ordinary link that is followed without loading the page again. */
export const follow = (path, options) => ({
  href: path,
  onclick: (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go(path, options);
  },
});

function decoded(text) {
  try {
    return text && decodeURIComponent(text);
  } catch {
    return text;
  }
}
