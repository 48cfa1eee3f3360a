import { SluiceError } from '../../definition/errors.ts';
import { withEvolved } from '../../definition/evolve.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import { keys, mainDataset, streamName } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type {
  CleanResult,
  HourRecord,
  ImportResult,
  PublishResult,
  QuarantineEntry,
  QualityVerdict,
} from '../../definition/refs.ts';
import { streamsOf } from '../../definition/streams.ts';
import { committedHours, rowsBefore, seenHours } from '../cleaning/earlier-hours.ts';
import { findFixes } from '../cleaning/mend.ts';
import { judgeQuality } from '../cleaning/quality.ts';
import type { StageDeps } from '../deps.ts';
import { batchIdOf, schemaVersion } from '../hashing.ts';
import { newestRecord } from '../importing/import-source.ts';
import type { Landed } from '../io.ts';
import { findLanded } from '../landing/batch-record.ts';
import { newestHour, requireKept } from '../landing/hour-record.ts';
import { changedSince, gatesOf, shapeOf } from './shape.ts';
import { cleaningOf, fixesDigest, type StoredCleaning } from './stored-cleaning.ts';

type Deps = Pick<StageDeps, 'store'>;

export interface StoredInput {
  readonly pipeline: Pipeline;
  readonly hour: LogicalHour;
  /** The stage to begin at. */
  readonly from: 'publish' | 'index';
}

/** What an hour has stored of the stages that a run does not go through again. */
export interface StoredStages {
  readonly imported: ImportResult;
  /** Its gates judged by the definition as it is now. */
  readonly cleaned: CleanResult;
  /** From `index` on. */
  readonly committed?: readonly CommittedDataset[];
}

/** What is landed and committed of one data set of an hour. */
export interface CommittedDataset {
  readonly dataset: string;
  /** As counted by whoever sent it: nothing is sent now. */
  readonly published: PublishResult;
  readonly landed: Landed;
  readonly hourRecord: HourRecord;
}

/**
 * What an hour has stored of the stages before `from`, for a run that begins there. Only what those stages would come to again now is
 * handed out: the definition, the file, its overlays and the earlier hours must be what they were.
 * @throws SluiceError `StageNotReached` where the hour never got that far, `StageOutdated` where a stage before it would come to something
 *   else now, `HourRemoved`
 */
export async function findStored(deps: Deps, input: StoredInput): Promise<StoredStages> {
  const { pipeline, hour, from } = input;
  await requireKept(deps, pipeline.name, hour);
  const { stored, committed } = from === 'index' ? await committedHour(deps, input) : await newestCleaning(deps, input);
  requireShape(input, stored);
  const { cleaned } = stored;
  // Whether an unchanged hour is to end early was asked when it was imported.
  const { sameAs: _sameAs, ...before } = stored.imported;
  const imported = { ...before, replayed: true };
  if (committed) return { imported, cleaned, committed };
  await requireUpToDate(deps, input, stored);
  for (const { clean } of cleaned.batches) {
    if (await deps.store.exists(deps.store.keyOf(clean.uri))) continue;
    throw outdated(`${clean.uri}, which cleaning the hour ${hour} had stored, is not there any more`);
  }
  return { imported, cleaned: { ...cleaned, quality: await judged(deps, input, stored) } };
}

const notReached = (what: string, from: string): SluiceError =>
  new SluiceError('StageNotReached', `${what}: run it from ${from}.`);
const outdated = (what: string): SluiceError => new SluiceError('StageOutdated', `${what}: run it from clean.`);

interface Found {
  readonly stored: StoredCleaning;
  readonly committed?: CommittedDataset[];
}

async function newestCleaning(deps: Deps, { pipeline: { name }, hour }: StoredInput): Promise<Found> {
  const entry = await deps.store.findJson<QuarantineEntry>(keys.quarantine(name, hour));
  const stored = entry && (await cleaningOf(deps, name, hour, entry.batchId));
  if (stored) return { stored };
  const what = `The hour ${hour} of ${name}`;
  if (entry) throw notReached(`${what} was cleaned by an older version, which did not store what came of it`, 'clean');
  const sameAs = (await newestHour(deps, name, hour))?.sameAs;
  if (sameAs !== undefined) throw notReached(`${what} repeats ${sameAs} and was not cleaned`, 'clean');
  const imported = await newestRecord(deps, name, hour);
  throw imported
    ? notReached(`${what} has not been cleaned`, 'clean')
    : notReached(`${what} has not been imported`, 'import');
}

/** What the hour consists of now, whatever was cleaned since. */
async function committedHour(deps: Deps, input: StoredInput): Promise<Found> {
  const { pipeline, hour } = input;
  const { name } = pipeline;
  const newest = await newestHour(deps, name, hour);
  if (newest?.batch === undefined) {
    if (newest === undefined) await newestCleaning(deps, input);
    const why = newest ? `repeats ${newest.sameAs ?? ''} and has no rows of its own` : 'has not been committed';
    throw notReached(`The hour ${hour} of ${name} ${why}`, newest ? 'clean' : 'publish');
  }
  const stored = await cleaningOf(deps, name, hour, newest.batch);
  if (!stored) {
    const why = 'was cleaned by an older version, which did not store what came of it';
    throw notReached(`The hour ${hour} of ${name} ${why}`, 'clean');
  }
  const committed: CommittedDataset[] = [];
  for (const { dataset, batchId } of stored.cleaned.batches) {
    const stream = streamName(name, dataset);
    const hourRecord = dataset === mainDataset ? newest : await newestHour(deps, stream, hour);
    const landed = hourRecord?.batch === batchId ? await findLanded(deps, { stream, batchId }) : undefined;
    if (!hourRecord || !landed) {
      throw notReached(
        `The hour ${hour} of ${name} has not been committed: its data set ${dataset} is missing`,
        'publish',
      );
    }
    // The record was summed up from what the end markers say, and these from what was sent.
    const { rows, checksum } = landed;
    const published = { batchId, rows, checksum, resumedAfter: rows, committedBefore: true };
    committed.push({ dataset, published, landed, hourRecord });
  }
  return { stored, committed };
}

/** Another definition makes another batch of the same rows, or other rows. */
function requireShape({ pipeline, hour }: StoredInput, { shape, cleaned }: StoredCleaning): void {
  const changed = changedSince(shape, shapeOf(pipeline));
  if (changed.length > 0) {
    const named = changed.length === 1 ? `${changed[0]} has` : `${changed.join(', ')} have`;
    throw outdated(
      `The definition of ${pipeline.name} is another since its hour ${hour} was cleaned (${named} changed)`,
    );
  }
  const streams = streamsOf(withEvolved(pipeline, cleaned.evolved));
  const same = streams.every((stream) => {
    const batch = cleaned.batches.find(({ dataset }) => dataset === stream.dataset);
    const version = schemaVersion(stream.output, pipeline.land);
    return batch !== undefined && batch.batchId === batchIdOf(stream, hour, batch.clean.sha256, version);
  });
  if (!same) throw outdated(`This version of Sluice makes another batch of the hour ${hour} of ${pipeline.name}`);
}

async function requireUpToDate(deps: Deps, { pipeline, hour }: StoredInput, stored: StoredCleaning): Promise<void> {
  const { name } = pipeline;
  const newest = await newestRecord(deps, name, hour);
  if (newest && newest.raw.sha256 !== stored.imported.record.raw.sha256) {
    throw outdated(`The hour ${hour} of ${name} was imported again since it was cleaned`);
  }
  if (fixesDigest(await findFixes(deps, name, hour)) !== stored.fixes) {
    throw outdated(`Rows of the hour ${hour} of ${name} were mended since it was cleaned`);
  }
  const { seen } = stored.cleaned;
  if (seen && seen.sha256 !== seenHours(await committedHours(deps, name, hour)).sha256) {
    throw outdated(
      `Hours below ${hour} of ${name} have changed since it was cleaned, and it takes out their keys (duplicates.acrossRuns)`,
    );
  }
}

/** What was blocked stays blocked, unless the gates are others now. */
async function judged(
  deps: Deps,
  { pipeline, hour }: StoredInput,
  { cleaned, gates, facts }: StoredCleaning,
): Promise<readonly QualityVerdict[]> {
  if (gates === gatesOf(pipeline)) return cleaned.quality;
  const before = await earlierRows(deps, pipeline, hour);
  return judgeQuality(pipeline.quality, { ...facts, before });
}

async function earlierRows(deps: Deps, { name, quality }: Pipeline, hour: LogicalHour): Promise<number[]> {
  const { rowChangePercent } = quality;
  return rowChangePercent ? rowsBefore(await committedHours(deps, name, hour), rowChangePercent.runs) : [];
}
