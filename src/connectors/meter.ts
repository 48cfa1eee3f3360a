import { AsyncLocalStorage } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import type { ServerUse, Spent, WaitedOn } from '../definition/timing.ts';

/** Has what others leave: while a server is waited for, an engine stands still. */
const LAST: WaitedOn = 'engine';

interface Use {
  open: number;
  ms: number;
  requests: number;
  longestMs: number;
  bytes: number;
  throttledMs: number;
}

/** Milliseconds since any one moment. */
export interface MeterClock {
  now(): number;
  /** In which the event loop of this thread has had nothing to do so far. */
  idle(): number;
}

const ownClock: MeterClock = { now: () => performance.now(), idle: () => performance.eventLoopUtilization().idle };

const current = new AsyncLocalStorage<Meter>();

/**
 * Tells where the time of some work goes: to the servers that it waits for, or to the thread that it runs on. Waiting is time in which the
 * event loop had nothing to do while a request was open; so an answer that lies there while the thread is busy is not the server's
 * slowness. Each change is some microseconds.
 */
export class Meter {
  readonly #uses = new Map<WaitedOn, Use>();
  readonly #clock: MeterClock;
  readonly #began: number;
  readonly #idleBefore: number;
  readonly #cpuBefore = process.cpuUsage();
  #idle: number;

  constructor(clock: MeterClock = ownClock) {
    this.#clock = clock;
    this.#began = clock.now();
    this.#idleBefore = clock.idle();
    this.#idle = this.#idleBefore;
  }

  /** A request begins. @returns what ends it */
  open(on: WaitedOn): () => void {
    this.#settle();
    const use = this.#use(on);
    use.open += 1;
    const at = this.#clock.now();
    return () => {
      this.#settle();
      use.open -= 1;
      use.longestMs = Math.max(use.longestMs, this.#clock.now() - at);
    };
  }

  add(on: WaitedOn, more: Partial<Pick<Use, 'requests' | 'bytes' | 'throttledMs'>>): void {
    const use = this.#use(on);
    use.requests += more.requests ?? 0;
    use.bytes += more.bytes ?? 0;
    use.throttledMs += more.throttledMs ?? 0;
  }

  /** Whole milliseconds up to now. */
  get spent(): Spent {
    this.#settle();
    const { user, system } = process.cpuUsage(this.#cpuBefore);
    const ms = this.#clock.now() - this.#began;
    return {
      busyMs: Math.max(0, Math.round(ms - (this.#idle - this.#idleBefore))),
      cpuMs: Math.round((user + system) / 1_000),
      on: Object.fromEntries([...this.#uses].map(([on, use]) => [on, shown(use)])),
    };
  }

  /** Gives the time since the last change to whoever was waited for. */
  #settle(): void {
    const now = this.#clock.idle();
    const passed = now - this.#idle;
    this.#idle = now;
    if (passed <= 0) return;
    const open = [...this.#uses].filter(([, use]) => use.open > 0);
    const first = open.filter(([on]) => on !== LAST);
    const waited = first.length > 0 ? first : open;
    for (const [, use] of waited) use.ms += passed / waited.length;
  }

  #use(on: WaitedOn): Use {
    const known = this.#uses.get(on);
    if (known) return known;
    const use = { open: 0, ms: 0, requests: 0, longestMs: 0, bytes: 0, throttledMs: 0 };
    this.#uses.set(on, use);
    return use;
  }
}

function shown({ ms, requests, longestMs, bytes, throttledMs }: Use): ServerUse {
  return {
    // Rounded down, so that the parts are never more than the whole.
    ...{ ms: Math.floor(ms), requests, longestMs: Math.round(longestMs), bytes },
    ...(throttledMs > 0 ? { throttledMs: Math.round(throttledMs) } : {}),
  };
}

/** Runs work whose waiting is told to a meter, however deep it happens. */
export const metered = <T>(meter: Meter, work: () => Promise<T>): Promise<T> => current.run(meter, work);

/** What the work that this is called in has spent so far; undefined outside of {@link metered}. */
export const spentSoFar = (): Spent | undefined => current.getStore()?.spent;

/** Waits for a server: its time is told to the meter of the work that this is called in, if there is one. */
export async function waitingOn<T>(on: WaitedOn, work: () => Promise<T>): Promise<T> {
  const meter = current.getStore();
  if (meter === undefined) return work();
  meter.add(on, { requests: 1 });
  const end = meter.open(on);
  try {
    return await work();
  } finally {
    end();
  }
}

/** Passes on what comes from a server piece by piece; only while the next one is asked for is it waited for. */
export async function* waitingForEach<T>(on: WaitedOn, pieces: AsyncIterable<T>): AsyncGenerator<T> {
  const source = pieces[Symbol.asyncIterator]();
  try {
    for (;;) {
      const end = current.getStore()?.open(on);
      let next: IteratorResult<T>;
      try {
        next = await source.next();
      } finally {
        end?.();
      }
      if (next.done) return;
      if (next.value instanceof Uint8Array) moved(on, next.value.length);
      yield next.value;
    }
  } finally {
    await source.return?.();
  }
}

/** A server's bytes, their waiting told to the meter. Who destroys it destroys what it comes from, also while the server is silent. */
export function meteredStream(on: WaitedOn, opened: Readable): Readable {
  const stream = Readable.from(waitingForEach(on, opened), { objectMode: false });
  const destroy = stream._destroy.bind(stream);
  stream._destroy = (error, done) => {
    // The generator would be told once it has its next piece. An error would be nobody's who listens, if none was asked for yet.
    opened.destroy();
    destroy(error, done);
  };
  return stream;
}

/** Bytes that went to a server, or came from it. */
export const moved = (on: WaitedOn, bytes: number): void => current.getStore()?.add(on, { bytes });

/** A server asked us to hold back. */
export const throttled = (on: WaitedOn, ms: number): void => current.getStore()?.add(on, { throttledMs: ms });
