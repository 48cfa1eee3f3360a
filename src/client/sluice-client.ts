import { randomUUID } from 'node:crypto';
import {
  Client,
  Connection,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type ScheduleOptions,
  type ScheduleUpdateOptions,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { noTemporal, requireListening, temporalPlace } from '../connectors/temporal.ts';
import { durationMs } from '../definition/duration.ts';
import { SluiceError, sentenceOf, type ErrorCode } from '../definition/errors.ts';
import { ids, taskQueues } from '../definition/names.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import type { launch, maintenance, pipeline as pipelineWorkflow, reindex } from '../workflows/index.ts';
import type { MaintenanceInput, MaintenanceReport } from '../workflows/maintenance-messages.ts';
import type {
  LaunchInput,
  LaunchResult,
  ReindexInput,
  ReindexReport,
  RunProgress,
  RunReport,
} from '../workflows/messages.ts';

export interface RunSummary {
  readonly workflowId: string;
  readonly runId: string;
  readonly status: string;
  readonly startedAt: string;
  readonly closedAt?: string;
}

/** Programmatic starts, schedules and status. The CLI is thin over this. */
export class SluiceClient {
  readonly #client: Client;
  readonly #connection: Connection;

  private constructor(client: Client, connection: Connection) {
    this.#client = client;
    this.#connection = connection;
  }

  /**
   * Connects as the `temporal` CLI does: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, profiles.
   * @throws SluiceError `StackUnavailable` where no Temporal server answers
   */
  static async connect(environment: Readonly<Record<string, string | undefined>> = process.env): Promise<SluiceClient> {
    const place = temporalPlace(environment);
    await requireListening(place);
    try {
      const connection = await Connection.connect({ ...place.options, connectTimeout: 5_000 });
      return new SluiceClient(new Client({ connection, namespace: place.namespace }), connection);
    } catch (error) {
      throw noTemporal(place.address, error);
    }
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** The Temporal client itself, for what this one does not wrap. */
  get temporal(): Client {
    return this.#client;
  }

  /** Creates the pipeline's schedule and that of its maintenance, or brings them up to the definition. Whether they are paused stays as a person left it. */
  async applySchedule(pipeline: Pipeline): Promise<'created' | 'updated'> {
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

  /** Starts maintenance of a pipeline now. @returns the id of its workflow */
  async startMaintenance(input: MaintenanceInput): Promise<string> {
    const workflowId = `${ids.maintenance(input.pipeline.name)}-${new Date().toISOString()}-${randomUUID().slice(0, 8)}`;
    await this.#client.workflow.start<typeof maintenance>('maintenance', {
      workflowId,
      taskQueue: taskQueues.light,
      args: [input],
    });
    return workflowId;
  }

  /**
   * Waits for maintenance to end.
   * @throws SluiceError with its own code and sentence where it failed
   */
  async maintenanceResult(workflowId: string): Promise<MaintenanceReport> {
    try {
      return await this.#client.workflow.getHandle<typeof maintenance>(workflowId).result();
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** Starts a run of an hour, or joins the one there is. */
  async launch(input: LaunchInput): Promise<LaunchResult> {
    try {
      return await this.#client.workflow.execute<typeof launch>('launch', {
        // Two that start within one millisecond are two launches all the same; the second joins.
        workflowId: ids.launch(input.pipeline.name, `${new Date().toISOString()}-${randomUUID().slice(0, 8)}`),
        taskQueue: taskQueues.light,
        args: [input],
      });
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** Starts a rebuild of a pipeline's indices; `running` where one is on its way, which goes on as it was begun. */
  async startReindex(input: ReindexInput): Promise<{ workflowId: string; running: boolean }> {
    const workflowId = ids.reindex(input.pipeline.name, input.dryRun === true);
    try {
      await this.#client.workflow.start<typeof reindex>('reindex', {
        workflowId,
        taskQueue: taskQueues.light,
        args: [input],
        staticSummary: `Rebuilds the indices of ${input.pipeline.name}`,
      });
      return { workflowId, running: false };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      return { workflowId, running: true };
    }
  }

  /** Waits for a rebuild to end. @throws SluiceError what failed it */
  async reindexed(workflowId: string): Promise<ReindexReport> {
    try {
      return await this.#client.workflow.getHandle<typeof reindex>(workflowId).result();
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** How far a run is; undefined where it is not there, or no worker answers for it. */
  async progress(workflowId: string): Promise<RunProgress | undefined> {
    try {
      return await this.#client.workflow.getHandle<typeof pipelineWorkflow>(workflowId).query<RunProgress>('progress');
    } catch {
      return undefined;
    }
  }

  /** What the activities of a run say of themselves now: `publish` → `sent 12,000 of 32,735`. */
  async notes(workflowId: string): Promise<Readonly<Record<string, string>>> {
    const description = await this.#client.workflow.getHandle(workflowId).describe();
    const pending = description.raw.pendingActivities ?? [];
    const notes = pending.map((activity): [string, string] => {
      const attempt = activity.attempt ?? 1;
      const failed = attempt > 1 ? `attempt ${attempt}, after: ${activity.lastFailure?.message ?? 'no answer'}` : '';
      const data = activity.heartbeatDetails?.payloads?.[0]?.data;
      const beat = data ? (JSON.parse(Buffer.from(data).toString()) as { note?: string } | null) : null;
      return [activity.activityType?.name ?? '', [beat?.note, failed].filter(Boolean).join(', ')];
    });
    return Object.fromEntries(notes);
  }

  /**
   * Waits for a run to end.
   * @throws SluiceError with the run's own code and sentence where it failed
   */
  async result(workflowId: string): Promise<RunReport> {
    try {
      return await this.#client.workflow.getHandle<typeof pipelineWorkflow>(workflowId).result();
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** Asks a run to stop; what it had begun stays invisible, and its hour may be run again. */
  async cancel(workflowId: string): Promise<void> {
    await this.#client.workflow.getHandle(workflowId).cancel();
  }

  /** The newest runs, of one pipeline or of all. */
  async runs(pipeline: string | undefined, limit: number): Promise<RunSummary[]> {
    const found: RunSummary[] = [];
    // Names come from validated definitions or from the command line, where a quote is refused.
    const which = pipeline === undefined ? '' : ` AND WorkflowId STARTS_WITH "pipeline/${pipeline}/"`;
    for await (const run of this.#client.workflow.list({ query: `WorkflowType = "pipeline"${which}` })) {
      found.push({
        workflowId: run.workflowId,
        runId: run.runId,
        status: run.status.name.toLowerCase(),
        startedAt: run.startTime.toISOString(),
        ...(run.closeTime ? { closedAt: run.closeTime.toISOString() } : {}),
      });
      if (found.length >= limit) break;
    }
    return found;
  }
}

/** The failure of a run as the error that its stage threw. */
function failureOf(error: unknown): unknown {
  if (!(error instanceof WorkflowFailedError)) return error;
  let cause: unknown = error.cause;
  while (cause instanceof Error && !(cause instanceof ApplicationFailure) && cause.cause !== undefined)
    cause = cause.cause;
  if (cause instanceof ApplicationFailure) {
    return new SluiceError((cause.type ?? 'Unexpected') as ErrorCode, cause.message);
  }
  return new SluiceError('Cancelled', `The run ended without a result: ${sentenceOf(cause ?? error)}.`);
}
