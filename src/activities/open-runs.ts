import { Context } from '@temporalio/activity';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import type { LogicalHour } from '../definition/hour.ts';
import { hourOfRun, ids } from '../definition/names.ts';

const stageAttribute = defineSearchAttributeKey('PipelineStage', SearchAttributeType.KEYWORD);

/** A run of a pipeline that is open, as Temporal's list has it. The stage comes a moment after the run. */
export interface OpenRun {
  readonly hour: LogicalHour;
  readonly stage?: string | undefined;
}

/**
 * The open runs of a pipeline. Hours are read from workflow ids, since these are there from a run's first moment.
 * @throws SluiceError `Unexpected` where Temporal does not list them
 */
export async function openRuns(pipeline: string): Promise<OpenRun[]> {
  const prefix = ids.pipeline(pipeline, '');
  const query = `WorkflowType = "pipeline" AND ExecutionStatus = "Running" AND WorkflowId STARTS_WITH "${prefix}"`;
  const open: OpenRun[] = [];
  try {
    for await (const { workflowId, typedSearchAttributes } of Context.current().client.workflow.list({ query })) {
      const run = hourOfRun(workflowId);
      if (run) open.push({ hour: run.hour, stage: typedSearchAttributes.get(stageAttribute) });
    }
  } catch (error) {
    throw new SluiceError('Unexpected', `Temporal does not list the runs of ${pipeline}: ${sentenceOf(error)}.`);
  }
  return open;
}
