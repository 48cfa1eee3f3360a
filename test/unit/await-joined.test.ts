import { describe, expect, it } from 'vitest';
import { joinedWaitMs } from '../../src/workflows/await-joined.ts';

describe('the wait of a launch for a run that it joined', () => {
  it('begins with two seconds, grows with the wait so far, and is bounded', () => {
    expect(joinedWaitMs(0)).toBe(2_000);
    expect(joinedWaitMs(600_000)).toBe(60_000);
    expect(joinedWaitMs(86_400_000)).toBe(900_000);
  });

  it('leaves room in the history for six weeks', () => {
    let looks = 0;
    for (let waited = 0; waited < 42 * 86_400_000; waited += joinedWaitMs(waited)) looks += 1;
    // An activity, a timer, and the workflow task behind each of them.
    expect(looks * 11).toBeLessThan(51_200);
  });
});
