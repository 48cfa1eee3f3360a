import { type Command, InvalidArgumentError } from 'commander';
import { isDay } from '../../definition/day.ts';
import { sentenceOf } from '../../definition/errors.ts';
import { toLogicalHour, type LogicalHour } from '../../definition/hour.ts';
import { hourOfRun } from '../../definition/names.ts';

/** Registers commands. `json` is the option that each of them has; `done` is told the exit code. */
export type Register = (program: Command, json: readonly [string, string], done: (code: number) => void) => void;

export const jsonOption = ['--json', 'one JSON object on stdout, everything else on stderr'] as const;

export const hourHelp = 'the hour, like 2026-11-24T03 (UTC)';

export function hourArgument(text: string): LogicalHour {
  try {
    return toLogicalHour(text);
  } catch (error) {
    throw new InvalidArgumentError(sentenceOf(error));
  }
}

/** A run as people name it. */
export interface NamedRun {
  readonly pipeline?: string;
  readonly hour?: LogicalHour;
  /** Temporal's. */
  readonly runId?: string;
}

export const runHelp = `${hourHelp}; or a run’s id, or its workflow’s: pipeline/<name>/<hour>`;

/** Whether it has the form of a run's id. */
export const isRunId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/** @throws InvalidArgumentError where it is neither an hour nor an id */
export function runArgument(text: string): NamedRun {
  if (isRunId(text)) return { runId: text };
  if (!text.includes('/')) return { hour: hourArgument(text) };
  const named = hourOfRun(text);
  if (!named) throw new InvalidArgumentError(`"${text}" is no run: write ${runHelp}.`);
  return { pipeline: named.pipeline, hour: toLogicalHour(named.hour) };
}

export function countArgument(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('must be a number from 1 to 9999');
  return Number(text);
}

export function portArgument(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('must be a port, 0 to 65535');
  return Number(text);
}

export function rateArgument(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('must be a number from 1 to 9999999');
  return Number(text);
}

export function dayArgument(text: string): string {
  if (!isDay(text)) throw new InvalidArgumentError(`"${text}" is no day: write it like 2026-11-24.`);
  return text;
}

/** An option that may be given twice: the runs to compare. */
export function runIds(id: string, before: readonly string[] = []): string[] {
  if (before.length > 1) throw new InvalidArgumentError('two runs are compared: give it once or twice');
  return [...before, id];
}
