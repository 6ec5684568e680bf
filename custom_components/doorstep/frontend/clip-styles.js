/** How the clips look. */

export const clipStyles = `
.field { display: grid; gap: 4px; min-width: 0; }
.field > span { font-size: 12px; color: var(--quiet); }
.field select, .field input {
  width: 100%; min-height: 44px; padding: 8px 12px; border: 1px solid color-mix(in srgb, var(--quiet) 60%, transparent);
  border-radius: 8px; color: inherit; background: var(--ha-card-background, var(--card-background-color, #fff)); font: inherit;
}
.tool:hover:not([aria-disabled]) { background: color-mix(in srgb, var(--accent) 10%, transparent); }
.tool[aria-disabled] { opacity: 0.35; cursor: default; }

.button[aria-pressed="true"], .button[aria-expanded="true"] { background: color-mix(in srgb, var(--accent) 16%, transparent); }
.filters { display: flex; flex-wrap: wrap; align-items: end; gap: 12px 16px; }
.filters > .field, .filters > .day { flex: 1 1 200px; max-width: 340px; }
.filters > .actions { flex: 1 0 auto; }
form.filters > .field { flex-basis: 250px; }
.filters > .bad { flex-basis: 100%; }
.day { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; align-items: end; }

.storage .row { gap: 4px 20px; }
.storage progress { height: 10px; }
.nearly progress { --fill: var(--warn); }
.result { display: grid; gap: 8px; }
.result:empty { display: none; }

.shelf, .shelf > * { display: grid; gap: var(--gap); align-content: start; min-width: 0; }
.clip-list { display: grid; gap: 12px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); }
.clip {
  display: flex; gap: 14px; height: 100%; padding: 10px; color: inherit; text-decoration: none; cursor: pointer;
  background: var(--ha-card-background, var(--card-background-color, #fff));
  border: 1px solid var(--line); border-radius: 12px; scroll-margin: 130px 0 100px;
}
.clip:hover { background: color-mix(in srgb, var(--accent) 6%, var(--ha-card-background, var(--card-background-color, #fff))); }
.clip[aria-current], .clip:has(:checked) { border-color: var(--accent-text); box-shadow: inset 0 0 0 1px var(--accent-text); }
.pick input { width: 20px; height: 20px; margin: 0; align-self: center; accent-color: var(--accent-fill); flex: none; }
.about { display: grid; gap: 2px; align-content: start; min-width: 0; flex: 1; }
.about .icon { width: 18px; height: 18px; margin-top: 1px; }
.named { display: flex; gap: 6px; font-weight: 500; }
.frame {
  position: relative; display: grid; place-items: center; flex: none; width: 128px; aspect-ratio: 16 / 9; overflow: hidden;
  align-self: start; border-radius: 6px; color: #bbb; background: #222;
}
.thumb { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: cover; }
.thumb.missing { visibility: hidden; }
.length {
  position: absolute; inset-inline-end: 4px; bottom: 4px; padding: 0 6px; border-radius: 4px;
  font-size: 12px; line-height: 18px; color: #fff; background: #000;
}
.more { justify-content: center; }

.opened { scroll-margin-top: 120px; }
.opened .video { max-height: 70vh; object-fit: contain; }
.heading { display: flex; gap: 8px; align-items: start; justify-content: space-between; }
.heading h2 { padding-top: 8px; }
.heading .tool { flex: none; }
[data-focus="clip"], [data-focus="export"] { scroll-margin-top: 130px; }
.stills { display: grid; gap: 8px; }
.stepper { display: flex; gap: 8px; align-items: center; }
.stepper input { flex: 1; min-width: 0; min-height: 44px; accent-color: var(--accent-fill); }

.floating {
  position: sticky; bottom: 12px; z-index: 3; grid-template-columns: minmax(0, 1fr) auto; align-items: center;
  width: min(100%, 680px); margin: 0 auto; padding: 10px 16px; box-shadow: 0 4px 18px #0006;
}
.binned { display: grid; gap: 12px; }
.binned li { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; }
.binned .about { flex: 1 1 160px; }

main > .notice.error {
  position: sticky; top: calc(var(--header-height, 56px) + 48px); z-index: 3;
  background: color-mix(in srgb, var(--tone) 14%, var(--ha-card-background, var(--card-background-color, #fff)));
}

@media (min-width: 1000px) {
  .shelf.open { grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); }
  .shelf.open > .side {
    order: 1; position: sticky; top: calc(var(--header-height, 56px) + 64px);
    max-height: calc(100dvh - var(--header-height, 56px) - 80px); overflow: auto;
  }
}
@media (max-width: 480px) {
  .filters > .field { flex-basis: 40%; max-width: none; }
  .filters > .day, form.filters > .field { flex-basis: 100%; max-width: none; }
  .filters > .actions { padding-top: 4px; }
  .storage .row { gap: 2px 14px; }
  .floating { grid-template-columns: minmax(0, 1fr); }
  .floating .actions .button { flex: 1 1 auto; padding-inline: 12px; }
  .frame { width: 112px; }
}
`;
