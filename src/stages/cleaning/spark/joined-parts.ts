import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { countText } from '../../../definition/amounts.ts';
import { SluiceError } from '../../../definition/errors.ts';
import type { StageContext, StageDeps } from '../../deps.ts';

const LINE_FEED = 10;
const QUOTE = 34;

/**
 * Joins the text files that Spark wrote below a prefix into one file, in order of their partitions, in one go.
 * @param first What stands before them.
 * @returns how many records of CSV they hold; a line end within quotes ends none
 * @throws SluiceError `EngineFailed` where the files are not those of one job that went through, each partition once
 */
export async function joinParts(
  { store }: Pick<StageDeps, 'store'>,
  prefix: string,
  path: string,
  first: string,
  { signal, progress }: Pick<StageContext, 'signal' | 'progress'>,
): Promise<number> {
  const keys = await partKeys({ store }, prefix);
  let records = 0;
  let [bytes, quoted] = [0, false];
  const text = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from(first);
    for (const key of keys) {
      for await (const chunk of (await store.stream(key)) as AsyncIterable<Buffer>) {
        for (let at = 0; at < chunk.length; at++) {
          const byte = chunk[at];
          if (byte === QUOTE) quoted = !quoted;
          else if (byte === LINE_FEED && !quoted) records++;
        }
        bytes += chunk.length;
        yield chunk;
      }
      progress({ bytes, note: `joined ${countText(records)} rows of Spark’s` });
    }
  };
  await pipeline(Readable.from(text(), { objectMode: false }), createWriteStream(path), { signal });
  return records;
}

/** A second output of a task would be a second file of its partition. */
async function partKeys({ store }: Pick<StageDeps, 'store'>, prefix: string): Promise<string[]> {
  const found = new Map<number, string>();
  const jobs = new Set<string>();
  let whole = false;
  for await (const { key } of store.list(prefix)) {
    if (key === `${prefix}_SUCCESS`) whole = true;
    const [, partition, job = ''] = /\/part-(\d+)-([0-9a-f-]{36})[^/]*\.txt$/.exec(key) ?? [];
    if (partition === undefined) continue;
    const before = found.get(Number(partition));
    if (before !== undefined)
      throw new SluiceError('EngineFailed', `Spark wrote a partition twice: ${before} and ${key}.`);
    found.set(Number(partition), key);
    jobs.add(job);
  }
  // Whoever removes them takes this one first. Without it, rows that are not there would count as duplicates.
  if (!whole)
    throw new SluiceError('EngineFailed', `What Spark wrote below ${prefix} is not whole, or is being removed.`);
  if (jobs.size > 1) throw new SluiceError('EngineFailed', `Two jobs of Spark's wrote below ${prefix}.`);
  return [...found].toSorted(([a], [b]) => a - b).map(([, key]) => key);
}
