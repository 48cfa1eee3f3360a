import { Context } from '@temporalio/activity';
import type { Progress, StageContext } from '../stages/deps.ts';

const BEAT_EVERY_MS = 4_000;

/** Runs a stage under Temporal's eyes: progress becomes the heartbeat, repeated while the stage says nothing new; cancellation its signal. */
export async function attended<T>(stage: (context: StageContext) => Promise<T>): Promise<T> {
  const activity = Context.current();
  const runId = activity.info.workflowExecution?.runId;
  let latest: Progress = {};
  const beat = setInterval(() => activity.heartbeat(latest), BEAT_EVERY_MS);
  try {
    return await stage({
      signal: activity.cancellationSignal,
      previous: activity.info.heartbeatDetails as unknown,
      ...(runId === undefined ? {} : { runId }),
      progress: (progress) => {
        latest = progress;
        activity.heartbeat(progress);
      },
    });
  } finally {
    clearInterval(beat);
  }
}
