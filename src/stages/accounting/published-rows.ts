import type { Range } from '../../connectors/log.ts';
import { countText } from '../../definition/amounts.ts';
import type { IdentityChecksum, PreparedStream, PublishResult } from '../../definition/refs.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { addChecksums, emptyChecksum, identityHash, lanesOf } from '../identity.ts';
import { readHeaders } from '../record.ts';

/** What was published, and who says so. */
export interface PublishedRows {
  readonly rows: number;
  readonly checksum: IdentityChecksum;
  /** `publisher`: what it counted when it sent; the log does not hold all of the batch any more, or nothing was sent this time. */
  readonly countedIn: 'topic' | 'publisher';
}

/** Counts a batch's rows in the topic itself, each once, with the checksum of their identities: a bounded read of where the batch lies. */
export async function publishedRows(
  deps: Pick<StageDeps, 'log'>,
  prepared: PreparedStream,
  published: PublishResult,
  ctx: StageContext,
): Promise<PublishedRows> {
  const counted = { rows: published.rows, checksum: published.checksum, countedIn: 'publisher' } as const;
  const { spans } = published;
  if (!spans) return counted;
  const watermarks = await deps.log.watermarks(prepared.topic);
  const ranges = new Map<number, Range>();
  for (const [partition, { first, last }] of spans.entries()) {
    const { low = 0n, high = 0n } = watermarks.get(partition) ?? {};
    const range = { from: BigInt(first), to: BigInt(last) + 1n };
    if (range.from < low || range.to > high || range.from >= range.to) return counted;
    ranges.set(partition, range);
  }
  const expected = spans.map(() => 0);
  let checksum = emptyChecksum;
  let read = 0;
  await deps.log.readRanges(
    prepared.topic,
    ranges,
    (record) => {
      read += 1;
      if (read % 50_000 === 0) ctx.progress({ note: `counting in the topic: ${countText(read)} records` });
      const head = readHeaders(record, prepared.epoch);
      if (head?.batch !== published.batchId || head.marker || head.seq !== expected[record.partition]) return;
      expected[record.partition] = head.seq + 1;
      checksum = addChecksums(checksum, lanesOf(identityHash(record.key?.toString() ?? '')));
    },
    ctx.signal,
  );
  return { rows: expected.reduce((sum, rows) => sum + rows, 0), checksum, countedIn: 'topic' };
}
