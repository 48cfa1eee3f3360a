import type { TraceLink } from '../../definition/trace-links.ts';
import type { RunReport } from '../../stages/run-report.ts';
import type { Address } from './address.ts';
import { oddOf, serversOf } from './report-findings.ts';
import { get } from './api.ts';
import { element } from './dom.ts';
import { counted, duration, instant } from './format.ts';
import { LiveRuns } from './live-runs.ts';
import { sparkOf } from './report-spark.ts';
import { traceOf } from './report-trace.ts';
import type { Run } from './runs.ts';
import type { Room } from './room.ts';
import { tableOf } from './table.ts';
import { hourKey, hourWords, link, state } from './words.ts';

/** Of what the time of a stage is made. */
const parts = ['queueMs', 'runMs', 'retryMs', 'waitMs'] as const;

/** As `GET /runs/…/report` answers (docs/api.md): of a run that is on its way without how and when it ended. */
interface Report extends Omit<RunReport, Ending>, Partial<Pick<RunReport, Ending>> {
  readonly traceLink?: TraceLink;
}

type Ending = 'outcome' | 'endedAt';

const hops = ['read', 'clean', 'duplicates', 'filtered', 'rejected', 'published', 'landed', 'indexed'] as const;

/** What one run came to; of one on its way, how far it is. */
export async function report(room: Room, address: Extract<Address, { view: 'run' }>): Promise<void> {
  const { pipeline, hour, run } = address;
  const path = `/runs/${encodeURIComponent(pipeline)}/${encodeURIComponent(hour)}/report`;
  const found = await get<Report>(run === undefined ? path : `${path}?run=${encodeURIComponent(run)}`, room.signal);
  const live = new LiveRuns(room.signal, room.again);
  if (found.outcome === undefined) live.show([runOf(found)]);
  room.element.replaceChildren(
    element('p', { class: 'back' }, link({ view: 'runs' }, '← Runs')),
    element('h1', { tabindex: -1 }, `${pipeline}, ${hourWords(found.hour)} `, state(found.outcome ?? 'running')),
    ...(found.error ? [errorOf(found.error)] : []),
    summary(found),
    live.element,
    ...section('Rows', equationOf(found)),
    ...section('What is odd', oddOf(found)),
    ...section('Where the time went', bottleneckOf(found)),
    ...section('Stages', stagesOf(found)),
    ...section('What Spark did', sparkOf(found.clean?.spark)),
    ...section('Rejected, by reason', rejectedOf(found)),
    ...section('Warnings', listOf(found.warnings ?? [])),
    ...section('What servers warned of meanwhile', serversOf(found)),
  );
}

const runOf = ({ workflowId, runId, pipeline, hour, startedAt }: Report): Run => ({
  ...{ workflowId, runId, pipeline, hour, startedAt },
  status: 'running',
});

const section = (title: string, content: HTMLElement | undefined): HTMLElement[] =>
  content ? [element('section', { class: 'card' }, element('h2', {}, title), content)] : [];

const errorOf = ({ code, stage, message }: NonNullable<Report['error']>): HTMLElement =>
  element(
    'p',
    { class: 'error' },
    element('b', {}, `${stage}: `),
    message,
    element('span', { class: 'code' }, ` ${code}`),
  );

function summary(report: Report): HTMLElement {
  const { startedAt, endedAt, source, sameAs, clean, runId, trace, traceLink } = report;
  const took = endedAt === undefined ? [] : [['Took', duration(Date.parse(endedAt) - Date.parse(startedAt))]];
  const facts: (readonly (Node | string)[])[] = [
    ['Began', instant(startedAt)],
    ...took,
    ...(source
      ? [
          ['Source', source.address],
          ['Fetched', `${instant(source.fetchedAt)}${source.replayed ? ', replayed' : ''}`],
        ]
      : []),
    ...(sameAs === undefined ? [] : [['The same as', hourWords(sameAs)]]),
    ...(clean ? [['Cleaned by', clean.engine]] : []),
    ['Run', runId],
    ...(trace === undefined ? [] : [['Trace', ...traceOf(trace, traceLink)]]),
  ];
  return element(
    'dl',
    { class: 'facts' },
    ...facts.flatMap(([name = '', ...fact]) => [element('dt', {}, name), element('dd', {}, ...fact)]),
  );
}

function equationOf({ equations }: Report): HTMLElement | undefined {
  if (equations.length === 0) return undefined;
  const rows = equations.map(({ dataset, rows: counts, holds, broken }) => [
    dataset,
    ...hops.map((hop) => counts[hop]),
    element('span', { class: holds ? 'holds' : 'broken' }, holds ? '✓ holds' : `✗ ${broken ?? 'does not hold'}`),
  ]);
  const columns = [{ title: 'Data set' }, ...hops.map((title) => ({ title, numeric: true })), { title: 'Equation' }];
  return tableOf({ columns, rows }, 'Rows at each hop, and whether all are accounted for');
}

/** What took most of the run, on what that rests, and what to do. */
function bottleneckOf({ timing }: Report): HTMLElement | undefined {
  const { bottleneck, slower } = timing ?? {};
  if (bottleneck === undefined) return undefined;
  return element(
    'div',
    {},
    element('p', {}, element('b', {}, bottleneck.sentence)),
    listOf(bottleneck.evidence) ?? '',
    element('p', {}, bottleneck.suggestion),
    ...(slower === undefined ? [] : [element('p', {}, slower)]),
  );
}

function stagesOf({ stages, timing }: Report): HTMLElement | undefined {
  if (stages.length === 0) return undefined;
  const longest = Math.max(...stages.map(({ ms }) => ms), 1);
  const told = stages.some(({ times }) => times !== undefined);
  const usual = (timing?.usual ?? []).length > 0;
  const usually = (name: string): string => {
    const found = timing?.usual.find(({ stage }) => stage === name);
    return found === undefined ? '' : duration(found.ms);
  };
  const rows = stages.map(({ stage, ms, rows: count, times }) => [
    stage,
    count ?? null,
    duration(ms),
    ...(usual ? [usually(stage)] : []),
    ...(told ? parts.map((part) => (times === undefined ? '' : duration(times[part]))) : []),
    element('meter', { min: 0, max: longest, value: ms, 'aria-label': `${stage}: ${duration(ms)}` }),
  ]);
  const columns = [
    { title: 'Stage' },
    { title: 'Rows', numeric: true },
    { title: 'Took', numeric: true },
    ...(usual ? [{ title: 'Usually', numeric: true }] : []),
    ...(told ? ['Queue', 'Run', 'Retry', 'Wait'].map((title) => ({ title, numeric: true })) : []),
    { title: 'Share' },
  ];
  return tableOf({ columns, rows }, 'Stages, in order');
}

function rejectedOf({ clean, equations, pipeline, hour }: Report): HTMLElement | undefined {
  const reasons = Object.entries(clean?.rejectedBy ?? {}).toSorted(([, a], [, b]) => b - a);
  if (reasons.length === 0) return undefined;
  const rejected = equations.find(({ dataset }) => dataset === 'main')?.rows.rejected ?? 0;
  const text = `Look at ${rejected > 0 ? counted(rejected, 'rejected row') : 'the rejected rows'}`;
  const columns = [{ title: 'Column and rule' }, { title: 'Rows', numeric: true }];
  return element(
    'div',
    {},
    tableOf({ columns, rows: reasons }, 'Rejected rows by reason'),
    element('p', {}, link({ view: 'quarantine', pipeline, hour: hourKey(hour), offset: 0 }, text)),
  );
}

const listOf = (sentences: readonly string[]): HTMLElement | undefined =>
  sentences.length === 0 ? undefined : element('ul', {}, ...sentences.map((text) => element('li', {}, text)));
