import { setTimeout as wait } from 'node:timers/promises';
import type { NativeConnection } from '@temporalio/worker';
import type { Metrics } from '../connectors/metrics.ts';
import { sentenceOf } from '../definition/errors.ts';
import { incidentRules } from '../definition/incidents.ts';
import type { LabelsOf } from '../definition/metrics.ts';

const LOOK_EVERY_MS = 60_000;
/** Each question by itself: there may be some hundred. */
const ANSWER_MS = 10_000;
const NOT_FOUND = 5;
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
  const schedules = new SampledSchedules(metrics);
  const seen = new OpenIncidents(metrics);
  const asked: Ask = (question) => connection.withDeadline(Date.now() + ANSWER_MS, question);
  for (let failed = false; !signal.aborted;) {
    try {
      await schedules.sample(connection.workflowService, namespace, asked);
      seen.are(await asked(() => openIncidents(connection.workflowService, namespace)));
      metrics.set('sluice_temporal_sampled_timestamp_seconds', Date.now() / 1_000, {});
      failed = false;
    } catch (error) {
      if (!failed && !signal.aborted) warn(`schedules and incidents are not in the metrics: ${sentenceOf(error)}`);
      failed = true;
    }
    await wait(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => {});
  }
}

type Described = Awaited<ReturnType<Service['describeSchedule']>>;

/** Asks one question, perhaps with a deadline. */
type Ask = <T>(question: () => Promise<T>) => Promise<T>;

/** Schedules of pipelines: `<name>`, and `maintenance/<name>`. Others are none of ours. One that is gone stands at nothing. */
export class SampledSchedules {
  readonly #metrics: Metrics;
  #known: ReadonlyMap<string, Which> = new Map();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  async sample(service: Service, namespace: string, asked: Ask = (question) => question()): Promise<void> {
    const { schedules, nextPageToken } = await asked(() =>
      service.listSchedules({ namespace, maximumPageSize: MOST_SCHEDULES }),
    );
    const there = new Map<string, Which>();
    for (const { scheduleId, info } of schedules ?? []) {
      const type = info?.workflowType?.name;
      if (!scheduleId || (type !== 'launch' && type !== 'maintenance')) continue;
      const described = await asked(() => service.describeSchedule({ namespace, scheduleId }).catch(unlessGone));
      if (!described) continue;
      const { info: counts, schedule } = described;
      const pipeline = scheduleId.replace(/^maintenance\//, '');
      const which: Which = { pipeline, schedule: type === 'launch' ? 'hours' : 'maintenance' };
      there.set(scheduleId, which);
      this.#stands(which, {
        missed: Number(counts?.missedCatchupWindow ?? 0),
        skipped: Number(counts?.overlapSkipped ?? 0),
        paused: schedule?.state?.paused === true ? 1 : 0,
        newest: type === 'launch' ? newestHour(described) : NaN,
      });
    }
    // Where the list was cut, one that is not in it may be there.
    const cut = (nextPageToken?.length ?? 0) > 0;
    const gone = [...this.#known].filter(([id]) => !there.has(id));
    if (!cut)
      for (const [, which] of gone) this.#stands(which, { missed: NaN, skipped: NaN, paused: NaN, newest: NaN });
    this.#known = new Map([...(cut ? this.#known : []), ...there]);
  }

  #stands(which: Which, { missed, skipped, paused, newest }: Standing): void {
    this.#metrics.set('sluice_schedule_missed_runs', missed, which);
    this.#metrics.set('sluice_schedule_skipped_runs', skipped, which);
    this.#metrics.set('sluice_schedule_paused', paused, which);
    if (which.schedule === 'hours') this.#metrics.set('sluice_schedule_newest_hour_timestamp_seconds', newest, which);
  }
}

type Which = LabelsOf<'sluice_schedule_paused'>;

interface Standing {
  readonly missed: number;
  readonly skipped: number;
  readonly paused: number;
  readonly newest: number;
}

/** The logical hour of the newest run that a schedule has started, in seconds since 1970. Jitter may have moved it into the next hour, so that is taken off. */
function newestHour({ info, schedule }: Described): number {
  const started = Math.max(
    ...(info?.recentActions ?? []).map(({ scheduleTime }) => Number(scheduleTime?.seconds ?? NaN)),
  );
  const jitter = Number(schedule?.spec?.jitter?.seconds ?? 0);
  return Number.isFinite(started) ? Math.floor((started - jitter) / 3_600) * 3_600 : NaN;
}

/** Somebody may delete a schedule between the list and its turn. */
function unlessGone(error: unknown): undefined {
  if ((error as { code?: unknown }).code !== NOT_FOUND) throw error;
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
