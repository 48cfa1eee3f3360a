import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
  type ScheduleUpdateOptions,
} from '@temporalio/client';
import { durationMs } from '../definition/duration.ts';
import { ids, taskQueues } from '../definition/names.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import type { MaintenanceInput } from '../workflows/maintenance-messages.ts';
import type { LaunchInput } from '../workflows/messages.ts';

/** When pipelines run: Temporal schedules made from definitions. */
export class Schedules {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Creates the pipeline's schedule and that of its maintenance, or brings them up to the definition. Whether they are paused stays as a person left it. */
  async apply(pipeline: Pipeline): Promise<'created' | 'updated'> {
    const { every, offset, catchUp, paused } = pipeline.schedule;
    const input: LaunchInput = { pipeline };
    const parts = {
      spec: { intervals: [{ every: durationMs(every), offset: durationMs(offset) }] },
      action: {
        type: 'startWorkflow' as const,
        workflowType: 'launch',
        workflowId: ids.launchPrefix(pipeline.name),
        taskQueue: taskQueues.light,
        args: [input],
        staticSummary: `Launches the hourly run of ${pipeline.name}`,
      },
      // An hour that is not imported is gone, so runs never wait for each other.
      policies: { overlap: ScheduleOverlapPolicy.ALLOW_ALL, catchupWindow: durationMs(catchUp) },
    } satisfies Omit<ScheduleOptions, 'scheduleId'>;
    await this.#applyMaintenance(pipeline);
    return this.#apply(ids.schedule(pipeline.name), parts, paused);
  }

  /** The daily work on what is stored; no schedule where the definition asks for none. */
  async #applyMaintenance(pipeline: Pipeline): Promise<void> {
    const { offset, paused, compact, gc } = pipeline.maintenance;
    const scheduleId = ids.maintenance(pipeline.name);
    if (!compact && !gc && pipeline.keep.hours === undefined) {
      await this.#client.schedule
        .getHandle(scheduleId)
        .delete()
        .catch((error: unknown) => {
          if (!(error instanceof ScheduleNotFoundError)) throw error;
        });
      return;
    }
    const input: MaintenanceInput = { pipeline };
    const parts = {
      spec: { intervals: [{ every: '1d' as const, offset: durationMs(offset) }] },
      action: {
        type: 'startWorkflow' as const,
        workflowType: 'maintenance',
        workflowId: scheduleId,
        taskQueue: taskQueues.light,
        args: [input],
        staticSummary: `Daily maintenance of ${pipeline.name}`,
      },
      // One that was missed is made up for by the next.
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '12h' as const },
    } satisfies Omit<ScheduleOptions, 'scheduleId'>;
    await this.#apply(scheduleId, parts, paused);
  }

  async #apply(
    scheduleId: string,
    parts: Omit<ScheduleOptions, 'scheduleId' | 'state'>,
    paused: boolean,
  ): Promise<'created' | 'updated'> {
    try {
      await this.#client.schedule.create({ scheduleId, ...parts, state: { paused } });
      return 'created';
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      await this.#client.schedule
        .getHandle(scheduleId)
        .update((now) => ({ ...now, ...parts, state: now.state }) as ScheduleUpdateOptions);
      return 'updated';
    }
  }
}
