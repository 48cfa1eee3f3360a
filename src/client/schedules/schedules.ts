import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import {
  encodeScheduleOverlapPolicy,
  ScheduleNotFoundError,
  type Client,
  type ScheduleDescription,
} from '@temporalio/client';
import { msNumberToTs } from '@temporalio/common/lib/time.js';
import { acceptDefinition } from '../../definition/check-definition.ts';
import { didYouMean } from '../../definition/did-you-mean.ts';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import { requireBegun, toLogicalHour, type LogicalHour } from '../../definition/hour.ts';
import { ids } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { desiredMaintenance, desiredSchedule, type DesiredSchedule } from './desired.ts';
import {
  hourOfStart,
  listedOf,
  noteOf,
  pipelineIn,
  startedBySchedules,
  viewOf,
  type ScheduleListed,
  type ScheduleView,
} from './describing.ts';
import { bringUp, planOf, standing, type SchedulePlan } from './standing.ts';

/** A pipeline's schedules, its own first, then that of its maintenance. */
export interface PipelineSchedules {
  readonly pipeline: string;
  readonly schedules: readonly SchedulePlan[];
}

/** What `apply` did. `outcome` is that of the pipeline's own schedule. */
export interface AppliedSchedules extends PipelineSchedules {
  readonly outcome: 'created' | 'updated' | 'unchanged';
}

/** Whether a schedule starts anything, and the note that people or the server left. */
export interface ScheduleState {
  readonly scheduleId: string;
  readonly paused: boolean;
  readonly note?: string;
}

export interface TriggerOptions {
  /** One that has begun; the current one where left out. */
  readonly hour?: LogicalHour;
}

/** What was started; only the schedule where the server did not say within a few seconds. */
export interface Triggered {
  readonly scheduleId: string;
  readonly launch?: string;
  readonly hour?: LogicalHour;
  /** Of the hour's run. */
  readonly workflowId?: string;
}

const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 200;
/** A start that was there before is taken for the answer where it is no further from the asking, and after so long. */
const SAME_SECOND_MS = 1_500;
const outcomes = { create: 'created', update: 'updated', delete: 'unchanged', none: 'unchanged' } as const;

/** When pipelines run: Temporal schedules made from definitions. */
export class Schedules {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** What {@link apply} would do, field by field. Changes nothing. */
  async plan(pipeline: Pipeline): Promise<PipelineSchedules> {
    return this.#each(pipeline, planOf);
  }

  /**
   * Creates the pipeline's schedule and that of its maintenance, or brings them up to the definition. Whether they are paused stays as a
   * person, or the server after a failure, left it. May be called again, and by several at once: the last definition stands.
   * @throws SluiceError `DefinitionInvalid` where the server refuses it, `DashboardInvalid` where a panel that it holds cannot be drawn
   */
  async apply(pipeline: Pipeline): Promise<AppliedSchedules> {
    const done = await this.#each(pipeline, bringUp);
    return { ...done, outcome: outcomes[done.schedules[0]?.change ?? 'none'] };
  }

  /**
   * The definition that a pipeline's schedule starts its hours with.
   * @throws SluiceError `ScheduleUnknown` where there is no such schedule, `DefinitionInvalid` where it holds none that is sound
   */
  async definition(name: string): Promise<Pipeline> {
    const { action } = await this.#standing(name);
    const input: unknown = action.args?.[0];
    const given = typeof input === 'object' && input !== null && 'pipeline' in input ? input.pipeline : undefined;
    if (action.workflowType !== 'launch' || given === undefined) {
      throw new SluiceError(
        'DefinitionInvalid',
        `The schedule ${name} starts no pipeline's hours, so it holds no definition.`,
      );
    }
    let pipeline: Pipeline;
    try {
      pipeline = acceptDefinition(given);
    } catch (error) {
      throw new SluiceError('DefinitionInvalid', `The schedule ${name} is no good: ${sentenceOf(error)}`, {
        cause: error,
      });
    }
    if (pipeline.name === name) return pipeline;
    throw new SluiceError(
      'DefinitionInvalid',
      `The schedule ${name} starts the hours of ${pipeline.name}: name that one.`,
    );
  }

  /**
   * Starts no more hours until {@link resume}; runs that are on their way go on. A schedule that is paused already keeps its note where none is given.
   * @param name of the pipeline, or `maintenance/<name>`
   * @throws SluiceError `ScheduleUnknown`
   */
  async pause(name: string, note?: string): Promise<ScheduleState> {
    const { state } = await this.#standing(name);
    if (state.paused && note === undefined) return stateOf(name, state);
    await this.#client.schedule.getHandle(name).pause(note ?? 'paused with Sluice');
    return stateOf(name, (await this.#standing(name)).state);
  }

  /**
   * Starts hours again from the next one on; those that passed are not made up for.
   * @throws SluiceError `ScheduleUnknown`
   */
  async resume(name: string, note?: string): Promise<ScheduleState> {
    const { state } = await this.#standing(name);
    if (!state.paused && note === undefined) return stateOf(name, state);
    await this.#client.schedule.getHandle(name).unpause(note ?? 'resumed with Sluice');
    return stateOf(name, (await this.#standing(name)).state);
  }

  /**
   * Has the schedule start an hour now, paused or not, beside what runs: the current one, or one that has begun. An hour that runs or is
   * done is joined.
   * @throws SluiceError `ScheduleUnknown`, `DefinitionInvalid` for an hour to come
   */
  async trigger(name: string, { hour }: TriggerOptions = {}): Promise<Triggered> {
    const before = await this.#standing(name);
    const scheduledTime = hour === undefined ? undefined : new Date(toLogicalHour(hour));
    const asked = Date.now();
    if (hour !== undefined) requireBegun(toLogicalHour(hour), new Date(asked));
    await this.#client.workflowService.patchSchedule({
      namespace: this.#client.options.namespace,
      scheduleId: name,
      identity: this.#client.options.identity,
      requestId: randomUUID(),
      patch: {
        triggerImmediately: {
          overlapPolicy: encodeScheduleOverlapPolicy('ALLOW_ALL') ?? null,
          // The server takes its own time where there is none.
          ...(scheduledTime ? { scheduledTime: msNumberToTs(scheduledTime.getTime()) } : {}),
        },
      },
    });
    const started = await this.#startedSince(before, asked);
    return { scheduleId: name, ...(started === undefined ? {} : startedOf(before, started)) };
  }

  /** How a schedule stands, what it did and what comes next. @throws SluiceError `ScheduleUnknown` */
  async describe(name: string): Promise<ScheduleView> {
    return viewOf(this.#client, await this.#standing(name));
  }

  /** All schedules that start something of Sluice's, whoever made them, by name. The list may be some seconds behind. */
  async list(): Promise<ScheduleListed[]> {
    const found: ScheduleListed[] = [];
    for await (const schedule of this.#client.schedule.list()) {
      if (startedBySchedules.includes(schedule.action?.workflowType ?? '')) found.push(listedOf(schedule));
    }
    return found.toSorted((a, b) => (a.scheduleId < b.scheduleId ? -1 : 1));
  }

  /**
   * Deletes a pipeline's schedule and that of its maintenance. Runs that are on their way go on; starts that wait for one are dropped.
   * @returns the ids of those that were deleted
   * @throws SluiceError `ScheduleUnknown` where there is neither
   */
  async delete(name: string): Promise<string[]> {
    requireName(name);
    const found = await Promise.all(
      [name, ids.maintenance(name)].map(async (id) => ((await standing(this.#client, id)) ? [id] : [])),
    );
    const all = found.flat();
    // It says that there is none.
    if (all.length === 0) await this.#standing(name);
    for (const id of all) {
      await this.#client.schedule
        .getHandle(id)
        .delete()
        .catch((error: unknown) => {
          if (!(error instanceof ScheduleNotFoundError)) throw error;
        });
    }
    return all;
  }

  /**
   * The newest start that was not there before. Two triggers of one second are one start to the server, which tells of the second one nothing.
   * @returns undefined where the server takes its time
   */
  async #startedSince({ scheduleId, info }: ScheduleDescription, asked: number): Promise<string | undefined> {
    const known = new Set(info.recentActions.map(({ action }) => action.workflow.firstExecutionRunId));
    for (let now = Date.now(); now < asked + PATIENCE_MS; now = Date.now()) {
      const newest = (await standing(this.#client, scheduleId))?.info.recentActions.at(-1);
      const { workflowId, firstExecutionRunId } = newest?.action.workflow ?? {};
      if (firstExecutionRunId !== undefined && !known.has(firstExecutionRunId)) return workflowId;
      const sameSecond = Math.abs((newest?.takenAt.getTime() ?? 0) - asked) < SAME_SECOND_MS;
      if (sameSecond && now > asked + SAME_SECOND_MS) return workflowId;
      await wait(LOOK_EVERY_MS);
    }
    return undefined;
  }

  async #each(
    pipeline: Pipeline,
    work: (client: Client, scheduleId: string, wanted: DesiredSchedule | undefined) => Promise<SchedulePlan>,
  ): Promise<PipelineSchedules> {
    // Vega is there for those alone that hold panels.
    if (pipeline.dashboards.panels !== undefined) {
      (await import('../../dashboards/drawable.ts')).requireDrawable(pipeline);
    }
    const own = await work(this.#client, ids.schedule(pipeline.name), desiredSchedule(pipeline));
    const maintenance = await work(this.#client, ids.maintenance(pipeline.name), desiredMaintenance(pipeline));
    return { pipeline: pipeline.name, schedules: [own, maintenance] };
  }

  /** @throws SluiceError `ScheduleUnknown` */
  async #standing(name: string): Promise<ScheduleDescription> {
    requireName(name);
    const found = await standing(this.#client, name);
    if (found) return found;
    const all: string[] = [];
    for await (const { scheduleId } of this.#client.schedule.list()) all.push(scheduleId);
    const message = `There is no schedule ${name}.${didYouMean(name, all)} "sluice schedule list" shows those there are; "sluice schedule apply" makes one.`;
    throw new SluiceError('ScheduleUnknown', message);
  }
}

function stateOf(scheduleId: string, state: ScheduleDescription['state']): ScheduleState {
  return { scheduleId, paused: state.paused, ...noteOf(state) };
}

function startedOf({ action }: ScheduleDescription, launch: string): Omit<Triggered, 'scheduleId'> {
  const pipeline = pipelineIn(action.args?.[0]);
  const hour = action.workflowType === 'launch' ? hourOfStart(launch) : undefined;
  return {
    launch,
    ...(hour === undefined ? {} : { hour }),
    ...(hour === undefined || pipeline === undefined ? {} : { workflowId: ids.pipeline(pipeline, hour) }),
  };
}

function requireName(name: string): void {
  if (/^(maintenance\/)?[a-z][a-z0-9-]{0,39}$/.test(name)) return;
  throw new SluiceError(
    'ScheduleUnknown',
    `"${name}" cannot be a schedule: it is called by its pipeline's name, or maintenance/<name>.`,
  );
}
