import { closeSync, openSync, writeSync } from 'node:fs';

const HELD_BYTES = 256 * 1024;

/** A file that is written line by line, where there is no place to wait. Made with the first line. */
export class LineFile {
  readonly path: string;
  #file: number | undefined;
  #held: string[] = [];
  #length = 0;

  constructor(path: string) {
    this.path = path;
  }

  write(line: string): void {
    this.#held.push(line, '\n');
    this.#length += line.length + 1;
    if (this.#length >= HELD_BYTES) this.#flush();
  }

  close(): void {
    if (this.#length > 0) this.#flush();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #flush(): void {
    this.#file ??= openSync(this.path, 'a');
    const bytes = Buffer.from(this.#held.join(''));
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
    this.#held = [];
    this.#length = 0;
  }
}
