import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { ids, taskQueues } from '../definition/names.ts';
import type { launch, pipeline as pipelineWorkflow } from '../workflows/index.ts';
import type { LaunchInput, LaunchResult, RunProgress, RunReport } from '../workflows/messages.ts';
import { failureOf } from './failure-of.ts';

export interface RunSummary {
  readonly workflowId: string;
  readonly runId: string;
  readonly status: string;
  readonly startedAt: string;
  readonly closedAt?: string;
}

/** Runs of hours: started, followed, steered, listed. */
export class Runs {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
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
  async list(pipeline: string | undefined, limit: number): Promise<RunSummary[]> {
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
