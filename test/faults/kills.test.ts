import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lab, noFaults, type Hour, type StageProcess } from './lab.ts';
import { expectWhole, recordRuns } from './results.ts';

const ROWS = 2_000;

/** Fail points that a second attempt does not come by any more: what they stand behind is done by then. */
const once = new Set([
  'store:before-rename#2',
  'land:after-batch-record',
  'commit:after-hour-record',
  'index:after-bulk',
]);

const points = [
  'prepare:before-topic',
  'import:mid-download',
  'import:before-record',
  'store:before-rename',
  'store:before-rename#2',
  'clean:after-write',
  'publish:after-plan',
  'publish:before-send#3',
  'publish:after-send#3',
  'publish:before-marker',
  'publish:after-marker',
  'land:after-fetch',
  'land:after-object',
  'land:after-object#2',
  'land:before-manifest#2',
  'land:after-manifest#2',
  'land:after-offset#2',
  'land:after-part',
  'land:after-batch-record',
  'commit:after-hour-record',
  'index:after-object#2',
  'index:after-bulk',
];

describe.skipIf(noFaults).concurrent('a process that is killed', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.open();
  });

  afterAll(async () => {
    await lab?.close();
  });

  async function killedAt(hour: Hour, point: string): Promise<StageProcess> {
    const running = lab.start(hour, {}, { SLUICE_FAIL_POINT: `${point}=crash` });
    // One that never comes by the point ends by itself: then this scenario would prove nothing.
    expect(await running.ended, `${point}: ${JSON.stringify(running.said.slice(-3))}`).toEqual({
      code: null,
      signal: 'SIGKILL',
    });
    return running;
  }

  it.each(points)('at %s, and again: each row once', async (point) => {
    const hour = lab.hour(ROWS);
    await killedAt(hour, point);
    if (!once.has(point)) await killedAt(hour, point);
    const healed = performance.now();
    const { said } = await lab.finish(hour);
    const seconds = (performance.now() - healed) / 1000;
    expect(said.at(-1)).toEqual({ said: 'done', holds: true });
    const verdict = await lab.check(hour);
    expectWhole(verdict);
    const times = once.has(point) ? 'once' : 'twice in a row';
    recordRuns('Process killed', `SIGKILL at \`${point}\`, ${times}`, [verdict], seconds);
  });
});
