import { ApplicationFailure, CancelledFailure, type Context } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, ActivityInterceptors } from '@temporalio/worker';
import { errorCodes, SluiceError, sentenceOf } from '../definition/errors.ts';
import { stopped } from './hand-over.ts';

/** The one place where an error becomes Temporal's: its code the type, its sentence the message, and whether to try again by the code. */
export function classifyErrors(context: Context): ActivityInterceptors {
  const inbound: ActivityInboundCallsInterceptor = {
    execute: async (input, next) => {
      try {
        return await next(input);
      } catch (error) {
        // A stage that was told to stop ends in whatever its libraries throw then.
        if (context.cancellationSignal.aborted) throw await stopped(context);
        throw classified(error);
      }
    },
  };
  return { inbound };
}

/** Causes stay behind: they may hold what belongs in no history. */
export function classified(error: unknown): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  const code = error instanceof SluiceError ? error.code : 'Unexpected';
  const what = errorCodes[code];
  // What a server asks for with Retry-After comes before the stage's own back-off.
  const retryAfterMs = error instanceof SluiceError ? error.facts['retryAfterMs'] : undefined;
  return ApplicationFailure.create({
    type: code,
    message: sentenceOf(error),
    nonRetryable: what === 'final',
    details: error instanceof SluiceError ? [error.facts] : [],
    ...(typeof retryAfterMs === 'number' ? { nextRetryDelay: retryAfterMs } : {}),
    ...(what === 'benign' ? { category: ApplicationFailureCategory.BENIGN } : {}),
  });
}
