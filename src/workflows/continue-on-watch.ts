import { makeContinueAsNewFunc, type Workflow } from '@temporalio/workflow';
import { taskQueues } from '../definition/names.ts';

/** Continues as new where alerts are at home, whichever queue the workflow began on. */
export function continueOnWatch<W extends Workflow>(...args: Parameters<W>): Promise<never> {
  return makeContinueAsNewFunc<W>({ taskQueue: taskQueues.watch })(...args);
}
