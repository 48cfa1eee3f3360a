import {
  allHandlersFinished,
  condition,
  getExternalWorkflowHandle,
  log,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { alertPolicy, type Delivery } from '../definition/deliveries.ts';
import type { AlertedPipeline, Clearing, Followed, Notice } from '../definition/incidents.ts';
import { taskQueues } from '../definition/names.ts';
import { attributes } from './attributes.ts';
import { continueOnWatch } from './continue-on-watch.ts';
import { ToldChannels } from './fallbacks.ts';
import { problemOf } from './failure.ts';
import { isHistoryFull } from './full-history.ts';
import { takenClearing, wrongAlerts, wrongClearing, wrongFollowed, wrongTransition } from './incident-checks.ts';
import { clearedSignal } from './incident-messages.ts';
import {
  clearRuleSignal,
  followSignal,
  outboxQuery,
  transitionSignal,
  type NotifierInput,
  type Outbox,
} from './notifier-messages.ts';
import { mayHaveCome } from './may-have-come.ts';
import { NotifierBook } from './notifier-state.ts';
import { HEARTBEAT_TIMEOUT } from './stage-activities.ts';
import { requireAlertedPipeline } from './started-by-hand.ts';
import { goesAlong } from './versioning.ts';

/** So long it stays when there is nothing to do: a transition that is told again meanwhile is known. */
const LINGERS_MS = 3_600_000;

const common = { taskQueue: taskQueues.watch, startToCloseTimeout: '2m', heartbeatTimeout: HEARTBEAT_TIMEOUT } as const;
const retry = { initialInterval: '5s', backoffCoefficient: 2, maximumInterval: '5m' } as const;

goesAlong(notifier);

/**
 * Tells whom a pipeline names of its incidents, and nobody else does. Holds what happens within a window, so that one broken server makes one message.
 * What is on its way and what was sent is its state. It also knows which incidents are open, and passes on what clears a whole rule.
 */
export async function notifier(input: NotifierInput): Promise<Outbox> {
  requireAlertedPipeline('a notifier', input);
  let pipeline: AlertedPipeline = input.pipeline;
  const { name } = pipeline;
  const book = new NotifierBook(name, Date.now(), input.carried);
  const clearings: Clearing[] = [];
  let changes = 0;
  let flying = 0;
  /** Anybody may signal by hand, and an error in here would stop it for good. */
  const heed = (signal: string, wrong: string | undefined, act: () => void): void => {
    if (wrong !== undefined) return log.warn(`${signal}: ${wrong} It is left aside.`);
    changes += 1;
    act();
  };
  const adopt = (alerts: AlertedPipeline['alerts'] | undefined): void => {
    const wrong = alerts ? wrongAlerts(alerts) : undefined;
    if (wrong !== undefined) log.warn(`alerts: ${wrong} Those before stay.`);
    else if (alerts) pipeline = { ...pipeline, alerts };
  };
  setHandler(outboxQuery, () => book.outbox, { description: 'What is held, what is on its way, what was sent.' });
  setHandler(
    transitionSignal,
    (transition, alerts) =>
      heed('transition', wrongTransition(transition, name), () => {
        adopt(alerts);
        book.hear(transition, alertPolicy(pipeline.alerts).groupMs, Date.now());
      }),
    { description: 'An incident has changed. Told twice, it counts once.' },
  );
  setHandler(
    followSignal,
    (incidents: readonly Followed[], alerts) =>
      heed('follow', wrongFollowed(incidents, name), () => {
        adopt(alerts);
        book.follow(incidents, Date.now());
      }),
    { description: 'These incidents are open: what clears their rule is to be passed on to them.' },
  );
  setHandler(
    clearRuleSignal,
    (clearing) => heed('clear', wrongClearing(clearing), () => void clearings.push(takenClearing(clearing))),
    { description: 'All problems of a rule are over.' },
  );
  upsertSearchAttributes([{ key: attributes.pipeline, value: name }]);
  const fly = (notice: Notice): void => {
    flying += 1;
    void tell(pipeline, notice, book)
      .catch((error: unknown) => {
        const { message } = problemOf(error);
        log.warn('nobody was told', { problem: message });
        book.came(notice.id, { state: 'failed', problem: message }, Date.now());
      })
      .finally(() => {
        flying -= 1;
        changes += 1;
      });
  };
  for (;;) {
    setCurrentDetails(outboxDetails(book.outbox));
    const clearing = clearings.shift();
    if (clearing) {
      await Promise.all(book.clearedBy(clearing).map((id) => passClearing(id, clearing, book)));
      continue;
    }
    const { windowEndsAt } = book.record;
    if (windowEndsAt !== undefined && windowEndsAt <= Date.now()) {
      const notice = book.takeNotice(Date.now());
      if (notice) fly(notice);
      continue;
    }
    if (flying === 0 && isHistoryFull(input.maxHistory)) {
      await condition(allHandlersFinished);
      if (clearings.length > 0) continue;
      return continueOnWatch<typeof notifier>({ ...input, pipeline, carried: book.record });
    }
    const leavesAt = flying === 0 && book.idle ? book.lingersUntil(LINGERS_MS) : undefined;
    if (leavesAt !== undefined && leavesAt <= Date.now()) return book.outbox;
    const seen = changes;
    const changed = (): boolean => changes !== seen;
    const wakesAt = windowEndsAt ?? leavesAt;
    if (wakesAt === undefined) await condition(changed);
    else await condition(changed, wakesAt - Date.now());
  }
}

/** One that is not there any more is over without a word, as where somebody has terminated it. */
async function passClearing(incident: string, clearing: Clearing, book: NotifierBook): Promise<void> {
  try {
    await getExternalWorkflowHandle(incident).signal(clearedSignal, clearing);
  } catch {
    book.unfollow(incident);
  }
}

/** Sends what a notice makes. What cannot be sent is in the outbox, and logged; nothing fails of it. */
async function tell(pipeline: AlertedPipeline, notice: Notice, book: NotifierBook): Promise<void> {
  const { planDeliveries } = proxyActivities<Activities>({ ...common, retry, summary: 'who is told' });
  const deliveries = await planDeliveries({ pipeline, notice });
  book.planned(notice, deliveries, Date.now());
  const sending = { pipeline, notice, book, channels: new ToldChannels() };
  // All of them before the first one can fail over.
  const claimed = deliveries.map((delivery) => sending.channels.claim(delivery));
  await Promise.all(claimed.flatMap((delivery) => (delivery ? [send(sending, delivery)] : [])));
}

interface Sending {
  readonly pipeline: AlertedPipeline;
  readonly notice: Notice;
  readonly book: NotifierBook;
  readonly channels: ToldChannels;
}

async function send(sending: Sending, delivery: Delivery): Promise<void> {
  const { pipeline, notice, book, channels } = sending;
  const { id, name, fallback } = delivery;
  book.pending(delivery, Date.now());
  const { deliver } = proxyActivities<Activities>({
    ...{ ...common, retry },
    summary: `${name}: ${notice.transitions.length === 1 ? (notice.transitions[0]?.kind ?? '') : `${notice.transitions.length} changes`}`,
    // Where another channel can tell it, that one is not kept waiting for long.
    scheduleToCloseTimeout: fallback ? '15m' : '24h',
  });
  try {
    const { accepted, sentence } = await deliver({ pipeline, delivery, notice });
    const problem = sentence === undefined ? {} : { problem: sentence };
    book.came(id, { state: accepted === true ? 'sent' : 'unknown', ...problem }, Date.now());
  } catch (error) {
    const { message } = problemOf(error);
    if (mayHaveCome(error)) return book.came(id, { state: 'unknown', problem: message }, Date.now());
    channels.failed(delivery);
    const next = channels.claim(fallback);
    log.warn('a message was not delivered', { delivery: id, problem: message, instead: next?.id });
    book.came(id, { state: 'failed', problem: message, ...(next ? { instead: next.id } : {}) }, Date.now());
    if (next) await send(sending, next);
  }
}

function outboxDetails({ held, windowEndsAt, messages, open }: Outbox): string {
  const window = windowEndsAt === undefined ? [] : [`**Holds** ${held.length} until ${windowEndsAt}.`];
  const rows = messages.slice(-20).map(({ state, name = '', transitions, at, problem = '' }) => {
    return `| ${at} | ${name} | ${state} | ${transitions.length} | ${problem.replaceAll('|', '\\|')} |`;
  });
  const table =
    rows.length === 0 ? [] : [['| At | Channel | State | Changes | |', '|---|---|---|--:|---|', ...rows].join('\n')];
  return [`**${open.length}** open`, ...window, ...table].join('\n\n');
}
