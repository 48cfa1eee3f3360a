import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';
import { tellSafely } from '../stages/tell-safely.ts';
import { stageOfActivity } from '../definition/stage-of-activity.ts';

/** What cannot be written down is no reason for a stage to fail. */
const say = (what: () => void): void => tellSafely(what, () => {});

/** Says that an attempt at a stage begins and is over. That it fails the SDK says itself; what it is about stands in every line by the SDK. */
export function logAttempts({ info, log }: Context): ActivityInterceptors {
  if (stageOfActivity[info.activityType] === undefined) return {};
  return {
    inbound: {
      execute: async (input, next) => {
        const startedAt = Date.now();
        const queuedMs = Math.max(0, startedAt - info.currentAttemptScheduledTimestampMs);
        say(() => log.info(info.attempt > 1 ? 'begins again' : 'begins', { queuedMs }));
        const result = await next(input);
        say(() => log.info('is done', { ms: Date.now() - startedAt }));
        return result;
      },
    },
  };
}
