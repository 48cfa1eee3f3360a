import { setTimeout as wait } from 'node:timers/promises';
import type { SluiceClient } from '../../src/client/sluice-client.ts';

/** Waits until a run is in a stage. @param tries so many looks, 50 ms apart */
export async function untilStage(
  client: SluiceClient,
  workflowId: string,
  stage: string,
  tries = 1_200,
): Promise<void> {
  for (let look = 0; look < tries; look += 1) {
    if ((await client.runs.progress(workflowId))?.current === stage) return;
    await wait(50);
  }
  throw new Error(`${workflowId} never came to ${stage}`);
}
