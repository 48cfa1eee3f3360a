import {
  ActivityCancellationType,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { taskQueues } from '../definition/names.ts';
import { problemOf, type Problem } from './failure.ts';
import {
  adoptSignal,
  consumerStateQuery,
  drainSignal,
  drainUpdate,
  pauseSignal,
  pauseUpdate,
  resumeSignal,
  resumeUpdate,
  type ConsumerInput,
  type ConsumerState,
} from './messages.ts';
import { HEARTBEAT_TIMEOUT } from './stage-activities.ts';

const { consume } = proxyActivities<Activities>({
  taskQueue: taskQueues.streaming,
  startToCloseTimeout: '24h',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  // Tried for ever: a server that is away for a day costs a day and no row. Codes that are `final` end it all the same.
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

/**
 * The long-running consumer of one data set: the control plane of a `consume` activity that runs for hours. It outlives the runs that
 * need it. Where going on would lose rows it stays, `halted`, until `resume` checks again. `drain` ends it; whatever has not
 * landed by then is read again by the next one, from the head of the manifest chain.
 */
export async function consumer(input: ConsumerInput): Promise<ConsumerState> {
  let given = input.consume;
  const now: { mode: ConsumerState['mode'] } = { mode: input.paused === true ? 'paused' : 'running' };
  let problem: Problem | undefined;
  const state = (): ConsumerState => ({
    mode: now.mode,
    stream: given.stream,
    topic: given.topic,
    epoch: given.epoch,
    life: given.life,
    ...(problem ? { problem } : {}),
  });
  const enter = (next: ConsumerState['mode']): ConsumerState => {
    // A drain is not called back: its caller has been told that the consumer leaves.
    if (now.mode !== 'draining') now.mode = next;
    if (now.mode !== 'halted') problem = undefined;
    setCurrentDetails(
      `**${now.mode}** · topic \`${given.topic}\`, epoch \`${given.epoch}\`${problem ? `\n\n${problem.message}` : ''}`,
    );
    return state();
  };
  setHandler(consumerStateQuery, state, { description: 'Where the consumer stands.' });
  setHandler(pauseUpdate, () => enter('paused'), { description: 'Stop reading until resume; nothing is lost.' });
  setHandler(resumeUpdate, () => enter('running'), {
    description: 'Read again; a halted consumer checks again first.',
  });
  setHandler(drainUpdate, () => enter('draining'), { description: 'End the consumer. The next run starts another.' });
  setHandler(pauseSignal, () => void enter('paused'), { description: 'As the update, without an answer.' });
  setHandler(resumeSignal, () => void enter('running'), { description: 'As the update, without an answer.' });
  setHandler(drainSignal, () => void enter('draining'), { description: 'As the update, without an answer.' });
  setHandler(adoptSignal, (newer) => {
    // A run that still waits for a life of the topic that is over must not lead the consumer back to it.
    if (newer.life < given.life || JSON.stringify(newer) === JSON.stringify(given)) return;
    const recreated = newer.epoch !== given.epoch;
    given = newer;
    // What halted it was about a topic that is no more.
    if (recreated && now.mode === 'halted') enter('running');
  });
  enter(now.mode);

  for (;;) {
    await condition(() => now.mode === 'running' || now.mode === 'draining' || full(input));
    if (now.mode === 'draining') {
      await condition(allHandlersFinished);
      return state();
    }
    // Waits out a halt before it starts afresh: the problem is told by this run.
    if (full(input) && now.mode !== 'halted') {
      await condition(allHandlersFinished);
      return continueAsNew<typeof consumer>({ ...input, consume: given, paused: now.mode === 'paused' });
    }
    const reading = given;
    const outcome = await consumeUntil(reading, () => now.mode !== 'running' || given !== reading || full(input));
    if (outcome && now.mode === 'running' && given === reading) {
      problem = outcome;
      enter('halted');
    }
  }
}

/** Reads until the activity ends or `interrupted` holds. @returns the problem that it ended with, if any */
async function consumeUntil(input: ConsumerInput['consume'], interrupted: () => boolean): Promise<Problem | undefined> {
  const scope = new CancellationScope();
  let ended = false;
  const outcome = scope
    .run(() => consume(input))
    .then(
      () => undefined,
      (error: unknown) => error,
    )
    .finally(() => {
      ended = true;
    });
  await condition(() => ended || interrupted());
  if (!ended) scope.cancel();
  const error = await outcome;
  if (error === undefined) return undefined;
  if (!isCancellation(error)) return problemOf(error);
  if (CancellationScope.current().consideredCancelled) throw error;
  return undefined;
}

function full({ maxHistory }: ConsumerInput): boolean {
  const info = workflowInfo();
  return info.continueAsNewSuggested || (maxHistory !== undefined && info.historyLength > maxHistory);
}
