import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { SluiceError } from '../../definition/errors.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { SAMPLE_BYTES } from '../../formats/csv-format.ts';
import { compressionOf, decompress, type Compression } from '../../formats/decompress.ts';
import { zipMember } from '../../formats/zip-member.ts';

/** The bytes of one file, wherever they are kept. */
export interface ContentSource {
  /** The file as it was fetched. */
  stream(): Promise<AsyncIterable<Buffer>>;
  /** Copies it to this path, where it must be read from its end. */
  copyTo(path: string): Promise<void>;
  /** For sentences. */
  readonly where: string;
  /** Compared with what is read to its end; absent where the file has just been checked. */
  readonly sha256?: string;
}

/** One file without its compression. */
export class RawContent {
  readonly compression: Compression;
  /** The first {@link SAMPLE_BYTES} bytes, or all there are. */
  head: Buffer;
  /** Whether `head` is all of it. */
  readonly whole: boolean;
  readonly #source: ContentSource;
  readonly #limits: Pipeline['source']['limits'];
  readonly #member: string | undefined;

  private constructor(
    source: ContentSource,
    limits: Pipeline['source']['limits'],
    found: Pick<RawContent, 'compression' | 'head' | 'whole'>,
    member: string | undefined,
  ) {
    this.#source = source;
    this.#limits = limits;
    this.compression = found.compression;
    this.head = found.head;
    this.whole = found.whole;
    this.#member = member;
  }

  /**
   * Looks at the beginning of a file.
   * @param declared What the definition says of its compression; by content where it says nothing.
   * @param folder Scratch space for a file that is no stream.
   * @throws SluiceError `SourceMalformed`, `SourceNotCsv`, `SourceTooLarge`
   */
  static async open(
    source: ContentSource,
    limits: Pipeline['source']['limits'],
    declared: Compression | undefined,
    folder: string,
  ): Promise<RawContent> {
    const first = await headOf(await source.stream(), 16);
    const compression = declared ?? compressionOf(first.head);
    const member =
      compression === 'zip' ? join(folder, `member-${Math.random().toString(36).slice(2)}.zip`) : undefined;
    if (member !== undefined) await source.copyTo(member);
    const found = await headOf(await decompressed(source, limits, compression, member), SAMPLE_BYTES);
    return new RawContent(source, limits, { compression, ...found }, member);
  }

  /** Lets go of the head, once it has been looked at. */
  release(): void {
    this.head = Buffer.alloc(0);
  }

  /**
   * All of the file's bytes, from the first. @param progress Told how many bytes of the file as fetched were read.
   * @throws SluiceError `ObjectCorrupt` where they are not those that were fetched
   */
  async *bytes(progress: (bytes: number) => void): AsyncGenerator<Buffer> {
    const { sha256, where } = this.#source;
    const hash = createHash('sha256');
    let read = 0;
    const observed = async function* (stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of stream) {
        if (sha256 !== undefined) hash.update(chunk);
        read += chunk.length;
        progress(read);
        yield chunk;
      }
    };
    if (this.#member !== undefined) {
      for await (const chunk of zipMember(this.#member, this.#limits, where)) {
        read += chunk.length;
        progress(read);
        yield chunk;
      }
      return;
    }
    const stream = observed(await this.#source.stream());
    const { compression } = this;
    yield* compression === 'zip' ? stream : decompress(stream, compression, this.#limits, where);
    if (sha256 !== undefined && hash.digest('hex') !== sha256) {
      throw new SluiceError('ObjectCorrupt', `${where} is not what was fetched: the stored object was changed or cut.`);
    }
  }
}

async function decompressed(
  source: ContentSource,
  limits: Pipeline['source']['limits'],
  compression: Compression,
  member: string | undefined,
): Promise<AsyncIterable<Buffer>> {
  if (compression === 'zip') return zipMember(member ?? '', limits, source.where);
  return decompress(await source.stream(), compression, limits, source.where);
}

async function headOf(stream: AsyncIterable<Buffer>, bytes: number): Promise<{ head: Buffer; whole: boolean }> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk));
    length += chunk.length;
    if (length >= bytes) return { head: Buffer.concat(chunks).subarray(0, bytes), whole: false };
  }
  return { head: Buffer.concat(chunks), whole: true };
}
