import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import { TimeoutFailure } from '@temporalio/common';
import { SluiceError } from '../definition/errors.ts';
import type { LogicalHour } from '../definition/hour.ts';
import { ids, taskQueues } from '../definition/names.ts';
import { attributes } from '../workflows/attributes.ts';
import type {
  BackfillCancel,
  BackfillFailure,
  BackfillInput,
  BackfillProgress,
  BackfillReport,
} from '../workflows/backfill-messages.ts';
import { backfillSettings } from '../workflows/backfill-settings.ts';
import type { backfill } from '../workflows/index.ts';
import { askRun } from './ask-run.ts';
import { failureOf } from './failure-of.ts';
import { answerOf } from './query-worker.ts';
import { resultOf } from './result-of.ts';

/** What a backfill is asked for. */
export type BackfillAsked = Omit<BackfillInput, 'dryRun' | 'carried' | 'maxHistory'>;

/** What happens in a backfill, as `wait` tells it: a failed hour each once, and how far it is whenever that has changed. */
export type BackfillEvent =
  | { readonly type: 'hour-failed'; readonly failure: BackfillFailure }
  | { readonly type: 'progress'; readonly progress: BackfillProgress };

export interface BackfillWaitOptions {
  /** Told what happens meanwhile. */
  readonly onProgress?: (event: BackfillEvent) => void;
  /** Gives the waiting up; the backfill goes on. */
  readonly signal?: AbortSignal;
}

/** A backfill as Temporal's list has it. Times in ISO 8601, UTC. */
export interface BackfillSummary {
  readonly workflowId: string;
  readonly pipeline: string;
  /** As object keys have them: `2026-11-24T03`. */
  readonly from: string;
  readonly to: string;
  /** `running`, `completed`, `cancelled`, `failed`, `terminated`, `timed_out`. */
  readonly status: string;
  /** What it came to by its own word: `completed`, `failed` (hours of it), `stopped`, `cancelled`. */
  readonly outcome?: string;
  readonly startedAt: string;
  readonly closedAt?: string;
  /** Of one that runs, where a worker answers. */
  readonly progress?: BackfillProgress;
}

const LOOK_MS = 1_000;
const PREVIEW_TIMEOUT = '15 minutes';

/** Backfills: many hours run in one go. */
export class Backfills {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * How the hours of a range stand, and which would be run. A worker looks, in the object store.
   * @throws SluiceError `DefinitionInvalid`; `ImportNotRecorded` where none of the hours could be had any more; `NoWorker` where none has
   * looked in a quarter of an hour
   */
  async preview(asked: BackfillAsked): Promise<BackfillReport> {
    const { name, from, to } = backfillSettings(asked, new Date());
    const workflowId = ids.backfillPreview(name, from, to, randomUUID());
    await this.#client.workflow.start<typeof backfill>('backfill', {
      ...{ workflowId, taskQueue: taskQueues.light, args: [{ ...asked, dryRun: true }] },
      // Whoever asked may have left; nobody else finds it by its id.
      workflowExecutionTimeout: PREVIEW_TIMEOUT,
      staticSummary: `${name}, hours ${from} to ${to}, dry run`,
    });
    return this.#result(workflowId);
  }

  /**
   * Starts a backfill; `running` where one of the same range is on its way, which goes on as it was begun.
   * @throws SluiceError `DefinitionInvalid`
   */
  async start(asked: BackfillAsked): Promise<{ workflowId: string; running: boolean }> {
    const { name, from, to } = backfillSettings(asked, new Date());
    const workflowId = ids.backfill(name, from, to);
    try {
      await this.#client.workflow.start<typeof backfill>('backfill', {
        ...{ workflowId, taskQueue: taskQueues.light, args: [asked] },
        workflowIdConflictPolicy: 'FAIL',
        staticSummary: `${name}, hours ${from} to ${to}`,
      });
      return { workflowId, running: false };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      return { workflowId, running: true };
    }
  }

  /** How far a backfill is; undefined where it is not there, or no worker answers for it. */
  progress(workflowId: string): Promise<BackfillProgress | undefined> {
    return answerOf(this.#client, this.#client.workflow.getHandle(workflowId), 'progress');
  }

  /**
   * How far a backfill is; once it is over, what it came to.
   * @throws SluiceError `HourUnknown` where there is none; `NoWorker` where there is, and no worker answers for it
   */
  async look(workflowId: string): Promise<BackfillProgress> {
    const progress = await this.progress(workflowId);
    if (progress) return progress;
    try {
      await this.#client.workflow.getHandle(workflowId).describe();
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      const message = `There is no ${workflowId}: "sluice backfill list" has those that there are.`;
      throw new SluiceError('HourUnknown', message);
    }
    throw new SluiceError('NoWorker', `No worker answers for ${workflowId}: start one with "npx sluice worker".`);
  }

  /**
   * Waits for a backfill to end; hours that failed are in its report.
   * @throws SluiceError its own, where it failed as a whole; `Cancelled` where `signal` aborted or Temporal cancelled it; `NotRunning` where
   * there is none
   */
  async wait(workflowId: string, { onProgress, signal }: BackfillWaitOptions = {}): Promise<BackfillReport> {
    const over = new AbortController();
    const stop = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
    const result = this.#result(workflowId, stop);
    // Awaited at the end; until then nobody listens to how it fails.
    const ended = result.then(
      () => true,
      () => true,
    );
    let [told, last] = [0, ''];
    const tell = (progress: Pick<BackfillProgress, 'failures'>): void => {
      for (const failure of progress.failures.slice(told)) onProgress?.({ type: 'hour-failed', failure });
      told = Math.max(told, progress.failures.length);
    };
    try {
      while (onProgress && !stop.aborted) {
        const progress = await this.progress(workflowId);
        if (progress && JSON.stringify(changing(progress)) !== last) {
          last = JSON.stringify(changing(progress));
          tell(progress);
          onProgress({ type: 'progress', progress });
        }
        const rested = pause(LOOK_MS, false, { signal: stop }).catch(() => true);
        if (await Promise.race([ended, rested])) break;
      }
      const report = await result;
      tell(report);
      return report;
    } catch (error) {
      if (signal?.aborted) throw new SluiceError('Cancelled', `Nobody waits for ${workflowId} any more; it goes on.`);
      throw error;
    } finally {
      over.abort();
    }
  }

  /** Starts no more hours until {@link resume}; runs that are on their way go on. @throws SluiceError `NotRunning`, `NoWorker` */
  pause(workflowId: string): Promise<BackfillProgress> {
    return this.#tell(workflowId, 'pause');
  }

  /** @throws SluiceError `NotRunning`, `NoWorker` */
  resume(workflowId: string): Promise<BackfillProgress> {
    return this.#tell(workflowId, 'resume');
  }

  /** Starts no more hours; what becomes of those that run is for `how` to say. @throws SluiceError `NotRunning`, `NoWorker` */
  cancel(workflowId: string, how: BackfillCancel = {}): Promise<BackfillProgress> {
    return this.#tell(workflowId, 'cancel', how);
  }

  /** Backfills that Temporal knows of, the newest first. @param limit so many @default 20 */
  async list({ pipeline, limit = 20 }: { pipeline?: string; limit?: number } = {}): Promise<BackfillSummary[]> {
    const prefix = pipeline === undefined ? 'backfill/' : ids.backfills(pipeline);
    const query = `WorkflowType = "backfill" AND WorkflowId STARTS_WITH "${prefix}" AND ExecutionStatus != "ContinuedAsNew"`;
    const found: Promise<BackfillSummary>[] = [];
    for await (const info of this.#client.workflow.list({ query })) {
      const { workflowId, status, startTime, closeTime } = info;
      const which = rangeOf(workflowId);
      if (!which) continue;
      const outcome = info.typedSearchAttributes.get(attributes.outcome);
      const runs = status.name === 'RUNNING';
      const progress = runs ? this.progress(workflowId) : Promise.resolve(undefined);
      const summary = {
        ...{ workflowId, ...which, status: status.name.toLowerCase() },
        ...(outcome === undefined ? {} : { outcome }),
        startedAt: startTime.toISOString(),
        ...(closeTime ? { closedAt: closeTime.toISOString() } : {}),
      };
      found.push(progress.then((now) => ({ ...summary, ...(now ? { progress: now, startedAt: now.startedAt } : {}) })));
      if (found.length >= limit) break;
    }
    return Promise.all(found);
  }

  async #result(workflowId: string, signal?: AbortSignal): Promise<BackfillReport> {
    try {
      return await resultOf<BackfillReport>(this.#client, { workflowId }, signal);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) {
        throw new SluiceError('NotRunning', `Temporal knows no ${workflowId}.`);
      }
      if (error instanceof WorkflowFailedError && error.cause instanceof TimeoutFailure) {
        throw new SluiceError(
          'NoWorker',
          `No worker has come to an end of ${workflowId}: start one with "npx sluice worker".`,
        );
      }
      throw failureOf(error);
    }
  }

  #tell(workflowId: string, word: 'pause' | 'resume' | 'cancel', how: BackfillCancel = {}): Promise<BackfillProgress> {
    const args: [BackfillCancel] = [how];
    return askRun(
      this.#client,
      workflowId,
      (handle) => handle.executeUpdate<BackfillProgress, [BackfillCancel]>(word, { args }),
      'sluice backfill list',
    );
  }
}

/** What of the progress is news: the rate changes all the time. */
function changing({ mode, left, done, joined, failed, cancelled, running }: BackfillProgress): unknown {
  return { mode, left, done, joined, failed, cancelled, running };
}

function rangeOf(workflowId: string): { pipeline: string; from: LogicalHour; to: LogicalHour } | undefined {
  const [, pipeline, from, to] = /^backfill\/([^/]+)\/([^/]+)\.\.([^/]+)$/.exec(workflowId) ?? [];
  return pipeline === undefined || from === undefined || to === undefined ? undefined : { pipeline, from, to };
}
