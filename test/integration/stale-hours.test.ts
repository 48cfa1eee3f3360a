import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keys } from '../../src/definition/names.ts';
import type { HourRecord, StaleMark } from '../../src/definition/refs.ts';
import { findDone, findStale, writeReport } from '../../src/stages/accounting/report.ts';
import { committedHours, seenHours } from '../../src/stages/cleaning/earlier-hours.ts';
import { markStale } from '../../src/stages/cleaning/stale-hours.ts';
import type { StageDeps } from '../../src/stages/deps.ts';
import type { RunReport } from '../../src/stages/run-report.ts';
import { commitHour } from '../../src/stages/landing/hour-record.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noStack, testStack } from '../helpers/stack.ts';

const hours = [0, 1, 2, 3].map((n) => `2026-01-01T0${n}:00:00Z`) as [string, string, string, string];
const nobody = { hours: [], count: 0, itself: false };

describe.skipIf(noStack)('hours that are stale, on a real object store', () => {
  let deps: StageDeps;

  beforeAll(async () => {
    deps = stageDeps((await testStack()).environment, `stale-${randomBytes(4).toString('hex')}`);
    await deps.store.ensureBucket();
  });

  afterAll(async () => {
    await deps?.search.close();
  });

  /** A pipeline of its own, whose runs commit what a test says in place of what they cleaned. */
  function someRuns() {
    const pipeline = `p-${randomBytes(4).toString('hex')}`;
    const look = async (hour: string) => ({
      pipeline,
      hour,
      seen: seenHours(await committedHours(deps, pipeline, hour)),
    });
    const commit = async ({ hour, seen }: Awaited<ReturnType<typeof look>>, batch: string): Promise<HourRecord> =>
      commitHour(deps, {
        ...{ stream: pipeline, hour, rawSha: 'r', definitionSha: 'd', seen },
        content: { landed: { batch, rows: 1 } as never },
      });
    const mark = ({ hour, generation }: HourRecord) => markStale(deps, { pipeline, hour, generation });
    const report = ({ hour, generation }: HourRecord) =>
      writeReport(deps, {
        ...{ pipeline, hour, workflowId: 'w', runId: `r${generation}`, outcome: 'completed' },
        ...{
          startedAt: hour,
          endedAt: hour,
          stages: [],
          batches: {},
          equations: [],
          generations: { main: generation },
        },
      } satisfies RunReport);
    const run = async (hour: string, batch: string) => {
      const record = await commit(await look(hour), batch);
      const made = await mark(record);
      await report(record);
      return made;
    };
    const markOf = (hour: string) => deps.store.findJson<StaleMark>(keys.stale(pipeline, hour));
    const isDone = async (hour: string) => (await findDone(deps, { pipeline, hour })) !== undefined;
    return { pipeline, look, commit, mark, report, run, markOf, isDone };
  }

  it('are marked by another content of an earlier hour, are not done, and are done once they ran again', async () => {
    const { pipeline, run, markOf, isDone } = someRuns();
    for (const hour of hours) expect(await run(hour, `b${hour}`)).toEqual(nobody);
    expect(await run(hours[1], 'other')).toEqual({ hours: [hours[2], hours[3]], count: 2, itself: false });
    const since = { hour: hours[1], generation: 2 };
    expect(await markOf(hours[2])).toEqual({ hour: hours[2], generation: 1, since, at: expect.any(String) as string });
    expect(await findStale(deps, { pipeline, hour: hours[3] })).toMatchObject({ hour: hours[3], since });
    expect(await Promise.all(hours.map(isDone))).toEqual([true, true, false, false]);
    // It is marked already, and not by this one.
    expect(await run(hours[2], 'mended')).toEqual(nobody);
    expect(await markOf(hours[2])).toBeUndefined();
    expect(await markOf(hours[3])).toMatchObject({ generation: 1, since });
    // The same batch as before, compared with other hours: another generation, and nothing for later ones.
    expect(await run(hours[3], `b${hours[3]}`)).toEqual(nobody);
    expect(await Promise.all(hours.map(isDone))).toEqual([true, true, true, true]);
    expect(await markOf(hours[3])).toBeUndefined();
  });

  it('are none where an hour is committed again as it was, however often that is marked', async () => {
    const { run, look, commit, mark, markOf, isDone } = someRuns();
    for (const hour of hours) await run(hour, `b${hour}`);
    expect(await run(hours[0], `b${hours[0]}`)).toEqual(nobody);
    expect(await Promise.all(hours.map(isDone))).toEqual([true, true, true, true]);
    // A retry names what the first try marked, and leaves the marks as they are.
    const record = await commit(await look(hours[2]), 'other');
    const made = { hours: [hours[3]], count: 1, itself: false };
    expect(await mark(record)).toEqual(made);
    const before = await markOf(hours[3]);
    expect(await mark(record)).toEqual(made);
    expect(await markOf(hours[3])).toEqual(before);
  });

  it('are marked by an hour in between, and by none that only repeats another', async () => {
    const { pipeline, run, markOf } = someRuns();
    await run(hours[0], 'a');
    await run(hours[3], 'd');
    const same = await commitHour(deps, {
      ...{ stream: pipeline, hour: hours[1], rawSha: 'r', definitionSha: 'd' },
      content: { sameAs: hours[0] },
    });
    expect(await markStale(deps, { pipeline, hour: hours[1], generation: same.generation })).toEqual(nobody);
    expect(await run(hours[2], 'c')).toEqual({ hours: [hours[3]], count: 1, itself: false });
    expect(await markOf(hours[3])).toMatchObject({ since: { hour: hours[2], generation: 1 } });
  });

  it('are so no more when the earlier hour goes back to what it was', async () => {
    const { run, markOf, isDone } = someRuns();
    for (const hour of hours) await run(hour, `b${hour}`);
    expect(await run(hours[0], 'other')).toMatchObject({ count: 3 });
    expect(await run(hours[0], `b${hours[0]}`)).toEqual(nobody);
    for (const hour of hours) expect(await markOf(hour)).toBeUndefined();
    expect(await Promise.all(hours.map(isDone))).toEqual([true, true, true, true]);
  });

  it('find themselves where two hours were on their way side by side, whichever commits first', async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ] as const) {
      const { run, look, commit, mark, report, markOf, isDone } = someRuns();
      const looks = [await look(hours[1]), await look(hours[2])];
      const made = [];
      for (const at of order) {
        const record = await commit(looks[at]!, `b${at}`);
        made.push(await mark(record));
        await report(record);
      }
      expect(made[0]).toEqual(nobody);
      expect(made[1]).toEqual(
        order[1] === 1 ? { ...nobody, itself: true } : { ...nobody, hours: [hours[2]], count: 1 },
      );
      expect([await isDone(hours[1]), await isDone(hours[2])]).toEqual([true, false]);
      await run(hours[2], 'without double keys');
      expect(await markOf(hours[2])).toBeUndefined();
      expect(await isDone(hours[2])).toBe(true);
    }
  });

  it('stay so while the run that is to mend them fails before its end', async () => {
    const { run, look, commit, mark, isDone, pipeline } = someRuns();
    for (const hour of hours) await run(hour, `b${hour}`);
    await run(hours[0], 'other');
    // Committed, but not indexed: no report says that it is done.
    expect(await mark(await commit(await look(hours[1]), 'mended'))).toEqual(nobody);
    expect(await isDone(hours[1])).toBe(false);
    expect(await findStale(deps, { pipeline, hour: hours[1] })).toMatchObject({ generation: 1 });
    await run(hours[1], 'mended');
    expect(await isDone(hours[1])).toBe(true);
  });
});
