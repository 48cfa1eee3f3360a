import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { sentenceOf } from '../definition/errors.ts';

const DAY_MS = 86_400_000;
/** Files of workers, and none of others that lie beside them. */
const ours = /^worker-\d{4}-\d\d-\d\d-\d+\.jsonl$/;

/**
 * Lines in a file a day (UTC), for this process alone: `worker-2026-11-26-4711.jsonl`. Older days' files of any process go when a day begins. A line is there
 * when `write` returns, so that one that says why the process dies is not lost. Where it cannot be written that is said once, and work goes on.
 */
export class LogFile {
  readonly #folder: string;
  readonly #days: number;
  readonly #warn: (message: string) => void;
  #day = '';
  #file: number | undefined;
  #failed = false;

  constructor(folder: string, days: number, warn: (message: string) => void) {
    this.#folder = folder;
    this.#days = days;
    this.#warn = warn;
  }

  write(line: string, now = new Date()): void {
    try {
      const day = now.toISOString().slice(0, 10);
      if (day !== this.#day) this.#begin(day, now.getTime());
      if (this.#file !== undefined) writeSync(this.#file, line);
      this.#failed = false;
    } catch (error) {
      if (!this.#failed) this.#warn(`The log cannot be written to ${this.#folder}: ${sentenceOf(error)}`);
      this.#failed = true;
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#day = '';
  }

  #begin(day: string, now: number): void {
    this.close();
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#file = openSync(join(this.#folder, `worker-${day}-${process.pid}.jsonl`), 'a', 0o600);
    this.#day = day;
    for (const name of readdirSync(this.#folder).filter((found) => ours.test(found))) {
      const file = join(this.#folder, name);
      // Another process may have been faster.
      const age = now - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? now);
      if (age > this.#days * DAY_MS) rmSync(file, { force: true });
    }
  }
}
