import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { CompactReport } from '../activities/index.ts';
import { streamsOf } from '../definition/streams.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import { attributes } from './attributes.ts';
import { isDay } from '../definition/day.ts';
import { failure } from './failure.ts';
import {
  maintenanceLines,
  maintenanceTasks,
  type MaintenanceInput,
  type MaintenanceReport,
  type MaintenanceTask,
} from './maintenance-messages.ts';
import { defaultRetries, stageActivities } from './stage-activities.ts';

/**
 * The daily work on what a pipeline has stored: hours that are too old, small objects of past days, what no record reaches. Each of the
 * three may be stopped anywhere and done again, beside runs, consumers and another of its kind.
 */
export async function maintenance(input: MaintenanceInput): Promise<MaintenanceReport> {
  const { acceptDefinition } = stageActivities('light', defaultRetries, 'definition');
  const pipeline = await acceptDefinition({ pipeline: input?.pipeline });
  const dryRun = input.dryRun === true;
  const tasks = input.tasks ?? tasksOf(pipeline);
  refuseUnsound(input);
  upsertSearchAttributes([{ key: attributes.pipeline, value: pipeline.name }]);
  const streams = streamsOf(pipeline).map(({ name }) => name);
  const activities = stageActivities('compute', pipeline.retries, dryRun ? 'dry run' : pipeline.name);
  let report: MaintenanceReport = { pipeline: pipeline.name, dryRun };
  const found = (part: Partial<MaintenanceReport>): void => {
    report = { ...report, ...part };
    setCurrentDetails(maintenanceLines(report).join('\n\n'));
  };
  if (tasks.includes('retain')) {
    const before = input.before === undefined ? {} : { before: `${input.before}T00:00:00Z` };
    found({ retain: await activities.retain({ pipeline, ...before, dryRun }) });
  }
  if (tasks.includes('compact')) {
    const before = input.before ?? new Date().toISOString().slice(0, 10);
    const compact: CompactReport[] = [];
    for (const stream of streams) compact.push(await activities.compactStream({ stream, before, dryRun }));
    found({ compact });
  }
  if (tasks.includes('gc')) {
    found({ gc: await activities.collectGarbage({ pipeline: pipeline.name, streams, dryRun }) });
  }
  return report;
}

/** What a definition asks for, in the order in which it is done. */
function tasksOf({ keep, maintenance: { compact, gc } }: Pipeline): MaintenanceTask[] {
  const asked = { retain: keep.hours !== undefined, compact, gc };
  return maintenanceTasks.filter((task) => asked[task]);
}

/** Whoever starts it from the Web UI writes JSON by hand. */
function refuseUnsound({ before, tasks }: MaintenanceInput): void {
  const today = new Date().toISOString().slice(0, 10);
  const unsound = (message: string): never => {
    throw failure({ code: 'DefinitionInvalid', message });
  };
  if (before !== undefined && !isDay(String(before)))
    unsound(`"${String(before)}" is no day: write it like 2026-11-24.`);
  if (before !== undefined && before > today) unsound(`The day ${before} has not come yet.`);
  const known = tasks === undefined || (Array.isArray(tasks) && tasks.every((task) => maintenanceTasks.includes(task)));
  if (!known) unsound(`tasks must be a list of ${maintenanceTasks.join(', ')}.`);
}
