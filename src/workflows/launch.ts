import {
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  patched,
  startChild,
  workflowInfo,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import {
  defineSearchAttributeKey,
  SearchAttributeType,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import { SluiceError } from '../definition/errors.ts';
import { requireBegun, toLogicalHour, type LogicalHour } from '../definition/hour.ts';
import { ids, profiledStages, startStages, taskQueues } from '../definition/names.ts';
import { awaitJoined } from './await-joined.ts';
import { endingOf, failure } from './failure.ts';
import type { LaunchInput, LaunchResult, RunInput, RunReport } from './messages.ts';
import { pipeline } from './pipeline.ts';
import { defaultRetries, stageActivities } from './stage-activities.ts';

const scheduledStart = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);

/**
 * The one door to an hour. Derives the logical hour and starts its run, unless that runs already or the hour is done: then it joins.
 * Whether an hour is done is read from the object store, never from Temporal's own memory of it.
 */
export async function launch(input: LaunchInput): Promise<LaunchResult> {
  const hour = hourOf(input);
  checkStart(input?.startFrom);
  checkProfile(input?.profile);
  const refetch = input?.refetch === true || input?.startFrom === 'import';
  const force = input?.force === true || refetch || input?.startFrom !== undefined;
  const { acceptDefinition, findDone } = stageActivities('light', defaultRetries, hour);
  const definition = await acceptDefinition({ pipeline: input?.pipeline });
  const workflowId = ids.pipeline(definition.name, hour);
  if (!force) {
    const report = await findDone({ pipeline: definition.name, hour });
    if (report) return { outcome: 'joined', hour, workflowId, report };
  }
  const run: RunInput = {
    pipeline: definition,
    hour,
    force,
    refetch,
    useCurrent: input.useCurrent === true,
    ...(input.startFrom === undefined ? {} : { startFrom: input.startFrom }),
    ...(input.profile === undefined ? {} : { profile: input.profile }),
  };
  const wait = input.wait === true;
  try {
    const child = await startChild(pipeline, {
      workflowId,
      taskQueue: taskQueues.light,
      args: [run],
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: wait
        ? ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED
        : ChildWorkflowCancellationType.ABANDON,
      staticSummary: `${definition.name}, hour ${hour}`,
      staticDetails: detailsOf(run),
    });
    return { outcome: 'started', hour, workflowId, ...(wait ? { report: await ended(() => child.result()) } : {}) };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return {
      outcome: 'joined',
      hour,
      workflowId,
      ...(wait ? { report: await ended(() => awaitJoined(workflowId)) } : {}),
    };
  }
}

/** What the Web UI says of a run that has not begun yet: what its pipeline is for, and how it was asked for. */
function detailsOf({ pipeline: { description }, startFrom, refetch, force, useCurrent }: RunInput): string {
  const asked = [
    ...(startFrom === undefined ? [] : [`begins at **${startFrom}**`]),
    ...(refetch ? ['asks the source anew'] : []),
    ...(useCurrent ? ['takes what the source holds now'] : []),
    ...(force ? ['runs whether the hour is done or not'] : []),
  ];
  const sentence = asked.length === 0 ? [] : [`This run ${asked.join(', ')}.`];
  return [...(description === undefined ? [] : [description]), ...sentence].join('\n\n');
}

/** What a run came to, its failure as the launch's own. */
async function ended(run: () => Promise<RunReport>): Promise<RunReport> {
  try {
    return await run();
  } catch (error) {
    throw endingOf(error);
  }
}

/** Whoever starts it from the Web UI writes JSON by hand. A stage that is none would run all of them, forced. */
function checkStart(startFrom: unknown): void {
  if (startFrom === undefined || startStages.some((stage) => stage === startFrom)) return;
  // A launch that was on its way before this was looked at goes on.
  if (!patched('start-from-checked')) return;
  const message = `startFrom is ${JSON.stringify(startFrom)}: it must be one of ${startStages.join(', ')}.`;
  throw failure({ code: 'DefinitionInvalid', message });
}

function checkProfile(profile: unknown): void {
  if (profile === undefined || profiledStages.some((stage) => stage === profile)) return;
  const message = `profile is ${JSON.stringify(profile)}: it must be one of ${profiledStages.join(', ')}.`;
  throw failure({ code: 'DefinitionInvalid', message });
}

/** Explicit input wins, then the schedule's nominal time (a backfill's is in the past), then the start. */
function hourOf(input: LaunchInput | undefined): LogicalHour {
  const info = workflowInfo();
  try {
    const hour = toLogicalHour(input?.hour ?? info.typedSearchAttributes.get(scheduledStart) ?? info.startTime);
    if (input?.hour !== undefined) requireBegun(hour, info.startTime);
    return hour;
  } catch (error) {
    // Anything but a failure of Temporal's own kind would fail the workflow task, again and again.
    if (error instanceof SluiceError) throw failure(error);
    throw error;
  }
}
