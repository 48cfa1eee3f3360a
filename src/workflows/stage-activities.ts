import { ActivityCancellationType, proxyActivities, type ActivityInterfaceFor } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { durationMs } from '../definition/duration.ts';
import { taskQueues } from '../definition/names.ts';
import type { StageRetries } from '../definition/retries.ts';

/** How long a silent worker is believed to be alive. A killed one's stage starts elsewhere after this. */
export const HEARTBEAT_TIMEOUT = '30s';

/** Where stages run; consumers have a queue of their own. */
export type StageQueue = Exclude<keyof typeof taskQueues, 'streaming'>;

/** For what comes before a definition has been checked. */
export const defaultRetries: StageRetries = { attempts: 4, initialInterval: '2s', maximumInterval: '1m' };

/**
 * The stages as activities of one queue, with retries of the pipeline's own: `attempts` tries in all, codes that are `final` excepted.
 * @param summary shown beside the activity in the Web UI
 * @param cancellation whether one that is cancelled is waited for; it is not where left out (whatever the SDK's documentation says)
 */
export function stageActivities(
  queue: StageQueue,
  retries: StageRetries,
  summary: string,
  cancellation: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
): ActivityInterfaceFor<Activities> {
  return proxyActivities<Activities>({
    taskQueue: taskQueues[queue],
    startToCloseTimeout: '6h',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    summary,
    cancellationType: cancellation,
    retry: {
      maximumAttempts: retries.attempts,
      initialInterval: durationMs(retries.initialInterval),
      maximumInterval: durationMs(retries.maximumInterval),
      backoffCoefficient: 2,
    },
  });
}
