import { CancellationScope } from '@temporalio/workflow';

/**
 * One of the slots of runs in flight, held by the run that is its parent: its id is the lock. Temporal asks it to end when the run has
 * ended, in whatever way.
 */
export async function slot(): Promise<void> {
  await CancellationScope.current().cancelRequested.catch(() => {});
}
