import type { Client, WorkflowHandle } from '@temporalio/client';

/** What a worker may take for an answer; without one Temporal would wait for it longer. */
export const PATIENCE_MS = 5_000;

/** What a workflow answers to a query; undefined where it is not there, or no worker answers for it. */
export async function answerOf<T>(client: Client, workflow: WorkflowHandle, query: string): Promise<T | undefined> {
  try {
    return await client.withDeadline(Date.now() + PATIENCE_MS, () => workflow.query<T>(query));
  } catch {
    return undefined;
  }
}
