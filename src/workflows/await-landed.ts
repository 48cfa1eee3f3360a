import {
  CancellationScope,
  ChildWorkflowCancellationType,
  condition,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  startChild,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { ConsumeInput, Landed } from '../activities/index.ts';
import { durationMs } from '../definition/duration.ts';
import { ids } from '../definition/names.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import type { PreparedStream } from '../definition/refs.ts';
import { consumer } from './consumer.ts';
import { failure } from './failure.ts';
import { adoptSignal } from './messages.ts';
import type { RunLog } from './run-log.ts';
import { stageActivities } from './stage-activities.ts';

const FIRST_WAIT_MS = 15_000;
const LONGEST_WAIT_MS = 300_000;

/** Batches that this run has been told of. */
export type Told = Set<string>;

/**
 * Waits until a batch has landed. That is a fact in the object store: a signal only wakes the wait earlier, so one that was missed costs
 * time and nothing else. The waits grow to five minutes, so that a consumer that is paused over night does not fill the history.
 */
export async function awaitLanded(
  pipeline: Pipeline,
  prepared: PreparedStream,
  batchId: string,
  told: Told,
  run: RunLog,
): Promise<Landed> {
  const light = stageActivities('light', pipeline.retries, `${prepared.stream} ${batchId}`);
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    const landed = await light.findLanded({ stream: prepared.stream, batchId });
    if (landed) return landed;
    await ensureConsumer(pipeline, prepared);
    const state = await light.consumerState({ stream: prepared.stream, shard: 0 });
    if (state?.mode === 'halted' && state.epoch === prepared.epoch && state.problem) throw failure(state.problem);
    if (state && state.life > prepared.life) {
      // Unless it landed at the very last, what was published there will not land any more.
      const last = await light.findLanded({ stream: prepared.stream, batchId });
      if (last) return last;
      throw failure({
        code: 'TopicRecreated',
        message:
          `Topic ${prepared.topic} was deleted and made anew while this run waited for what it had published there; ` +
          'run the hour again, and it is published to the new one.',
      });
    }
    run.waitsFor(state?.mode === 'paused' ? `the consumer of ${prepared.stream} is paused` : undefined);
    await condition(() => told.has(batchId), wait);
    told.delete(batchId);
  }
}

/** Starts the consumer of a data set; one that runs already is told the newest epoch and limits. */
async function ensureConsumer(pipeline: Pipeline, prepared: PreparedStream): Promise<void> {
  const consume = consumeInput(pipeline, prepared);
  const workflowId = ids.consumer(prepared.stream, consume.shard);
  await CancellationScope.nonCancellable(async () => {
    try {
      await startChild(consumer, {
        workflowId,
        args: [{ consume }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        cancellationType: ChildWorkflowCancellationType.ABANDON,
        staticSummary: `Lands topic ${prepared.topic}`,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      // It may end between the two calls: then the next turn of the wait starts another.
      await getExternalWorkflowHandle(workflowId)
        .signal(adoptSignal, consume)
        .catch(() => {});
    }
  });
}

export function consumeInput(pipeline: Pipeline, prepared: PreparedStream): ConsumeInput {
  const { stream, topic, epoch, life, partitions } = prepared;
  const { maxRecords, maxBytes, abandonAfter } = pipeline.land;
  const limits = { maxRecords, maxBytes, abandonAfterMs: durationMs(abandonAfter) };
  return { stream, topic, epoch, life, partitions, shard: 0, ...limits };
}
