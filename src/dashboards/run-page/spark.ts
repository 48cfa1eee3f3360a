import { sizeText } from '../../definition/amounts.ts';
import { html, type Markup } from '../../formats/markup.ts';
import { duration } from '../metric-text.ts';
import type { ReportOnPage } from './report-on-page.ts';
import { clipped, count, section, table } from './tables.ts';

const MOST = 20;

/** What Spark did for the run, by its own word. */
export function sparkSection({ clean }: ReportOnPage): Markup | undefined {
  const { spark } = clean ?? {};
  if (spark === undefined) return undefined;
  const { all, jobs, stages } = spark;
  const columns = (titles: readonly string[], texts: number) =>
    titles.map((title, at) => (at < texts ? { title } : { title, numeric: true }));
  return section(
    'spark',
    'What Spark did',
    html`<p>
      ${count(all.jobs)} jobs, ${count(all.stages)} stages, ${count(all.tasks)} tasks; shuffled
      ${sizeText(all.shuffleBytes)}, spilled ${sizeText(all.spillBytes)}.
    </p>`,
    table(
      'Its longest jobs',
      columns(['for', 'took', 'stages', 'tasks'], 1),
      jobs.slice(0, MOST).map((job) => [clipped(job.step, 200), duration(job.ms), count(job.stages), count(job.tasks)]),
    ),
    table(
      'Its longest stages; ran: all tasks together',
      columns(['for', 'stage', 'took', 'tasks', 'ran', 'read', 'shuffle read', 'shuffle written', 'spilled'], 1),
      stages
        .slice(0, MOST)
        .map(({ step, stage, ms, tasks, failedTasks, runMs, ...bytes }) => [
          clipped(step, 200),
          String(stage),
          duration(ms),
          `${count(tasks)}${failedTasks > 0 ? `, ${count(failedTasks)} failed` : ''}`,
          duration(runMs),
          ...[bytes.readBytes, bytes.shuffleReadBytes, bytes.shuffleWriteBytes, bytes.spillBytes].map(sizeText),
        ]),
    ),
  );
}
