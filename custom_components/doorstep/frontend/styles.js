/** How it looks: Home Assistant's own variables, so that every theme fits. */

export const styles = `
:host {
  --line: var(--divider-color, #0002);
  --accent: var(--primary-color, #009ac7);
  /* Themes choose the accent for looks; mixed so, text in it or on it can still be read. */
  --accent-text: color-mix(in srgb, var(--accent) 65%, var(--primary-text-color, #141414));
  --accent-fill: color-mix(in srgb, var(--accent) 72%, black);
  --quiet: var(--secondary-text-color, #5e5e5e);
  --good: var(--success-color, #43a047);
  --warn: var(--warning-color, #ffa600);
  --bad: var(--error-color, #db4437);
  --gap: 16px;
  display: block;
  min-height: 100%;
  color: var(--primary-text-color, #141414);
  background: var(--primary-background-color, #fafafa);
  font-family: var(--ha-font-family-body, Roboto, sans-serif);
  font-size: var(--ha-font-size-m, 14px);
  line-height: 1.5;
  overflow-wrap: anywhere;
}
* { box-sizing: border-box; }
h1, h2, h3, p, dl, dd, ul, ol, figure { margin: 0; padding: 0; }
h1 { font-size: 24px; font-weight: 400; line-height: 1.3; }
h2 { font-size: 18px; font-weight: 500; line-height: 1.4; }
h3 { font-size: 14px; font-weight: 500; margin-top: 8px; }
ul, ol { list-style: none; }
a { color: var(--accent-text); }
code { font-family: var(--ha-font-family-code, monospace); font-size: 0.92em; }
summary { cursor: pointer; color: var(--accent-text); padding: 6px 0; width: fit-content; }
details > * + * { margin-top: 8px; }
:focus-visible { outline: 2px solid var(--accent-text); outline-offset: 2px; border-radius: 4px; }
[tabindex="-1"]:focus { outline: none; }
[hidden] { display: none; }

header {
  position: sticky; top: 0; z-index: 4;
  color: var(--app-header-text-color, var(--primary-text-color));
  background: var(--app-header-background-color, var(--primary-background-color));
  border-bottom: 1px solid var(--line);
}
.toolbar { display: flex; align-items: center; gap: 8px; min-height: var(--header-height, 56px); padding: 0 12px; }
.title { font-size: 20px; padding-inline-start: 8px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.tool {
  display: inline-flex; align-items: center; justify-content: center; width: 44px; height: 44px; padding: 0;
  border: 0; border-radius: 50%; color: inherit; background: none; cursor: pointer;
}
nav { display: flex; gap: 8px; padding: 0 12px; }
nav a {
  display: flex; align-items: center; min-height: 44px; padding: 0 16px; color: inherit;
  text-decoration: none; border-bottom: 3px solid transparent;
}
nav a[aria-current] { font-weight: 500; border-bottom-color: currentcolor; }

main { padding: 20px var(--gap) 48px; }
main > .notice { max-width: 760px; margin: 0 auto var(--gap); }
.page { display: grid; gap: var(--gap); max-width: 760px; margin: 0 auto; }
.page.wide { max-width: 1160px; }
.page > section > h2 { margin: 4px 0 8px; }
.page > *, .columns > * { min-width: 0; }
.columns, .columns > * { display: grid; gap: var(--gap); align-content: start; }

.card, .items {
  background: var(--ha-card-background, var(--card-background-color, #fff));
  border: var(--ha-card-border-width, 1px) solid var(--ha-card-border-color, var(--line));
  border-radius: var(--ha-card-border-radius, 12px);
  box-shadow: var(--ha-card-box-shadow, none);
}
.card { display: grid; gap: 12px; padding: 16px; grid-template-columns: minmax(0, 1fr); }
.card.attention { border-inline-start: 4px solid var(--warn); }
.card.empty { justify-items: center; text-align: center; padding: 40px 24px; }
.card.empty .icon { width: 48px; height: 48px; color: var(--quiet); }
.card.empty .actions { justify-content: center; }

.items { overflow: hidden; }
.items li + li { border-top: 1px solid var(--line); }
.item {
  position: relative; display: grid; gap: 4px; padding: 14px 48px 14px 16px;
  color: inherit; text-decoration: none;
}
.item:hover { background: color-mix(in srgb, var(--accent) 6%, transparent); }
.item:focus-visible { outline-offset: -3px; }
.item > .icon { position: absolute; inset-inline-end: 14px; top: calc(50% - 12px); color: var(--quiet); }

.strong { font-weight: 500; }
.large { font-size: 16px; }
.quiet { color: var(--quiet); }
.bad { color: color-mix(in srgb, var(--bad) 75%, var(--primary-text-color)); }
.sentence { line-height: 1.6; padding-inline-start: 12px; border-inline-start: 3px solid var(--accent); }
.said { white-space: pre-line; }
.icon { width: 24px; height: 24px; fill: currentcolor; flex: none; }
.row, .chips, .agency { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 8px; }
.chips { margin-top: 2px; }
.chip {
  display: inline-block; padding: 2px 10px; border-radius: 12px; font-size: 12px; font-weight: 500; line-height: 18px;
  --tone: var(--quiet);
  background: color-mix(in srgb, var(--tone) 14%, transparent);
}
.chip.good { --tone: var(--good); }
.chip.busy { --tone: var(--accent); }
.chip.attention { --tone: var(--warn); }
.chip.bad { --tone: var(--bad); color: inherit; }
.confirmed {
  display: inline-flex; align-items: center; gap: 4px; font-size: 12px; font-weight: 500;
  color: color-mix(in srgb, var(--good) 70%, var(--primary-text-color));
}
.confirmed .icon { width: 18px; height: 18px; }

.facts { display: grid; grid-template-columns: minmax(110px, min(32%, 200px)) minmax(0, 1fr); gap: 8px 16px; }
.facts dt { color: var(--quiet); }
.facts:empty { display: none; }
.lines > div + div { margin-top: 2px; }
.spaced > li + li { margin-top: 14px; }
.plain-list > li + li { margin-top: 10px; }
.key, .fingerprint { color: var(--quiet); }
.verdicts { display: grid; gap: 8px; }
.verdicts li { display: flex; gap: 10px; }
.verdicts .icon { width: 20px; height: 20px; margin-top: 1px; }
.kept .icon { color: var(--good); }
.broken .icon { color: var(--warn); }
.history { display: grid; gap: 10px; }
.history li { display: grid; grid-template-columns: minmax(110px, 150px) minmax(0, 1fr); gap: 2px 16px; }
.history time { color: var(--quiet); }
.ledger li + li { border-top: 1px solid var(--line); padding-top: 10px; }
.delivery + .delivery { border-top: 1px solid var(--line); padding-top: 12px; }
.release, .delivery, .step { display: grid; gap: 10px; justify-items: start; }
.release > *, .step > .notice { width: 100%; }

.notice {
  --tone: var(--info-color, #039be5);
  display: flex; gap: 12px; align-items: start; padding: 12px; border-radius: 8px;
  background: color-mix(in srgb, var(--tone) 12%, transparent);
}
.notice > .icon { color: var(--tone); }
.notice > div { display: grid; gap: 8px; justify-items: start; min-width: 0; align-self: center; }
.notice.good { --tone: var(--good); }
.notice.warning { --tone: var(--warn); }
.notice.error { --tone: var(--bad); }

.actions { display: flex; flex-wrap: wrap; gap: 8px; justify-content: flex-end; align-items: center; }
.actions.start { justify-content: flex-start; }
.button {
  display: inline-flex; align-items: center; justify-content: center; min-height: 44px; padding: 8px 20px;
  border: 1px solid color-mix(in srgb, var(--accent-text) 45%, transparent); border-radius: 22px;
  color: var(--accent-text); background: none; font: inherit; font-weight: 500; text-decoration: none; cursor: pointer;
}
.button:hover:not(:disabled) { background: color-mix(in srgb, var(--accent) 10%, transparent); }
.button.plain { border-color: transparent; }
.button.small { min-height: 32px; padding: 4px 12px; }
.button.filled { color: #fff; background: var(--accent-fill); border-color: transparent; }
.button.filled:hover:not(:disabled) { background: color-mix(in srgb, var(--accent-fill) 86%, black); }
.button:disabled { opacity: 0.45; cursor: not-allowed; }
.outside .button { padding-inline: 0; min-height: 28px; }
.choice { display: flex; gap: 12px; align-items: start; padding: 10px 0; cursor: pointer; }
.choice input { width: 20px; height: 20px; margin: 1px 0 0; accent-color: var(--accent-fill); flex: none; }

.video { display: block; width: 100%; aspect-ratio: 16 / 9; border-radius: 8px; background: #000; }
.clips { display: grid; gap: var(--gap); grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); }
.clips figcaption { display: flex; flex-wrap: wrap; gap: 0 8px; padding-top: 6px; }
.map svg[role=img] {
  display: block; width: min(100%, 520px); height: auto; border-radius: 8px;
  background: color-mix(in srgb, var(--quiet) 8%, transparent);
}
.map figcaption { display: flex; flex-wrap: wrap; gap: 4px 16px; padding-top: 8px; color: var(--quiet); }
.map .area {
  fill: color-mix(in srgb, var(--accent) 18%, transparent); stroke: var(--accent); stroke-width: 2;
  stroke-linejoin: round;
}
.map .home { fill: var(--primary-text-color); }
.map .bell { fill: var(--card-background-color, #fff); stroke: var(--primary-text-color); stroke-width: 2; }
.map .bell.matching { fill: var(--accent); }
.map .north path { fill: var(--quiet); }
.map .scale path { fill: none; stroke: var(--quiet); stroke-width: 1.5; }
.map text { fill: var(--quiet); font-size: 11px; }
.legend { display: inline-flex; align-items: center; gap: 6px; }
.legend svg { width: 20px; height: 20px; }

.grace { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; justify-content: space-between; }
.timer { font-variant-numeric: tabular-nums; }
.progress { display: grid; gap: 4px; }
progress {
  width: 100%; height: 8px; border: 0; border-radius: 4px; overflow: hidden; appearance: none;
  background: color-mix(in srgb, var(--quiet) 28%, transparent); --fill: var(--accent);
}
progress::-webkit-progress-bar { background: none; }
progress::-webkit-progress-value { background: var(--fill); }
progress::-moz-progress-bar { background: var(--fill); }
dialog {
  display: grid; gap: 16px; width: min(560px, calc(100vw - 32px)); max-height: calc(100dvh - 32px); overflow: auto; padding: 24px;
  color: inherit; background: var(--ha-card-background, var(--card-background-color, #fff));
  border: 1px solid var(--line); border-radius: 24px;
}
dialog .actions { position: sticky; bottom: -24px; margin: 0 -24px -24px; padding: 12px 24px 24px; background: inherit; }
dialog::backdrop { background: #0008; }
.waiting { display: grid; place-items: center; padding: 64px 0; }
.spinner {
  width: 36px; height: 36px; border: 4px solid var(--line); border-top-color: var(--accent);
  border-radius: 50%; animation: turn 1s linear infinite;
}
@keyframes turn { to { rotate: 1turn; } }
.unseen {
  position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}

@media (min-width: 1000px) { .columns { grid-template-columns: 3fr 2fr; } }
@media (max-width: 480px) {
  main { --gap: 12px; padding: 12px 8px 40px; }
  .facts, .history li { grid-template-columns: minmax(0, 1fr); gap: 2px; }
  .facts dd + dt { margin-top: 8px; }
  .answers .actions .button, dialog .actions .button, .head .actions .button { flex: 1 1 auto; }
  dialog { border-radius: 16px; }
}
@media (prefers-reduced-motion: reduce) { .spinner { animation: none; border-top-color: var(--line); } }
`;
