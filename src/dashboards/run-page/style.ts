import { inkOf } from '../theme.ts';

const light = inkOf('light');
const dark = inkOf('dark');

const variables = ({ text, quiet, line, paper }: typeof light): string =>
  `--text: ${text}; --quiet: ${quiet}; --line: ${line}; --paper: ${paper};`;

/** The pictures are drawn in light colours: what of them is ink takes the dark one. */
const inked = (['text', 'quiet', 'line'] as const)
  .flatMap((ink) => ['fill', 'stroke'].map((what) => `svg [${what}="${light[ink]}"] { ${what}: ${dark[ink]}; }`))
  .join('\n  ');

/** Of the page of a run: light, or dark where the reader's system is; light on paper. */
export const STYLE = `
:root { color-scheme: light; ${variables(light)} --good: #1d6b41; --bad: #b3261e; --warn: #8a5200; --soft: #f3f5f7; --bar: #2f6fb0; }
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; ${variables(dark)} --good: #6fcf97; --bad: #ff8a80; --warn: #f2b766; --soft: #1d2730; --bar: #5b9bd8; }
  a { color: #8ab8e6; }
  ${inked}
}
* { box-sizing: border-box; }
body { font: 1rem/1.5 Inter, "Segoe UI", system-ui, "DejaVu Sans", sans-serif; color: var(--text); background: var(--paper); max-width: 76rem; margin: 0 auto; padding: 1rem clamp(1rem, 3vw, 2.5rem) 3rem; overflow-wrap: break-word; }
h1 { font-size: clamp(1.25rem, 1rem + 2vw, 1.75rem); line-height: 1.25; margin: .5rem 0; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0; }
p { margin: .4rem 0; max-width: 70ch; }
.quiet, caption, dt { color: var(--quiet); }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; } .warn { color: var(--warn); font-weight: 600; }
.outcome { display: inline-block; padding: .1rem .7rem; border: 2px solid currentColor; border-radius: 1rem; margin-right: .6rem; }
.said { border-left: 4px solid currentColor; padding: .5rem .8rem; background: var(--soft); max-width: none; white-space: pre-line; }
.warned { border-left: 4px solid var(--warn); padding: .1rem .2rem; background: var(--soft); }
.wide { overflow-x: auto; } .wide:focus-visible { outline: 2px solid var(--bar); outline-offset: 2px; }
table { border-collapse: collapse; font-size: .95rem; min-width: min(100%, 20rem); } header p { max-width: none; } td:has(> span) { white-space: nowrap; } caption { text-align: left; font-size: .85rem; padding-bottom: .2rem; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { font-size: .85rem; color: var(--quiet); font-weight: 600; } tbody th { font-weight: 500; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { display: block; height: .7rem; min-width: 2px; background: var(--bar); margin-top: .4rem; } td:has(.bar) { min-width: 6rem; width: 12rem; }
ul { margin: .4rem 0; padding-left: 1.4rem; } li { margin: .15rem 0; }
dl { margin: .4rem 0; display: grid; gap: .3rem; } dl div { display: grid; grid-template-columns: minmax(7rem, 13rem) 1fr; gap: 0 1rem; } dd { margin: 0; min-width: 0; }
code { font: .92em/1.4 ui-monospace, "DejaVu Sans Mono", monospace; background: var(--soft); padding: .05rem .25rem; } .long { overflow-wrap: anywhere; }
figure { margin: .6rem 0; } figure svg { display: block; width: 100%; height: auto; } figcaption { margin-bottom: .4rem; } .chart { max-width: 36rem; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); gap: 1.2rem 1.6rem; align-items: start; }
.panels figure { border: 1px solid var(--line); border-radius: 6px; padding: .8rem; } .panels .broad { grid-column: 1 / -1; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 11rem), 1fr)); gap: .8rem; margin-bottom: 1.2rem; }
.tile { border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem; } .tile b { display: block; font-size: 1.6rem; font-weight: 600; line-height: 1.2; font-variant-numeric: tabular-nums; }
footer { margin-top: 2.5rem; font-size: .85rem; color: var(--quiet); }
@media (max-width: 30rem) { dl div { grid-template-columns: 1fr; } th, td { padding-right: .6rem; } }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } section, figure, tr { break-inside: avoid; } h2 { break-after: avoid; } a::after { content: " (" attr(href) ")"; overflow-wrap: anywhere; } .wide { overflow: visible; } }
`;
