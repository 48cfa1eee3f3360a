import {
  chosenStates,
  hourStates as states,
  type BackfillChoice,
  type BackfillOrder,
  type HourState,
} from '../../definition/backfill.ts';
import { SluiceError } from '../../definition/errors.ts';
import { hourKey, type LogicalHour } from '../../definition/hour.ts';
import type { StartStage } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { scheduledHours } from '../../definition/scheduled-hours.ts';
import type { StageDeps } from '../deps.ts';
import { isPast, sourceNamesHours } from '../importing/address.ts';
import { hourStates, whyFailed, type HourFound } from './hour-states.ts';

/** So many failed hours are named with their reason, and so many stretches of hours. */
const NAMED = 20;
const STRETCHES = 400;

export interface BackfillPlanInput {
  readonly pipeline: Pipeline;
  readonly from: LogicalHour;
  readonly to: LogicalHour;
  readonly only: BackfillChoice;
  readonly order: BackfillOrder;
  readonly everyHour: boolean;
  readonly useCurrent: boolean;
  readonly startFrom?: StartStage;
}

/** Hours of one state that follow each other in the schedule, ascending. */
export interface HourStretch {
  readonly state: HourState;
  readonly from: LogicalHour;
  readonly to: LogicalHour;
  readonly hours: number;
}

export interface BackfillPlan {
  /** The hours of the range in which the schedule starts a run, by their state. */
  readonly found: Readonly<Record<HourState, number>>;
  /** The same in stretches, the first 400 of them. */
  readonly stretches: readonly HourStretch[];
  /** The hours to be run, in their order, as object keys have them: `2026-11-24T03`. */
  readonly hours: readonly string[];
  /** The first 20 that failed, and why. */
  readonly failed: readonly { readonly hour: LogicalHour; readonly why: string }[];
  /** What the one who starts it should know. */
  readonly warnings: readonly string[];
}

/**
 * Which hours of a range a backfill runs, and how the others stand.
 * @param running hours of which a run is on its way
 * @throws SluiceError `ImportNotRecorded` where none of its hours could be had any more
 */
export async function planBackfill(
  deps: Pick<StageDeps, 'store'>,
  input: BackfillPlanInput,
  running: ReadonlySet<LogicalHour>,
  now = new Date(),
): Promise<BackfillPlan> {
  const { pipeline, from, to, only, order, everyHour } = input;
  const wanted = everyHour ? undefined : new Set(scheduledHours(pipeline.schedule, from, to));
  const all = (await hourStates(deps, pipeline.name, from, to)).filter(({ hour }) => wanted?.has(hour) ?? true);
  const stateOf = ({ hour, state }: HourFound): HourState =>
    running.has(hour) && state !== 'removed' ? 'running' : state;
  const found = Object.fromEntries(states.map((state) => [state, 0])) as Record<HourState, number>;
  for (const hour of all) found[stateOf(hour)] += 1;
  const chosen = all.filter((hour) => chosenStates[only].includes(stateOf(hour)));
  const gone = cannotBeHad(input, chosen, now);
  if (gone.length > 0 && gone.length === chosen.length) {
    const which = gone.length === 1 ? 'The one hour to be run' : `All ${gone.length} hours to be run`;
    throw new SluiceError('ImportNotRecorded', `${which} of ${pipeline.name} ${whyGone(input, gone.length)}`);
  }
  const failed = all.filter((hour) => stateOf(hour) === 'failed').slice(0, NAMED);
  const hours = withLater(input, all, chosen).map(({ hour }) => hourKey(hour));
  return {
    found,
    stretches: stretchesOf(all.map((hour) => ({ hour: hour.hour, state: stateOf(hour) }))).slice(0, STRETCHES),
    hours: order === 'newest' ? hours.toReversed() : hours,
    failed: await Promise.all(failed.map(async (one) => ({ hour: one.hour, why: await whyFailed(deps, one) }))),
    warnings: [
      ...(gone.length === 0 ? [] : [`${gone.length} of the hours to be run ${whyGone(input, gone.length)}`]),
      ...leftBehind(input, all, chosen),
    ],
  };
}

/**
 * Hours that take the keys of earlier ones out become stale as these are run: what is done behind the first hour is asked for as well,
 * and its launch finds at that time whether it is stale. A forced launch does not ask, and would run (or fetch) again what is sound.
 */
function withLater(input: BackfillPlanInput, all: readonly HourFound[], chosen: readonly HourFound[]) {
  const [first] = chosen;
  if (!first || !mindsLater(input) || isForced(input)) return chosen;
  return all.filter(({ hour, state }) => hour >= first.hour && state !== 'removed');
}

const mindsLater = ({ pipeline, only }: BackfillPlanInput): boolean =>
  only === 'notDone' && pipeline.duplicates.acrossRuns === true;

const isForced = ({ startFrom }: BackfillPlanInput): boolean => startFrom !== undefined;

function leftBehind(input: BackfillPlanInput, all: readonly HourFound[], chosen: readonly HourFound[]): string[] {
  const [first] = chosen;
  if (!first || !mindsLater(input) || !isForced(input)) return [];
  const later = all.filter(({ hour, state }) => hour > first.hour && state === 'present').length;
  if (later === 0) return [];
  const which = later === 1 ? 'One later hour that is done' : `${later} later hours that are done`;
  return [
    `${which} may become stale, as these take out the keys of earlier ones: backfill the range once more afterwards, without --refetch and --start-from.`,
  ];
}

/** Hours that are over, were never fetched, and whose source shows only what is now. */
function cannotBeHad(input: BackfillPlanInput, chosen: readonly HourFound[], now: Date): readonly HourFound[] {
  const { pipeline, useCurrent, startFrom } = input;
  if (useCurrent || sourceNamesHours(pipeline.source)) return [];
  const asksAgain = startFrom === 'import';
  return chosen.filter(({ hour, imported }) => isPast(hour, now) && (asksAgain || !imported));
}

const whyGone = ({ startFrom }: BackfillPlanInput, hours: number): string =>
  `${hours === 1 ? 'is' : 'are'} over${startFrom === 'import' ? '' : ` and ${hours === 1 ? 'was' : 'were'} not imported`}, and source.url does not name an hour, so what it held then is gone: ` +
  'pass --use-current to take what it holds now, or put ${hour:YYYY-MM-DD-HH} into source.url.';

function stretchesOf(hours: readonly { readonly hour: LogicalHour; readonly state: HourState }[]): HourStretch[] {
  const found: { state: HourState; from: LogicalHour; to: LogicalHour; hours: number }[] = [];
  for (const { hour, state } of hours) {
    const last = found.at(-1);
    if (last?.state === state) {
      last.to = hour;
      last.hours += 1;
    } else found.push({ state, from: hour, to: hour, hours: 1 });
  }
  return found;
}
