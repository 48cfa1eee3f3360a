import { setTimeout as wait } from 'node:timers/promises';
import type { SluiceClient } from '../../src/client/sluice-client.ts';

/**
 * Waits until a run is in a stage. A look asks the worker, and may take seconds where that has much to do: a stage that is to be met has to
 * last longer.
 * @param tries so many looks, 50 ms apart
 * @throws Error that says where the run was seen, once it is over as well
 */
export async function untilStage(
  client: SluiceClient,
  workflowId: string,
  stage: string,
  tries = 1_200,
): Promise<void> {
  const seen = new Set<string>();
  for (let look = 0; look < tries; look += 1) {
    const current = (await client.runs.progress(workflowId))?.current ?? 'none';
    if (current === stage) return;
    seen.add(current);
    const { status } = await client.temporal.workflow.getHandle(workflowId).describe();
    if (status.name !== 'RUNNING') throw new Error(`${workflowId} is ${status.name}, and was seen in ${said(seen)}`);
    await wait(50);
  }
  throw new Error(`${workflowId} was never seen in ${stage}, but in ${said(seen)}`);
}

const said = (seen: ReadonlySet<string>): string => [...seen].join(', ');
