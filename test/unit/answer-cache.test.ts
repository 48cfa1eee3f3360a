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

  /** Questions whose answers come when they are told to. */
  const slowly = () => {
    const asked: { key: string; answer: (value: string) => void }[] = [];
    const ask = (key: string) => (): Promise<string> =>
      new Promise((answer) => {
        asked.push({ key, answer });
      });
    return { asked, ask };
  };

  it('are one for all who ask while it is waited for, however long, and fresh from when it comes', async () => {
    const cache = new AnswerCache(50, 10);
    const { asked, ask } = slowly();
    const all: Promise<string>[] = [];
    for (let n = 0; n < 5; n++) {
      all.push(cache.get('a', ask('a')));
      await vi.advanceTimersByTimeAsync(300);
    }
    expect(asked).toHaveLength(1);
    asked[0]?.answer('x');
    expect(await Promise.all(all)).toEqual(['x', 'x', 'x', 'x', 'x']);
    await vi.advanceTimersByTimeAsync(49);
    expect(await cache.get('a', ask('a'))).toBe('x');
    await vi.advanceTimersByTimeAsync(1);
    void cache.get('a', ask('a'));
    expect(asked).toHaveLength(2);
  });

  it('that are waited for stay, though others come', async () => {
    const cache = new AnswerCache(1_000, 2);
    const { asked, ask } = slowly();
    const first = cache.get('a', ask('a'));
    for (const key of ['b', 'c', 'd']) await cache.get(key, async () => key);
    const again = cache.get('a', ask('a'));
    expect(asked).toHaveLength(1);
    asked[0]?.answer('x');
    expect(await Promise.all([first, again])).toEqual(['x', 'x']);
  });

  it('are asked for so many at a time, the others in their turn, and beyond a number not at all', async () => {
    const cache = new AnswerCache(1_000, 2, 1);
    const { asked, ask } = slowly();
    const all = ['a', 'b', 'c'].map((key) => cache.get(key, ask(key)));
    await expect(cache.get('d', ask('d'))).rejects.toMatchObject({ statusCode: 503, code: 'TooManyRequests' });
    for (const at of [0, 1, 2]) {
      expect(asked.map(({ key }) => key)).toEqual(['a', 'b', 'c'].slice(0, at + 1));
      asked[at]?.answer(asked[at].key);
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c']);
    expect(await cache.get('d', async () => 'd')).toBe('d');
  });
});
