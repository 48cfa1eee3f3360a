import { Context } from '@temporalio/activity';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import { toLogicalHour, type LogicalHour } from '../definition/hour.ts';
import { hourOfRun, slotOf } from '../definition/names.ts';
import type { ImportResult } from '../definition/refs.ts';
import type { StageDeps } from '../stages/deps.ts';
import { attended } from './attended.ts';

/** So many slots a run tries before it asks again: each one that another run was faster to take stays in its history. */
const TRIED = 3;

/**
 * So long a run leaves slots that are free to those ahead of it: twice what any of them waits before it asks again. Who has not come by
 * then does not come, as a run whose build has no worker any more.
 */
const PATIENCE_MS = 600_000;

const nameAttribute = defineSearchAttributeKey('PipelineName', SearchAttributeType.KEYWORD);
const hourAttribute = defineSearchAttributeKey('PipelineHour', SearchAttributeType.DATETIME);

/** A run that waits for a slot. */
export interface WaitingRun {
  readonly pipeline: string;
  readonly hour: LogicalHour;
}

/** A run that asks for one. */
export interface AskingRun extends WaitingRun {
  /** For how long there were free slots, but for others, and none of these took one. Nothing where there were none. */
  readonly passedOverMs?: number;
}

/** A slot that a run of the pipeline holds. Those that were taken before it said so name no hour. */
export interface HeldSlot {
  readonly slot: number;
  readonly pipeline: string;
  readonly hour?: LogicalHour;
}

export interface Slots {
  /** Runs that may be in flight; undefined where there is no limit any more. */
  readonly limit?: number;
  /** Slots that nobody holds; what was asked before it was said knows of none. */
  readonly room?: number;
  /** Slots that the run may try to take. */
  readonly free: readonly number[];
  /** Runs that wait and go first. */
  readonly ahead: number;
}

/**
 * Which slots a run may try. Of those that wait, the one goes first whose pipeline has the fewest runs in flight, then the oldest hour:
 * so a backfill takes what the hourly runs of others leave, and within a pipeline the oldest hour is first. That order delays and does not
 * forbid: who was passed over for long enough takes what is free.
 */
export function slotsFor(
  me: AskingRun,
  limit: number,
  held: readonly HeldSlot[],
  listed: readonly WaitingRun[],
): Slots {
  // Its stage may still be this one: it is paused behind it, or the list is behind.
  const waiting = listed.filter((run) => !held.some((holder) => isRun(run, holder)));
  const ahead = runsAheadOf(me, held, waiting);
  const room = Math.max(0, limit - held.length);
  if (room === 0 || (ahead >= room && (me.passedOverMs ?? 0) < PATIENCE_MS)) return { limit, room, free: [], ahead };
  const taken = new Set(held.map(({ slot }) => slot));
  const open = Array.from({ length: limit }, (_, slot) => slot).filter((slot) => !taken.has(slot));
  // Whoever goes at the same moment begins at another one.
  const from = ahead % open.length;
  return { limit, room, free: [...open.slice(from), ...open.slice(0, from)].slice(0, TRIED), ahead };
}

function runsAheadOf(me: WaitingRun, held: readonly HeldSlot[], listed: readonly WaitingRun[]): number {
  const flying = new Map<string, number>();
  const more = (pipeline: string): void => void flying.set(pipeline, (flying.get(pipeline) ?? 0) + 1);
  for (const { pipeline } of held) more(pipeline);
  const lines = new Map<string, LogicalHour[]>();
  const others = listed.filter((run) => !isRun(run, me));
  for (const { pipeline, hour } of [...others, me]) lines.set(pipeline, [...(lines.get(pipeline) ?? []), hour]);
  for (const line of lines.values()) line.sort();
  for (let ahead = 0; ; ahead += 1) {
    const [next] = [...lines].toSorted(
      ([a, [hourA = '']], [b, [hourB = '']]) =>
        (flying.get(a) ?? 0) - (flying.get(b) ?? 0) || compare(hourA, hourB) || compare(a, b),
    );
    if (!next) return ahead;
    const [pipeline, line] = next;
    if (line.shift() === me.hour && pipeline === me.pipeline) return ahead;
    more(pipeline);
    if (line.length === 0) lines.delete(pipeline);
  }
}

const isRun = (run: WaitingRun, { pipeline, hour }: WaitingRun | HeldSlot): boolean =>
  run.pipeline === pipeline && run.hour === hour;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Marks what an import gives where the worker limits the runs in flight: then the run waits for a slot behind it. */
export const limited = (deps: StageDeps, imported: ImportResult): ImportResult =>
  deps.settings.maxRuns === undefined ? imported : { ...imported, takesSlot: true };

/** What the runs of all pipelines know of each other. */
export function slotActivities(deps: StageDeps) {
  return {
    /** What is free for a run. Temporal's list is a moment behind, so a slot may be gone when it is taken: that is seen then. */
    findSlots: (me: AskingRun): Promise<Slots> =>
      attended(async () => {
        const limit = deps.settings.maxRuns;
        if (limit === undefined) return { free: [], ahead: 0 };
        const held: HeldSlot[] = [];
        const waiting: WaitingRun[] = [];
        // Who has come to an outcome in that stage waits no more, though it still tells of it.
        const waits = 'WorkflowType = "pipeline" AND PipelineStage = "slot" AND PipelineOutcome IS NULL';
        const query = `ExecutionStatus = "Running" AND (WorkflowType = "slot" OR (${waits}))`;
        try {
          for await (const { workflowId, typedSearchAttributes } of Context.current().client.workflow.list({ query })) {
            const slot = slotOf(workflowId);
            if (slot !== undefined) {
              const heldFor = typedSearchAttributes.get(hourAttribute);
              const pipeline = typedSearchAttributes.get(nameAttribute) ?? '';
              held.push({ slot, pipeline, ...(heldFor ? { hour: toLogicalHour(heldFor) } : {}) });
            }
            const run = hourOfRun(workflowId);
            if (run) waiting.push(run);
          }
        } catch (error) {
          throw new SluiceError('Unexpected', `Temporal does not list the runs in flight: ${sentenceOf(error)}.`);
        }
        return slotsFor(me, limit, held, waiting);
      }),
  };
}
