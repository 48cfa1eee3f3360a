import { ApplicationFailure, type Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor, ActivityInterceptors } from '@temporalio/worker';
import { sentenceOf } from '../definition/errors.ts';
import { isObject } from '../definition/is-object.ts';
import { hourOfRun, profiledStages } from '../definition/names.ts';
import { NO_ANSWER, PROFILE, TIMING, type AttemptTiming, type Spent } from '../definition/timing.ts';
import type { StageDeps } from '../stages/deps.ts';
import { measured } from '../stages/measured.ts';
import { profiled } from '../stages/profiling.ts';

/** Workflows whose report says where the time went. */
const TOLD = new Set(['pipeline']);

/**
 * Measures each attempt, and lets its result, or its failure's details, tell the run. It stands outside of what classifies errors.
 * What has no members (nothing, a text, an empty list) is given as it is, untold. One whose input asks for it is profiled.
 */
export const timeAttempts =
  (deps: Pick<StageDeps, 'store'>) =>
  (context: Context): ActivityInterceptors => ({ inbound: timing(deps, context) });

function timing(deps: Pick<StageDeps, 'store'>, context: Context): ActivityInboundCallsInterceptor {
  return {
    execute: (input, next) =>
      measured(async (spent) => {
        const startedAt = Date.now();
        const told = TOLD.has(context.info.workflowType ?? '');
        try {
          const { result, profile } = await ran(deps, context, input, next);
          const timed = { ...timingOf(context, startedAt, spent()), ...(profile === undefined ? {} : { profile }) };
          return told ? withTiming(result, timed) : result;
        } catch (error) {
          if (told && error instanceof ApplicationFailure) {
            const [facts = {}] = error.details ?? [];
            error.details?.splice(0, error.details.length, facts, { [TIMING]: timingOf(context, startedAt, spent()) });
          }
          throw error;
        }
      }),
  };
}

type Execute = Required<ActivityInboundCallsInterceptor>['execute'];

/** Runs an activity; profiled where its input says so, and that is not for the activity itself. */
async function ran(
  deps: Pick<StageDeps, 'store'>,
  context: Context,
  input: Parameters<Execute>[0],
  next: Parameters<Execute>[1],
): Promise<{ readonly result: unknown; readonly profile?: string }> {
  const [first, ...others] = input.args;
  if (!isObject(first) || first[PROFILE] === undefined) return { result: await next(input) };
  const { [PROFILE]: asked, ...own } = first;
  const work = (): Promise<unknown> => next({ ...input, args: [own, ...others] });
  const { workflowId = '', runId = '' } = context.info.workflowExecution ?? {};
  const run = hourOfRun(workflowId);
  const stage = profiledStages.find((one) => one === asked);
  if (run === undefined || stage === undefined) return { result: await work() };
  return profiled(deps, { ...run, runId, stage }, work, (error) =>
    context.log.warn(`there is no profile of ${stage}`, { error: sentenceOf(error) }),
  );
}

/** What an activity gives, with its timing in it: in its first element where it is a list. It is a copy, as what is given may be kept. */
export function withTiming(result: unknown, timing: AttemptTiming): unknown {
  if (Array.isArray(result)) {
    const [first, ...others] = result as unknown[];
    return isObject(first) ? [{ ...first, [TIMING]: timing }, ...others] : result;
  }
  return isObject(result) ? { ...result, [TIMING]: timing } : result;
}

function timingOf({ info }: Context, startedAt: number, spent: Spent): AttemptTiming {
  const { attempt, scheduledTimestampMs: first, currentAttemptScheduledTimestampMs: current } = info;
  const failed = failedBefore(info.heartbeatDetails);
  const unknown = attempt - 1 - Object.values(failed).reduce((sum, times) => sum + times, 0);
  return {
    ...spent,
    queueMs: Math.max(0, startedAt - current),
    runMs: Date.now() - startedAt,
    retryMs: attempt > 1 ? Math.max(0, current - first) : 0,
    failed: unknown > 0 ? { ...failed, [NO_ANSWER]: unknown } : failed,
  };
}

/** The attempts before this one that said why they failed, by code, as the last heartbeat has them. */
export function failedBefore(details: unknown): Record<string, number> {
  const failed = isObject(details) ? details['failed'] : undefined;
  const counted = isObject(failed) ? Object.entries(failed) : [];
  return Object.fromEntries(counted.filter((one): one is [string, number] => typeof one[1] === 'number'));
}
