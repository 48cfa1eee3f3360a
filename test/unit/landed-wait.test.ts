import { describe, expect, it } from 'vitest';
import { landedWaitMs } from '../../src/workflows/await-landed.ts';

const DAY_MS = 86_400_000;

describe('how long a run waits before it looks again whether its batch has landed', () => {
  it('is twice as long as before up to five minutes, then a tenth of what it waited, an hour at most', () => {
    expect(landedWaitMs(15_000, 15_000)).toBe(30_000);
    expect(landedWaitMs(240_000, 465_000)).toBe(300_000);
    expect(landedWaitMs(300_000, 3_600_000)).toBe(360_000);
    expect(landedWaitMs(3_600_000, DAY_MS)).toBe(3_600_000);
  });

  it('keeps a wait of a week behind three data sets of four shards below half of what a history may hold', () => {
    let looks = 0;
    let wait = 15_000;
    for (let waited = wait; waited < 7 * DAY_MS; waited += wait) {
      looks += 1;
      wait = landedWaitMs(wait, waited);
    }
    // An activity and a timer are three events, two of them with the workflow task of three behind it.
    const eventsOfALook = 3 * ((1 + 4) * (3 + 3) + (2 + 3));
    expect(looks * eventsOfALook).toBeLessThan(51_200 / 2);
  });
});
