import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeTiming, type JudgedRun } from '../../src/stages/accounting/bottleneck.ts';
import { byCause, median, spreadOf } from '../../src/stages/accounting/time-spread.ts';
import { waitedOn, type ServerUse, type StageTimes, type WaitedOn } from '../../src/definition/timing.ts';
import type { StageTiming } from '../../src/stages/run-report.ts';

const begin = Date.parse('2026-11-24T03:00:00Z');

/** Times of which only what a test is about is not nothing. */
const times = (given: Partial<StageTimes>): StageTimes => ({
  ...{ queueMs: 0, runMs: 0, retryMs: 0, waitMs: 0, busyMs: 0, cpuMs: 0, failed: {}, on: {} },
  ...given,
});

const use = (ms: number, more: Partial<ServerUse> = {}): ServerUse => ({
  ...{ ms, requests: 1, longestMs: ms, bytes: 0 },
  ...more,
});

/** A run of these stages, one after the other. @param restMs what goes by between them */
function ran(stages: readonly (Omit<StageTiming, 'startedAt'> & { startedAt?: string })[], restMs = 0): JudgedRun {
  const took = stages.reduce((sum, { ms, times: spent }) => sum + ms + (spent?.heldMs ?? 0), restMs);
  return {
    startedAt: new Date(begin).toISOString(),
    endedAt: new Date(begin + took).toISOString(),
    stages: stages.map((stage) => ({ startedAt: new Date(begin).toISOString(), ...stage })),
  };
}

/** A healthy run: a second each, most of it work of its own. */
const healthy = (): JudgedRun =>
  ran([
    { stage: 'import', ms: 1_000, times: times({ runMs: 900, busyMs: 700, on: { source: use(100) } }) },
    { stage: 'clean', ms: 2_000, times: times({ runMs: 1_900, busyMs: 300, on: { engine: use(1_500) } }) },
    { stage: 'publish', ms: 1_000, times: times({ runMs: 900, busyMs: 300, on: { broker: use(500) } }) },
    { stage: 'land', ms: 500, times: times({ runMs: 100, busyMs: 50, on: { store: use(50) } }) },
    { stage: 'index', ms: 1_000, times: times({ runMs: 900, busyMs: 200, on: { search: use(600), store: use(50) } }) },
  ]);

const slowed = (stage: string, ms: number, spent: Partial<StageTimes>): JudgedRun => {
  const { stages } = healthy();
  return ran(stages.map((one) => (one.stage === stage ? { stage, ms, times: times(spent) } : one)));
};

describe('the bottleneck of a run', () => {
  const before = Array.from({ length: 24 }, healthy);
  const cases: readonly (readonly [string, JudgedRun, string])[] = [
    [
      'source',
      slowed('import', 9_000, { runMs: 9_000, on: { source: use(8_900) } }),
      'import waited 66 % of the run on the source; last 24 runs 2 %',
    ],
    [
      'broker',
      slowed('publish', 12_000, { runMs: 12_000, on: { broker: use(11_715) } }),
      'publish waited 71 % of the run on the broker; last 24 runs 9 %',
    ],
    [
      'search',
      slowed('index', 9_000, { runMs: 9_000, on: { search: use(8_000) } }),
      'index waited 59 % of the run on Elasticsearch; last 24 runs 11 %',
    ],
    [
      'processor',
      slowed('clean', 9_000, { runMs: 9_000, busyMs: 2_000, on: { engine: use(7_000) } }),
      'clean spent 72 % of the run on the worker’s own processor; last 24 runs 33 %',
    ],
    [
      'queue',
      slowed('clean', 9_000, { queueMs: 8_000, runMs: 1_000 }),
      'clean waited 64 % of the run for a free place on a worker; last 24 runs 0 %',
    ],
    [
      'retries',
      slowed('publish', 9_000, { retryMs: 8_000, runMs: 1_000, failed: { PublishInterrupted: 3 } }),
      'publish lost 59 % of the run to failed attempts (3 × PublishInterrupted); last 24 runs 0 %',
    ],
    [
      'consumer',
      slowed('land', 9_000, { runMs: 100 }),
      'land waited 64 % of the run on the consumer; last 24 runs 7 %',
    ],
    [
      'store',
      slowed('land', 9_000, { runMs: 100, consumerStoreMs: 7_000 }),
      'land waited 50 % of the run on the object store; last 24 runs less than 1 %',
    ],
    [
      'wait',
      slowed('land', 9_000, { waitMs: 8_000, waitedFor: 'the consumer of p is paused' }),
      'land waited 57 % of the run on purpose (the consumer of p is paused); last 24 runs 0 %',
    ],
    [
      'limit',
      slowed('publish', 9_000, { runMs: 9_000, on: { limit: use(8_000) } }),
      'publish waited 59 % of the run for publish.rowsPerSecond; last 24 runs 0 %',
    ],
    [
      'spark',
      slowed('clean', 9_000, { runMs: 9_000, on: { spark: use(8_500) } }),
      'clean waited 68 % of the run on Spark; last 24 runs 0 %',
    ],
  ];

  it.each(cases)('is named: %s', (cause, run, sentence) => {
    const { bottleneck } = judgeTiming(run, before);
    expect(bottleneck).toMatchObject({ cause, sentence });
    expect(bottleneck?.evidence[0]).toMatch(/^\w+ took .+, and .+ in the runs before \(median\)$/);
    expect(bottleneck?.suggestion).toMatch(/^\S.*\.$/);
  });

  it('is of the whole run where it is in many stages', () => {
    const everywhere = ['import', 'clean', 'index'].map((stage) => ({
      ...{ stage, ms: 2_000 },
      times: times({ runMs: 2_000, busyMs: 200, on: { store: use(1_700) } }),
    }));
    expect(judgeTiming(ran(everywhere), []).bottleneck).toMatchObject({
      cause: 'store',
      sentence: 'the run waited 85 % of its time on the object store, most of it in import and clean',
    });
  });

  it('says what made a run slower than the others, and nothing of one that is as they are', () => {
    expect(judgeTiming(healthy(), before).slower).toBeUndefined();
    const slow = slowed('publish', 12_000, { runMs: 12_000, on: { broker: use(11_500) } });
    expect(judgeTiming(slow, before).slower).toBe(
      'the run took 16.5 s, the last 24 runs 5.5 s; publish waited 11.0 s longer on the broker',
    );
    expect(judgeTiming(slow, before.slice(0, 2)).slower, 'two runs say nothing of what is usual').toBeUndefined();
  });

  it('tells a throttled broker from a slow one, and an Elasticsearch that refuses from one that works', () => {
    const throttled = slowed('publish', 9_000, { runMs: 9_000, on: { broker: use(8_000, { throttledMs: 7_000 }) } });
    const { bottleneck } = judgeTiming(throttled, before);
    expect(bottleneck?.evidence).toContain('the broker asked to hold back for 7.0 s: a quota');
    expect(bottleneck?.suggestion).toContain('quota');
    const refusing = slowed('index', 9_000, { runMs: 9_000, on: { search: use(8_000) } });
    const servers = { search: ['Elasticsearch: it refused 12 writes since the run before, as too many waited'] };
    const judged = judgeTiming(refusing, before, { servers }).bottleneck;
    expect(judged?.evidence).toEqual(expect.arrayContaining(servers.search));
    expect(judged?.suggestion).toContain('SLUICE_MAX_RUNS');
  });

  it('tells a worker that works from one whose machine others use', () => {
    const busy = (cpuMs: number): string | undefined =>
      judgeTiming(slowed('publish', 9_000, { runMs: 9_000, busyMs: 8_500, cpuMs }), before).bottleneck?.suggestion;
    expect(busy(9_500)).toContain('more processors');
    expect(busy(1_500)).toContain('Others use the processors');
  });

  it('makes nothing up for runs of older versions, whose stages say how long they took and no more', () => {
    const old = ran([
      { stage: 'import', ms: 1_000 },
      { stage: 'clean', ms: 5_000 },
    ]);
    expect(judgeTiming(old, []).bottleneck).toBeUndefined();
    const waiting = { ...old, endedAt: new Date(begin + 9_000).toISOString() };
    expect(judgeTiming(waiting, []).bottleneck, 'most of it is untold').toBeUndefined();
    const { bottleneck, usual } = judgeTiming(
      slowed('publish', 12_000, { runMs: 12_000, on: { broker: use(11_500) } }),
      [old, old],
    );
    expect(bottleneck?.usual).toBeUndefined();
    expect(bottleneck?.sentence).not.toContain('last');
    expect(usual).toEqual([
      { stage: 'import', runs: 2, ms: 1_000 },
      { stage: 'clean', runs: 2, ms: 5_000 },
    ]);
  });

  it('is nothing in a run that has ended before its first stage', () => {
    expect(judgeTiming(ran([]), before)).toMatchObject({ causes: {}, usual: [] });
  });
});

describe('what a stage usually takes', () => {
  it('is the median of the runs before, part by part, with its rate', () => {
    const runs = [1_000, 2_000, 9_000].map((ms) =>
      ran([{ stage: 'publish', ms, rows: 1_000, times: times({ runMs: ms - 100, queueMs: 100 }) }]),
    );
    expect(judgeTiming(runs[0] as JudgedRun, runs).usual).toEqual([
      {
        ...{ stage: 'publish', runs: 3, ms: 2_000, rowsPerSecond: 500 },
        parts: { queueMs: 100, runMs: 1_900, retryMs: 0, waitMs: 0 },
      },
    ]);
  });

  it('has a stage that a run went through twice once', () => {
    const twice = ran([
      { stage: 'slot', ms: 100, times: times({ waitMs: 90 }) },
      { stage: 'slot', ms: 300, times: times({ waitMs: 290 }) },
    ]);
    expect(judgeTiming(twice, [twice]).usual).toMatchObject([{ stage: 'slot', ms: 400, parts: { waitMs: 380 } }]);
  });
});

const anyMs = fc.integer({ min: -5, max: 20_000 });
const anyTimes: fc.Arbitrary<StageTimes> = fc
  .record({
    ...{ queueMs: anyMs, runMs: anyMs, retryMs: anyMs, waitMs: anyMs, busyMs: anyMs, cpuMs: anyMs, heldMs: anyMs },
    consumerStoreMs: anyMs,
    on: fc.dictionary(
      fc.constantFrom(...waitedOn),
      anyMs.map((ms) => use(ms)),
    ) as fc.Arbitrary<Partial<Record<WaitedOn, ServerUse>>>,
  })
  .map(times);
const anyRun: fc.Arbitrary<JudgedRun> = fc
  .tuple(
    fc.array(
      fc.record(
        { stage: fc.constantFrom('import', 'clean', 'land', 'index', 'quality'), ms: fc.nat(20_000), times: anyTimes },
        { requiredKeys: ['stage', 'ms'] },
      ),
      { maxLength: 8 },
    ),
    fc.integer({ min: -2_000, max: 5_000 }),
  )
  .map(([stages, rest]) => ran(stages, rest));

describe('whatever the workers say', () => {
  it('parts of a run are never negative, and together no more than it took', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const spread = spreadOf(run);
        expect(spread.parts.every(({ ms }) => ms > 0)).toBe(true);
        const sum = Object.values(byCause(spread)).reduce((total, ms) => total + ms, 0);
        expect(sum).toBeLessThanOrEqual(spread.totalMs + 1e-6);
        // Nothing of it is lost, either.
        expect(sum).toBeCloseTo(run.stages.length > 0 ? spread.totalMs : 0, 6);
      }),
    );
  });

  it('there is one bottleneck at most, its share at most the whole, and a sentence for it', () => {
    fc.assert(
      fc.property(anyRun, fc.array(anyRun, { maxLength: 5 }), (run, earlier) => {
        const { bottleneck } = judgeTiming(run, earlier);
        if (!bottleneck) return;
        expect(bottleneck.share).toBeGreaterThan(0);
        expect(bottleneck.share).toBeLessThanOrEqual(1);
        expect(bottleneck.sentence).not.toMatch(/undefined|NaN|Infinity/);
        expect(bottleneck.evidence.join()).not.toMatch(/undefined|NaN|Infinity/);
      }),
    );
  });

  it('the median is among the values', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1 }), (values) => {
        const middle = median(values) ?? Number.NaN;
        expect(middle).toBeGreaterThanOrEqual(Math.min(...values));
        expect(middle).toBeLessThanOrEqual(Math.max(...values));
        expect(values.filter((value) => value <= middle).length * 2).toBeGreaterThanOrEqual(values.length);
      }),
    );
    expect(median([])).toBeUndefined();
  });
});
