import { inspect } from 'node:util';
import type { LogEntry } from '@temporalio/worker';
import { sentenceOf } from '../definition/errors.ts';

/** What nobody looks up. */
const leftOut = new Set<string>(['taskToken', 'sdkComponent', 'namespace']);

/** Whether anybody wants to read it: two of three workers have no workflows, and need none. */
export const isSaid = ({ message }: LogEntry): boolean => !message.startsWith('No workflows registered');

/** What Temporal's library says, as one line: an error is its sentence, unless SLUICE_DEBUG asks for where it came from, in the lines below. */
export function textLine({ level, timestampNanos, message, meta = {} }: LogEntry): string {
  const at = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const { error } = meta as { error?: unknown };
  const stack = error !== undefined && process.env['SLUICE_DEBUG'] === '1' ? [`\n${inspect(error)}`] : [];
  return [at, level, message, ...facts(meta), ...stack].join(' ');
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
