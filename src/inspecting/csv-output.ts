import { createWriteStream, type WriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { SluiceError, sentenceOf } from '../definition/errors.ts';

/** Where normalised CSV goes: standard output, or a file that is there only once it is whole. */
export class CsvOutput {
  readonly #stream: NodeJS.WritableStream;
  readonly #path: string | undefined;
  #failure: unknown;

  /** @param path Standard output where it is undefined. */
  constructor(path?: string) {
    this.#path = path;
    this.#stream = path === undefined ? process.stdout : createWriteStream(`${path}.partial`);
    this.#stream.on('error', (error: unknown) => (this.#failure = error));
  }

  async write(bytes: Buffer | string): Promise<void> {
    this.#check();
    if (!this.#stream.write(bytes))
      await Promise.race([once(this.#stream, 'drain'), once(this.#stream, 'error')]).catch(() => {});
    this.#check();
  }

  async finish(): Promise<void> {
    if (this.#path === undefined) return;
    this.#stream.end();
    await finished(this.#stream as WriteStream).catch(() => {});
    this.#check();
    await rename(`${this.#path}.partial`, this.#path);
  }

  async abandon(): Promise<void> {
    if (this.#path === undefined) return;
    this.#stream.end();
    await finished(this.#stream as WriteStream).catch(() => {});
    await rm(`${this.#path}.partial`, { force: true });
  }

  #check(): void {
    if (this.#failure === undefined) return;
    const closed = (this.#failure as NodeJS.ErrnoException).code === 'EPIPE';
    const where = this.#path ?? 'standard output';
    throw new SluiceError('SettingsInvalid', `${where} cannot be written: ${sentenceOf(this.#failure)}.`, {
      cause: this.#failure,
      facts: { closed },
    });
  }
}
