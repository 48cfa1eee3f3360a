import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';
import { failPoint } from '../connectors/fail-point.ts';

/** The fail point `completion:<activity in lower case>`: its work is done, and Temporal does not know yet. */
export function completionFailPoint(context: Context): ActivityInterceptors {
  return {
    inbound: {
      execute: async (input, next) => {
        const result = await next(input);
        await failPoint(`completion:${context.info.activityType.toLowerCase()}`);
        return result;
      },
    },
  };
}
