import { availableParallelism } from 'node:os';

/** A part of the suite that one vitest runs. */
export interface Job {
  readonly name: string;
  readonly projects: readonly string[];
  /** Whether it waits for the servers that are not of every stack. */
  readonly onServers: boolean;
}

/**
 * The suite in parts that do not get in each other's way: `servers` is on the test stack, each of its workers in a namespace of its own; `spark`
 * shares with it Spark and the object store, in buckets of its own; `faults` has a stack of its own. In the order of their start: beside the
 * longest run the others, one after the other.
 */
export const jobs: readonly Job[] = [
  { name: 'servers', projects: ['servers'], onServers: true },
  { name: 'local', projects: ['unit', 'model', 'workflow'], onServers: false },
  { name: 'spark', projects: ['spark'], onServers: true },
  { name: 'faults', projects: ['faults'], onServers: true },
];

/** What two jobs at once take at most, all their servers and processes together, and some to spare. */
const MEMORY_BYTES = 10 * 2 ** 30;

/**
 * How many jobs run at once, and why not two.
 * @param has what the machine has; this one where left out
 */
export function lanesOf(
  environment: Readonly<Record<string, string | undefined>>,
  has: { readonly cores: number; readonly memory: number } = {
    cores: availableParallelism(),
    memory: process.availableMemory(),
  },
): { readonly lanes: 1 | 2; readonly why?: string } {
  if (environment['SLUICE_TEST_SEQUENCE'] === '1') return { lanes: 1, why: 'SLUICE_TEST_SEQUENCE asks for it' };
  if (has.cores < 2) return { lanes: 1, why: 'there is one core' };
  if (has.memory < MEMORY_BYTES) {
    const free = (has.memory / 2 ** 30).toFixed(1);
    return { lanes: 1, why: `${free} GB of memory are free, and two jobs at once may take ${MEMORY_BYTES / 2 ** 30}` };
  }
  return { lanes: 2 };
}

/**
 * Does all of some work, so many at once, in the order given.
 * @param stopped Where it is aborted, nothing more is begun.
 */
export async function inLanes<T>(
  lanes: number,
  work: readonly (() => Promise<T>)[],
  stopped: AbortSignal,
): Promise<(T | undefined)[]> {
  const results: (T | undefined)[] = work.map(() => undefined);
  const left = [...work.entries()];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined && !stopped.aborted; next = left.shift()) {
      const [at, begin] = next;
      results[at] = await begin();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

/** Whether arguments given by hand say themselves which projects run: then it is one job, and they say all of it. */
export const namesProjects = (args: readonly string[]): boolean =>
  args.some((arg) => arg === '--project' || arg.startsWith('--project='));
