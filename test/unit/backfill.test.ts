import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { planLines, progressLines, reportLines } from '../../src/client/cli/backfill-lines.ts';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { pipelineSchema, type PipelineInput } from '../../src/definition/pipeline.ts';
import { planBackfill, type BackfillPlanInput } from '../../src/stages/accounting/plan-backfill.ts';
import { backfillSettings } from '../../src/workflows/backfill-settings.ts';
import { BackfillState } from '../../src/workflows/backfill-state.ts';
import { keys } from '../../src/definition/names.ts';
import { MemoryBucket, MemoryStore } from '../model/memory-bucket.ts';

const now = Date.parse('2026-11-24T12:30:00Z');
const from = '2026-11-24T00:00:00Z';
const hourAt = (n: number): string => toLogicalHour(Date.parse(from) + n * 3_600_000);
const bare: PipelineInput = {
  name: 'p',
  source: { url: 'https://example.org/${hour:YYYY-MM-DD-HH}.csv' },
  columns: { id: { name: 'id', required: true } },
  key: ['id'],
};

describe('the plan of a backfill', () => {
  const bucket = new MemoryBucket(() => now);
  const store = new MemoryStore(bucket, { call: async (request) => request() });
  const put = (key: string, value: object): void => bucket.put(key, Buffer.from(JSON.stringify(value)));
  const report = (n: number, more: object): object => ({
    pipeline: 'p',
    hour: hourAt(n),
    generations: { main: 1 },
    ...more,
  });
  const error = { code: 'SourceNotFound', stage: 'import', message: 'not there' };
  // 0: nothing. 1: done. 2: failed. 3: done and stale. 4: done and removed. 5: ended from outside. 6: runs. 7: mended by hand alone.
  put(keys.done('p', hourAt(1)), report(1, {}));
  put(keys.attempt('p', hourAt(2), 'r', 'run.json'), report(2, { outcome: 'failed', error }));
  put(keys.done('p', hourAt(3)), report(3, {}));
  put(keys.stale('p', hourAt(3)), {
    hour: hourAt(3),
    generation: 1,
    since: { hour: hourAt(1), generation: 2 },
    at: from,
  });
  put(keys.done('p', hourAt(4)), report(4, {}));
  put(keys.hourRecord('p', hourAt(4), 2), { stream: 'p', hour: hourAt(4), removed: { at: from, reason: 'old' } });
  put(keys.importRecord('p', hourAt(5), 1), {});
  put(keys.fix('p', hourAt(7), 1), {});
  // Another pipeline, and hours outside of the range.
  put(keys.done('p2', hourAt(0)), report(0, {}));
  put(keys.done('p', hourAt(-1)), report(-1, {}));
  put(keys.done('p', hourAt(8)), report(8, {}));

  const plan = (more: Partial<BackfillPlanInput> = {}, input: Partial<PipelineInput> = {}) =>
    planBackfill(
      { store },
      {
        pipeline: pipelineSchema.parse({ ...bare, ...input }),
        ...{ from, to: hourAt(7), only: 'notDone', order: 'oldest', everyHour: false, useCurrent: false },
        ...more,
      },
      new Set([hourAt(6)]),
      new Date(now),
    );
  const hours = (...all: number[]): string[] => all.map((n) => hourAt(n).slice(0, 13));

  it('tells each hour by what is stored of it, and what runs', async () => {
    const found = await plan();
    expect(found.found).toEqual({ missing: 2, failed: 2, stale: 1, running: 1, present: 1, removed: 1 });
    expect(found.stretches.map(({ state }) => state)).toEqual([
      ...['missing', 'present', 'failed', 'stale', 'removed', 'failed', 'running', 'missing'],
    ]);
    expect(found.failed).toEqual([
      { hour: hourAt(2), why: 'SourceNotFound in import: not there' },
      { hour: hourAt(5), why: 'it was tried, and its run left no report' },
    ]);
  });

  it('takes the hours that are asked for, in their order', async () => {
    expect((await plan()).hours).toEqual(hours(0, 2, 3, 5, 6, 7));
    expect((await plan({ only: 'missing' })).hours).toEqual(hours(0, 7));
    expect((await plan({ only: 'failed', order: 'newest' })).hours).toEqual(hours(5, 2));
    expect((await plan({ only: 'stale' })).hours).toEqual(hours(3));
    expect((await plan({ only: 'all' })).hours).toEqual(hours(0, 1, 2, 3, 5, 6, 7));
    const every: Partial<PipelineInput> = { schedule: { every: '3h' } };
    expect((await plan({ only: 'all' }, every)).hours).toEqual(hours(0, 3, 6));
    expect((await plan({ only: 'all', everyHour: true }, every)).hours).toHaveLength(7);
  });

  it('asks for what is done behind the first hour too where it may become stale', async () => {
    const across = { duplicates: { acrossRuns: true } };
    expect((await plan({}, across)).hours).toEqual(hours(0, 1, 2, 3, 5, 6, 7));
    expect((await plan({ from: hourAt(1) }, across)).hours).toEqual(hours(2, 3, 5, 6, 7));
    expect((await plan({ only: 'failed' }, across)).hours).toEqual(hours(2, 5));
  });

  it('forces no hour that is done where hours take keys of earlier ones out, and says that these may become stale', async () => {
    const across = { duplicates: { acrossRuns: true } };
    for (const startFrom of ['import', 'clean'] as const) {
      const { hours: chosen, warnings } = await plan({ startFrom }, across);
      const { hours: plain } = await plan({ startFrom });
      expect(chosen).toEqual(plain);
      expect(warnings).toEqual([
        expect.stringMatching(/later hours? that (is|are) done may become stale.* without --refetch/),
      ]);
    }
    expect((await plan({}, across)).warnings).toEqual([]);
    expect((await plan({ only: 'all', startFrom: 'import' }, across)).warnings).toEqual([]);
  });

  it('says which hours can be had no more, and refuses where that is all of them', async () => {
    const source = { source: { url: 'https://example.org/now.csv' } };
    const found = await plan({}, source);
    // Hour 5 was fetched.
    expect(found.warnings).toEqual([expect.stringMatching(/^5 of the hours .* are over and were not imported/)]);
    expect((await plan({ useCurrent: true }, source)).warnings).toEqual([]);
    await expect(plan({ only: 'missing' }, source)).rejects.toMatchObject({ code: 'ImportNotRecorded' });
    await expect(plan({ only: 'all', startFrom: 'import' }, source)).rejects.toThrow(
      /All 7 hours to be run of p are over, and/,
    );
    expect((await plan({ only: 'failed', startFrom: 'clean' }, source)).warnings).toHaveLength(1);
  });
});

describe('what is shown of a backfill', () => {
  const settings = backfillSettings({ pipeline: bare, from, to: hourAt(5), stopAfter: 5, parallel: 2 }, new Date(now));
  const plan = {
    found: { missing: 4, failed: 2, stale: 0, running: 0, present: 0, removed: 0 },
    stretches: [
      { state: 'missing' as const, from, to: hourAt(3), hours: 4 },
      { state: 'failed' as const, from: hourAt(4), to: hourAt(5), hours: 2 },
    ],
    hours: [0, 1, 2, 3, 4, 5].map((n) => hourAt(n).slice(0, 13)),
    failed: [{ hour: hourAt(5), why: 'SourceNotFound in import: not there' }],
    warnings: ['mind this'],
  };
  const plain = (lines: readonly string[]): string[] => lines.map(stripVTControlCharacters);

  it('is how the hours stand, and which would be run', () => {
    const state = new BackfillState(settings, now);
    expect(plain(planLines(state.report(now, plan), process.stdout))).toEqual([
      'p 2026-11-24T00 to 2026-11-24T05: 4 missing, 2 failed',
      '  missing  2026-11-24T00 to 2026-11-24T03, 4 hours',
      '  failed   2026-11-24T04 to 2026-11-24T05, 2 hours',
      '             2026-11-24T05  SourceNotFound in import: not there',
      'warning: mind this',
      'Would run 6 hours, 2 at a time, the oldest first: from 2026-11-24T00 on.',
    ]);
  });

  it('counts what ended, and says when it will be through; pauses are no part of its rate', () => {
    const state = new BackfillState(settings, now);
    state.planned(plan);
    const [a, b] = [state.begin(now), state.begin(now)];
    expect(state.mayStart).toBe(false);
    expect(progressLines(state.progress(now), now)).toEqual([
      '0 of 6 hours done',
      'running 2026-11-24T00, 2026-11-24T01',
    ]);
    state.ended(a, { outcome: 'started', hour: a, workflowId: 'w' }, now + 60_000);
    state.ended(b, { code: 'SourceNotFound', message: 'not there' }, now + 120_000);
    state.pause();
    // An hour later: it has worked for two minutes, and two hours ended.
    const later = now + 3_720_000;
    expect(state.progress(later)).toMatchObject({ perHour: 60, left: 4, mode: 'paused' });
    state.resume();
    state.begin(later);
    expect(progressLines(state.progress(later), later)).toEqual([
      '1 of 6 hours done, 1 failed; 60 an hour, through in about 4 min',
      'running 2026-11-24T02',
    ]);
    expect(state.details(later)).toContain('| 6 | 1 | 0 | 1 | 0 | 4 | 0 |');
  });

  it('goes on in the next execution where the one before was', () => {
    const state = new BackfillState(settings, now);
    state.planned(plan);
    state.ended(state.begin(now), { outcome: 'joined', hour: from, workflowId: 'w' }, now + 1_000);
    state.pause();
    const next = new BackfillState(settings, now + 5_000, JSON.parse(JSON.stringify(state.carried())));
    expect(next.progress(now + 5_000)).toEqual(state.progress(now + 5_000));
    next.resume();
    expect(next.begin(now)).toBe(hourAt(1));
  });

  it('says for which hours it waits before it goes on in a new history', () => {
    let full = false;
    const state = new BackfillState(settings, now, undefined, () => full);
    state.planned(plan);
    state.begin(now);
    const slow = state.begin(now);
    expect(state.progress(now).waiting).toBeUndefined();
    full = true;
    const waiting = `Waits for the end of ${from.slice(0, 13)} and 1 more before it starts more: its history is long enough, and it goes on in a new one.`;
    expect(state.progress(now)).toMatchObject({ waiting });
    expect(state.details(now)).toContain(waiting);
    expect(progressLines(state.progress(now), now)).toContain(waiting);
    state.ended(from, { outcome: 'joined', hour: from, workflowId: 'w' }, now);
    expect(state.progress(now).waiting).toContain(`end of ${slow.slice(0, 13)} before`);
    state.cancel();
    expect(state.progress(now).waiting).toBeUndefined();
  });

  it('ends as what it came to', () => {
    const state = new BackfillState(settings, now);
    state.planned({ ...plan, hours: [] });
    expect(state.through).toBe(true);
    expect(plain(reportLines(state.report(now)))).toEqual(['p completed: 0 hours, nothing was to be run']);
    const stopped = new BackfillState({ ...settings, stopAfter: 1 }, now);
    stopped.planned(plan);
    stopped.ended(stopped.begin(now), { code: 'SourceNotFound', message: 'not there' }, now + 60_000);
    expect(stopped.mayStart).toBe(false);
    expect(plain(reportLines(stopped.report(now + 60_000)))).toEqual([
      'p stopped: 6 hours, 0 done, 1 failed, 5 not started',
      '0 rows, 60 hours an hour',
    ]);
  });
});
