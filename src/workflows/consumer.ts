import {
  ActivityCancellationType,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  log,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { Activities, ConsumeInput, LossInput } from '../activities/index.ts';
import { ids, taskQueues } from '../definition/names.ts';
import { Halts } from './consumer-incidents.ts';
import { cancellationOf, failure, problemOf, wasCancelled, type Problem } from './failure.ts';
import { isHistoryFull } from './full-history.ts';
import { wrongAlerts } from './incident-checks.ts';
import {
  acceptLossSignal,
  acceptLossUpdate,
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
  type LossAccepted,
} from './messages.ts';
import { defaultRetries, HEARTBEAT_TIMEOUT, stageActivities } from './stage-activities.ts';
import { requireConsumerInput, wrongConsumeInput } from './started-by-hand.ts';
import { goesAlong } from './versioning.ts';

const { consume } = proxyActivities<Activities>({
  taskQueue: taskQueues.streaming,
  startToCloseTimeout: '24h',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  // Tried for ever: a server that is away for a day costs a day and no row. Codes that are `final` end it all the same.
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

const { acceptLoss } = stageActivities('light', defaultRetries, 'give up offsets');

goesAlong(consumer);

/**
 * The long-running consumer of one data set: the control plane of a `consume` activity that runs for hours. It outlives the runs that
 * need it. Where going on would lose rows it stays, `halted`, until `resume` checks again or `acceptLoss` gives them up. `drain` ends it; whatever has not
 * landed by then is read again by the next one, from the head of the manifest chain.
 */
export async function consumer(input: ConsumerInput): Promise<ConsumerState> {
  requireConsumerInput(input);
  let given = input.consume;
  const now: { mode: ConsumerState['mode'] } = { mode: input.paused === true ? 'paused' : 'running' };
  let problem: Problem | undefined;
  // Those from before waited until everything was told, and reading with them.
  const tellsBeside = patched('consumer-tells-beside');
  const halts = new Halts(
    wrongAlerts(input.alerts ?? {}) === undefined ? input.alerts : undefined,
    tellsBeside ? input.halted : input.halted === true,
    input.checkedMs,
  );
  /** It is time to continue as new: not while something is yet to be told, for that would keep it from reading. */
  const isFull = (): boolean => isHistoryFull(input.maxHistory) && (!tellsBeside || halts.told);
  const state = (): ConsumerState => ({
    mode: now.mode,
    stream: given.stream,
    topic: given.topic,
    epoch: given.epoch,
    life: given.life,
    shard: given.shard,
    shards: given.shards ?? 1,
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
  setHandler(adoptSignal, (told, alerts) => {
    if (!isFor(given, told)) {
      log.warn('adopt: that is not what a run tells a consumer of this stream; it is left aside');
      return;
    }
    const wrong = alerts ? wrongAlerts(alerts) : undefined;
    if (wrong !== undefined) log.warn(`adopt: ${wrong} Those before stay.`);
    else if (alerts) halts.alerts = alerts;
    // A run that began before the topic grew knows of fewer partitions.
    const newer =
      told.life === given.life ? { ...told, partitions: Math.max(told.partitions, given.partitions) } : told;
    // A run that still waits for a life of the topic that is over must not lead the consumer back to it.
    if (newer.life < given.life || JSON.stringify(newer) === JSON.stringify(given)) return;
    const recreated = newer.epoch !== given.epoch;
    if (given.shard === 0) drainShards(given.stream, newer.shards ?? 1, given.shards ?? 1);
    given = newer;
    // What halted it was about a topic that is no more.
    if (recreated && now.mode === 'halted') enter('running');
  });
  const giveUp = async (loss: LossInput): Promise<LossAccepted> => {
    const { epoch } = given;
    await acceptLoss({ consume: given, ...loss });
    if (given.epoch === epoch && now.mode === 'halted') enter('running');
    return { ...state(), accepted: loss };
  };
  const refused = (loss: LossInput): string | undefined =>
    now.mode === 'halted' || now.mode === 'paused'
      ? wrongLoss(loss)
      : `The consumer is ${now.mode}: a loss is accepted where it has halted, or is paused.`;
  setHandler(acceptLossUpdate, giveUp, {
    description: 'Give up offsets {partition, from, to, reason} that are lost, and read on behind them.',
    validator: (loss) => {
      const sentence = refused(loss);
      if (sentence !== undefined) throw failure({ code: 'LossRefused', message: sentence });
    },
  });
  setHandler(
    acceptLossSignal,
    async (loss) => {
      const sentence = refused(loss);
      if (sentence !== undefined) log.warn(`acceptLoss: ${sentence}`);
      else await giveUp(loss).catch((error: unknown) => log.warn(`acceptLoss: ${problemOf(error).message}`));
    },
    { description: 'As the update, without an answer.' },
  );
  enter(now.mode);

  for (;;) {
    // Waits out a halt before it starts afresh: the problem is told by this run.
    const startsAfresh = (): boolean => isFull() && now.mode !== 'halted';
    await condition(() => now.mode === 'running' || now.mode === 'draining' || startsAfresh());
    if (now.mode === 'draining' || startsAfresh()) {
      await condition(() => allHandlersFinished() && (tellsBeside || halts.told));
      // Drained meanwhile, perhaps: the word would not reach the next run.
      if (now.mode === 'draining') {
        if (tellsBeside) await halts.leaves(given);
        else {
          halts.over(given, `The consumer of ${given.stream} was drained.`);
          await condition(() => halts.told);
        }
        return state();
      }
      const carried = {
        ...(halts.alerts ? { alerts: halts.alerts } : {}),
        ...(halts.open === undefined ? {} : { halted: halts.open }),
      };
      return continueAsNew<typeof consumer>({ ...input, ...carried, consume: given, paused: now.mode === 'paused' });
    }
    const reading = given;
    let ended = false;
    halts.reads(given, () => ended || now.mode !== 'running');
    const outcome = await consumeUntil(reading, () => now.mode !== 'running' || given !== reading || isFull());
    ended = true;
    if (outcome && now.mode === 'running' && given === reading) {
      problem = outcome;
      enter('halted');
      if (patched('consumer-incidents')) halts.halted(given, outcome);
    }
  }
}

/** Anybody may signal by hand, and an error in here would stop the workflow for good. */
function isFor(given: ConsumeInput, told: ConsumeInput | undefined): told is ConsumeInput {
  return wrongConsumeInput(told).length === 0 && told?.stream === given.stream && told.shard === given.shard;
}

/** What is wrong with the words of a loss; undefined where nothing is. Anybody may send them by hand. */
function wrongLoss(loss: LossInput | undefined): string | undefined {
  const { partition, from, to, reason } = (loss ?? {}) as Partial<LossInput>;
  const isOffset = (text: unknown): boolean => typeof text === 'string' && /^\d{1,19}$/.test(text);
  const fits = Number.isSafeInteger(partition) && isOffset(from) && isOffset(to) && typeof reason === 'string';
  if (fits && reason.trim() !== '') return undefined;
  return 'A loss is {"partition": 0, "from": "17", "to": "21", "reason": "why"}, offsets as text, both inclusive.';
}

/** Fewer shards than before: those that are left over are told to leave. Until then they land the same records, which does no harm. */
function drainShards(stream: string, from: number, to: number): void {
  for (let shard = from; shard < to; shard += 1) {
    void getExternalWorkflowHandle(ids.consumer(stream, shard))
      .signal(drainSignal)
      .catch(() => {});
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
  if (!wasCancelled(error)) return problemOf(error);
  if (CancellationScope.current().consideredCancelled) throw cancellationOf(error);
  return undefined;
}
