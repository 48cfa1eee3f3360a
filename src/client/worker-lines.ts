import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sentenceOf } from '../definition/errors.ts';
import { isAtLeast, type LogLevel, type LogRecord } from '../definition/log-record.ts';

/** Which lines of the workers' logs are wanted. */
export interface WantedLines {
  /** Temporal's id of the run. */
  readonly runId: string;
  readonly workflowId: string;
  /** ISO 8601: when the run began, and ended if it has. */
  readonly from: string;
  readonly to?: string;
  readonly level: LogLevel;
}

/** So many lines are kept; the newest ones. */
const MOST = 5_000;
const DAY = 10;
const LINE_FEED = 10;

/**
 * What workers of this machine wrote down about a run, the oldest first. Consumers, which serve many runs, are not in it.
 * @param folder SLUICE_LOG_DIR of those workers. Nothing where it is not there.
 * @param skipped told of a file that cannot be read, and why
 */
export function workerLines(
  folder: string,
  wanted: WantedLines,
  skipped: (file: string, why: string) => void = () => {},
): Promise<LogRecord[]> {
  return new WorkerLog(folder, wanted, skipped).next();
}

/** The same as it grows: each look gives what was written since the one before. */
export class WorkerLog {
  readonly #folder: string;
  readonly #wanted: WantedLines;
  readonly #skipped: (file: string, why: string) => void;
  /** How far each file has been read; undefined where that cannot be done. */
  readonly #read = new Map<string, number | undefined>();

  constructor(folder: string, wanted: WantedLines, skipped: (file: string, why: string) => void) {
    this.#folder = folder;
    this.#wanted = wanted;
    this.#skipped = skipped;
  }

  async next(): Promise<LogRecord[]> {
    const { from, to = '9999' } = this.#wanted;
    const found: LogRecord[] = [];
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const day = /^worker-(\d{4}-\d\d-\d\d)-\d+\.jsonl$/.exec(name)?.[1];
      if (day === undefined || day < from.slice(0, DAY) || day > to.slice(0, DAY)) continue;
      if (this.#read.has(name) && this.#read.get(name) === undefined) continue;
      const path = join(this.#folder, name);
      try {
        for await (const record of this.#records(name, path)) {
          found.push(record);
          if (found.length > 2 * MOST) found.splice(0, MOST);
        }
      } catch (error) {
        this.#read.set(name, undefined);
        this.#skipped(path, sentenceOf(error));
      }
    }
    return found.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)).slice(-MOST);
  }

  async *#records(name: string, path: string): AsyncGenerator<LogRecord> {
    const { runId, level } = this.#wanted;
    const start = this.#read.get(name) ?? 0;
    await using file = await open(path);
    for await (const { line, end } of wholeLines(file.createReadStream({ start, autoClose: false }), start)) {
      this.#read.set(name, end);
      // Most lines are of other runs: not each has to be parsed.
      if (!line.includes(runId)) continue;
      const record = parsed(line.toString());
      if (record?.run === runId && isAtLeast(record.level, level)) yield record;
    }
  }
}

/** Lines that are ended, each with where in the file that is. One that is being written is whole at a later look. */
async function* wholeLines(
  input: AsyncIterable<Buffer>,
  from: number,
): AsyncGenerator<{ readonly line: Buffer; readonly end: number }> {
  let begun: Buffer[] = [];
  let end = from;
  for await (const chunk of input) {
    let start = 0;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, start)) {
      const line = Buffer.concat([...begun, chunk.subarray(start, at)]);
      end += line.length + 1;
      yield { line, end };
      begun = [];
      start = at + 1;
    }
    begun.push(chunk.subarray(start));
  }
}

/** A line that is cut off, as its worker was killed, is none. */
function parsed(line: string): LogRecord | undefined {
  try {
    return JSON.parse(line) as LogRecord;
  } catch {
    return undefined;
  }
}
