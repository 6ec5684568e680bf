/** The clock of the home, for fields in which people set a day and a time: those know no zone. */

const DAY = 86_400_000;

/** The local time of `moment` (milliseconds) at `zone`, as if it were UTC: milliseconds. */
function local(zone, moment) {
  const format = new Intl.DateTimeFormat("en", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit",
    hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  const { year, month, day, hour, minute, second } = Object.fromEntries(
    format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** What a field of type datetime-local shows for the ISO time `time`. */
export const fieldTime = (zone, time) => new Date(local(zone, Date.parse(time))).toISOString().slice(0, 19);

/** The day at home, as 2026-11-24, of an ISO time. */
export const homeDay = (zone, time) => fieldTime(zone, time).slice(0, 10);

/**
 * The ISO time in UTC that the field's `text` means; undefined where it means none. An hour that
 * the clocks show twice is the first one, or the second where `latest`.
 */
export function moment(zone, text, { latest = false } = {}) {
  const wanted = Date.parse(`${text}Z`);
  if (Number.isNaN(wanted)) return undefined;
  const around = [wanted - DAY, wanted + DAY].map((near) => wanted - (local(zone, near) - near));
  const found = around.filter((candidate) => local(zone, candidate) === wanted);
  const chosen = found.length ? Math[latest ? "max" : "min"](...found) : Math.max(...around);
  return new Date(chosen).toISOString();
}
