import type { Delivery } from '../definition/deliveries.ts';
import type { Clearing, Followed, Notice, Transition } from '../definition/incidents.ts';
import { isAbout } from './incident-checks.ts';
import type { NotifierRecord, Outbox, OutboxEntry } from './notifier-messages.ts';

/** So many transitions are remembered, so that one that comes again is known. */
const REMEMBERED = 500;
const KEPT_MESSAGES = 100;
/** So many incidents are followed, the newest: clearings without a subject do not come to those before. */
const FOLLOWED = 500;
/** A message names no more than so many; the next one has the others. */
const MOST_IN_NOTICE = 100;

/** What the notifier of a pipeline holds, has sent, and follows. Pure; times in milliseconds. */
export class NotifierBook {
  readonly #pipeline: string;
  #record: NotifierRecord;

  constructor(pipeline: string, now: number, carried?: NotifierRecord) {
    this.#pipeline = pipeline;
    this.#record = carried ?? { followed: [], held: [], told: [], messages: [], heardAt: now };
  }

  get record(): NotifierRecord {
    return this.#record;
  }

  get outbox(): Outbox {
    const { held, windowEndsAt, messages, followed } = this.#record;
    return {
      pipeline: this.#pipeline,
      held,
      ...(windowEndsAt === undefined ? {} : { windowEndsAt: isoOf(windowEndsAt) }),
      messages,
      open: followed.map(({ id }) => id),
    };
  }

  /** Nothing is held, on its way or followed. */
  get idle(): boolean {
    const { held, messages, followed } = this.#record;
    return held.length === 0 && followed.length === 0 && !messages.some(({ state }) => state === 'pending');
  }

  /** Until when a transition that comes again must still be known. */
  lingersUntil(ms: number): number {
    return this.#record.heardAt + ms;
  }

  follow(incidents: readonly Followed[], now: number): void {
    const ids = new Set(incidents.map(({ id }) => id));
    const others = this.#record.followed.filter(({ id }) => !ids.has(id));
    this.#set({ followed: [...others, ...incidents].slice(-FOLLOWED), heardAt: now });
  }

  /** It is not there any more. */
  unfollow(incident: string): void {
    this.#set({ followed: this.#record.followed.filter(({ id }) => id !== incident) });
  }

  /** The incidents that a clearing is about. */
  clearedBy(clearing: Clearing): string[] {
    return this.#record.followed.map(({ id }) => id).filter((id) => isAbout(clearing, id));
  }

  /** Holds a transition until the window ends, which it may be the first one of. One that it has been told of before is left aside. */
  hear(transition: Transition, groupMs: number, now: number): void {
    const { told, held, windowEndsAt } = this.#record;
    if (told.includes(transition.id)) return;
    const { id, lastSeenAt, endedAt } = transition.incident;
    const known = this.#record.followed.find((one) => one.id === id);
    if (endedAt === undefined) this.follow([{ id, at: known && known.at > lastSeenAt ? known.at : lastSeenAt }], now);
    // Seen again since: the next incident of the problem is about to open.
    else if (known === undefined || known.at <= lastSeenAt) this.unfollow(id);
    this.#set({
      told: [...told, transition.id].slice(-REMEMBERED),
      held: [...held, transition],
      windowEndsAt: windowEndsAt ?? now + groupMs,
      heardAt: now,
    });
  }

  /** What one message is to tell, once the window has ended; undefined where nobody is to be told. */
  takeNotice(now: number): Notice | undefined {
    const { held } = this.#record;
    const { told, silenced } = settled(held, now);
    const here = told.slice(0, MOST_IN_NOTICE);
    const rest = told.slice(MOST_IN_NOTICE);
    const { windowEndsAt: _ended, ...record } = this.#record;
    this.#record = { ...record, held: rest, ...(rest.length > 0 ? { windowEndsAt: now } : {}) };
    for (const { id } of silenced) this.#keep({ id, state: 'silenced', transitions: [id], at: isoOf(now) });
    const [first] = here;
    if (!first) return undefined;
    // Until it is known who is told.
    this.#keep({ id: first.id, state: 'pending', transitions: here.map(({ id }) => id), at: isoOf(now) });
    return { id: first.id, pipeline: this.#pipeline, transitions: here };
  }

  /** It is known who is told of a notice: by these messages, or nobody. */
  planned({ id }: Notice, deliveries: readonly Delivery[], now: number): void {
    if (deliveries.length === 0) return this.came(id, { state: 'unrouted' }, now);
    this.#set({ messages: this.#record.messages.filter((one) => one.id !== id) });
    for (const delivery of deliveries) this.pending(delivery, now);
  }

  pending({ id, channel, name, transitions }: Delivery, now: number): void {
    this.#keep({ id, state: 'pending', channel, name, transitions, at: isoOf(now) });
  }

  /** What became of a delivery. */
  came(id: string, how: Pick<OutboxEntry, 'state' | 'problem' | 'instead'>, now: number): void {
    const messages = this.#record.messages.map((one) => (one.id === id ? { ...one, ...how, at: isoOf(now) } : one));
    this.#set({ messages });
  }

  #keep(entry: OutboxEntry): void {
    const others = this.#record.messages.filter(({ id }) => id !== entry.id);
    const over = Math.max(0, others.length + 1 - KEPT_MESSAGES);
    // What is on its way stays, however many have come since.
    const leave = new Set(others.filter(({ state }) => state !== 'pending').slice(0, over));
    this.#set({ messages: [...others.filter((one) => !leave.has(one)), entry] });
  }

  #set(change: Partial<NotifierRecord>): void {
    this.#record = { ...this.#record, ...change };
  }
}

/**
 * What of a window is told. An incident as it stands at the window's end: one that has opened and escalated is told as opened, and nobody is
 * reminded of what the same message tells otherwise, or twice. One that has opened and ended in the same window is told as both: it was there, and somebody may want to know why.
 */
export function settled(
  held: readonly Transition[],
  now: number,
): { readonly told: readonly Transition[]; readonly silenced: readonly Transition[] } {
  const of = (one: Transition): Transition[] =>
    held.filter(({ incident }) => incident.id === one.incident.id && incident.openedAt === one.incident.openedAt);
  const has = (one: Transition, kinds: readonly string[]): boolean => of(one).some(({ kind }) => kinds.includes(kind));
  const kept = held.filter((one) => {
    if (one.kind === 'reminder')
      return (
        !has(one, ['opened', 'recovered', 'closed', 'escalated']) &&
        of(one).findLast(({ kind }) => kind === 'reminder') === one
      );
    return one.kind !== 'escalated' || !has(one, ['opened', 'recovered', 'closed']);
  });
  const newest = kept.map((one) => {
    if (one.kind !== 'opened') return one;
    const last =
      of(one).findLast(({ kind }) => kind === 'opened' || kind === 'escalated' || kind === 'reminder') ?? one;
    return { ...one, incident: last.incident };
  });
  const isSilent = (one: Transition): boolean => {
    const until = of(one).at(-1)?.incident.silencedUntil;
    return until !== undefined && Date.parse(until) > now;
  };
  return { told: newest.filter((one) => !isSilent(one)), silenced: newest.filter(isSilent) };
}

const isoOf = (ms: number): string => new Date(ms).toISOString();
