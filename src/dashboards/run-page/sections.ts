import { traceLink } from '../../definition/trace-links.ts';
import { html, Markup } from '../../formats/markup.ts';
import { duration } from '../metric-text.ts';
import type { ReportOnPage } from './report-on-page.ts';
import { clipped, count, instant, list, section, table, terms } from './tables.ts';

/** What ended the run, and what to do. */
export function errorSection({ error, pipeline, hour, outcome }: ReportOnPage): Markup | undefined {
  if (error === undefined) return undefined;
  const late = error.code === 'DeadlineNear';
  const key = hour.slice(0, 13);
  const again = html`<li>
    <code>sluice run ${pipeline} --hour ${key}</code> runs the hour again, once that is done.
  </li>`;
  const next = html`<ul>
    ${outcome === 'cancelled' || late ? '' : again}
    <li><code>sluice logs ${key} --pipeline ${pipeline}</code> tells what happened in this run.</li>
  </ul>`;
  return section(
    'error',
    late ? 'What is late' : outcome === 'cancelled' ? 'How it ended' : 'What went wrong',
    html`<p class="${outcome === 'cancelled' ? 'said' : 'said bad'}">${clipped(error.message)}</p>
      <p>${error.code}, in the stage <b>${error.stage}</b>.</p>
      ${next}`,
  );
}

/** The stages with what they took. @param chart an SVG of them; left out where the page is to be small */
export function stagesSection({ stages, error, outcome }: ReportOnPage, chart: string | undefined): Markup {
  if (stages.length === 0) {
    const why = outcome === undefined ? 'None is through yet.' : 'The run ended before its first stage was through.';
    return section('stages', 'Stages', html`<p>${why}</p>`);
  }
  const rows = stages.map(({ stage, startedAt, ms, rows: counted }) => [
    stage === error?.stage && error.code !== 'DeadlineNear' ? html`<span class="bad">✗ ${stage}</span>` : stage,
    startedAt.slice(11, 19),
    duration(ms),
    counted === undefined ? '' : count(counted),
    counted === undefined || ms <= 0 ? '' : count(Math.round(counted / (ms / 1_000))),
  ]);
  return section(
    'stages',
    'Stages',
    chart === undefined ? '' : html`<figure class="chart">${new Markup(chart)}</figure>`,
    table(
      'Stages in their order',
      [
        { title: 'stage' },
        { title: 'began (UTC)', numeric: true },
        { title: 'took', numeric: true },
        { title: 'rows', numeric: true },
        { title: 'rows a second', numeric: true },
      ],
      rows,
    ),
  );
}

/** What the quality gates found. */
export function qualitySection({ clean }: ReportOnPage): Markup | undefined {
  const found = clean?.quality ?? [];
  if (found.length === 0) return undefined;
  const signs = { ok: '✓ ok', warn: '! warns', block: '✗ blocks' } as const;
  const classes = { ok: 'good', warn: 'warn', block: 'bad' } as const;
  return section(
    'quality',
    'Quality',
    table(
      'What the gates of the definition found',
      [{ title: 'gate' }, { title: 'verdict' }, { title: 'found' }],
      found
        .slice(0, 100)
        .map(({ gate, level, sentence }) => [
          clipped(gate, 200),
          html`<span class="${classes[level]}">${signs[level]}</span>`,
          clipped(sentence),
        ]),
    ),
  );
}

/** What a reader should know besides. */
export function notesSection(report: ReportOnPage): Markup | undefined {
  const { warnings = [], prepared, source, madeStale, discarded, hour } = report;
  const stale = madeStale === undefined ? 0 : madeStale.count + (madeStale.itself ? 1 : 0);
  const warned = [
    ...warnings,
    ...(prepared?.warnings ?? []),
    ...(madeStale && stale > 0
      ? [
          `${count(stale)} ${stale === 1 ? 'hour is' : 'hours are'} stale now, and to be run again: ` +
            [...madeStale.hours.slice(0, 3), ...(madeStale.itself ? [hour] : [])].join(', ') +
            (madeStale.count > 3 ? ' …' : ''),
        ]
      : []),
    ...(discarded?.failed ? [`It could not tidy up: ${discarded.failed.message}`] : []),
  ];
  const noted = [
    ...(prepared?.changes ?? []).map((change) => `prepared: ${change}`),
    ...(source?.notes ?? []),
    ...(discarded?.tallies ?? []).map(({ what, objects }) => `removed ${count(objects)} × ${what}`),
  ];
  if (warned.length + noted.length === 0) return undefined;
  return section(
    'notes',
    warned.length > 0 ? 'Warnings and notes' : 'Notes',
    warned.length > 0 ? html`<div class="warned">${list(warned)}</div>` : '',
    noted.length > 0 ? list(noted) : '',
  );
}

/** Where the rows came from. */
export function sourceSection({ source, outcome }: ReportOnPage): Markup {
  if (source === undefined) {
    const why =
      outcome === undefined ? 'Nothing has been fetched yet.' : 'The run ended before its import was through.';
    return section('source', 'Source', html`<p>${why}</p>`);
  }
  const { address, fetchedAt, raw, replayed, validators, notModifiedSince, unknownColumns, files = [] } = source;
  const unknown = unknownColumns.slice(0, 30).join(', ') + (unknownColumns.length > 30 ? ' …' : '');
  const rows = files.map(({ name, rows: counted, format }) => [
    clipped(name, 300),
    count(counted.read),
    count(counted.rejected),
    clipped(format, 300),
  ]);
  const columns = [
    { title: 'file' },
    { title: 'rows', numeric: true },
    { title: 'no record', numeric: true },
    { title: 'read as' },
  ];
  return section(
    'source',
    'Source',
    terms([
      ['address', html`<span class="long">${clipped(address)}</span>`],
      ['fetched', `${instant(fetchedAt)}${replayed ? '; this run took what was fetched then' : ''}`],
      ['unchanged since', notModifiedSince],
      ['sha256', html`<code class="long">${raw.sha256}</code>`],
      ['bytes', count(raw.bytes)],
      ['version', validators?.etag ?? validators?.lastModified],
      ['columns that the definition does not name', unknownColumns.length > 0 ? clipped(unknown) : undefined],
    ]),
    rows.length > 0 ? table('Files', columns, rows) : '',
    (source.fileCount ?? 0) > files.length && files.length > 0
      ? html`<p>… of ${count(source.fileCount ?? 0)} files.</p>`
      : '',
  );
}

/**
 * By what the run is found elsewhere.
 * @param webUi its page in Temporal's Web UI, where it is known
 * @param traceUrl `SLUICE_TRACE_URL`
 */
export function identitySection(report: ReportOnPage, webUi: string | undefined, traceUrl: string | undefined): Markup {
  const { workflowId, runId, batches = {}, generations = {}, startFrom, trace } = report;
  const link = webUi !== undefined && /^https?:\/\//.test(webUi);
  return section(
    'identity',
    'Where to look further',
    terms([
      ['Temporal', link ? html`<a href="${webUi}" rel="noreferrer">history of the run in the Web UI</a>` : undefined],
      ['workflow', html`<code class="long">${workflowId}</code>`],
      ['run', html`<code class="long">${runId}</code>`],
      ['trace', trace === undefined ? undefined : traceOf(trace, traceUrl)],
      ['began at', startFrom],
      ...Object.entries(batches).map(
        ([dataset, batch]) =>
          [
            `batch of ${dataset}`,
            html`<code>${batch}</code>${
                Object.hasOwn(generations, dataset) ? `, generation ${generations[dataset]}` : ''
              }`,
          ] as const,
      ),
    ]),
  );
}

function traceOf(trace: string, traceUrl: string | undefined): Markup {
  const { page, problem } = traceLink(traceUrl, trace);
  const id = html`<code class="long">${trace}</code>`;
  if (page !== undefined) return html`<a href="${page}" rel="noreferrer">${id}</a>`;
  return problem === undefined ? id : html`${id} (${problem})`;
}
