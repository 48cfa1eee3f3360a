import { ActivityCancellationType, proxyActivities, type ActivityInterfaceFor } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { durationMs } from '../definition/duration.ts';
import { taskQueues } from '../definition/names.ts';
import type { StageRetries } from '../definition/retries.ts';
import { PROFILE } from '../definition/timing.ts';
import { failureTold, timingTold, type EndedActivity } from './stage-times.ts';

/** How long a silent worker is believed to be alive. A killed one's stage starts elsewhere after this. */
export const HEARTBEAT_TIMEOUT = '30s';

/** Where stages run; consumers have a queue of their own. */
export type StageQueue = Exclude<keyof typeof taskQueues, 'streaming' | 'watch'>;

/** For what comes before a definition has been checked. */
export const defaultRetries: StageRetries = { attempts: 4, initialInterval: '2s', maximumInterval: '1m' };

/** For telling incidents of a run or a consumer: a pipeline that tries its stages once is told of all the same. */
export const tellingRetries: StageRetries = { attempts: 60, initialInterval: '1s', maximumInterval: '1m' };

/** What else is wanted of activities. */
export interface WatchedActivities {
  /** Told when one is over, in front of whoever waits for it. */
  readonly ended?: (activity: EndedActivity) => void;
  /** A stage that they are to be profiled as. */
  readonly profile?: string | undefined;
}

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
  { ended = () => {}, profile }: WatchedActivities = {},
): ActivityInterfaceFor<Activities> {
  const activities = proxyActivities<Activities>({
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
  return observed(activities, ended, profile);
}

/** Asks for a profile beside what an activity is given. */
const asking = ([first, ...others]: readonly unknown[], profile: string): unknown[] => [
  typeof first === 'object' && first !== null ? { ...first, [PROFILE]: profile } : first,
  ...others,
];

/**
 * Activities whose timing is taken out of what they give. They are given themselves and not something that waits for them: that would come a
 * step later, and a run that is on its way would then do things in another order.
 */
function observed(
  activities: ActivityInterfaceFor<Activities>,
  ended: (activity: EndedActivity) => void,
  profile: string | undefined,
): ActivityInterfaceFor<Activities> {
  return new Proxy(activities, {
    get: (target, name, receiver) => {
      const activity = Reflect.get(target, name, receiver) as ((...given: unknown[]) => Promise<unknown>) | undefined;
      if (typeof activity !== 'function') return activity;
      return (...given: unknown[]): Promise<unknown> => {
        const from = Date.now();
        const work = activity(...(profile === undefined ? given : asking(given, profile)));
        const tell = (told: Pick<EndedActivity, 'failed' | 'timing'>): void => ended({ from, to: Date.now(), ...told });
        work.then(
          (result) => tell(timingTold(result)),
          (error: unknown) => tell(failureTold(error)),
        );
        return work;
      };
    },
  });
}
