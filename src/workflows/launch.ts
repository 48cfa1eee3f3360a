import {
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  startChild,
  workflowInfo,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import {
  defineSearchAttributeKey,
  SearchAttributeType,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import { toLogicalHour, type LogicalHour } from '../definition/hour.ts';
import { ids, taskQueues } from '../definition/names.ts';
import type { LaunchInput, LaunchResult } from './messages.ts';
import { pipeline } from './pipeline.ts';
import { stageActivities } from './stage-activities.ts';

const scheduledStart = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);

/**
 * The one door to an hour. Derives the logical hour and starts its run, unless that runs already or the hour is done: then it joins.
 * Whether an hour is done is read from the object store, never from Temporal's own memory of it.
 */
export async function launch(input: LaunchInput): Promise<LaunchResult> {
  const hour = hourOf(input);
  const force = input.force === true || input.refetch === true;
  const workflowId = ids.pipeline(input.pipeline.name, hour);
  if (!force) {
    const light = stageActivities('light', input.pipeline.retries, `Is ${hour} done?`);
    const report = await light.findDone({ pipeline: input.pipeline.name, hour });
    if (report) return { outcome: 'joined', hour, workflowId, report };
  }
  try {
    await startChild(pipeline, {
      workflowId,
      taskQueue: taskQueues.light,
      args: [
        {
          pipeline: input.pipeline,
          hour,
          force,
          refetch: input.refetch === true,
          useCurrent: input.useCurrent === true,
        },
      ],
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      staticSummary: `${input.pipeline.name}, hour ${hour}`,
    });
    return { outcome: 'started', hour, workflowId };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { outcome: 'joined', hour, workflowId };
    throw error;
  }
}

/** Explicit input wins, then the schedule's nominal time (a backfill's is in the past), then the start. */
function hourOf(input: LaunchInput): LogicalHour {
  const info = workflowInfo();
  return toLogicalHour(input.hour ?? info.typedSearchAttributes.get(scheduledStart) ?? info.startTime);
}
