import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ChildWorkflowCancellationType, ParentClosePolicy, sleep, startChild } from '@temporalio/workflow';
import { ids } from '../definition/names.ts';
import { attributes } from './attributes.ts';
import { turnWaitMs } from './await-turn.ts';
import type { RunInput } from './messages.ts';
import type { RunLog } from './run-log.ts';
import { slot } from './slot.ts';

/**
 * Waits until the run may be in flight beside those of all pipelines, and takes a slot until it ends. Who holds one waits for nobody that
 * waits for one: turns are taken before.
 */
export async function takeSlot(input: RunInput, run: RunLog): Promise<void> {
  const { pipeline, hour } = input;
  const { findSlots } = run.activities('light', 'runs in flight');
  let line = '';
  let movedAt = 0;
  for (;;) {
    const { limit, free, ahead } = await findSlots({ pipeline: pipeline.name, hour });
    if (limit === undefined) return;
    for (const number of free) if (await take(number, input)) return;
    const others = ahead === 0 ? '' : `, behind ${ahead} other${ahead === 1 ? '' : 's'}`;
    run.waitsFor(`waits until ${limit === 1 ? 'no other run is' : `fewer than ${limit} runs are`} in flight${others}`);
    if (`${ahead}` !== line) movedAt = Date.now();
    line = `${ahead}`;
    await sleep(turnWaitMs(Math.ceil((ahead + 1) / limit), Date.now() - movedAt));
  }
}

/** Temporal sees to it that a slot has one holder. It is let go when the run has ended, not while it tidies up. */
async function take(number: number, { pipeline, hour }: RunInput): Promise<boolean> {
  try {
    await startChild(slot, {
      workflowId: ids.slot(number),
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      typedSearchAttributes: [{ key: attributes.pipeline, value: pipeline.name }],
      staticSummary: `Held by ${pipeline.name}, hour ${hour}`,
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
