import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Meter, metered, moved, spentSoFar, throttled, waitingForEach, waitingOn } from '../../src/connectors/meter.ts';

/** A clock that a test moves: time in which the thread waits, or is busy. */
class TestClock {
  #now = 0;
  #idle = 0;
  now = (): number => this.#now;
  idle = (): number => this.#idle;

  waits(ms: number): void {
    this.#now += ms;
    this.#idle += ms;
  }

  works(ms: number): void {
    this.#now += ms;
  }
}

/** What some work spends, by a clock that it moves itself. */
async function spent(something: (clock: TestClock) => Promise<unknown>) {
  const clock = new TestClock();
  const meter = new Meter(clock);
  await metered(meter, () => something(clock));
  const { on, busyMs } = meter.spent;
  const sum = busyMs + Object.values(on).reduce((total, use) => total + use.ms, 0);
  expect(sum).toBeLessThanOrEqual(clock.now());
  return { on, busyMs };
}

describe('a meter', () => {
  it('gives waiting to the server that is waited for, and work to the thread', async () => {
    const { on, busyMs } = await spent(async (clock) => {
      await waitingOn('broker', async () => clock.waits(60));
      clock.works(40);
      clock.waits(5);
      await waitingOn('store', async () => clock.waits(30));
    });
    expect(on).toEqual({
      broker: { ms: 60, requests: 1, longestMs: 60, bytes: 0 },
      store: { ms: 30, requests: 1, longestMs: 30, bytes: 0 },
    });
    expect(busyMs).toBe(40);
  });

  it('does not take for the server’s slowness that the thread is busy while a request is open', async () => {
    const { on, busyMs } = await spent((clock) =>
      waitingOn('search', async () => {
        clock.waits(10);
        clock.works(80);
      }),
    );
    expect(on.search).toMatchObject({ ms: 10, longestMs: 90 });
    expect(busyMs).toBe(80);
  });

  it('does so by the event loop of the thread, too', async () => {
    const meter = new Meter();
    await metered(meter, async () => {
      const request = waitingOn('search', () => wait(10));
      for (const end = performance.now() + 80; performance.now() < end;);
      await request;
    });
    const { ms = 0, longestMs = 0 } = meter.spent.on.search ?? {};
    expect(longestMs - ms).toBeGreaterThanOrEqual(79);
  });

  it('counts requests side by side once, and halves what two servers were waited for at once', async () => {
    const { on } = await spent(async (clock) => {
      const { promise: answers, resolve: answer } = Promise.withResolvers<void>();
      const requests = [...[1, 2, 3].map(() => waitingOn('store', () => answers)), waitingOn('broker', () => answers)];
      clock.waits(60);
      answer();
      await Promise.all(requests);
    });
    expect(on.store).toMatchObject({ ms: 30, requests: 3, longestMs: 60 });
    expect(on.broker).toMatchObject({ ms: 30, requests: 1, longestMs: 60 });
  });

  it('leaves to an engine what no server was waited for', async () => {
    const { on } = await spent((clock) =>
      waitingOn('engine', async () => {
        await waitingOn('store', async () => clock.waits(50));
        clock.waits(30);
      }),
    );
    expect(on).toMatchObject({ store: { ms: 50 }, engine: { ms: 30, longestMs: 80 } });
  });

  it('waits for pieces only while one is asked for, counts their bytes, and lets their source go', async () => {
    let closed = false;
    const { on } = await spent(async (clock) => {
      const pieces = async function* () {
        try {
          for (;;) {
            clock.waits(15);
            yield Buffer.alloc(1_000);
          }
        } finally {
          closed = true;
        }
      };
      let seen = 0;
      for await (const piece of waitingForEach('source', pieces())) {
        clock.waits(7);
        if ((seen += piece.length) === 3_000) break;
      }
    });
    expect(closed).toBe(true);
    expect(on.source).toMatchObject({ bytes: 3_000, ms: 45, longestMs: 15 });
  });

  it('tells of a request that failed, too, and hands its error on', async () => {
    const { on } = await spent(async (clock) => {
      const failing = waitingOn('broker', async () => {
        clock.waits(20);
        throw new Error('gone');
      });
      await expect(failing).rejects.toThrow('gone');
      clock.waits(20);
    });
    expect(on.broker).toMatchObject({ ms: 20, requests: 1 });
  });

  it('keeps the work of one attempt from another’s', async () => {
    const [a, b] = await Promise.all([
      spent((clock) => waitingOn('broker', async () => clock.waits(20))),
      spent(async () => {
        moved('store', 7);
        throttled('broker', 1_234);
      }),
    ]);
    expect(a.on).toMatchObject({ broker: { ms: 20 } });
    expect(b.on).toEqual({
      store: { ms: 0, requests: 0, longestMs: 0, bytes: 7 },
      broker: { ms: 0, requests: 0, longestMs: 0, bytes: 0, throttledMs: 1_234 },
    });
  });

  it('is nothing where nobody measures', async () => {
    expect(await waitingOn('broker', async () => 7)).toBe(7);
    expect(spentSoFar()).toBeUndefined();
    moved('store', 1);
  });
});
