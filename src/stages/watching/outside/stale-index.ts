import { durationMs } from '../../../definition/duration.ts';
import type { LogicalHour } from '../../../definition/hour.ts';
import type { WatchSettings } from '../../../definition/watch.ts';
import type { PipelineMemory } from './memory.ts';
import type { Verdict } from './problems.ts';

const rule = 'index-stale';

export interface StaleInput {
  readonly pipeline: string;
  readonly alias: string;
  readonly memory: PipelineMemory;
  /** An hour that went through since, with rows. */
  readonly newest?: LogicalHour;
  /** The newest hour that the index has; null where it has none, false where there is no such index. Undefined where it could not be asked. */
  readonly indexed?: LogicalHour | null | false;
  readonly settings: WatchSettings;
  /** How long hours are kept; undefined for ever. Milliseconds. */
  readonly keptMs?: number;
  readonly now: number;
  /** Whether the object store still says that the hour is done, with rows: asked where the index lacks it. */
  readonly isDone: (hour: LogicalHour) => Promise<boolean>;
}

export interface StaleNews {
  readonly memory: Pick<PipelineMemory, 'newest' | 'staleSince'>;
  readonly verdict: Verdict;
}

/** An index that lacks an hour which went through: somebody removed documents, put the alias elsewhere, or gave it another index. */
export async function staleIndex(input: StaleInput): Promise<StaleNews> {
  const { pipeline, alias, memory, indexed, settings, now } = input;
  const newest = [memory.newest, input.newest]
    .filter((hour) => hour !== undefined)
    .toSorted()
    .at(-1);
  const well = (
    kept: PipelineMemory,
    sentence = `The index ${alias} of ${pipeline} has every hour again.`,
  ): StaleNews => ({
    memory: kept,
    verdict: { rule, standing: 'well', sentence },
  });
  if (newest === undefined) return well({});
  const known = { newest };
  if (input.keptMs !== undefined && Date.parse(newest) < now - input.keptMs)
    return well({}, `The hours that ${alias} lacks are too old to be kept.`);
  if (indexed === undefined) {
    const kept = memory.staleSince === undefined ? known : { ...known, staleSince: memory.staleSince };
    return { memory: kept, verdict: { rule, standing: 'unknown', why: `the index ${alias} cannot be asked` } };
  }
  if (indexed !== null && indexed !== false && indexed >= newest) return well(known);
  const since = memory.staleSince ?? new Date(now).toISOString();
  if (now - Date.parse(since) < durationMs(settings.after)) {
    return well({ ...known, staleSince: since }, `The index ${alias} of ${pipeline} has not been behind for long.`);
  }
  // Removed since, or run again without rows.
  if (!(await input.isDone(newest))) return well({});
  const has = indexed === false ? 'is not there' : indexed === null ? 'is empty' : `has nothing newer than ${indexed}`;
  return {
    memory: { ...known, staleSince: since },
    verdict: {
      ...{ rule, standing: 'wrong', occurrence: since, severity: settings.severity, muted: settings.muted },
      sentence: `The index ${alias} ${has}, though ${newest} went through, for more than ${settings.after}: "sluice reindex ${pipeline}" makes it anew from what has landed.`,
      facts: [
        { name: 'Index', value: alias },
        { name: 'Newest hour that went through', value: newest },
        { name: 'Newest hour in the index', value: indexed === null || indexed === false ? 'none' : indexed },
        { name: 'Since', value: since },
      ],
    },
  };
}
