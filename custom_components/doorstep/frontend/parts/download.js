/** Files of this house that a person keeps a copy of. */

import { button } from "./basics.js";

/** Save the authenticated `path` as `name`; signed when pressed, since a signature ends. */
export const downloadButton = (desk, { path, name }, props) =>
  button(desk.words.t("panel_download"), () => download(desk, path, name), {
    "data-testid": "download", disabled: !desk.online, ...props,
  });

async function download(desk, path, name) {
  const href = await desk.backend.fresh(path);
  if (!href) {
    desk.fail(desk.words.t("panel_error_unknown"));
    return;
  }
  const link = document.createElement("a");
  Object.assign(link, { href, download: name });
  link.click();
}
