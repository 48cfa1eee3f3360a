import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';
import { SluiceError } from '../definition/errors.ts';

/** What failed a run: a code of the closed vocabulary and one sentence. */
export interface Problem {
  readonly code: string;
  readonly message: string;
}

const cancelled = 'The run was cancelled.';

/**
 * Whether it was ended because it was told to. An attempt whose worker stops, or dies, before it has heard of that fails, and is not tried again.
 */
export function wasCancelled(error: unknown): boolean {
  return isCancellation(error) || (error instanceof ActivityFailure && error.retryState === 'CANCEL_REQUESTED');
}

/** The same as Temporal knows it: a workflow that throws it ends as cancelled. */
export function cancellationOf(error: unknown): unknown {
  return isCancellation(error) ? error : new CancelledFailure(cancelled);
}

/** The problem behind what a stage threw. */
export function problemOf(error: unknown): Problem {
  if (wasCancelled(error)) return { code: 'Cancelled', message: cancelled };
  const cause = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) return { code: cause.type ?? 'Unexpected', message: cause.message };
  if (cause instanceof TimeoutFailure) {
    const message = 'No worker finished it in time: look whether workers run and what they log.';
    return { code: 'Unexpected', message };
  }
  return { code: 'Unexpected', message: cause instanceof Error ? cause.message : String(cause) };
}

/** What a workflow throws for what ended it: a cancellation as Temporal knows it, anything else with its code and sentence. */
export function endingOf(error: unknown): unknown {
  const problem = error instanceof SluiceError ? error : problemOf(error);
  return problem.code === 'Cancelled' ? cancellationOf(error) : failure(problem);
}

/** Fails a workflow with a code and a sentence. */
export function failure({ code, message }: Problem): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, code);
}
