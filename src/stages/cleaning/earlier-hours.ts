import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { LogicalHour } from '../../definition/hour.ts';
import { keys, mainDataset, streamName } from '../../definition/names.ts';
import type { HourRecord, SeenHours } from '../../definition/refs.ts';
import type { StageDeps } from '../deps.ts';
import { newestHours } from '../landing/committed-hours.ts';

type Store = Pick<StageDeps, 'store'>;

/**
 * The committed hours of a pipeline, ascending: of each its record of the highest generation. Those that retention removed are
 * left out.
 * @param below only those below this hour; all of them where it is left out
 */
export async function committedHours(deps: Store, pipeline: string, below?: LogicalHour): Promise<HourRecord[]> {
  return newestHours(deps, streamName(pipeline, mainDataset), below);
}

/** The clean rows of the last hours, as many as asked for. One that repeats another does not count. */
export function rowsBefore(records: readonly HourRecord[], hours: number): number[] {
  if (hours === 0) return [];
  const counted = records.filter(({ sameAs }) => sameAs === undefined);
  return counted.slice(-hours).map(({ rows }) => rows);
}

/** What a run compares its keys with, hour by hour. An hour that repeats another has no keys of its own. */
export class SeenSoFar {
  readonly #hash = createHash('sha256');
  #hours = 0;

  add({ hour, batch }: Pick<HourRecord, 'hour' | 'batch'>): void {
    if (batch === undefined) return;
    this.#hours += 1;
    this.#hash.update(`${hour} ${batch}\n`);
  }

  get value(): SeenHours {
    return { hours: this.#hours, sha256: this.#hash.copy().digest('hex') };
  }
}

/** What a run compared its keys with that found these hours, ascending. */
export function seenHours(records: readonly HourRecord[]): SeenHours {
  const seen = new SeenSoFar();
  for (const record of records) seen.add(record);
  return seen.value;
}

/**
 * Whether an hour that took out the keys of earlier ones would find others now: one of them was replaced or added.
 * @param now what the hours below it are today
 */
export function isStale({ seen }: Pick<HourRecord, 'seen'>, now: SeenHours): boolean {
  return seen !== undefined && seen.sha256 !== now.sha256;
}

/** Brings the clean.csv of each of these hours here. An hour that repeats another has none of its own. @returns the paths */
export async function fetchClean(
  { store }: Store,
  pipeline: string,
  records: readonly HourRecord[],
  folder: string,
  signal: AbortSignal,
): Promise<string[]> {
  const stream = streamName(pipeline, mainDataset);
  const paths: string[] = [];
  for (const { hour, batch } of records) {
    if (batch === undefined) continue;
    const key = keys.batch(stream, hour, batch, 'clean.csv');
    const path = join(folder, `earlier-${paths.length}.csv`);
    await store.copyTo(key, path, signal);
    paths.push(path);
  }
  return paths;
}
