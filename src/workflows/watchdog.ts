import { condition, log, proxyActivities, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { Activities, LookTold, WatchMemory } from '../activities/index.ts';
import { taskQueues } from '../definition/names.ts';
import { continueOnWatch } from './continue-on-watch.ts';
import { problemOf } from './failure.ts';
import { isHistoryFull } from './full-history.ts';
import { HEARTBEAT_TIMEOUT } from './stage-activities.ts';
import { goesAlong } from './versioning.ts';
import { watchdogDetails } from './watchdog-details.ts';
import { lookSignal, watchdogStateQuery, type WatchdogInput, type WatchdogState } from './watchdog-messages.ts';

const common = { taskQueue: taskQueues.watch, heartbeatTimeout: HEARTBEAT_TIMEOUT } as const;

const { look } = proxyActivities<Activities>({
  ...common,
  startToCloseTimeout: '5m',
  summary: 'look',
  // Tried for ever: whoever watches does not stop watching.
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
});

goesAlong(watchdog);

/**
 * Watches from outside of runs, as long as there is a namespace: runs that did not start, schedules that somebody paused and forgot, workers, consumers and
 * indices that do not get on. Looks every minute, remembers what it has told, and tells what has changed.
 */
export async function watchdog(input?: WatchdogInput): Promise<never> {
  const { carried, maxHistory } = input ?? {};
  let memory: WatchMemory = carried ?? {};
  let state: WatchdogState | null = null;
  let asked = false;
  setHandler(watchdogStateQuery, () => state, { description: 'What is watched, and how it stands.' });
  setHandler(lookSignal, () => void (asked = true), { description: 'Look now.' });
  for (;;) {
    asked = false;
    const looked = await look({ memory });
    const before = looked.before ?? memory;
    memory = looked.memory;
    const untold = (await Promise.all(looked.told.map(tell))).filter((name) => name !== undefined);
    memory = asBefore(memory, before, untold);
    const { ping } = memory;
    state = { ...looked.watching, everyMs: looked.everyMs, ...(ping ? { deadman: ping } : {}) };
    setCurrentDetails(watchdogDetails(state));
    if (isHistoryFull(maxHistory)) {
      return continueOnWatch<typeof watchdog>({ carried: memory, ...(maxHistory === undefined ? {} : { maxHistory }) });
    }
    await condition(() => asked, looked.everyMs);
  }
}

/** @returns the pipeline where it could not be told */
async function tell(told: LookTold): Promise<string | undefined> {
  const { tellOf } = proxyActivities<Activities>({
    ...{ ...common, startToCloseTimeout: '2m', summary: told.pipeline.name },
    // No look begins meanwhile, and the next one tells what this one could not.
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumAttempts: 3 },
  });
  try {
    await tellOf(told);
    return undefined;
  } catch (error) {
    log.warn('incidents were not told', { pipeline: told.pipeline.name, problem: problemOf(error).message });
    return told.pipeline.name;
  }
}

/** What could not be told is to be told by the next look. */
function asBefore(memory: WatchMemory, before: WatchMemory, pipelines: readonly string[]): WatchMemory {
  if (pipelines.length === 0) return memory;
  const restored = pipelines.map((name) => [name, before.pipelines?.[name] ?? {}] as const);
  return { ...memory, pipelines: { ...memory.pipelines, ...Object.fromEntries(restored) } };
}
