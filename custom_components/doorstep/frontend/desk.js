/** What every view works at: the latest snapshot, the words, the back end, and one action at a time. */

import { Backend } from "./backend.js";
import { Job } from "./job.js";

const named = (name) => `[data-focus="${CSS.escape(name)}"]`;

export class Desk {
  words;
  snapshot;
  online = true;
  busy = false;
  error;
  question;
  focusWanted;
  besideWanted;
  scrollWanted = false;
  ticking = false;
  announcement = "";
  unplayable = new Set();
  domains = new Map();
  jobs = new Map();
  near = new Set();

  /** `hass` returns Home Assistant's front-end object; `update` has the panel drawn again. */
  constructor(hass, update) {
    this.hass = hass;
    this.backend = new Backend(hass);
    this.update = update;
  }

  /** The time zone of the home. */
  get zone() {
    return this.hass().config?.time_zone;
  }

  /** Whether deciding must wait: no connection, or the last decision is still on its way. */
  get blocked() {
    return this.busy || !this.online;
  }

  /** Do one thing that changes something; its answer, or undefined after showing what went wrong. */
  async act(action, said) {
    if (this.blocked) return undefined;
    this.busy = true;
    this.error = undefined;
    this.update();
    try {
      const answer = (await action()) ?? {};
      this.announce(said);
      return answer;
    } catch (error) {
      this.error = this.words.error(error);
      return undefined;
    } finally {
      this.busy = false;
      this.update();
    }
  }

  /** Show `sentence` as an error; none takes the last one away. */
  fail(sentence) {
    this.error = sentence;
    this.update();
  }

  /** The long work called `name`: it goes on while other views are looked at. */
  job(name) {
    if (!this.jobs.has(name)) this.jobs.set(name, new Job(this));
    return this.jobs.get(name);
  }

  /** Have `text` read out by a screen reader. */
  announce(text) {
    this.announcement = text ?? "";
  }

  /** Show a window that `question` draws; undefined closes it. */
  ask(question) {
    this.question = question;
    this.update();
  }

  /** Move the keyboard to the part named `name` as soon as it is drawn, with the part `beside` in sight if it can be. */
  focus(name, beside) {
    this.focusWanted = named(name);
    this.scrollWanted = false;
    this.besideWanted = beside && named(beside);
    this.update();
  }

  focusHeading() {
    this.scrollWanted = true;
    this.rest();
  }

  /** Move the keyboard to the heading, but let the page stay where it is. */
  rest() {
    this.focusWanted = "h1";
    this.update();
  }

  /** Ask, while drawing, to be drawn again in a second. */
  tick() {
    this.ticking = true;
  }
}
