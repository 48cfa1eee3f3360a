import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import type { RunProgress, RunReport } from '../workflows/messages.ts';
import { failureOf } from './failure-of.ts';
import { answerOf, PATIENCE_MS } from './query-worker.ts';
import { pendingActivities } from './pending-activities.ts';
import { isUnanswered, resultOf } from './result-of.ts';
import { RunEventLog, type RunEvent, type RunSnapshot } from './run-events.ts';

/** A look at a run, and the next one; longer where nothing happens. */
const FIRST_LOOK_MS = 300;
const LONGEST_LOOK_MS = 2_000;

/** What a run came to: its report, or what failed it. */
export type Settled = { readonly report: RunReport } | { readonly error: unknown };

/** How far a run is; undefined where it is not there, or no worker answers for it. */
export function progressOf(client: Client, workflowId: string, runId?: string): Promise<RunProgress | undefined> {
  return answerOf(client, client.workflow.getHandle(workflowId, runId), 'progress');
}

/** How far a run is, with what last failed an attempt at the stage that it is in: the run itself does not hear of that. */
export async function standingOf(client: Client, workflowId: string): Promise<RunProgress | undefined> {
  const { progress, pending } = await snapshotOf(client, workflowId);
  const failed = pending.flatMap(({ failure }) => (failure ? [failure] : []));
  const {
    message,
    code = 'Unexpected',
    at,
  } = failed.toSorted((a, b) => ((a.at ?? '') < (b.at ?? '') ? 1 : -1))[0] ?? {};
  if (!progress?.current || message === undefined) return progress;
  return { ...progress, lastError: { code, message, stage: progress.current, at: at ?? new Date().toISOString() } };
}

/**
 * Follows one run to its end, also where Temporal is away meanwhile. Ends early, without an `ended`, where `signal` aborts; the run goes on.
 * @param over is told what the run came to, before the last event
 * @throws SluiceError `NotRunning` where there is no such run, or none any more; `StackUnavailable` where Temporal lets nobody look any more
 */
export async function* watchRun(
  client: Client,
  workflowId: string,
  over: (settled: Settled) => void,
  signal?: AbortSignal,
): AsyncGenerator<RunEvent> {
  const runId = await runIdOf(client, workflowId);
  const left = new AbortController();
  const stop = signal ? AbortSignal.any([signal, left.signal]) : left.signal;
  let settled: Settled | undefined;
  const ended = resultOf<RunReport>(client, { workflowId, runId }, stop).then(
    (report) => (settled = { report }),
    (error: unknown) => (settled = { error }),
  );
  const log = new RunEventLog();
  try {
    for (let look = FIRST_LOOK_MS; !settled && !stop.aborted; look = Math.min(look * 1.2, LONGEST_LOOK_MS)) {
      const snapshot = await Promise.race([snapshotOf(client, workflowId, runId), ended]);
      if ('pending' in snapshot) {
        const events = log.take(snapshot, new Date().toISOString());
        if (events.length > 0) look = FIRST_LOOK_MS;
        yield* events;
      }
      const rest = new AbortController();
      await Promise.race([
        pause(look, undefined, { signal: AbortSignal.any([stop, rest.signal]) }).catch(() => {}),
        ended,
      ]);
      rest.abort();
    }
    if (!settled || signal?.aborted) return;
    if ('error' in settled && !(settled.error instanceof WorkflowFailedError))
      throw lostSight(workflowId, settled.error);
    over(settled);
    yield* await endOf(client, { workflowId, runId }, settled, log);
  } finally {
    left.abort();
  }
}

async function endOf(
  client: Client,
  { workflowId, runId }: { workflowId: string; runId: string },
  settled: Settled,
  log: RunEventLog,
): Promise<RunEvent[]> {
  if ('report' in settled) {
    const { outcome, endedAt } = settled.report;
    // The run's own word has the rows of its stages; its report stands in where no worker answers any more.
    const progress = await progressOf(client, workflowId, runId);
    return log.end(progress?.stages ?? settled.report.stages, { outcome }, endedAt);
  }
  const failure = failureOf(settled.error);
  const code = failure instanceof SluiceError ? failure.code : 'Unexpected';
  const progress = await progressOf(client, workflowId, runId);
  const outcome = code === 'Cancelled' ? 'cancelled' : 'failed';
  const error = { code, message: sentenceOf(failure) };
  return log.end(progress?.stages ?? [], { outcome, error }, new Date().toISOString());
}

async function runIdOf(client: Client, workflowId: string): Promise<string> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).runId;
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new SluiceError('NotRunning', `Temporal knows no run ${workflowId}.`);
  }
}

/** Whoever followed the run cannot any more; what it comes to is not known. */
function lostSight(workflowId: string, cause: unknown): SluiceError {
  if (cause instanceof WorkflowNotFoundError)
    return new SluiceError('NotRunning', `Temporal knows no run ${workflowId} any more.`, { cause });
  const why = sentenceOf(cause).replace(/\.+$/, '');
  return new SluiceError(
    'StackUnavailable',
    `The run ${workflowId} can be followed no longer, and may go on: ${why}. Look again with "sluice status".`,
    { cause },
  );
}

async function snapshotOf(client: Client, workflowId: string, runId?: string): Promise<RunSnapshot> {
  let away = false;
  const [progress, pending] = await Promise.all([
    progressOf(client, workflowId, runId),
    client
      .withDeadline(Date.now() + PATIENCE_MS, () => pendingActivities(client, workflowId, runId))
      .catch((error: unknown) => {
        away = isUnanswered(error);
        return [];
      }),
  ]);
  return { ...(progress ? { progress } : {}), pending, ...(away && !progress ? { away } : {}) };
}
