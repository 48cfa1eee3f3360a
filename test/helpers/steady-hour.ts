import { setTimeout as wait } from 'node:timers/promises';
import { toLogicalHour, type LogicalHour } from '../../src/definition/hour.ts';

const HOUR_MS = 3_600_000;

/** For how long a file of tests asks for the hour that it is, and should be given the same one. */
const LASTING_MS = 150_000;

/** The hour that it is and will be for some minutes: where the next one is near, it waits for that. */
export async function steadyHour(): Promise<LogicalHour> {
  const left = HOUR_MS - (Date.now() % HOUR_MS);
  if (left < LASTING_MS) await wait(left + 1_000);
  return toLogicalHour(new Date());
}
