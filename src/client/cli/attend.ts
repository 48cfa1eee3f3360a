import { setTimeout as wait } from 'node:timers/promises';
import type { SluiceClient } from '../sluice-client.ts';

const LOOK_EVERY_MS = 500;

/** Waits for a workflow's result, and tells meanwhile what its activities say of themselves. @throws what failed the workflow */
export async function attend<T>(
  client: SluiceClient,
  workflowId: string,
  result: Promise<T>,
  tell: (notes: readonly string[]) => void,
): Promise<T> {
  let over = false;
  // Its rejection is awaited below; meanwhile nobody listens.
  const ended = result.catch(() => {}).then(() => (over = true));
  while (!over) {
    const notes = Object.values(await client.runs.notes(workflowId).catch(() => ({}))).filter(Boolean);
    if (!over && notes.length > 0) tell(notes);
    await Promise.race([wait(LOOK_EVERY_MS), ended]);
  }
  return result;
}
