/** All words, dates and numbers that people read, in their language and time zone. */

const COMMON = "component.doorstep.common.";

/** Load Doorstep's translations; `hass` is Home Assistant's front-end object. */
export async function loadWords(hass) {
  await hass.loadBackendTranslation("exceptions", "doorstep");
  const localize = await hass.loadBackendTranslation("common", "doorstep");
  return new Words(hass, localize ?? hass.localize);
}

/** Tell whether `hass` still speaks the language and clock that `before` spoke. */
export const sameWords = (hass, before) =>
  before !== undefined &&
  hass.language === before.language &&
  hass.locale === before.locale &&
  hass.config?.time_zone === before.config?.time_zone;

class Words {
  #hass;
  #localize;

  constructor(hass, localize) {
    this.#hass = hass;
    this.#localize = localize;
    this.language = hass.locale?.language ?? hass.language ?? "en";
    this.miles = hass.config?.unit_system?.length === "mi";
    this.zone = hass.locale?.time_zone === "server" ? hass.config?.time_zone : undefined;
    this.hourCycle = { 12: "h12", 24: "h23" }[hass.locale?.time_format];
    this.homeZone = hass.config?.time_zone;
  }

  /** The sentence of `key`, with `{name}` replaced from `values`. */
  t(key, values) {
    return this.#localize(COMMON + key, values) || key;
  }

  /** The sentence of `key`_one, `key`_other, ...: whichever the language wants for `n`. */
  count(key, n, values) {
    const form = new Intl.PluralRules(this.language).select(n);
    const all = { n: this.number(n), ...values };
    return this.#localize(`${COMMON}${key}_${form}`, all) || this.t(`${key}_other`, all);
  }

  /** The name of a value of a closed list; a value we have no name for is shown as it came. */
  name(list, value) {
    const known = /^[a-z0-9_]+$/.test(value ?? "") && this.#localize(`${COMMON}${list}_${value}`);
    return known || capped(value);
  }

  names(list, values) {
    const all = (values ?? []).map((value) => this.name(list, value));
    return new Intl.ListFormat(this.language, { type: "conjunction" }).format(all);
  }

  /** What went wrong, from an error that a command was answered with. */
  error(error) {
    const key = error?.translation_domain === "doorstep" && error.translation_key;
    const path = `component.doorstep.exceptions.${key}.message`;
    const sentence = key && this.#localize(path, error.translation_placeholders);
    return sentence || capped(error?.message, 400) || this.t("panel_error_unknown");
  }

  number(value, options) {
    return new Intl.NumberFormat(this.language, options).format(value);
  }

  #moment(options) {
    return new Intl.DateTimeFormat(this.language, {
      timeZone: this.zone,
      hourCycle: this.hourCycle,
      dateStyle: "medium",
      ...options,
    });
  }

  date(time) {
    return valid(time) ? this.#moment().format(new Date(time)) : capped(time);
  }

  dateTime(time) {
    return valid(time) ? this.#moment({ timeStyle: "short" }).format(new Date(time)) : capped(time);
  }

  clock(time) {
    const options = { dateStyle: undefined, timeStyle: "medium" };
    return valid(time) ? this.#moment(options).format(new Date(time)) : capped(time);
  }

  /** A moment by the clock of the home, with its zone where the reader's clock shows another time. */
  atHome(time, options) {
    const zone = { timeZone: this.homeZone, dateStyle: undefined };
    const away = !this.zone && this.homeZone && this.homeZone !== Intl.DateTimeFormat().resolvedOptions().timeZone;
    const clock = { hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: away ? "short" : undefined };
    return valid(time) ? this.#moment({ ...zone, ...clock, ...options }).format(new Date(time)) : capped(time);
  }

  /** The name of a day given as 2026-11-24. */
  day(day) {
    const options = { timeZone: "UTC", dateStyle: undefined, weekday: "short", day: "numeric", month: "short", year: "numeric" };
    return valid(day) ? this.#moment(options).format(new Date(day)) : capped(day);
  }

  span(start, end) {
    if (!valid(start) || !valid(end)) return `${capped(start)} – ${capped(end)}`;
    return this.#moment({ timeStyle: "short" }).formatRange(new Date(start), new Date(end));
  }

  /** "in 3 days", "2 hours ago". */
  relative(time, now = Date.now()) {
    const seconds = (new Date(time) - now) / 1000;
    const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60]].find(
      ([, length]) => Math.abs(seconds) >= length,
    ) ?? ["second", 1];
    const format = new Intl.RelativeTimeFormat(this.language, { numeric: "auto" });
    return valid(time) ? format.format(Math.trunc(seconds / size), unit) : capped(time);
  }

  /** "1 h 5 min", "2 min 10 s", "8 s". */
  duration(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    const parts = [
      ["hour", Math.floor(whole / 3600)],
      ["minute", Math.floor(whole / 60) % 60],
      ["second", whole < 3600 ? whole % 60 : 0],
    ].filter(([unit, value]) => value || (unit === "second" && !whole));
    return parts
      .map(([unit, value]) => this.number(value, { style: "unit", unit, unitDisplay: "short" }))
      .join(" ");
  }

  bytes(size) {
    const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
    const step = Math.min(3, Math.max(0, Math.floor(Math.log10(Math.max(1, size)) / 3)));
    const digits = step > 1 ? 1 : 0;
    const options = { style: "unit", unit: units[step], maximumFractionDigits: digits };
    return this.number(size / 1000 ** step, { ...options, unitDisplay: step ? "short" : "long" });
  }

  /** A length given in metres, in the units of the household. */
  distance(metres) {
    const [small, large] = this.miles ? [["foot", 0.3048], ["mile", 1609.344]] : [["meter", 1], ["kilometer", 1000]];
    const [unit, size] = metres >= large[1] / 2 ? large : small;
    const options = { style: "unit", unit, maximumSignificantDigits: 2 };
    return this.number(metres / size, options);
  }

  /** An area given in square metres, in square kilometres or square miles. */
  area(squareMetres) {
    const [key, size] = this.miles ? ["panel_square_miles", 1609.344 ** 2] : ["panel_square_kilometres", 1e6];
    return this.t(key, { n: this.number(squareMetres / size, { maximumSignificantDigits: 2 }) });
  }
}

const valid = (time) => typeof time === "string" && !Number.isNaN(Date.parse(time));

/** Text from outside, at most `limit` characters of it. */
export function capped(text, limit = 160) {
  const characters = [...String(text ?? "")];
  return characters.length > limit ? `${characters.slice(0, limit).join("")}…` : characters.join("");
}
