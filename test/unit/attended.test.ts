import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { attended } from '../../src/activities/attended.ts';
import { hasBegun, sendingMark } from '../../src/definition/deliveries.ts';
import type { StageContext } from '../../src/stages/deps.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What an attempt beats that finds what the one before it beat last. */
async function beats(before: unknown, stage: (context: StageContext) => Promise<unknown>): Promise<unknown[]> {
  const activity = new MockActivityEnvironment({ attempt: 2, heartbeatDetails: before });
  const heard: unknown[] = [];
  activity.on('heartbeat', (details: unknown) => heard.push(details));
  await activity.run(() => attended(stage)).catch(() => {});
  return heard;
}

/** Five seconds in which nothing is said: one beat. */
const silence = (): Promise<unknown> => vi.advanceTimersByTimeAsync(5_000);

describe('the heartbeat of an attempt', () => {
  const before = { bytes: 7, resume: { session: 's', parts: 3 }, failed: { StoreUnavailable: 1 } };

  it('keeps what the one before it can go on from while it says nothing, however it ends', async () => {
    expect(await beats(before, silence)).toEqual([before]);
    const broken = async (): Promise<never> => {
      await silence();
      throw new Error('broken');
    };
    expect(await beats(before, broken)).toEqual([
      before,
      { ...before, failed: { StoreUnavailable: 1, Unexpected: 1 } },
    ]);
    expect(await beats(undefined, silence)).toEqual([{}]);
    expect(await beats('a text', silence)).toEqual([{}]);
  });

  it('is what it said last itself, once it says something', async () => {
    const said = await beats(before, async ({ progress }) => {
      progress({ note: 'goes on', resume: { parts: 4 } });
      await silence();
    });
    const own = { note: 'goes on', resume: { parts: 4 }, failed: { StoreUnavailable: 1 } };
    expect(said).toEqual([own, own]);
  });

  it('holds that a message is being sent as long as nobody knows how that ends, and no longer', async () => {
    const sending = { note: 'sending', resume: sendingMark };
    expect((await beats(sending, silence)).map(hasBegun)).toEqual([true]);
    const over = await beats(undefined, async ({ progress }) => {
      progress(sending);
      progress({ note: 'not delivered' });
      await silence();
      throw new Error('refused');
    });
    expect(over.map(hasBegun)).toEqual([true, false, false, false]);
  });
});
