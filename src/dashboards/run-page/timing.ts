import { criticalPath, stageRows, type TimedStages } from '../../definition/stage-rows.ts';
import { html, type Markup } from '../../formats/markup.ts';
import { duration } from '../metric-text.ts';
import type { ReportOnPage } from './report-on-page.ts';
import { count, list, section, table } from './tables.ts';

/** Where the time of a run went: what took most of it, and of what each stage's is made. */
export function timingSection(report: ReportOnPage): Markup | undefined {
  const parts = stageParts(report);
  const { bottleneck, slower, servers = {} } = report.timing ?? {};
  if (parts === undefined && bottleneck === undefined) return undefined;
  const others = Object.values(servers)
    .flat()
    .filter((sentence) => !bottleneck?.evidence.includes(sentence));
  return section(
    'timing',
    'Where the time went',
    bottleneck === undefined
      ? ''
      : html`<p class="said"><b>${bottleneck.sentence}</b></p>
          ${list(bottleneck.evidence)}
          <p>${bottleneck.suggestion}</p>`,
    slower === undefined ? '' : html`<p class="warn">${slower}</p>`,
    parts ?? '',
    html`<p class="quiet">Critical path: ${pathOf(report)}</p>`,
    ...report.stages.flatMap(({ stage, times }) =>
      times?.profile === undefined
        ? []
        : [html`<p>Profile of ${stage}: <code class="long">${times.profile}</code></p>`],
    ),
    others.length === 0 ? '' : html`<div class="quiet">${list(others)}</div>`,
  );
}

/** Nothing where it is not known, a dash for none. */
const time = (ms: number | undefined): string => (ms === undefined ? '' : ms === 0 ? '–' : duration(ms));

/** Undefined where no worker told. */
function stageParts(report: TimedStages): Markup | undefined {
  const rows = stageRows(report);
  if (!rows.some(({ runMs }) => runMs !== undefined)) return undefined;
  const numeric = ['took', 'usually', 'queue', 'run', 'retry', 'wait', 'bytes a second'];
  return table(
    'Of what the time of each stage is made; usually: the median of the runs before',
    [{ title: 'stage' }, ...numeric.map((title) => ({ title, numeric: true }))],
    rows.map(({ stage, ms, usualMs, queueMs, runMs, retryMs, waitMs, bytesPerSecond }) => [
      stage,
      ...[ms, usualMs, queueMs, runMs, retryMs, waitMs].map(time),
      bytesPerSecond === undefined ? '' : count(bytesPerSecond),
    ]),
  );
}

const pathOf = (report: TimedStages): string =>
  criticalPath(report)
    .map(({ stage, longest, ms, share }) => {
      const whose = longest === undefined ? '' : ` of ${longest}`;
      return `${stage}${whose} ${duration(ms)} (${Math.round(share * 100)} %)`;
    })
    .join(' → ');
