import type { Client, ScheduleDescription } from '@temporalio/client';
import { acceptDefinition } from '../../definition/check-definition.ts';
import { didYouMean } from '../../definition/did-you-mean.ts';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import { ids } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { desiredMaintenance, desiredSchedule, type DesiredSchedule } from './desired.ts';
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
   * @throws SluiceError `DefinitionInvalid` where the server refuses it
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

  async #each(
    pipeline: Pipeline,
    work: (client: Client, scheduleId: string, wanted: DesiredSchedule | undefined) => Promise<SchedulePlan>,
  ): Promise<PipelineSchedules> {
    const own = await work(this.#client, ids.schedule(pipeline.name), desiredSchedule(pipeline));
    const maintenance = await work(this.#client, ids.maintenance(pipeline.name), desiredMaintenance(pipeline));
    return { pipeline: pipeline.name, schedules: [own, maintenance] };
  }

  /** @throws SluiceError `ScheduleUnknown` */
  async #standing(name: string): Promise<ScheduleDescription> {
    if (!/^(maintenance\/)?[a-z][a-z0-9-]{0,39}$/.test(name)) {
      throw new SluiceError(
        'ScheduleUnknown',
        `"${name}" cannot be a schedule: it is called by its pipeline's name, or maintenance/<name>.`,
      );
    }
    const found = await standing(this.#client, name);
    if (found) return found;
    const all: string[] = [];
    for await (const { scheduleId } of this.#client.schedule.list()) all.push(scheduleId);
    const message = `There is no schedule ${name}.${didYouMean(name, all)} "sluice schedule list" shows those there are; "sluice schedule apply" makes one.`;
    throw new SluiceError('ScheduleUnknown', message);
  }
}
