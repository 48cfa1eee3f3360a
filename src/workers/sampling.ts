import { setTimeout as wait } from 'node:timers/promises';
import type { NativeConnection } from '@temporalio/worker';
import type { Metrics } from '../connectors/metrics.ts';
import { sentenceOf } from '../definition/errors.ts';
import { incidentRules } from '../definition/incidents.ts';

const LOOK_EVERY_MS = 60_000;
const ANSWER_MS = 10_000;
/** Each costs a question of its own. */
const MOST_SCHEDULES = 500;
/** More open incidents than this are counted as so many. */
const MOST_INCIDENTS = 1_000;

type Service = Pick<
  NativeConnection['workflowService'],
  'listSchedules' | 'describeSchedule' | 'listWorkflowExecutions'
>;

/** Tells every minute what Temporal alone knows: what schedules missed, whether they are paused, which incidents are open. */
export async function sampleTemporal(
  connection: NativeConnection,
  namespace: string,
  metrics: Metrics,
  warn: (message: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const seen = new OpenIncidents(metrics);
  for (let failed = false; !signal.aborted;) {
    try {
      await connection.withDeadline(Date.now() + ANSWER_MS, async () => {
        await sampleSchedules(connection.workflowService, namespace, metrics);
        seen.are(await openIncidents(connection.workflowService, namespace));
      });
      metrics.set('sluice_temporal_sampled_timestamp_seconds', Date.now() / 1_000, {});
      failed = false;
    } catch (error) {
      if (!failed && !signal.aborted) warn(`schedules and incidents are not in the metrics: ${sentenceOf(error)}`);
      failed = true;
    }
    await wait(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => {});
  }
}

/** Schedules of pipelines: `<name>`, and `maintenance/<name>`. Others are none of ours. */
export async function sampleSchedules(service: Service, namespace: string, metrics: Metrics): Promise<void> {
  const { schedules } = await service.listSchedules({ namespace, maximumPageSize: MOST_SCHEDULES });
  for (const { scheduleId, info } of schedules ?? []) {
    const type = info?.workflowType?.name;
    if (!scheduleId || (type !== 'launch' && type !== 'maintenance')) continue;
    const { info: counts, schedule } = await service.describeSchedule({ namespace, scheduleId });
    const pipeline = scheduleId.replace(/^maintenance\//, '');
    const which = { pipeline, schedule: type === 'launch' ? 'hours' : 'maintenance' };
    metrics.set('sluice_schedule_missed_runs', Number(counts?.missedCatchupWindow ?? 0), which);
    metrics.set('sluice_schedule_skipped_runs', Number(counts?.overlapSkipped ?? 0), which);
    metrics.set('sluice_schedule_paused', schedule?.state?.paused === true ? 1 : 0, which);
  }
}

/** How many incidents are open, by `pipeline` and rule: each is a workflow `incident/<pipeline>/<rule>…` that runs. */
export async function openIncidents(service: Service, namespace: string): Promise<Map<string, number>> {
  const query = "WorkflowType = 'incident' AND ExecutionStatus = 'Running'";
  const { executions } = await service.listWorkflowExecutions({ namespace, query, pageSize: MOST_INCIDENTS });
  const open = new Map<string, number>();
  for (const { execution } of executions ?? []) {
    const [, pipeline, rule = ''] = /^incident\/([^/]+)\/([^/]+)/.exec(execution?.workflowId ?? '') ?? [];
    if (pipeline === undefined || !incidentRules.some((known) => known === rule)) continue;
    const which = `${pipeline}/${rule}`;
    open.set(which, (open.get(which) ?? 0) + 1);
  }
  return open;
}

/** Those that are not open any more are told of as none, as a series cannot be taken back. */
export class OpenIncidents {
  readonly #metrics: Metrics;
  readonly #known = new Set<string>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  are(open: ReadonlyMap<string, number>): void {
    for (const which of open.keys()) this.#known.add(which);
    for (const which of this.#known) {
      const [pipeline = '', rule = ''] = which.split('/');
      this.#metrics.set('sluice_incidents_open', open.get(which) ?? 0, { pipeline, rule });
    }
  }
}
