import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TemporalAnswers } from '../../src/connectors/temporal-answers.ts';

describe('whether Temporal answers', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is asked once a second, however many want to know, and told to the log once for each time that it went away', async () => {
    let [asked, there] = [0, true];
    const told: unknown[] = [];
    const answers = new TemporalAnswers(
      async () => {
        asked += 1;
        if (!there) throw new Error('it is at 10.0.0.1');
      },
      (error) => told.push(error),
    );
    expect(await Promise.all([answers.now(), answers.now(), answers.now()])).toEqual([true, true, true]);
    there = false;
    vi.advanceTimersByTime(999);
    expect([await answers.now(), asked]).toEqual([true, 1]);
    for (const times of [2, 3]) {
      vi.advanceTimersByTime(1_000);
      expect([await answers.now(), await answers.now(), asked]).toEqual([false, false, times]);
      expect(told).toEqual([new Error('it is at 10.0.0.1')]);
    }
    there = true;
    vi.advanceTimersByTime(1_000);
    expect(await answers.now()).toBe(true);
    there = false;
    vi.advanceTimersByTime(1_000);
    expect([await answers.now(), told.length]).toEqual([false, 2]);
  });

  it('lets those who ask meanwhile wait for the one answer', async () => {
    let answer = (): void => {};
    let asked = 0;
    const answers = new TemporalAnswers(
      () =>
        new Promise<void>((resolve) => {
          asked += 1;
          answer = resolve;
        }),
      () => {},
    );
    const first = answers.now();
    vi.advanceTimersByTime(5_000);
    const second = answers.now();
    answer();
    expect([await first, await second, asked]).toEqual([true, true, 1]);
  });
});
