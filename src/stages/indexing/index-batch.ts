import { SluiceError } from '../../definition/errors.ts';
import type { BatchRecord, HourRecord, IndexResult } from '../../definition/refs.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import type { IndexInput } from '../io.ts';
import { recordToRead } from '../landing/batch-record.ts';
import { newestHour } from '../landing/hour-record.ts';
import { SchemaRegistry } from '../landing/schema.ts';
import type { HourContent } from './documents.ts';
import { newestContent } from './hour-content.ts';
import { indexHour, type HourToIndex, type IndexedHour } from './index-hour.ts';
import { rebuildIndex } from './rebuild.ts';
import { findTargets, type Target } from './targets.ts';

/** Indices may take each other's place while an hour is indexed; each time round there is another one to write. */
const ROUNDS = 20;

/**
 * Indexes a committed batch from its data objects: into the index behind the alias, and into one that is being filled to take its
 * place, whichever there are at the end. Where `prepare` began such a one, as the columns have other types now, it is filled with all
 * other hours too and takes its place before the stage is done. Done only when the index itself proves that it has the rows.
 *
 * @throws SluiceError `DocumentsRefused` where the index will not take a document, `IndexMismatch` where no index is there,
 *   `RecordConflict` where the hour consists of something else meanwhile, `ElasticsearchUnavailable` (worth a retry)
 */
export async function indexBatch(deps: StageDeps, input: IndexInput, ctx: StageContext): Promise<IndexResult> {
  const { pipeline, prepared, landed, hourRecord } = input;
  const { dataset, stream, alias } = prepared;
  const record = await recordToRead(deps.store, stream, landed.batch);
  const content = ownContent(hourRecord, record);
  const hour: HourToIndex = { pipeline, stream, content, record, schemas: new SchemaRegistry(deps.store, stream) };
  const done = new Map<string, IndexedHour>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const { standing, next } = await findTargets(deps.search, alias);
    const takesOver = next !== undefined && next.index === prepared.index;
    // The old one cannot hold what the definition says now; it stays as it is.
    const due = [...(takesOver ? [] : [standing]), next].filter((target) => target !== undefined);
    const open = due.filter(({ index }) => !done.has(index));
    for (const target of open) {
      await refuseSuperseded(deps, input);
      done.set(target.index, await indexHour(deps, target, hour, ctx));
      await repeatNewest(deps, target, hour, ctx);
    }
    if (open.length > 0) continue;
    if (takesOver) {
      const from = standing ? { from: standing.index } : {};
      await rebuildIndex(deps, { pipeline, dataset, ...from, to: next.index, keepOld: false }, ctx);
      continue;
    }
    const indexed = standing && done.get(standing.index);
    if (!standing || !indexed) break;
    const { rows, checksum, deleted, vanished, misfits } = indexed;
    return {
      ...{ dataset, index: standing.index, indexed: rows, checksum, deleted },
      ...(standing.mode === 'latest' ? { vanished } : {}),
      ...(Object.keys(misfits).length > 0 ? { misfits } : {}),
    };
  }
  throw new SluiceError(
    'IndexMismatch',
    `There is no index behind ${alias} any more: somebody deleted it. Run the hour again, which makes one, and ` +
      '"sluice reindex" brings the other hours.',
  );
}

/** The content of an hour that a run has committed. */
export function ownContent({ hour, generation }: HourRecord, { batch }: BatchRecord): HourContent {
  return { hour, generation, batch };
}

/**
 * In `latest`, where the newest hour repeats one below ours: its rows have documents under our hour now, or under the other's. It is
 * written as an hour of its own, as nothing else would.
 */
async function repeatNewest(deps: StageDeps, target: Target, hour: HourToIndex, ctx: StageContext): Promise<void> {
  if (target.mode !== 'latest') return;
  const newest = await newestContent(deps, hour.stream);
  if (newest?.sameAs === undefined) return;
  const record = await recordToRead(deps.store, hour.stream, newest.batch);
  await indexHour(deps, target, { ...hour, content: newest, record }, ctx);
}

/** A worker that comes back late must not index what the hour no longer consists of. */
async function refuseSuperseded(deps: StageDeps, { prepared, hourRecord }: IndexInput): Promise<void> {
  const newest = await newestHour(deps, prepared.stream, hourRecord.hour);
  if (!newest || newest.generation === hourRecord.generation) return;
  throw new SluiceError(
    'RecordConflict',
    `Generation ${hourRecord.generation} of ${hourRecord.hour} was superseded by ${newest.generation} before it was indexed.`,
  );
}
