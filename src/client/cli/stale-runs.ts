import { globalAgent as http } from 'node:http';
import { globalAgent as https } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { ObjectStore } from '../../connectors/object-store.ts';
import { readSettings } from '../../connectors/settings.ts';
import { hourOfRun } from '../../definition/names.ts';
import type { StaleMark } from '../../definition/refs.ts';
import { staleMark } from '../../inspecting/stale.ts';

const PATIENCE_MS = 3_000;

/**
 * Which of these runs' hours are stale, by workflow id. The list of runs is Temporal's and comes without an object store: where none is
 * named, or the one that is does not answer soon, nothing is known to be stale. Never throws.
 */
export async function staleRuns(
  workflowIds: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ReadonlyMap<string, StaleMark>> {
  const found = new Map<string, StaleMark>();
  const look = async (): Promise<void> => {
    const settings = readSettings(environment).store;
    if (settings.accessKey === '') return;
    const store = new ObjectStore(settings);
    await Promise.all(
      [...new Set(workflowIds)].map(async (workflowId) => {
        const run = hourOfRun(workflowId);
        const mark = run && (await staleMark(store, run.pipeline, run.hour));
        if (mark) found.set(workflowId, mark);
      }),
    );
  };
  const over = new AbortController();
  const looked = look().catch(() => {});
  const answered = await Promise.race([
    looked.then(() => true),
    wait(PATIENCE_MS, false, { signal: over.signal }).catch(() => false),
  ]);
  over.abort();
  // A question that nobody answers would keep the process from ending.
  if (!answered) for (const agent of [http, https]) agent.destroy();
  return new Map(found);
}
