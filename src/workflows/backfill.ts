import {
  allHandlersFinished,
  CancellationScope,
  ChildWorkflowCancellationType,
  condition,
  ContinueAsNew,
  continueAsNew,
  executeChild,
  isCancellation,
  log,
  ParentClosePolicy,
  patched,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { BackfillPlan } from '../activities/index.ts';
import { hourKey, type LogicalHour } from '../definition/hour.ts';
import { ids, taskQueues } from '../definition/names.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import { attributes } from './attributes.ts';
import {
  backfillProgressQuery,
  cancelBackfillSignal,
  cancelBackfillUpdate,
  pauseBackfillSignal,
  pauseBackfillUpdate,
  resumeBackfillSignal,
  resumeBackfillUpdate,
  type BackfillCancel,
  type BackfillInput,
  type BackfillProgress,
  type BackfillReport,
} from './backfill-messages.ts';
import { backfillSettings, type BackfillSettings } from './backfill-settings.ts';
import { BackfillState } from './backfill-state.ts';
import { endingOf, failure, problemOf, type Problem } from './failure.ts';
import { isHistoryFull } from './full-history.ts';
import { launch } from './launch.ts';
import type { LaunchInput, LaunchResult } from './messages.ts';
import { defaultRetries, stageActivities } from './stage-activities.ts';
import { goesAlong } from './versioning.ts';

// It may take days, and its hours are to begin on the build that is current then.
goesAlong(backfill);

/**
 * Runs the hours of a range, some at a time, each through `launch` like any other: whoever else starts one of them meanwhile joins it, or is
 * joined. Goes on behind hours that fail, and ends with the list of them. Which hours are to be run is decided once, at the beginning.
 */
export async function backfill(input: BackfillInput): Promise<BackfillReport> {
  try {
    const settings = backfillSettings(input, new Date());
    const state = new BackfillState(settings, Date.now(), input.carried, () => isHistoryFull(input.maxHistory));
    const runs: Runs = new Map();
    // Before anything is waited for: an update that comes without a handler is refused.
    listen(state, runs);
    const { acceptDefinition } = stageActivities('light', defaultRetries, 'definition');
    const pipeline = await acceptDefinition({ pipeline: input.pipeline });
    upsertSearchAttributes([{ key: attributes.pipeline, value: pipeline.name }]);
    if (!input.carried) {
      const plan = await planOf(pipeline, settings);
      state.planned(plan);
      if (settings.dryRun) return state.report(Date.now(), plan);
    }
    await startAll({ pipeline, settings, state, runs });
    await condition(allHandlersFinished);
    if (state.through) return over(state);
    return await continueAsNew<typeof backfill>({ ...input, pipeline, carried: state.carried() });
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    throw endingOf(error);
  }
}

/** Each hour that runs, with what cancels it. */
type Runs = Map<LogicalHour, CancellationScope>;

interface Work {
  readonly pipeline: Pipeline;
  readonly settings: BackfillSettings;
  readonly state: BackfillState;
  readonly runs: Runs;
}

/** Starts hour after hour until none is left, it is told to stop, or the history is long enough; ends when nothing runs any more. */
async function startAll(work: Work): Promise<void> {
  const { state } = work;
  try {
    for (;;) {
      show(state);
      await condition(() => state.through || (state.full ? state.idle : state.mayStart));
      if (state.through || state.full) return;
      begin(work);
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
    // Asked of Temporal itself, as by `temporal workflow cancel`: no more are started, and what runs ends first.
    state.cancel();
    show(state);
    await CancellationScope.nonCancellable(() => condition(() => state.idle));
    over(state);
    throw error;
  }
}

function begin({ pipeline, settings, state, runs }: Work): void {
  const hour = state.begin(Date.now());
  // Not cancelled with the workflow: that decides by itself what becomes of its runs.
  const scope = new CancellationScope({ cancellable: true, parent: new CancellationScope({ cancellable: false }) });
  runs.set(hour, scope);
  void runHour(pipeline, hour, settings, scope).then((came) => {
    runs.delete(hour);
    state.ended(hour, came, Date.now());
    show(state);
  });
}

/** What became of an hour. Never throws. */
async function runHour(
  pipeline: Pipeline,
  hour: LogicalHour,
  { only, refetch, useCurrent, startFrom }: BackfillSettings,
  scope: CancellationScope,
): Promise<LaunchResult | Problem> {
  const input: LaunchInput = {
    ...{ pipeline, hour, wait: true, useCurrent, refetch },
    force: only === 'all',
    ...(startFrom === undefined ? {} : { startFrom }),
  };
  // No other launch has this id: another backfill may ask for the same hour. Run ids begin with the time, and change by a reset.
  const drawn = patched('backfill-launch-ids');
  const mark = (drawn ? uuid4() : workflowInfo().runId).slice(0, 8);
  try {
    return await scope.run(() =>
      executeChild(launch, {
        workflowId: ids.launch(pipeline.name, `${hour}-${mark}`),
        taskQueue: taskQueues.light,
        args: [input],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        staticSummary: `${pipeline.name}, hour ${hour}`,
      }),
    );
  } catch (error) {
    return problemOf(error);
  }
}

function planOf(pipeline: Pipeline, settings: BackfillSettings): Promise<BackfillPlan> {
  const { from, to, only, order, everyHour, useCurrent, startFrom, refetch } = settings;
  const begins = refetch ? 'import' : startFrom;
  return stageActivities('light', defaultRetries, `${hourKey(from)} to ${hourKey(to)}`).planBackfill({
    ...{ pipeline, from, to, only, order, everyHour, useCurrent },
    ...(begins === undefined ? {} : { startFrom: begins }),
  });
}

/** Everything that a backfill is told, and asked. */
function listen(state: BackfillState, runs: Runs): void {
  const answer = (): BackfillProgress => {
    show(state);
    return state.progress(Date.now());
  };
  const pause = (): BackfillProgress => {
    state.pause();
    return answer();
  };
  const resume = (): BackfillProgress => {
    state.resume();
    return answer();
  };
  const cancel = (how?: BackfillCancel): BackfillProgress => {
    state.cancel();
    if (how?.runs === 'cancel') for (const scope of runs.values()) scope.cancel();
    return answer();
  };
  setHandler(backfillProgressQuery, () => state.progress(Date.now()), { description: 'How far the backfill is.' });
  const pauses = 'Start no more hours until resume; runs that are on their way go on.';
  const cancels =
    'Start no more hours. {"runs": "finish"}, as if nothing were said: what runs goes on to its end. {"runs": "cancel"}: it is cancelled.';
  const refusedEnding = (): void => refuse(endingSentence(state));
  setHandler(pauseBackfillUpdate, pause, { description: pauses, validator: refusedEnding });
  setHandler(resumeBackfillUpdate, resume, { description: 'Start hours again.', validator: refusedEnding });
  setHandler(cancelBackfillUpdate, cancel, {
    description: cancels,
    validator: (how?: BackfillCancel) => refuse(wrongCancel(how)),
  });
  const told = (sentence: string | undefined, act: () => unknown): void => {
    if (sentence === undefined) act();
    else log.warn(sentence);
  };
  const same = 'As the update, without an answer.';
  setHandler(pauseBackfillSignal, () => told(endingSentence(state), pause), { description: same });
  setHandler(resumeBackfillSignal, () => told(endingSentence(state), resume), { description: same });
  setHandler(cancelBackfillSignal, (how) => told(wrongCancel(how), () => cancel(how)), { description: same });
}

const endingSentence = ({ ending, mode }: BackfillState): string | undefined =>
  ending ? `The backfill is ${mode}, and starts no more hours.` : undefined;

function wrongCancel(how: unknown): string | undefined {
  const { runs } = (how ?? {}) as { runs?: unknown };
  if (runs === undefined || runs === 'finish' || runs === 'cancel') return undefined;
  return 'cancel takes {"runs": "finish"} or {"runs": "cancel"}, or nothing at all.';
}

function refuse(sentence: string | undefined): void {
  if (sentence !== undefined) throw failure({ code: 'NotRunning', message: sentence });
}

function show(state: BackfillState): void {
  setCurrentDetails(state.details(Date.now()));
}

function over(state: BackfillState): BackfillReport {
  const report = state.report(Date.now());
  upsertSearchAttributes([
    { key: attributes.outcome, value: report.outcome },
    { key: attributes.rows, value: report.rows },
  ]);
  show(state);
  return report;
}
