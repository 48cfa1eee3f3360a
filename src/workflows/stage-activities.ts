import { ActivityCancellationType, proxyActivities, type ActivityInterfaceFor } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { durationMs } from '../definition/duration.ts';
import { taskQueues } from '../definition/names.ts';
import type { Pipeline } from '../definition/pipeline.ts';

/** How long a silent worker is believed to be alive. A killed one's stage starts elsewhere after this. */
export const HEARTBEAT_TIMEOUT = '30s';

/** For what comes before a definition has been checked. */
export const defaultRetries: Pipeline['retries'] = { attempts: 4, initialInterval: '2s', maximumInterval: '1m' };

/**
 * The stages as activities of one queue, with the pipeline's own retries: `attempts` tries in all, codes that are `final` excepted.
 * @param summary shown beside the activity in the Web UI
 * @param cancellation whether one that is cancelled is waited for; it is not where left out (whatever the SDK's documentation says)
 */
export function stageActivities(
  queue: Exclude<keyof typeof taskQueues, 'streaming'>,
  retries: Pipeline['retries'],
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
