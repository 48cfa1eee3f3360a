import type { LogEntry } from '@temporalio/worker';
import { sentenceOf } from '../definition/errors.ts';

/** What nobody looks up. */
const leftOut = new Set<string>(['taskToken', 'sdkComponent', 'namespace']);

/** What Temporal's library says, as one line: an error is its sentence, unless SLUICE_DEBUG asks for where it came from. */
export function writeLogLine({ level, timestampNanos, message, meta = {} }: LogEntry): void {
  // Two of three workers have none.
  if (message.startsWith('No workflows registered')) return;
  const at = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  process.stderr.write(`${[at, level, message, ...facts(meta)].join(' ')}\n`);
  const { error } = meta as { error?: unknown };
  if (error !== undefined && process.env['SLUICE_DEBUG'] === '1') console.error(error);
}

function facts(meta: NonNullable<LogEntry['meta']>): string[] {
  return Object.entries(meta)
    .filter(([name, value]) => value !== undefined && !leftOut.has(name))
    .map(([name, value]) => `${name}=${written(value)}`);
}

const written = (value: unknown): string =>
  value instanceof Error ? JSON.stringify(sentenceOf(value)) : (JSON.stringify(value, withoutBigInt) ?? String(value));

/** JSON has no whole numbers of any size. */
const withoutBigInt = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
