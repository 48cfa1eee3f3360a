import { DefaultLogger, type LogEntry, type Logger, type TelemetryOptions } from '@temporalio/worker';
import { pino } from 'pino';
import type { LogSettings } from '../connectors/log-settings.ts';
import { sentenceOf } from '../definition/errors.ts';
import { isAtLeast, subjectOf, type LogLevel, type LogRecord } from '../definition/log-record.ts';
import { LogFile } from './log-file.ts';
import { isSaid, textLine } from './log-line.ts';

/** The log of a worker process: what Temporal's library, activities and workflows say. */
export interface WorkerLog {
  readonly logger: Logger;
  readonly telemetry: Pick<TelemetryOptions, 'logging'>;
  close(): void;
}

/** What pino itself takes away, wherever it stands in what somebody logs. The rest is for the redactor, which knows values. */
const secretKeys = ['password', 'secret', 'token', 'apiKey', 'authorization', 'secretKey'];
const redact = { paths: secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '***' };

/**
 * To stderr as text or JSON, and to the files as JSON.
 * @param redacted takes secrets out of a line
 */
export function workerLog(
  { level, format, files }: LogSettings,
  redacted: (line: string) => string,
  stderr: { write(line: string): unknown } = process.stderr,
): WorkerLog {
  const file = files && new LogFile(files.folder, files.days, (message) => stderr.write(`${message}\n`));
  const jsonTo = (to: { write(line: string): unknown }) => {
    const log = pino(
      {
        ...{ level: 'trace', timestamp: false, redact, base: { pid: process.pid } },
        formatters: { level: (label) => ({ level: label }) },
      },
      { write: (line: string) => to.write(redacted(line)) },
    );
    return (entry: LogEntry) => {
      const { level: at, msg, ...record } = recordOf(entry);
      log[at](record, msg);
    };
  };
  const toText = (entry: LogEntry): void => void stderr.write(redacted(`${textLine(entry)}\n`));
  const toStderr = format === 'json' ? jsonTo(stderr) : toText;
  const toFile = file && jsonTo(file);
  const fileLevel: LogLevel = isAtLeast(level, 'info') ? 'info' : level;
  const least = toFile ? fileLevel : level;
  const logger = new DefaultLogger(least.toUpperCase() as LogEntry['level'], (entry) => {
    if (!isSaid(entry)) return;
    const at = entry.level.toLowerCase() as LogLevel;
    if (isAtLeast(at, level)) toStderr(entry);
    if (isAtLeast(at, fileLevel)) toFile?.(entry);
  });
  // What the SDK's core says goes to the console by itself, in a form of its own, unless it is asked for.
  const forwarded = format === 'json' || file !== undefined;
  const logging = { filter: { core: 'WARN', other: 'ERROR' } as const, ...(forwarded ? { forward: {} } : {}) };
  return { logger, telemetry: { logging }, close: () => file?.close() };
}

/** What nobody looks up, or what stands under another name. */
const leftOut = new Set([
  ...['taskToken', 'namespace', 'workflowId', 'runId', 'workflowRunId', 'activityType', 'attempt', 'error'],
]);

/** A line as a record: what it is about first, then what it says of that. */
export function recordOf({ level, timestampNanos, message, meta = {} }: LogEntry): LogRecord {
  const { error, ...given } = meta as { error?: unknown };
  const rest = Object.entries(given).filter(([name, value]) => value !== undefined && !leftOut.has(name));
  const stack = process.env['SLUICE_DEBUG'] === '1' && error instanceof Error ? { stack: error.stack } : {};
  return {
    level: level.toLowerCase() as LogLevel,
    time: new Date(Number(timestampNanos / 1_000_000n)).toISOString(),
    msg: message,
    ...Object.fromEntries(rest.map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value])),
    ...subjectOf(meta),
    ...(error === undefined ? {} : { error: sentenceOf(error), ...stack }),
  };
}
