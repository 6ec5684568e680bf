/**
 * Stands in for Home Assistant's page: a `hass` whose connection is scripted by the test.
 *
 * The test leaves {snapshot, answers: {command: answer}, clips} in the name of the window.
 * Afterwards it uses `window.house`: what was called, new snapshots, errors, steps of long work,
 * the connection going and coming.
 */

import "/panel/panel.js";
import * as checks from "./checks.js";
import { library } from "./library.js";

const words = await (await fetch("/words.json")).json();
const PREFIX = "component.doorstep.common.";

const script = JSON.parse(window.name);

const house = {
  calls: [],
  missing: new Set(),
  answers: { ...library(script.clips ?? []), ...script.answers },
  steps: {},
  ended: [],
  snapshot: script.snapshot,
  subscriber: undefined,

  send(snapshot) {
    house.snapshot = snapshot;
    house.subscriber?.(structuredClone(snapshot));
  },

  tell(kind, step) {
    house.steps[kind](step);
  },

  connect(connected) {
    panel.hass = { ...panel.hass, connected };
  },
};
function localize(key, values) {
  const text = key.startsWith(PREFIX) ? words[key.slice(PREFIX.length)] : undefined;
  if (text === undefined) house.missing.add(key);
  return (text ?? "").replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

async function callWS(message) {
  const { type, ...values } = JSON.parse(JSON.stringify(message));
  house.calls.push({ type, ...values });
  // Home Assistant signs whole seconds: the same again in the same second
  if (type === "auth/sign_path") {
    return { path: `${values.path}?authSig=test-${Math.floor(Date.now() / 1000)}-${values.expires}` };
  }
  const answer = house.answers[type.replace("doorstep/", "")];
  if (!answer) return new Promise(() => {}); // never answers
  if (answer.error) throw answer.error;
  return structuredClone(answer instanceof Function ? answer(values) : answer);
}

/** Listen to the steps of something long. */
async function listen(callback, { type, ...values }) {
  const kind = type.replace("doorstep/", "");
  house.calls.push(JSON.parse(JSON.stringify({ type, ...values })));
  if (house.answers[kind]?.error) throw house.answers[kind].error;
  house.steps[kind] = callback;
  return () => { house.ended.push(kind); };
}

const hass = {
  language: "en",
  locale: { language: "en", time_format: "24", time_zone: "server" },
  config: { time_zone: "Europe/Vienna", unit_system: { length: "km" } },
  connected: true,
  localize,
  callWS,
  loadBackendTranslation: async () => localize,
  connection: {
    async subscribeMessage(callback, { type, ...values }) {
      if (type !== "doorstep/subscribe") return listen(callback, { type, ...values });
      house.calls.push({ type });
      if (house.answers.subscribe?.error) throw house.answers.subscribe.error;
      house.subscriber = callback;
      if (house.snapshot) setTimeout(() => callback(structuredClone(house.snapshot)));
      return () => { house.subscriber = undefined; };
    },
  },
};

const panel = document.createElement("doorstep-panel");
const route = () => { panel.route = { prefix: "/doorstep", path: location.pathname.slice("/doorstep".length) }; };
panel.hass = hass;
panel.narrow = innerWidth < 870;
route();
addEventListener("location-changed", route);
addEventListener("popstate", route);
document.body.append(panel);
Object.assign(window, { checks, house });
