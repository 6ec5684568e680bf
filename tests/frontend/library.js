/**
 * Stands in for the library behind the clips commands: `clips` as clips/list would answer with
 * them, on UTC days and hours. Each handler takes what came with the command.
 */
export function library(clips) {
  const shelf = clips.toReversed().map((clip) => ({ ...clip }));
  const there = () => shelf.filter((clip) => !clip.deleted).toReversed();
  const of = (doorbell) => there().filter((clip) => !doorbell || clip.doorbell === doorbell);
  const chosen = (ids) => shelf.filter(({ id }) => ids.includes(id));
  const sorted = (names) => [...new Set(names)].sort().reverse();
  const one = (id, changes) => { Object.assign(chosen([id])[0], changes); return {}; };
  const hour = (all, time) => {
    const inside = all.filter(({ start }) => start.startsWith(time));
    const end = new Date(Date.parse(`${time}:00:00Z`) + 3_600_000).toISOString().replace(".000", "");
    return { start: `${time}:00:00Z`, end, label: `${time.slice(11)}:00`, clips: inside.length };
  };
  return {
    "clips/days": ({ doorbell }) => sorted(of(doorbell).map((clip) => clip.start.slice(0, 10))),
    "clips/hours": ({ day, doorbell }) => {
      const all = of(doorbell).filter((clip) => clip.start.startsWith(day));
      return sorted(all.map((clip) => clip.start.slice(0, 13))).map((time) => hour(all, time));
    },
    "clips/list": ({ doorbell, start, end, limit, offset }) => {
      const begins = (clip) => Date.parse(clip.start);
      const found = of(doorbell).filter((clip) => begins(clip) >= Date.parse(start) && begins(clip) < Date.parse(end));
      return { clips: found.slice(offset, offset + limit), more: found.length > offset + limit };
    },
    "clips/binned": () => shelf.filter((clip) => clip.deleted).toReversed(),
    "clips/delete": ({ clips: ids, confirmed }) => {
      const asked_for = chosen(ids).filter((clip) => clip.asked_for).length;
      const held = chosen(ids).filter((clip) => clip.held).length;
      if (!confirmed && asked_for + held) return { confirm: { asked_for, held } };
      const until = new Date(Date.now() + 86_390_000).toISOString();
      for (const clip of chosen(ids)) clip.deleted = { until };
      return { deleted: ids, until };
    },
    "clips/restore": ({ clips: ids }) => {
      for (const clip of chosen(ids)) clip.deleted = null;
      return {};
    },
    "clips/hold": ({ clip }) => one(clip, { held: true }),
    "clips/let_go": ({ clip }) => one(clip, { held: false }),
    "clips/rescan": () => ({}),
    "clips/stills": () => [1, 2, 3].map((second) => ({
      at: `2026-11-23T10:00:0${second}Z`, path: "/media/clip.jpg" })),
    add: (clip) => shelf.push(clip),
  };
}
