import { Context } from '@temporalio/activity';
import type { Progress, StageContext } from '../stages/deps.ts';
import { isObject } from '../definition/is-object.ts';
import { failedBefore } from './attempt-timing.ts';
import { classified } from './error-interceptor.ts';

const BEAT_EVERY_MS = 4_000;

/**
 * Runs a stage under Temporal's eyes: progress becomes the heartbeat, repeated while the stage says nothing new; cancellation its signal.
 * Each heartbeat also holds why the attempts before it failed, and the last one of an attempt that fails why that did.
 */
export async function attended<T>(stage: (context: StageContext) => Promise<T>): Promise<T> {
  const activity = Context.current();
  const runId = activity.info.workflowExecution?.runId;
  const previous = activity.info.heartbeatDetails as unknown;
  let failed = failedBefore(previous);
  // An attempt that says nothing takes nothing from what the next one needs.
  let latest: Progress = isObject(previous) ? previous : {};
  const heartbeat = (of: object): void => activity.heartbeat(Object.keys(failed).length === 0 ? of : { ...of, failed });
  const beat = setInterval(() => heartbeat(latest), BEAT_EVERY_MS);
  try {
    return await stage({
      signal: activity.cancellationSignal,
      previous,
      ...(runId === undefined ? {} : { runId }),
      progress: (progress) => {
        latest = progress;
        heartbeat(progress);
      },
    });
  } catch (error) {
    const code = activity.cancellationSignal.aborted ? 'WorkerShutdown' : codeOf(error);
    failed = { ...failed, [code]: (failed[code] ?? 0) + 1 };
    heartbeat(latest);
    throw error;
  } finally {
    clearInterval(beat);
  }
}

function codeOf(error: unknown): string {
  const { type } = classified(error) as { readonly type?: string | null };
  return type ?? 'Unexpected';
}
