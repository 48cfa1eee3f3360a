import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AnswerCache } from '../../src/client/api/answer-cache.ts';

describe('answers that are asked for again', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const counting = () => {
    let asked = 0;
    return { ask: async () => (asked += 1), times: () => asked };
  };

  it('are asked for once by whoever asks at once, or soon after', async () => {
    const cache = new AnswerCache(1_000, 10);
    const { ask, times } = counting();
    expect(await Promise.all([cache.get('a', ask), cache.get('a', ask)])).toEqual([1, 1]);
    vi.advanceTimersByTime(999);
    expect(await cache.get('a', ask)).toBe(1);
    vi.advanceTimersByTime(1);
    expect([await cache.get('a', ask), times()]).toEqual([2, 2]);
  });

  it('are another for another question', async () => {
    const cache = new AnswerCache(1_000, 10);
    expect(await Promise.all(['a', 'b'].map((key) => cache.get(key, async () => key)))).toEqual(['a', 'b']);
  });

  it('are not kept where they failed: each who waited is told, and the next one asks', async () => {
    const cache = new AnswerCache(1_000, 10);
    const fail = () => Promise.reject(new Error('away'));
    const both = await Promise.allSettled([cache.get('a', fail), cache.get('a', fail)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await cache.get('a', async () => 1)).toBe(1);
  });

  it('are kept up to a number, those asked for last', async () => {
    const cache = new AnswerCache(1_000, 2);
    const { ask, times } = counting();
    for (const key of ['a', 'b', 'c', 'b', 'c']) await cache.get(key, ask);
    expect(times()).toBe(3);
    await cache.get('a', ask);
    expect(times()).toBe(4);
  });
});
