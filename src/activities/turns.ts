import type { LogicalHour } from '../definition/hour.ts';
import { stagesBeforeTurn } from '../definition/names.ts';
import { attended } from './attended.ts';
import { openRuns, type OpenRun } from './open-runs.ts';

/** So many runs are named: a long line must not fill the history of everybody in it. */
const NAMED = 3;

export interface TurnInput {
  readonly pipeline: string;
  readonly hour: LogicalHour;
}

/** The runs that one must wait for. */
export interface RunsAhead {
  readonly count: number;
  /** The hours of the first three: whoever has the turn, then the oldest. */
  readonly first: readonly LogicalHour[];
}

/**
 * Whom a run waits for: every open run of an older hour, and one that has had its turn, whatever its hour. No two wait for each
 * other, nor three in a circle: who waits, waits for older hours alone or for a run that does not wait any more.
 */
export function runsAhead(hour: LogicalHour, open: readonly OpenRun[]): RunsAhead {
  const hasTurn = ({ stage }: OpenRun): boolean => stage !== undefined && !stagesBeforeTurn.includes(stage);
  const ahead = open
    .filter((run) => run.hour < hour || (run.hour > hour && hasTurn(run)))
    .toSorted((a, b) => Number(hasTurn(b)) - Number(hasTurn(a)) || (a.hour < b.hour ? -1 : 1));
  return { count: ahead.length, first: ahead.slice(0, NAMED).map((run) => run.hour) };
}

/** What the runs of a pipeline know of each other. */
export function turnActivities() {
  return {
    /**
     * The open runs that a run must wait for; a stage may be old by the time that it is read.
     */
    findRunsAhead: ({ pipeline, hour }: TurnInput): Promise<RunsAhead> =>
      attended(async () => runsAhead(hour, await openRuns(pipeline))),
  };
}
