import { type Command, InvalidArgumentError } from 'commander';
import { isDay } from '../../definition/day.ts';
import { sentenceOf } from '../../definition/errors.ts';
import { toLogicalHour, type LogicalHour } from '../../definition/hour.ts';

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
