import {
  backfillChoices,
  backfillOrders,
  DEFAULT_PARALLEL,
  MAX_BACKFILL_HOURS,
  MAX_PARALLEL,
  type BackfillChoice,
  type BackfillOrder,
} from '../definition/backfill.ts';
import { SluiceError } from '../definition/errors.ts';
import { hoursIn, requireBegun, toLogicalHour, type LogicalHour } from '../definition/hour.ts';
import { startStages, type StartStage } from '../definition/names.ts';
import type { BackfillInput } from './backfill-messages.ts';

/** A backfill's input with all that was left out. */
export interface BackfillSettings {
  /** The pipeline's name. */
  readonly name: string;
  readonly from: LogicalHour;
  readonly to: LogicalHour;
  readonly only: BackfillChoice;
  readonly parallel: number;
  readonly order: BackfillOrder;
  readonly everyHour: boolean;
  readonly useCurrent: boolean;
  readonly refetch: boolean;
  readonly startFrom?: StartStage;
  readonly stopAfter?: number;
  readonly dryRun: boolean;
}

/**
 * What a backfill is to do. Whoever starts it from the Web UI writes JSON by hand, so everything is looked at.
 * @throws SluiceError `DefinitionInvalid` in one sentence
 */
export function backfillSettings(input: BackfillInput | undefined, now: Date): BackfillSettings {
  if (typeof input?.pipeline !== 'object' || input.pipeline === null) {
    throw unsound('pipeline is missing: give a definition, as JSON.');
  }
  const { pipeline, startFrom, stopAfter } = input;
  const name = String(pipeline.name);
  const [from, to] = rangeOf(input, now);
  const asksAgain = input.refetch === true || startFrom === 'import';
  if (startFrom !== undefined) oneOf('startFrom', startFrom, startStages);
  const only = oneOf('only', input.only ?? (asksAgain || startFrom ? 'all' : 'notDone'), backfillChoices);
  const order = oneOf('order', input.order ?? 'oldest', backfillOrders);
  const parallel = wholeNumber('parallel', input.parallel ?? DEFAULT_PARALLEL, MAX_PARALLEL);
  if (stopAfter !== undefined) wholeNumber('stopAfter', stopAfter, MAX_BACKFILL_HOURS);
  const turns = pipeline.duplicates?.acrossRuns === true;
  if (turns && order === 'newest') {
    throw unsound(
      `${name} takes keys of earlier hours out (duplicates.acrossRuns), so its hours are run from the oldest on: leave order out.`,
    );
  }
  return {
    ...{ name, from, to, only, order },
    // They are cleaned one after the other anyway, and of two that begin at once the later one could overtake.
    parallel: turns ? 1 : parallel,
    everyHour: input.everyHour === true,
    useCurrent: input.useCurrent === true,
    refetch: asksAgain,
    ...(startFrom === undefined ? {} : { startFrom }),
    ...(stopAfter === undefined ? {} : { stopAfter }),
    dryRun: input.dryRun === true,
  };
}

function rangeOf(input: Pick<BackfillInput, 'from' | 'to'>, now: Date): [LogicalHour, LogicalHour] {
  const [from, to] = (['from', 'to'] as const).map((name) => {
    if (typeof input[name] === 'string') return toLogicalHour(input[name]);
    throw unsound(`${name} is missing: give an hour like 2026-11-24T03 (UTC).`);
  }) as [LogicalHour, LogicalHour];
  if (to < from) throw unsound(`The range ends (${to}) before it begins (${from}): swap them.`);
  requireBegun(to, now);
  const hours = hoursIn(from, to);
  if (hours <= MAX_BACKFILL_HOURS) return [from, to];
  throw unsound(
    `The range has ${hours} hours, and a backfill may have ${MAX_BACKFILL_HOURS}: start several, one after the other.`,
  );
}

function oneOf<T extends string>(name: string, given: unknown, words: readonly T[]): T {
  if (words.includes(given as T)) return given as T;
  throw unsound(`${name} is ${JSON.stringify(given)}: it must be one of ${words.join(', ')}.`);
}

function wholeNumber(name: string, given: unknown, most: number): number {
  if (Number.isInteger(given) && (given as number) >= 1 && (given as number) <= most) return given as number;
  throw unsound(`${name} is ${JSON.stringify(given)}: it must be a whole number from 1 to ${most}.`);
}

const unsound = (sentence: string): SluiceError => new SluiceError('DefinitionInvalid', sentence);
