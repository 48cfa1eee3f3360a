import { setTimeout as wait } from 'node:timers/promises';
import { planDeliveries, type Delivery } from '../../definition/deliveries.ts';
import { errorCodes, SluiceError, sentenceOf } from '../../definition/errors.ts';
import type { AlertedPipeline, Notice, Transition } from '../../definition/incidents.ts';
import type { StageDeps } from '../deps.ts';
import { deliver, type Outbox } from './deliver.ts';
import type { Addresses } from './pointers.ts';

/** Between the tries of one message. */
const WAITS_MS = [5_000, 30_000, 120_000, 300_000];

/** What became of a message that no notifier sent. */
export interface DirectlyTold {
  readonly channel: string;
  readonly told: boolean;
  readonly sentence?: string;
}

/**
 * Tells whom a pipeline names, at once and without Temporal: for what is wrong with Temporal itself. Whoever calls it sees to it that it is called once. Tried for some
 * minutes, then by another channel, none of which is told twice.
 * @param signal gives up what has not been sent
 */
export async function tellDirectly(
  deps: Pick<StageDeps, 'mail' | 'settings'>,
  pipeline: AlertedPipeline,
  transition: Transition,
  addresses: Addresses,
  signal: AbortSignal,
  waits: readonly number[] = WAITS_MS,
): Promise<DirectlyTold[]> {
  const notice: Notice = { id: transition.id, pipeline: pipeline.name, transitions: [transition] };
  const deliveries = planDeliveries(pipeline.alerts, notice, new Date().toISOString());
  const claimed = new Set(deliveries.map(({ name }) => name));
  // Nothing is attempted elsewhere: whether a message came is known here, or not at all.
  const outbox: Outbox = {
    ...{ begunBefore: false, begin: async () => {}, over: async () => {}, addresses },
    page: () => Promise.reject(new Error('There is no run.')),
  };
  const send = async (delivery: Delivery): Promise<DirectlyTold[]> => {
    const { name: channel, fallback } = delivery;
    let sentence = '';
    for (const pause of [...waits, undefined]) {
      try {
        const { accepted, sentence: why } = await deliver(deps, { pipeline, delivery, notice }, outbox);
        return [{ channel, told: accepted === true, ...(why === undefined ? {} : { sentence: why }) }];
      } catch (error) {
        sentence = sentenceOf(error);
        if (pause === undefined || isFinal(error) || signal.aborted) break;
        await wait(Math.max(pause, retryAfter(error)), undefined, { signal }).catch(() => {});
      }
    }
    const failed = { channel, told: false, sentence };
    if (!fallback || claimed.has(fallback.name) || signal.aborted) return [failed];
    claimed.add(fallback.name);
    return [failed, ...(await send(fallback))];
  };
  return (await Promise.all(deliveries.map(send))).flat();
}

const isFinal = (error: unknown): boolean => error instanceof SluiceError && errorCodes[error.code] === 'final';

function retryAfter(error: unknown): number {
  const ms = error instanceof SluiceError ? error.facts['retryAfterMs'] : undefined;
  return typeof ms === 'number' ? ms : 0;
}
