import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { SluiceError, sentenceOf, type ErrorCode } from '../definition/errors.ts';

/** The failure of a run as the error that its stage threw. */
export function failureOf(error: unknown): unknown {
  if (!(error instanceof WorkflowFailedError)) return error;
  let cause: unknown = error.cause;
  while (cause instanceof Error && !(cause instanceof ApplicationFailure) && cause.cause !== undefined)
    cause = cause.cause;
  if (cause instanceof ApplicationFailure) {
    return new SluiceError((cause.type ?? 'Unexpected') as ErrorCode, cause.message);
  }
  // It is over: whoever followed it was not told to leave.
  const facts = { ended: true };
  if (cause instanceof CancelledFailure) return new SluiceError('Cancelled', 'The run was cancelled.', { facts });
  const why = sentenceOf(cause ?? error).replace(/\.+$/, '');
  return new SluiceError('Cancelled', `The run ended without a result: ${why}.`, { facts });
}
