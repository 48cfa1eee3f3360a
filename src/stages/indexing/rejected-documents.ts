import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { SluiceError } from '../../definition/errors.ts';
import { hourKey } from '../../definition/hour.ts';
import { keys } from '../../definition/names.ts';
import type { StageDeps } from '../deps.ts';
import type { Refusal } from './bulk-sender.ts';
import type { HourContent } from './documents.ts';

/** The documents that an index refused, with the reasons: kept in a file of the worker's, stored when all have been sent. */
export class RejectedDocuments {
  readonly #deps: Pick<StageDeps, 'store' | 'settings'>;
  readonly #index: string;
  #count = 0;
  #first = '';
  #file: Promise<{ readonly path: string; readonly stream: WriteStream }> | undefined;

  constructor(deps: Pick<StageDeps, 'store' | 'settings'>, index: string) {
    this.#deps = deps;
    this.#index = index;
  }

  async add({ operation, status, type, reason }: Refusal): Promise<void> {
    const { record = '', object = '' } = operation.origin ?? {};
    this.#count += 1;
    this.#first ||= `record ${record}: ${status} ${type} ${reason}`.trim().replace(/\.$/, '');
    const { stream } = await (this.#file ??= this.#open());
    const head = JSON.stringify({ record, index: this.#index, status, type, reason, object });
    // The document is JSON already.
    const line = `${head.slice(0, -1)},"document":${operation.document ?? 'null'}}\n`;
    if (!stream.write(line)) await once(stream, 'drain');
  }

  async #open(): Promise<{ path: string; stream: WriteStream }> {
    const { workDir } = this.#deps.settings;
    await mkdir(workDir, { recursive: true });
    const path = join(workDir, `index-rejects-${randomUUID()}.ndjson`);
    return { path, stream: createWriteStream(path) };
  }

  /**
   * Stores what was refused.
   * @throws SluiceError `DocumentsRefused` where anything was, naming how many, the first, and where they are
   */
  async settle(stream: string, { hour, batch, generation }: HourContent): Promise<void> {
    const file = await this.#file;
    if (!file) return;
    file.stream.end();
    await finished(file.stream);
    const { uri } = await this.#deps.store.upload(file.path, () => keys.indexRejects(stream, hour, batch, generation));
    throw new SluiceError(
      'DocumentsRefused',
      `Index ${this.#index} refused ${this.#count} documents of ${stream} ${hourKey(hour)}; the first, ${this.#first}. ` +
        `All of them with their reasons: ${uri}. The rows are landed: mend the columns’ types or ranges, and run the hour again.`,
      { facts: { refused: this.#count, rejects: uri } },
    );
  }

  /** Removes the worker's own file. */
  async close(): Promise<void> {
    const file = await this.#file;
    if (!file) return;
    file.stream.destroy();
    await rm(file.path, { force: true });
  }
}
