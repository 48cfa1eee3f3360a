import {
  CancellationScope,
  ChildWorkflowCancellationType,
  condition,
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  patched,
  setHandler,
  startChild,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { ConsumeInput, Landed } from '../activities/index.ts';
import { durationMs } from '../definition/duration.ts';
import { ids } from '../definition/names.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import type { PreparedStream, PublishResult } from '../definition/refs.ts';
import { consumer } from './consumer.ts';
import { failure } from './failure.ts';
import { adoptSignal, landedSignal, type ConsumerState } from './messages.ts';
import type { RunLog } from './run-log.ts';
import type { Slot } from './slots.ts';

const FIRST_WAIT_MS = 15_000;
const LONG_WAIT_MS = 300_000;
const LONGEST_WAIT_MS = 3_600_000;

/** Batches that this run has been told of. */
export type Told = Set<string>;

/** Listens for what lands. Anybody may signal by hand, and an error in here would stop the run for good. */
export function hearLanded(told: Told, run: RunLog): void {
  const hear = (given: { readonly batch?: unknown; readonly storeMs?: unknown } | null | undefined): void => {
    const { batch, storeMs } = given ?? {};
    if (typeof storeMs === 'number') run.consumerWaited(storeMs);
    if (typeof batch === 'string') told.add(batch);
    else log.warn('landed: that names no batch; it is left aside');
  };
  setHandler(landedSignal, hear, { description: 'A batch of this run has landed.' });
}

/** Of the run that waits: what it was told, where it shows that it waits, and what it lets go meanwhile. */
interface WaitingRun {
  readonly told: Told;
  readonly run: RunLog;
  readonly slot: Slot;
}

/**
 * Waits until a batch has landed. That is a fact in the object store: a signal only wakes the wait earlier, so one that was missed costs
 * time and nothing else. The waits grow, so that a consumer that is paused for weeks does not fill the history ({@link landedWaitMs}).
 */
export async function awaitLanded(
  pipeline: Pipeline,
  prepared: PreparedStream,
  batchId: string,
  { told, run, slot }: WaitingRun,
  published?: PublishResult,
): Promise<Landed> {
  const light = run.activities('light', `${prepared.stream} ${batchId}`);
  const { stream, epoch } = prepared;
  const spans = published?.spans;
  const input = { stream, batchId, ...(spans ? { published: { epoch, spans } } : {}) };
  const shards = shardsOf(pipeline);
  // What the definition says now holds for consumers that run already, though this batch may need none of them.
  let ensured = patched('consumers-first');
  for (let shard = 0; ensured && shard < shards; shard += 1) await ensureConsumer(pipeline, prepared, shard);
  // Runs that were on their way before it was so tell each consumer at each look.
  const looksFirst = patched('consumers-looked-at');
  /** It waits no more, whatever its sisters do: the clock of the deadlines goes on. */
  const found = (landed: Landed): Landed => {
    if (looksFirst) run.waitsFor(undefined, prepared.stream);
    return landed;
  };
  const began = Date.now();
  for (let wait = FIRST_WAIT_MS; ; wait = landedWaitMs(wait, Date.now() - began)) {
    const landed = await light.findLanded(input);
    if (landed) return found(landed);
    let paused = false;
    let newer = false;
    for (let shard = 0; shard < shards; shard += 1) {
      if (!ensured && !looksFirst) await ensureConsumer(pipeline, prepared, shard);
      const state = await light.consumerState({ stream: prepared.stream, shard });
      if (!ensured && looksFirst && needsTelling(state, prepared)) await ensureConsumer(pipeline, prepared, shard);
      if (state?.mode === 'halted' && state.epoch === prepared.epoch && state.problem) throw failure(state.problem);
      if (state?.mode === 'paused') paused = true;
      if (state && state.life > prepared.life) newer = true;
    }
    ensured = false;
    if (newer) {
      // Unless it landed at the very last, what was published there will not land any more.
      const last = await light.findLanded(input);
      if (last) return found(last);
      throw failure({
        code: 'TopicRecreated',
        message:
          `Topic ${prepared.topic} was deleted and made anew while this run waited for what it had published there; ` +
          'run the hour again, and it is published to the new one.',
      });
    }
    if (paused) await slot.letGo();
    run.waitsFor(paused ? `the consumer of ${prepared.stream} is paused` : undefined, prepared.stream);
    await condition(() => told.has(batchId), wait);
    told.delete(batchId);
  }
}

/**
 * How long to wait before looking again: twice as long as the last time, up to five minutes; then a tenth of what was waited already, up to an
 * hour. So a look costs the history little, and what is shown of the consumer is never older than a tenth of the wait.
 */
export function landedWaitMs(lastMs: number, waitedMs: number): number {
  return Math.min(lastMs * 2, Math.max(LONG_WAIT_MS, Math.ceil(waitedMs / 10)), LONGEST_WAIT_MS);
}

/** Whether a consumer is missing, or reads a life of the topic that is over. */
function needsTelling(
  state: Pick<ConsumerState, 'epoch' | 'life'> | undefined,
  { epoch, life }: PreparedStream,
): boolean {
  return state === undefined || (state.epoch !== epoch && state.life <= life);
}

/** Starts the consumer of a data set; one that runs already is told the newest epoch and limits. */
async function ensureConsumer(pipeline: Pipeline, prepared: PreparedStream, shard: number): Promise<void> {
  const consume = consumeInput(pipeline, prepared, shard);
  const workflowId = ids.consumer(prepared.stream, shard);
  await CancellationScope.nonCancellable(async () => {
    try {
      await startChild(consumer, {
        workflowId,
        args: [{ consume, alerts: pipeline.alerts }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        cancellationType: ChildWorkflowCancellationType.ABANDON,
        staticSummary: `Lands topic ${prepared.topic}${shardsOf(pipeline) > 1 ? `, shard ${shard}` : ''}`,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      // It may end between the two calls: then the next turn of the wait starts another.
      await getExternalWorkflowHandle(workflowId)
        .signal(adoptSignal, consume, pipeline.alerts)
        .catch(() => {});
    }
  });
}

/** Definitions from before there were shards have none. */
const shardsOf = ({ land }: Pipeline): number => (land as Partial<Pipeline['land']>).shards ?? 1;

export function consumeInput(pipeline: Pipeline, prepared: PreparedStream, shard: number): ConsumeInput {
  const { stream, topic, epoch, life, partitions, schema } = prepared;
  const { maxRecords, maxBytes, abandonAfter, foreign, foreignFlush } = pipeline.land as Partial<Pipeline['land']> &
    Pick<Pipeline['land'], 'maxRecords' | 'maxBytes' | 'abandonAfter'>;
  const shards = shardsOf(pipeline);
  return {
    ...{ stream, topic, epoch, life, partitions, shard, maxRecords, maxBytes },
    abandonAfterMs: durationMs(abandonAfter),
    ...(shards > 1 ? { shards } : {}),
    ...(foreign === 'land' ? { foreignSchema: schema } : {}),
    ...(foreignFlush === undefined ? {} : { foreignFlushMs: durationMs(foreignFlush) }),
  };
}
