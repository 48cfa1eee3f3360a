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

/**
 * What workers of this machine wrote down about a run, the oldest first. Consumers, which serve many runs, are not in it.
 * @param folder SLUICE_LOG_DIR of those workers. Nothing where it is not there.
 * @param skipped told of a file that cannot be read, and why
 */
export async function workerLines(
  folder: string,
  wanted: WantedLines,
  skipped: (file: string, why: string) => void = () => {},
): Promise<LogRecord[]> {
  const names = await readdir(folder).catch(() => []);
  const found: LogRecord[] = [];
  for (const name of names) {
    const day = /^worker-(\d{4}-\d\d-\d\d)-\d+\.jsonl$/.exec(name)?.[1];
    if (day === undefined || day < wanted.from.slice(0, DAY) || day > (wanted.to ?? '9999').slice(0, DAY)) continue;
    const path = join(folder, name);
    try {
      for await (const record of recordsOf(path, wanted)) {
        found.push(record);
        if (found.length > 2 * MOST) found.splice(0, MOST);
      }
    } catch (error) {
      skipped(path, sentenceOf(error));
    }
  }
  return found.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)).slice(-MOST);
}

async function* recordsOf(path: string, wanted: WantedLines): AsyncGenerator<LogRecord> {
  await using file = await open(path);
  for await (const line of file.readLines()) {
    // Most lines are of other runs: not each has to be parsed.
    if (!line.includes(wanted.runId)) continue;
    const record = parsed(line);
    if (record?.run === wanted.runId && isAtLeast(record.level, wanted.level)) yield record;
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
