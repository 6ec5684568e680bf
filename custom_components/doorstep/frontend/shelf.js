/** The part of the library that is shown: a day or an hour of it, page by page, kept up to date. */

import { homeDay } from "./home-time.js";

const PAGE = 50;
const MOST = 200;
// A clip is named after its event: it begins shortly before, or later where it goes on with a long one.
const NAMED = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-.*$/;
const MINUTE = 60_000;
const AROUND = [[-5, 15], [15, 360]];

/** The ISO time in the name of the clip `id`; undefined where it has none. */
export const eventTime = (id) => (NAMED.test(id) ? id.replace(NAMED, "$1-$2-$3T$4:$5:$6Z") : undefined);

export class Shelf {
  doorbell;
  day;
  hour;
  days;
  hours = [];
  clips = [];
  more = false;
  reading = false;
  error;
  names = new Map();
  #turn = 0;
  #again = false;

  constructor(desk) {
    this.desk = desk;
  }

  /** Names what is shown: it changes when a person turns to something else. */
  get place() {
    return [this.doorbell, this.day, this.hour].join(" ");
  }

  /** The hour or the whole day that is shown as {start, end} in UTC; undefined where there is none. */
  get range() {
    const hour = this.hours.find(({ start }) => start === this.hour);
    const span = hour ? [hour] : this.hours;
    return span.length ? { start: span.at(-1).start, end: span[0].end } : undefined;
  }

  /** Show something else. */
  choose({ doorbell = this.doorbell, day = this.day, hour }) {
    Object.assign(this, { doorbell: doorbell || undefined, day, hour, clips: [], more: false });
    return this.#read();
  }

  /** Something changed: read again what is shown. */
  refresh() {
    this.#again = this.reading;
    return this.reading ? undefined : this.#read();
  }

  async #read(wanted = Math.max(PAGE, this.clips.length)) {
    this.#turn += 1;
    const turn = this.#turn;
    this.reading = true;
    this.#again = false;
    try {
      const found = await this.#found(wanted);
      if (turn !== this.#turn) return;
      Object.assign(this, found, { error: undefined });
    } catch (error) {
      if (turn !== this.#turn) return;
      this.error = error;
    }
    this.reading = false;
    this.desk.update();
    if (this.#again) await this.#read();
  }

  async #found(wanted) {
    const { backend } = this.desk;
    const { doorbell } = this;
    const days = await backend.clipDays(doorbell);
    const day = this.day ?? days[0];
    const hours = days.includes(day) ? await backend.clipHours(day, doorbell) : [];
    const hour = hours.some(({ start }) => start === this.hour) ? this.hour : undefined;
    const span = hour ? hours.filter(({ start }) => start === hour) : hours;
    const range = span.length > 0 && { doorbell, start: span.at(-1).start, end: span[0].end };
    return { days, day, hours, hour, ...(range ? await this.#listed(range, wanted) : { clips: [], more: false }) };
  }

  async #listed(range, wanted) {
    const clips = new Map();
    let offset = 0;
    let more = true;
    while (more && offset < wanted) {
      const limit = Math.min(MOST, wanted - offset);
      const page = await this.desk.backend.clips({ ...range, limit, offset });
      for (const clip of this.#known(page.clips)) clips.set(clip.id, clip);
      offset += limit;
      more = page.more;
    }
    return { clips: [...clips.values()], more };
  }

  #known(clips) {
    for (const clip of clips) this.names.set(clip.doorbell, clip.doorbell_name);
    return clips;
  }

  /** Read one page more. */
  next() {
    return this.#read(this.clips.length + PAGE);
  }

  /** The clip `id` wherever it lies, or undefined. */
  async find(id) {
    const listed = this.clips.find((clip) => clip.id === id);
    if (listed) return listed;
    const at = Date.parse(eventTime(id) ?? "");
    if (Number.isNaN(at)) return undefined;
    for (const minutes of AROUND) {
      const [start, end] = minutes.map((shift) => new Date(at + shift * MINUTE).toISOString());
      const { clips } = await this.#listed({ start, end }, Infinity);
      const found = clips.find((clip) => clip.id === id);
      if (found) return found;
    }
    return undefined;
  }

  /** Show the day of `clip`. */
  turnTo(clip) {
    return this.choose({ day: homeDay(this.desk.zone, clip.start), doorbell: null });
  }
}
