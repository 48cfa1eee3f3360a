import type { CleanReport, ColumnProfile } from './clean-report.ts';

const escape = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
const count = (n: number): string => n.toLocaleString('en-US');
const percent = (part: number, whole: number): string => (whole === 0 ? '' : `${((part / whole) * 100).toFixed(2)} %`);
const short = (value: number): string =>
  Number.isInteger(value) ? count(value) : value.toPrecision(6).replace(/\.?0+$/, '');

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --bar: #3b7dd8; --bad: #c62f2f; --warn: #b26a00; --good: #2b8a3e; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
.block { color: var(--bad); font-weight: 600; } .warn { color: var(--warn); font-weight: 600; } .ok { color: var(--good); }
.share { background: var(--soft); height: .6rem; min-width: 6rem; } .share span { display: block; height: 100%; background: var(--bar); }
svg rect { fill: var(--bar); } code { background: var(--soft); padding: 0 .2rem; } .soft { opacity: .75; }
`;

/** The report of a cleaned hour as one page that needs nothing else: no script, no font, no other file. */
export function reportHtml(report: CleanReport): string {
  const { pipeline, hour, engine, rows } = report;
  const title = `${pipeline}${hour === undefined ? '' : `, ${hour}`}: cleaning`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escape(title)}</title><style>${STYLE}</style></head><body>
<h1>${escape(title)}</h1>
<p>${count(rows.read)} rows read = ${count(rows.clean)} clean + ${count(rows.duplicates)} duplicates + ${count(rows.filtered)} filtered + ${count(rows.rejected)} rejected, by ${escape(engine)}.</p>
${[buckets(report), gates(report), rejects(report), columns(report), drift(report), timings(report)].join('\n')}
</body></html>
`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[], numbers: readonly number[]): string {
  const cell = (tag: string, text: string, at: number): string =>
    `<${tag}${numbers.includes(at) ? ' class="n"' : ''}>${text}</${tag}>`;
  const line = (tag: string, cells: readonly string[]): string =>
    `<tr>${cells.map((text, at) => cell(tag, text, at)).join('')}</tr>`;
  return `<div class="wide"><table><thead>${line('th', head)}</thead><tbody>${rows.map((row) => line('td', row)).join('')}</tbody></table></div>`;
}

const share = (part: number, whole: number): string =>
  `<div class="share"><span style="width:${whole === 0 ? 0 : ((part / whole) * 100).toFixed(1)}%"></span></div>`;

function buckets({ rows, seenBefore, mended }: CleanReport): string {
  const lines = (['clean', 'duplicates', 'filtered', 'rejected'] as const).map((bucket) => [
    bucket,
    count(rows[bucket]),
    percent(rows[bucket], rows.read),
    share(rows[bucket], rows.read),
  ]);
  const notes = [
    ...(seenBefore > 0 ? [`${count(seenBefore)} of the duplicates have a key that an earlier hour has.`] : []),
    ...(mended > 0 ? [`${count(mended)} rows were mended by an overlay.`] : []),
  ];
  return `<h2>Rows</h2>${table(['bucket', 'rows', 'of those read', ''], lines, [1, 2])}${notes.map((note) => `<p>${note}</p>`).join('')}`;
}

function gates({ quality }: CleanReport): string {
  if (quality.length === 0) return '';
  const lines = quality.map(({ gate, level, sentence }) => [
    escape(gate),
    `<span class="${level}">${level}</span>`,
    escape(sentence),
  ]);
  return `<h2>Quality gates</h2>${table(['gate', 'verdict', 'found'], lines, [])}`;
}

function rejects({ rejectedBy, rows }: CleanReport): string {
  const found = Object.entries(rejectedBy).toSorted(([, a], [, b]) => b - a);
  if (found.length === 0) return '';
  const lines = found.map(([what, n]) => {
    const at = what.lastIndexOf(' ');
    return [escape(what.slice(0, at)), escape(what.slice(at + 1)), count(n), percent(n, rows.read)];
  });
  return `<h2>Rejected</h2>${table(['column', 'rule', 'rows', 'of those read'], lines, [2, 3])}`;
}

function columns({ profile, rows, missing, fills }: CleanReport): string {
  const lines = profile.map((column) => [
    `<b>${escape(column.name)}</b><br><span class="soft">${column.type}</span>`,
    `${count(column.missing)}<br><span class="soft">${percent(column.missing, rows.clean)}</span>${filled(column.name, missing, fills)}`,
    `${column.distinctIsEstimate ? '~' : ''}${count(column.distinct)}`,
    column.min === undefined ? '' : `${clipped(column.min)}<br>${clipped(column.max ?? '')}`,
    column.mean === undefined
      ? ''
      : `${short(column.mean)}<br><span class="soft">${escape(column.quantiles?.['0.5'] ?? '')}</span>`,
    spread(column),
    column.top
      .slice(0, 5)
      .map(({ value, rows: n }) => `${clipped(value)} <span class="soft">${count(n)}</span>`)
      .join('<br>'),
  ]);
  const head = ['column', 'missing', 'different', 'least, greatest', 'mean, median', 'distribution', 'most frequent'];
  return `<h2>Clean columns</h2>${table(head, lines, [1, 2])}`;
}

function filled(name: string, missing: CleanReport['missing'], fills: CleanReport['fills']): string {
  // A column may be called constructor.
  const value = Object.hasOwn(fills, name) ? fills[name] : undefined;
  return value === undefined
    ? ''
    : `<br><span class="soft">${count(missing[name] ?? 0)} before ${clipped(value)} was put in</span>`;
}

const clipped = (text: string): string => `<code>${escape(text.length > 32 ? `${text.slice(0, 31)}…` : text)}</code>`;

function spread({ histogram, name }: ColumnProfile): string {
  if (!histogram || histogram.length === 0) return '';
  const most = Math.max(...histogram.map(({ rows }) => rows));
  const bars = histogram.map(({ rows, from, to }, at) => {
    const height = most === 0 ? 0 : Math.round((rows / most) * 36);
    return `<rect x="${at * 7}" y="${36 - height}" width="6" height="${height}"><title>${short(from)} to ${short(to)}: ${count(rows)} rows</title></rect>`;
  });
  return `<svg width="${histogram.length * 7}" height="36" role="img" aria-label="distribution of ${escape(name)}">${bars.join('')}</svg>`;
}

function drift({ unknownColumns, schemaDiff }: CleanReport): string {
  const items: string[] = [];
  const list = (what: string, names: readonly string[]): void => {
    if (names.length > 0) items.push(`${what}: ${names.map((name) => clipped(name)).join(', ')}`);
  };
  list('columns that the definition does not name', unknownColumns);
  if (schemaDiff) {
    const { since, header, columns: clean } = schemaDiff;
    list(`new in the file since ${since}`, header.added);
    list(`gone from the file since ${since}`, header.removed);
    if (header.reordered) items.push(`the columns of the file stand in another order since ${since}`);
    list(`new clean columns since ${since}`, clean.added);
    list(`clean columns gone since ${since}`, clean.removed);
    list(`of another type since ${since}`, clean.changed);
  }
  return items.length === 0 ? '' : `<h2>Schema</h2><ul>${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;
}

function timings(report: CleanReport): string {
  const lines = Object.entries(report.timings).map(([what, ms]) => [escape(what), `${(ms / 1_000).toFixed(2)} s`]);
  return `<h2>Time</h2>${table(['what', 'took'], lines, [1])}`;
}
