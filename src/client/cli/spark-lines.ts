import { sizeText, spanText } from '../../definition/amounts.ts';
import type { SparkWork } from '../../definition/spark-work.ts';
import { boldOut, count } from './screen.ts';

const STAGES = 8;

/** What Spark did for a run: how much in all, and its longest stages. */
export function sparkLines({ clean }: { readonly clean?: { readonly spark?: SparkWork } }): string[] {
  const { spark } = clean ?? {};
  if (spark === undefined) return [];
  const { all, stages } = spark;
  const shown = stages.slice(0, STAGES);
  const cells = shown.map(({ step, ms, tasks, failedTasks, runMs, shuffleWriteBytes, spillBytes, stage }) => [
    `${step} (${stage})`,
    spanText(ms),
    `${count(tasks)} ${tasks === 1 ? 'task' : 'tasks'}${failedTasks > 0 ? `, ${count(failedTasks)} failed` : ''}`,
    `ran ${spanText(runMs)}`,
    shuffleWriteBytes > 0 ? `shuffled ${sizeText(shuffleWriteBytes)}` : '',
    spillBytes > 0 ? `spilled ${sizeText(spillBytes)}` : '',
  ]);
  const widths = (cells[0] ?? []).map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  const spilled = all.spillBytes > 0 ? `, spilled ${sizeText(all.spillBytes)}` : '';
  return [
    '',
    `${boldOut('Spark')} ${count(all.jobs)} jobs, ${count(all.stages)} stages, ${count(all.tasks)} tasks; shuffled ${sizeText(all.shuffleBytes)}${spilled}`,
    ...cells.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd()),
    ...(all.stages > shown.length ? [`  … and ${count(all.stages - shown.length)} shorter ones`] : []),
  ];
}
