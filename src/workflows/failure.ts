import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';

/** What failed a run: a code of the closed vocabulary and one sentence. */
export interface Problem {
  readonly code: string;
  readonly message: string;
}

/** The problem behind what a stage threw. */
export function problemOf(error: unknown): Problem {
  if (isCancellation(error)) return { code: 'Cancelled', message: 'The run was cancelled.' };
  const cause = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) return { code: cause.type ?? 'Unexpected', message: cause.message };
  if (cause instanceof TimeoutFailure) {
    const message = 'No worker finished it in time: look whether workers run and what they log.';
    return { code: 'Unexpected', message };
  }
  return { code: 'Unexpected', message: cause instanceof Error ? cause.message : String(cause) };
}

/** Fails a workflow with a code and a sentence. */
export function failure({ code, message }: Problem): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, code);
}
