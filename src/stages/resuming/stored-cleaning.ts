import { canonicalJson } from '../../definition/canonical-json.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import { keys } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { CleanResult, ImportResult } from '../../definition/refs.ts';
import type { Fix } from '../cleaning/mend.ts';
import type { QualityFacts } from '../cleaning/quality.ts';
import type { StageDeps } from '../deps.ts';
import { sha256Hex } from '../hashing.ts';
import { gatesOf, shapeOf, type Shape } from './shape.ts';

/**
 * What cleaning came to and all that it depended on: `cleaned.json`, beside the clean.csv of the batch that it made. Whoever begins
 * behind `clean` compares what stands there with what is true now, so it does not matter which of two attempts wrote it last.
 */
export interface StoredCleaning {
  readonly pipeline: string;
  readonly hour: LogicalHour;
  readonly imported: ImportResult;
  readonly cleaned: CleanResult;
  readonly shape: Shape;
  readonly fixes: string;
  readonly gates: string;
  /** What the gates looked at. */
  readonly facts: QualityFacts;
}

/** Digest of the overlays of an hour. */
export const fixesDigest = (fixes: readonly Fix[]): string => sha256Hex(canonicalJson(fixes)).slice(0, 16);

interface Cleaning extends Pick<StoredCleaning, 'imported' | 'cleaned' | 'facts'> {
  readonly fixes: readonly Fix[];
}

/** @param pipeline as the run was given it, without evolved columns */
export async function keepCleaning(
  { store }: Pick<StageDeps, 'store'>,
  pipeline: Pipeline,
  hour: LogicalHour,
  { imported, cleaned, facts, fixes }: Cleaning,
): Promise<void> {
  const [main] = cleaned.batches;
  if (!main) return;
  const stored: StoredCleaning = {
    pipeline: pipeline.name,
    hour,
    imported,
    cleaned,
    shape: shapeOf(pipeline),
    fixes: fixesDigest(fixes),
    gates: gatesOf(pipeline),
    facts,
  };
  await store.put(keys.cleaned(pipeline.name, hour, main.batchId), Buffer.from(JSON.stringify(stored)));
}

/** The newest cleaning that came to this batch of the main data set. */
export async function cleaningOf(
  { store }: Pick<StageDeps, 'store'>,
  pipeline: string,
  hour: LogicalHour,
  batch: string,
): Promise<StoredCleaning | undefined> {
  return store.findJson<StoredCleaning>(keys.cleaned(pipeline, hour, batch));
}
