import { hourKey, type LogicalHour } from '../../definition/hour.ts';
import { keys, mainDataset, streamName } from '../../definition/names.ts';
import type { HourRecord } from '../../definition/refs.ts';
import type { StageDeps } from '../deps.ts';

/** The newest committed hour below `hour`: its record of the highest generation. */
export async function committedBefore(
  deps: StageDeps,
  pipeline: string,
  hour: LogicalHour,
): Promise<HourRecord | undefined> {
  const prefix = keys.hoursAll(streamName(pipeline, mainDataset));
  const end = prefix + hourKey(hour);
  let newest: string | undefined;
  // Generations are zero-padded, so the last key below the hour is the highest generation of the newest hour.
  for await (const { key } of deps.store.list(prefix)) {
    if (key >= end) break;
    newest = key;
  }
  return newest === undefined ? undefined : deps.store.findJson<HourRecord>(newest);
}

/**
 * The hour whose content and definition this one repeats: the newest committed one below it, or the hour that that one
 * itself repeats.
 */
export async function sameAs(
  deps: StageDeps,
  pipeline: string,
  hour: LogicalHour,
  content: Pick<HourRecord, 'rawSha' | 'definitionSha'>,
): Promise<LogicalHour | undefined> {
  const before = await committedBefore(deps, pipeline, hour);
  // One that was removed has no content: its hashes are empty.
  if (before?.rawSha !== content.rawSha || before.definitionSha !== content.definitionSha) return undefined;
  return before.sameAs ?? before.hour;
}
