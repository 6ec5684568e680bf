/** A request that somebody of the household said no to: nobody outside knows, and it can be taken back. */

import { h } from "../dom.js";
import { button, card } from "./basics.js";

export const declineButton = (desk, handle) =>
  button(desk.words.t("panel_decline"), async () => {
    if (await desk.act(() => desk.backend.decline(handle), desk.words.t("panel_declined"))) desk.focus("declined");
  }, { "data-testid": "decline", disabled: desk.blocked });

export const declinedCard = (desk, handle) =>
  card(desk.words.t("panel_declined_title"), { key: "declined", "data-focus": "declined", tabindex: "-1" },
    h("p", null, desk.words.t("panel_declined_text")),
    h("div", { class: "actions" },
      button(desk.words.t("panel_undo_decline"),
        () => desk.act(() => desk.backend.undoDecline(handle), desk.words.t("panel_decline_undone")),
        { "data-testid": "undo-decline", disabled: desk.blocked })));
