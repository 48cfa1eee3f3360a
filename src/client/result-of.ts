import { setTimeout as pause } from 'node:timers/promises';
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { grpcCode } from './grpc-code.ts';

/** CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE: the call came to nothing, whatever it was about. */
const UNANSWERED: readonly number[] = [1, 2, 4, 8, 10, 13, 14];

const AGAIN_MS = 1_000;

/** Temporal was away, or the way to it was: what was asked about is not concerned. */
export function isUnanswered(error: unknown): boolean {
  const code = error instanceof WorkflowFailedError ? undefined : grpcCode(error);
  return code !== undefined && UNANSWERED.includes(code);
}

/**
 * What a workflow comes to, however often Temporal goes away meanwhile: the SDK's own `result` gives up after some 20 s.
 * @param signal gives the waiting up
 * @throws WorkflowFailedError where it failed; WorkflowNotFoundError where there is none; what else is no matter of waiting
 */
export async function resultOf<T>(
  client: Client,
  { workflowId, runId }: { readonly workflowId: string; readonly runId?: string },
  signal: AbortSignal = new AbortController().signal,
): Promise<T> {
  const handle = client.workflow.getHandle<() => Promise<T>>(workflowId, runId);
  for (;;) {
    try {
      return await client.withAbortSignal(signal, () => handle.result());
    } catch (error) {
      if (signal.aborted || !isUnanswered(error)) throw error;
    }
    await pause(AGAIN_MS, undefined, { signal });
  }
}
