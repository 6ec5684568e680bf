/** <doorstep-panel>: the frame around the views, and its life in Home Assistant's page. */

import { Desk } from "./desk.js";
import { draw, h } from "./dom.js";
import { button, icon, notice, waiting } from "./parts/basics.js";
import { ROOT, back, clipsPath, follow, ledgerPath, place } from "./router.js";
import { clipStyles } from "./clip-styles.js";
import { styles } from "./styles.js";
import { ClipsView } from "./views/clips.js";
import { DecisionView } from "./views/decision.js";
import { InboxView } from "./views/inbox.js";
import { LedgerView } from "./views/ledger.js";
import { RequestView } from "./views/request.js";
import { loadWords, sameWords } from "./words.js";

const VIEWS = { inbox: InboxView, request: RequestView, decision: DecisionView, clips: ClipsView, ledger: LedgerView };
const TABS = [["inbox", "panel_inbox", ROOT], ["clips", "panel_clips_tab", clipsPath], ["ledger", "panel_ledger", ledgerPath]];

class DoorstepPanel extends HTMLElement {
  #hass;
  #narrow = false;
  #route;
  #view;
  #viewKey;
  #failure;
  #unsubscribe;
  #spokenBy;
  #drawing = false;
  #resting;
  #timer;
  #desk = new Desk(() => this.#hass, () => this.#update());

  constructor() {
    super();
    this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles + clipStyles);
    this.shadowRoot.adoptedStyleSheets = [sheet];
  }

  set hass(hass) {
    const online = hass.connected ?? hass.connection?.connected ?? true;
    const changed = online !== this.#desk.online || !this.#hass;
    this.#hass = hass;
    this.#desk.online = online;
    // Home Assistant sets this at every change of any state: only what we show matters.
    if (!sameWords(hass, this.#spokenBy)) this.#speak(hass);
    if (changed) {
      this.#subscribe();
      this.#update();
    }
  }

  get hass() {
    return this.#hass;
  }

  set narrow(narrow) {
    this.#narrow = narrow;
    this.#update();
  }

  set route(route) {
    this.#route = route;
    this.#move();
  }

  connectedCallback() {
    window.addEventListener("location-changed", this.#moved);
    window.addEventListener("popstate", this.#moved);
    this.#subscribe();
    this.#update();
  }

  disconnectedCallback() {
    window.removeEventListener("location-changed", this.#moved);
    window.removeEventListener("popstate", this.#moved);
    clearTimeout(this.#timer);
    this.#unsubscribe?.then((end) => end?.());
    this.#unsubscribe = undefined;
    for (const job of this.#desk.jobs.values()) job.stop();
  }

  // The route we are given leaves out the query.
  #moved = () => queueMicrotask(() => this.#move());

  async #speak(hass) {
    this.#spokenBy = hass;
    try {
      this.#desk.words = await loadWords(hass);
    } catch {
      this.#spokenBy = undefined; // try again with the next hass
    }
    this.#update();
  }

  #subscribe() {
    if (this.#unsubscribe || !this.isConnected || !this.#desk.online || !this.#hass) return;
    this.#failure = undefined;
    this.#unsubscribe = this.#desk.backend.subscribe((snapshot) => this.#changed(snapshot)).catch((error) => {
      this.#failure = error;
      this.#unsubscribe = undefined;
      this.#update();
    });
  }

  #changed(snapshot) {
    this.#desk.snapshot = snapshot;
    this.#view?.changed();
    this.#update();
  }

  #move() {
    const prefix = this.#route?.prefix ?? ROOT;
    const here = location.pathname.startsWith(prefix);
    if (!this.#route || !here) return;
    const target = place(location.pathname.slice(prefix.length), location.search);
    const key = `${target.view} ${target.handle}`;
    if (key === this.#viewKey) {
      if (target.confirm) this.#view.confirming = true;
      this.#view.moved?.(target);
      this.#update();
      return;
    }
    if (this.#viewKey) this.#desk.focusHeading();
    this.#viewKey = key;
    this.#desk.error = this.#desk.question = undefined;
    this.#view = new VIEWS[target.view](this.#desk, target);
    if (this.#desk.snapshot) this.#view.changed();
    this.#update();
  }

  #update() {
    if (this.#drawing) return;
    this.#drawing = true;
    queueMicrotask(() => {
      this.#drawing = false;
      if (this.isConnected) this.#draw();
    });
  }

  #draw() {
    const desk = this.#desk;
    desk.ticking = false;
    // A button that is switched off while its work is done loses the keyboard.
    if (desk.busy) this.#resting ??= this.shadowRoot.activeElement;
    draw(this.shadowRoot, this.#header(), h("main", { class: this.#narrow && "narrow" }, this.#content()),
      desk.question?.(),
      h("div", { class: "unseen", role: "status", "aria-live": "polite" }, desk.announcement));
    const target = desk.focusWanted && this.shadowRoot.querySelector(desk.focusWanted);
    if (target) {
      if (desk.besideWanted) this.shadowRoot.querySelector(desk.besideWanted)?.scrollIntoView({ block: "nearest" });
      desk.besideWanted = undefined;
      target.focus({ preventScroll: desk.focusWanted === "h1" });
      if (desk.scrollWanted) window.scrollTo(0, 0);
      desk.focusWanted = undefined;
      desk.scrollWanted = false;
    }
    if (!desk.busy && this.#resting) {
      if (!this.shadowRoot.activeElement) this.#resting.focus({ preventScroll: true });
      this.#resting = undefined;
    }
    clearTimeout(this.#timer);
    if (desk.ticking) this.#timer = setTimeout(() => this.#update(), 1000);
  }

  #header() {
    const { words } = this.#desk;
    const parent = this.#view?.parent;
    return h("header", null,
      h("div", { class: "toolbar" },
        parent && words ? tool("back", words.t("panel_back"), () => back(parent)) : this.#menu(),
        h("div", { class: "title" }, words && (parent ? this.#view.title : words.t("panel_title")))),
      words && !parent && h("nav", { "aria-label": words.t("panel_title") }, this.#tabs().map(([view, key, path]) =>
        h("a", { key: view, "aria-current": this.#view instanceof VIEWS[view] && "page", ...follow(path) }, words.t(key)))));
  }

  #tabs() {
    return TABS.filter(([view]) => view !== "clips" || this.#desk.snapshot?.clips);
  }

  /** Home Assistant's own menu button where it is there; else one that sends the same event. */
  #menu() {
    if (customElements.get("ha-menu-button")) {
      return h("ha-menu-button", { ".hass": this.#hass, ".narrow": this.#narrow });
    }
    const toggle = () => this.dispatchEvent(new CustomEvent("hass-toggle-menu", { bubbles: true, composed: true }));
    const { words } = this.#desk;
    return this.#narrow && words && tool("menu", words.t("panel_menu"), toggle);
  }

  #content() {
    const { words, snapshot, online, error } = this.#desk;
    if (!words) return waiting("");
    return [
      !online && notice("error", words.t("panel_offline")),
      error && notice("error", h("p", null, error),
        button(words.t("panel_close"), () => this.#desk.fail(), { class: "small" })),
      this.#failure && notice("error", h("p", null, words.error(this.#failure)),
        button(words.t("panel_retry"), () => this.#subscribe(), { class: "small" })),
      snapshot && this.#view
        ? h("div", { key: this.#viewKey }, this.#view.render())
        : !this.#failure && waiting(words.t("panel_loading")),
    ];
  }
}

const tool = (name, label, onclick) =>
  h("button", { key: name, type: "button", class: "tool", "aria-label": label, onclick }, icon(name));

if (!customElements.get("doorstep-panel")) customElements.define("doorstep-panel", DoorstepPanel);
