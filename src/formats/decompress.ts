import { Readable, type Duplex } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import unbzip2 from 'unbzip2-stream';
import { SluiceError, sentenceOf } from '../definition/errors.ts';

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'zip';

/** How large a file may become, and how many times larger than it was. */
export interface ExpansionLimits {
  readonly expandedBytes: number;
  readonly expansion: number;
}

/** Up to here a file may grow by any factor: a few repeated lines compress very well. */
const FREE_BYTES = 64 * 1024 * 1024;
/** Bytes a write: so that what one write expands to stays small. */
const SLICE_BYTES = 16 * 1024;

/** What stands behind a bzip2 header: a block, or the end of an empty file. */
const blockMarks = ['314159265359', '177245385090'];

/** What a file is compressed with, by its first ten bytes. */
export function compressionOf(head: Buffer): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b && head[2] === 8) return 'gzip';
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return 'zstd';
  if (/^BZh[1-9]$/.test(head.toString('latin1', 0, 4)) && blockMarks.includes(head.toString('hex', 4, 10)))
    return 'bzip2';
  return head.toString('latin1', 0, 4) === 'PK\u0003\u0004' ? 'zip' : 'none';
}

/**
 * Counts what comes out of a decompression against what went in.
 * @throws SluiceError `SourceTooLarge`, naming the limit and the value
 */
export class ExpansionMeter {
  #in = 0;
  #out = 0;
  readonly #limits: ExpansionLimits;
  readonly #where: string;

  constructor(limits: ExpansionLimits, where: string) {
    this.#limits = limits;
    this.#where = where;
  }

  takeIn(bytes: number): void {
    this.#in += bytes;
  }

  giveOut(bytes: number): void {
    this.#out += bytes;
    const { expandedBytes, expansion } = this.#limits;
    if (this.#out > expandedBytes) {
      throw new SluiceError(
        'SourceTooLarge',
        `${this.#where} has more than ${expandedBytes} bytes without its compression (source.limits.expandedBytes): raise the limit if that is right.`,
      );
    }
    if (this.#out > FREE_BYTES && this.#out > this.#in * expansion) {
      throw new SluiceError(
        'SourceTooLarge',
        `${this.#where} grows to more than ${expansion} times its size without its compression (source.limits.expansion): ${this.#in} bytes became ${this.#out}. Raise the limit if that is right.`,
      );
    }
  }
}

/**
 * Bytes without their compression, as they come. Memory: a few hundred KiB; for bzip2 what the last 925 KiB expand to.
 * @throws SluiceError `SourceTooLarge`, `SourceMalformed` where the bytes are broken or cut
 */
export async function* decompress(
  source: AsyncIterable<Buffer>,
  compression: Exclude<Compression, 'zip'>,
  limits: ExpansionLimits,
  where: string,
): AsyncGenerator<Buffer> {
  if (compression === 'none') return yield* source;
  const meter = new ExpansionMeter(limits, where);
  if (compression === 'bzip2') return yield* bunzip(source, meter, where);
  const inflate: Duplex = compression === 'gzip' ? createGunzip() : createZstdDecompress();
  yield* throughStream(source, inflate, meter, (error) => broken(compression, where, error));
}

/** Passes bytes through a decoder; errors of the source stay what they are. */
export async function* throughStream(
  source: AsyncIterable<Buffer>,
  decoder: Duplex,
  meter: ExpansionMeter,
  broken: (error: unknown) => unknown,
): AsyncGenerator<Buffer> {
  let failed: { readonly error: unknown } | undefined;
  const slices = async function* (): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of source) {
        for (let at = 0; at < chunk.length; at += SLICE_BYTES) {
          const slice = chunk.subarray(at, at + SLICE_BYTES);
          meter.takeIn(slice.length);
          yield slice;
        }
      }
    } catch (error) {
      failed = { error };
      throw error;
    }
  };
  const feed = Readable.from(slices(), { objectMode: false, highWaterMark: SLICE_BYTES });
  feed.on('error', (error) => decoder.destroy(error));
  feed.pipe(decoder);
  try {
    for await (const chunk of decoder as AsyncIterable<Buffer>) {
      meter.giveOut(chunk.length);
      yield chunk;
    }
  } catch (error) {
    if (failed !== undefined) throw failed.error;
    throw error instanceof SluiceError ? error : broken(error);
  } finally {
    feed.destroy();
    decoder.destroy();
  }
}

/** The decoder gives whole blocks out at once and knows no back-pressure, so it is fed by small slices. */
async function* bunzip(source: AsyncIterable<Buffer>, meter: ExpansionMeter, where: string): AsyncGenerator<Buffer> {
  let out: Buffer[] = [];
  let failure: unknown;
  const decoder = unbzip2();
  decoder.on('data', (chunk: Buffer) => {
    meter.giveOut(chunk.length);
    out.push(chunk);
  });
  decoder.on('error', (error: unknown) => (failure ??= error));
  const step = (work: () => void): Buffer[] => {
    try {
      work();
    } catch (error) {
      failure ??= error;
    }
    if (failure !== undefined) throw failure instanceof SluiceError ? failure : broken('bzip2', where, failure);
    const taken = out;
    out = [];
    return taken;
  };
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; at += SLICE_BYTES) {
      // The decoder keeps what it is given, and the source may use its buffer again.
      const slice = Buffer.from(chunk.subarray(at, at + SLICE_BYTES));
      meter.takeIn(slice.length);
      yield* step(() => decoder.write(slice));
    }
  }
  yield* step(() => decoder.end());
}

function broken(compression: string, where: string, error: unknown): SluiceError {
  return new SluiceError(
    'SourceMalformed',
    `${where} is ${compression}, and broken or cut: ${sentenceOf(error)}. Fetch the hour again (--refetch) once the source is right.`,
    { cause: error },
  );
}
