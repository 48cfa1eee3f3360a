import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { loggedServers, type LoggedServer, type ServerLine, type ServerLines } from '../definition/server-lines.ts';

/** A stretch of time; milliseconds since 1970, both inclusive. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** No more of a log's end is read. */
const MOST_BYTES = 2 * 1024 * 1024;
const MOST_TEXT = 400;

/**
 * The logs of the local stack's servers, in the folder where it keeps them. For whoever looks for a reason: best effort, bounded, and nothing where a
 * server writes no log here.
 */
export class ServerLogs {
  readonly #folder: string;
  readonly #redacted: (text: string) => string;

  /** @param redacted takes secrets out of what is read */
  constructor(folder: string, redacted: (text: string) => string) {
    this.#folder = folder;
    this.#redacted = redacted;
  }

  /**
   * WARN and ERROR lines of one server within a stretch of time, the oldest first.
   * @param most so many at most
   * @param kept which of more than that: where something begins, or what was last
   */
  async warnings(
    server: LoggedServer,
    { from, to }: Window,
    most: number,
    kept: 'first' | 'last' = 'first',
  ): Promise<ServerLines> {
    const text = await endOf(join(this.#folder, `${server}.log`));
    const all = warningsIn(server, text).filter(({ at }) => {
      const ms = Date.parse(at);
      return from <= ms && ms <= to;
    });
    const some = kept === 'first' ? all.slice(0, most) : all.slice(-most);
    const lines = some.map((line) => ({ ...line, text: this.#redacted(line.text).slice(0, MOST_TEXT) }));
    return { server, lines, left: all.length - lines.length };
  }

  /** The same of all servers, without those that said nothing. */
  async all(window: Window, most: number): Promise<ServerLines[]> {
    const found = await Promise.all(loggedServers.map((server) => this.warnings(server, window, most)));
    return found.filter(({ lines }) => lines.length > 0);
  }
}

async function endOf(path: string): Promise<string> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const { size } = await file.stat();
    const length = Math.min(size, MOST_BYTES);
    const buffer = Buffer.alloc(length);
    await file.read(buffer, 0, length, size - length);
    return buffer.toString();
  } catch {
    return '';
  } finally {
    await file?.close();
  }
}

/** How servers write: time, level, text. Times without a zone are this machine's. */
const forms: readonly RegExp[] = [
  // Kafka, ZooKeeper: [2026-11-26 12:00:00,123] WARN text (logger)
  /^\[(?<day>\d{4}-\d\d-\d\d) (?<time>\d\d:\d\d:\d\d)[,.](?<ms>\d{3})\] (?<level>WARN|ERROR) (?<text>.*)$/,
  // Elasticsearch: [2026-11-26T12:00:00,123][WARN ][logger] [node] text
  /^\[(?<day>\d{4}-\d\d-\d\d)T(?<time>\d\d:\d\d:\d\d),(?<ms>\d{3})\]\[(?<level>WARN|ERROR) *\](?<text>.*)$/,
  // Temporal: time=2026-11-26T12:00:00.123 level=WARN msg="text" …
  /^time=(?<day>\d{4}-\d\d-\d\d)T(?<time>\d\d:\d\d:\d\d)\.(?<ms>\d{3})\S* level=(?<level>WARN|ERROR) (?:msg=)?(?<text>.*)$/,
  // Spark: 26/11/26 12:00:00 WARN logger: text
  /^(?<short>\d\d\/\d\d\/\d\d) (?<time>\d\d:\d\d:\d\d) (?<level>WARN|ERROR) (?<text>.*)$/,
];

/** WARN and ERROR lines of a log. A stack trace below a line belongs to it and is left out. */
export function warningsIn(server: LoggedServer, log: string): ServerLine[] {
  return server === 'minio' ? errorsOfMinio(log) : log.split('\n').flatMap((line) => warningIn(server, line));
}

function warningIn(server: LoggedServer, line: string): ServerLine[] {
  for (const form of forms) {
    const { day, short, time = '', ms = '000', level = '', text = '' } = form.exec(line)?.groups ?? {};
    if (level === '') continue;
    const date = day ?? `20${(short ?? '').replaceAll('/', '-')}`;
    const at = new Date(`${date}T${time}.${ms}`);
    if (Number.isNaN(at.getTime())) return [];
    const what = text.trim().replaceAll(/\s+/g, ' ');
    return [{ server, at: at.toISOString(), level: level === 'WARN' ? 'warn' : 'error', text: what }];
  }
  return [];
}

/** MinIO writes a block for each error: `Time: 12:00:00 UTC 11/26/2026` and, below it, `Error: text`; one without text tells of nothing. */
function errorsOfMinio(log: string): ServerLine[] {
  return log.split(/^(?=[^\S\n]*Time: )/m).flatMap((block) => {
    const [, time, month, day, year] =
      /^\s*Time: (\d\d:\d\d:\d\d) (?:UTC|GMT) (\d\d)\/(\d\d)\/(\d{4})\s*$/m.exec(block) ?? [];
    const text = /^\s*Error: (.*)$/m.exec(block)?.[1]?.trim();
    const at = new Date(`${year}-${month}-${day}T${time}Z`);
    if (text === undefined || Number.isNaN(at.getTime())) return [];
    return [{ server: 'minio' as const, level: 'error' as const, text, at: at.toISOString() }];
  });
}
