import { setImmediate } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { Chance } from '../../bench/anomalies/chance.ts';
import { World, type Hour } from '../../bench/anomalies/world.ts';
import { judgingActivities } from '../../src/activities/judging.ts';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { monitorRules } from '../../src/definition/incidents.ts';
import { isMuted, monitorOf, monitorsSchema, type Monitors } from '../../src/definition/monitors.ts';
import { parseDefinition } from '../../src/definition/parse.ts';
import { pipelineSchema, type Pipeline, type PipelineInput } from '../../src/definition/pipeline.ts';
import { unattended, type StageDeps } from '../../src/stages/deps.ts';
import { judgeRun, type Judged } from '../../src/stages/watching/judge-run.ts';
import { judge, type Judgement } from '../../src/stages/watching/judge.ts';
import { limitOf } from '../../src/stages/watching/limit.ts';
import { measuresOf, type HourMeasures } from '../../src/stages/watching/measures.ts';
import { middleWithout } from '../../src/stages/watching/robust.ts';
import { usualAt } from '../../src/stages/watching/usual.ts';

const sound: PipelineInput = {
  name: 'p',
  source: { url: 'https://example.org/a.csv' },
  columns: {
    ID: { name: 'id' },
    USAGE: { name: 'usage', type: 'decimal' },
    DAY: { name: 'day', type: 'date' },
  },
};
const monitors = (input: PipelineInput['monitors'] = {}): Monitors => monitorsSchema.parse(input);
/** Quick to learn. */
const quick = (more: PipelineInput['monitors'] = {}): Monitors =>
  monitors({ training: { runs: 5, span: '1h' }, acceptAfter: 6, ...more });

function problemsOf(section: object): string[] {
  const parsed = parseDefinition(stringify({ ...sound, monitors: section }));
  return 'problems' in parsed ? parsed.problems.map(({ path, message }) => `${path}: ${message}`) : [];
}

describe('the section monitors', () => {
  it('need not be there', () => {
    const { monitors: found } = pipelineSchema.parse(sound);
    expect(found).toMatchObject({ enabled: true, sensitivity: 'normal', training: { runs: 24, span: '7d' } });
  });

  it('names what is wrong, and what may have been meant', () => {
    expect(problemsOf({ missing: { columns: { usag: { max: 5 } } } })).toEqual([
      'monitors.missing.columns.usag: "usag" is no clean column. Did you mean "usage"?',
    ]);
    expect(problemsOf({ distribution: { columns: { day: {} } } })[0]).toContain('but "day" is a date');
    expect(problemsOf({ freshness: { columns: { usage: { max: '3h' } } } })[0]).toContain('needs a date, timestamp');
    expect(problemsOf({ rows: { min: 10, max: 5 } })).toEqual([
      'monitors.rows.min: 10 is above max (5): everything would be odd',
    ]);
    expect(problemsOf({ rows: { mute: { until: 'tomorrow' } } })[0]).toContain('must be a day or a moment in UTC');
    expect(problemsOf({ duration: { stages: { clen: {} } } })[0]).toContain('Did you mean "clean"?');
    expect(
      problemsOf({ rows: { mute: { until: '2026-12-01' }, sensitivity: 'low' }, duration: { max: '5m' } }),
    ).toEqual([]);
  });

  it('says more of a column than of all, and mutes for a time', () => {
    const said = monitors({
      missing: { max: 5, mute: true, columns: { usage: { max: 9, mute: { until: '2026-12-01' } } } },
    });
    expect(monitorOf(said, 'missing', 'id')).toMatchObject({ max: 5, mute: true });
    const usage = monitorOf(said, 'missing', 'usage');
    expect(usage.max).toBe(9);
    expect(isMuted(usage, Date.parse('2026-11-30T23:59:59Z'))).toBe(true);
    expect(isMuted(usage, Date.parse('2026-12-01T00:00:00Z'))).toBe(false);
    expect(monitorOf(said, 'missing', 'constructor')).toMatchObject({ max: 5 });
  });
});

describe('what is usual', () => {
  const hours = (count: number, y: (hour: number) => number) =>
    Array.from({ length: count }, (_, hour) => ({ hour, y: y(hour) }));

  it('knows the median of all but one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 2, maxLength: 9 }),
        fc.nat(),
        (values, pick) => {
          const sorted = values.toSorted((a, b) => a - b);
          const rank = pick % sorted.length;
          const rest = sorted.toSpliced(rank, 1);
          const half = rest.length >> 1;
          const middle = rest.length % 2 === 1 ? rest[half] : ((rest[half - 1] ?? 0) + (rest[half] ?? 0)) / 2;
          expect(middleWithout(sorted, rank)).toBe(middle);
        },
      ),
    );
  });

  it('finds the hour of the day, and of the week', () => {
    const daily = (hour: number): number => 10 + 3 * Math.sin((hour / 24) * 2 * Math.PI) + 0.01 * ((hour * 7_919) % 13);
    const found = usualAt(hours(10 * 24, daily), 10 * 24 + 6, 1e-6);
    expect(found.rhythm).toBe('day');
    expect(found.expected).toBeCloseTo(13, 0);
    const weekly = (hour: number): number => daily(hour) - (Math.floor(hour / 24) % 7 === 2 && hour % 24 > 12 ? 5 : 0);
    const saturday = usualAt(hours(28 * 24, weekly), 28 * 24 + 2 * 24 + 18, 1e-6);
    expect(saturday.rhythm).toBe('week');
    expect(saturday.expected).toBeCloseTo(daily(18) - 5, 0);
  });

  it('follows slow growth', () => {
    const found = usualAt(
      hours(28 * 24, (hour) => hour / 1_000 + 0.01 * ((hour * 7_919) % 13)),
      28 * 24,
      1e-6,
    );
    expect(Math.abs(found.expected - 0.672 - 0.06)).toBeLessThan(0.15);
    expect(found.limit).toBeLessThan(0.5);
  });

  it('allows more where the tail is heavy, and where less is known', () => {
    const normal = Float64Array.from({ length: 500 }, (_, at) =>
      Math.abs(Math.sqrt(-2 * Math.log((at + 0.5) / 500)) * Math.cos(at)),
    ).sort();
    const heavy = normal.map((deviation) => deviation ** 2);
    expect(limitOf(heavy, 1e-6).limit / limitOf(heavy, 1e-6).spread).toBeGreaterThan(
      limitOf(normal, 1e-6).limit / limitOf(normal, 1e-6).spread,
    );
    const few = normal.filter((_, at) => at % 20 === 0);
    expect(limitOf(few, 1e-6).limit).toBeGreaterThan(limitOf(normal, 1e-6).limit);
    expect(limitOf(normal, 1e-6).again).toBeLessThan(limitOf(normal, 1e-6).limit);
  });
});

const START = Date.parse('2026-11-02T00:00:00Z');
const hourAt = (n: number): string => toLogicalHour(START + n * 3_600_000);

/** A run with these values, each with a content of its own. */
const run = (n: number, values: Record<string, number>, more: Partial<HourMeasures> = {}): HourMeasures => ({
  ...{ version: 1, hour: hourAt(n), runId: `r${n}`, shape: 's', content: `c${n}`, odd: {} },
  values: { rows: 1_000, clean: 1_000, ...values },
  ...more,
});

/** Judges each run by those before it, as they come in. */
function judged(settings: Monitors, runs: readonly HourMeasures[]): Judgement[] {
  const history: HourMeasures[] = [];
  return runs.map((measures) => {
    const judgement = judge(settings, history, measures);
    const odd = Object.assign({}, ...judgement.verdicts.map((verdict) => verdict.odd)) as HourMeasures['odd'];
    history.push({ ...measures, odd, suspect: judgement.suspect });
    return judgement;
  });
}

const told = ({ verdicts }: Judgement): string[] =>
  verdicts.map(({ rule, subject }) => (subject === undefined ? rule : `${rule} ${subject}`));
const steady = (count: number, values: Record<string, number> = {}): HourMeasures[] =>
  Array.from({ length: count }, (_, n) => run(n, values));

describe('a run beside those before it', () => {
  it('is odd where a constant changes by more than the least, and explains itself', () => {
    const [halved] = judged(quick(), [...steady(30), run(30, { rows: 500 })]).slice(-1);
    expect(told(halved as Judgement)).toEqual(['rows read']);
    expect(halved?.verdicts[0]?.sentence).toBe(
      '500 rows were read, usually 1,000 (median of 30 runs, ±0): fell by 50 %.',
    );
    const little = judged(quick(), [...steady(30), run(30, { rows: 850 })]).at(-1);
    expect(little && told(little)).toEqual([]);
  });

  it('is judged by nothing before there are enough runs, but for fixed bounds', () => {
    const few = judged(monitors(), [...steady(30), run(30, { rows: 1 })]).at(-1);
    expect(few).toMatchObject({ verdicts: [], judged: 0 });
    expect(few?.learning).toBeGreaterThan(0);
    const bound = judged(monitors({ rows: { min: 900 } }), [run(0, { rows: 1 })]).at(-1);
    expect(bound?.verdicts).toMatchObject([
      { rule: 'rows', sentence: '1 rows were read; the bound that monitors.rows sets is 900.' },
    ]);
  });

  it('is not learnt from while it is odd, until that is the usual; then the old level is odd', () => {
    const low = (n: number): HourMeasures => run(n, { rows: 500 });
    const all = judged(quick(), [
      ...steady(30),
      ...Array.from({ length: 10 }, (_, at) => low(30 + at)),
      run(40, {}),
      run(41, {}),
    ]);
    expect(all.slice(30, 36).map(told)).toEqual(Array.from({ length: 6 }, () => ['rows read']));
    expect(all.slice(36, 40).flatMap(told)).toEqual([]);
    expect(all[36]?.clearings).toEqual([
      {
        rule: 'rows',
        subject: 'read',
        sentence: '500 rows were read: it has been so for 6 runs in a row, and is the usual from now on.',
      },
    ]);
    expect(all.slice(40).map(told)).toEqual([['rows read'], ['rows read']]);
  });

  it('ends a problem with the first run that is as usual', () => {
    const all = judged(quick(), [...steady(30), run(30, { rows: 300 }), run(31, {}), run(32, {})]);
    expect(all[31]?.clearings).toEqual([
      { rule: 'rows', subject: 'read', sentence: '1,000 rows were read, usually 1,000: as usual again.' },
    ]);
  });

  it('says nothing new of what is in the rows where its content is that of the hour before', () => {
    const same = Array.from({ length: 30 }, (_, n) => run(n, { 'missing/usage': 0 }, { content: 'same' }));
    expect(judged(quick(), same).at(-1)?.judged).toBeLessThanOrEqual(1);
    const after = judged(quick(), [...same, run(30, { 'missing/usage': 0.5 })]).at(-1);
    expect(after && told(after)).toEqual([]);
  });

  it('is not compared with runs of another definition', () => {
    const all = [...steady(30, { rejected: 0 }), run(30, { rejected: 0.5 }, { shape: 'other' })];
    expect(judged(quick(), all).at(-1)?.verdicts).toEqual([]);
  });

  it('has distinct values by its rows, unless they do not explain it', () => {
    const key = { 'distinct/id': 1_000, 'each/id': 1, 'present/id': 1_000 };
    const fewer = { rows: 500, clean: 500, 'distinct/id': 500, 'each/id': 1, 'present/id': 500 };
    expect(
      judged(quick(), [...steady(30, key), run(30, fewer)])
        .slice(-1)
        .map(told),
    ).toEqual([['rows read']]);
    const stuck = { 'distinct/id': 500, 'each/id': 0.5, 'present/id': 1_000 };
    expect(
      judged(quick(), [...steady(30, key), run(30, stuck)])
        .slice(-1)
        .map(told),
    ).toEqual([['distinct id']]);
  });

  it('tells of values that are new or gone, and of columns', () => {
    const plans = { basic: 600, plus: 300, Ünïque: 100 };
    const with_ = (n: number, of: Record<string, number>, header = ['A', 'B']): HourMeasures =>
      run(n, { 'missing/plan': 0 }, { categories: { plan: of }, header });
    const before = Array.from({ length: 30 }, (_, n) => with_(n, plans));
    const [, , found] = [
      0,
      0,
      judged(quick(), [...before, with_(30, { basic: 600, plus: 300, constructor: 100 }, ['A', 'C'])]).at(-1),
    ];
    expect(found && told(found).toSorted()).toEqual(['categories plan', 'schema']);
    expect(found?.verdicts.map(({ sentence }) => sentence)).toEqual([
      'In plan "constructor" (100 rows, 10 %) is new; "Ünïque" (usually 10 % of the rows) is gone; compared with 30 runs.',
      `The file's columns are others than in ${hourAt(29)}: "C" came; "B" went.`,
    ]);
  });

  it('needs the mean, or another quantile, to go along with one that leaps', () => {
    const flag = {
      'mean/usage': 0.24,
      'q0.05/usage': 0,
      'q0.25/usage': 0,
      'q0.5/usage': 0,
      'q0.75/usage': 0,
      'q0.95/usage': 1,
    };
    const before = Array.from({ length: 30 }, (_, n) => run(n, { ...flag, 'mean/usage': 0.24 + 0.01 * (n % 3) }));
    const leapt = judged(quick(), [...before, run(30, { ...flag, 'mean/usage': 0.255, 'q0.75/usage': 1 })]).at(-1);
    expect(leapt && told(leapt)).toEqual([]);
  });

  it('is judged alike in any unit', () => {
    const quantiles = (n: number, move: (value: number) => number): HourMeasures => {
      const noise = ((n * 7_919) % 17) / 100;
      const at = (value: number): number => move(value + noise);
      return run(n, { 'mean/usage': at(5), 'q0.25/usage': at(4), 'q0.5/usage': at(5), 'q0.75/usage': at(6) });
    };
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 1_000, noNaN: true }),
        fc.double({ min: -1e3, max: 1e3, noNaN: true }),
        fc.double({ min: -3, max: 3, noNaN: true }),
        (scale, shift, jump) => {
          const verdict = (move: (value: number) => number): string[] => {
            const before = Array.from({ length: 40 }, (_, n) => quantiles(n, move));
            return told(
              judge(
                quick(),
                before,
                quantiles(40, (value) => move(value + jump)),
              ),
            );
          };
          // What stands right at the edge may fall to either side by rounding.
          if (Math.abs(Math.abs(jump) - 0.4) < 0.5) return;
          expect(verdict((value) => value * scale + shift)).toEqual(verdict((value) => value));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('is never odd among its like', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.double({ min: 0, max: 1, noNaN: true }), (rows, share) => {
        const values = {
          rows,
          rejected: share,
          'missing/usage': share,
          'mean/usage': rows / 7,
          'q0.5/usage': share,
          lag: rows,
        };
        const all = judged(quick(), steady(12, values));
        expect(all.flatMap(told)).toEqual([]);
        expect(all.flatMap(({ clearings }) => clearings)).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a change that noise half hides', () => {
  const chance = new Chance(4);
  let drift = 0;
  /** Noise of some percent that lingers, and records that are behind in one run of twenty. */
  const noisy = (n: number, part = 1, behind?: number): HourMeasures => {
    drift = 0.5 * drift + 0.1 * chance.heavy();
    const rows = Math.round(10_000 * Math.exp(drift));
    const distinct = Math.round(rows ** 0.8 * Math.exp(0.02 * chance.heavy()) * part);
    const lag = behind ?? (chance.uniform() < 0.05 ? chance.whole(50, 700) : chance.whole(0, 40));
    return run(n, { rows, clean: rows, lag, 'distinct/user': distinct, 'each/user': distinct / rows });
  };
  const usual = Array.from({ length: 240 }, (_, n) => noisy(n));
  const next = (runs: readonly HourMeasures[]): string[][] =>
    judged(monitors(), [...usual, ...runs])
      .slice(usual.length)
      .map(told);

  it('in the number of rows is seen in how many different values they have', () => {
    expect(next([240, 241].map((n) => noisy(n, 0.7)))).toEqual([['distinct user'], ['distinct user']]);
    const [first] = judged(monitors(), [...usual, noisy(240, 0.7)]).at(-1)?.verdicts ?? [];
    expect(first?.sentence).toMatch(
      /^User has 1,\d{3} different values in \d?\d,\d{3} rows, usually 1,\d{3}.*: fell by (2|3)\d\.?\d* %\.$/,
    );
  });

  it('is odd in its second run, which the first does not hide', () => {
    expect(next([240, 241, 242].map((n) => noisy(n, 1, 1_700)))).toEqual([[], ['lag'], ['lag']]);
    // One alone is none, and is learnt from.
    expect(next([noisy(240, 1, 1_700), ...[241, 242].map((n) => noisy(n))])).toEqual([[], [], []]);
  });

  it('stays odd while it lasts, and is odd when it comes again: its first run is not learnt from either', () => {
    const lasting = Array.from({ length: 12 }, (_, at) => noisy(240 + at, 1, 1_700));
    const calm = Array.from({ length: 24 }, (_, at) => noisy(252 + at));
    const found = next([...lasting, ...calm, ...[276, 277].map((n) => noisy(n, 1, 1_700))]);
    expect(found).toEqual([[], ...Array<string[]>(11).fill(['lag']), ...calm.map(() => []), [], ['lag']]);
  });
});

describe('the end of a problem', () => {
  const over = ({ clearings }: Judgement): string[] =>
    clearings.map(({ rule, subject }) => (subject === undefined ? rule : `${rule} ${subject}`));
  const last = (settings: Monitors, runs: readonly HourMeasures[]): Judgement =>
    judged(settings, runs).at(-1) as Judgement;

  it('is told by a run that mends its own hour', () => {
    const now = run(30, {}, { before: ['rows', 'each/usage'] });
    expect(judge(quick(), steady(30), now).clearings).toEqual([
      { rule: 'rows', subject: 'read', sentence: '1,000 rows were read, usually 1,000: as usual again.' },
    ]);
    expect(over(judge(quick(), steady(30), { ...now, values: { ...now.values, rows: 300 } }))).toEqual([]);
  });

  it('is told however many runs could not judge it lie between', () => {
    const usage = { 'missing/usage': 0, 'distinct/usage': 9, 'mean/usage': 5 };
    const allNull = { 'missing/usage': 1 };
    const odd = run(30, { ...usage, 'mean/usage': 50 });
    const between = Array.from({ length: 40 }, (_, at) => run(31 + at, allNull));
    expect(
      over(last(quick({ missing: { mute: true } }), [...steady(30, usage), odd, ...between, run(71, usage)])),
    ).toContain('distribution usage');
    const weekly = Array.from({ length: 100 }, (_, at) => run(31 + at, {}, { content: 'c30' }));
    const few = run(30, { rows: 300 });
    expect(over(last(quick(), [...steady(30), few, ...weekly, run(131, {})]))).toContain('rows read');
  });

  it('is told in 24 runs that could judge it, and in no more', () => {
    const after = Array.from({ length: 30 }, (_, at) => run(31 + at, {}));
    const all = judged(quick(), [...steady(30), run(30, { rows: 300 }), ...after]);
    expect(all.slice(31).map((one) => over(one).length)).toEqual([
      ...Array<number>(24).fill(1),
      ...Array<number>(6).fill(0),
    ]);
  });

  it('is not told of unchanged content by a late run, which says nothing of it', () => {
    const odd = run(30, {}, { content: 'c29', odd: { unchanged: 0 } });
    const history = [...steady(30), odd];
    expect(over(judge(quick(), history, run(31, {}, { late: true })))).toEqual([]);
    expect(over(judge(quick(), history, run(31, {})))).toEqual(['unchanged']);
  });

  it('is told of a column that is gone, but not by a run without a row', () => {
    const usage = { 'missing/usage': 0, 'missing/plan': 0 };
    const history = [
      ...steady(30, usage),
      run(30, { ...usage, 'missing/usage': 0.9 }, { odd: { 'missing/usage': 0 } }),
    ];
    const empty = run(31, { rows: 0, clean: 0 }, { header: ['USAGE', 'PLAN'] });
    expect(over(judge(quick(), history, empty))).not.toContain('missing usage');
    expect(judge(quick(), history, run(31, { 'missing/plan': 0 }, { header: ['PLAN'] })).clearings).toEqual([
      {
        ...{ rule: 'missing', subject: 'usage' },
        sentence: 'Missing of usage is not watched any more: the run has no such column.',
      },
    ]);
  });

  it('is told where a column has more values than are listed, but not where it has none', () => {
    const plan = { 'missing/plan': 0, 'distinct/plan': 2 };
    const of = { categories: { plan: { basic: 600, plus: 400 } } };
    const history = Array.from({ length: 30 }, (_, n) => run(n, plan, of));
    history.push(run(30, plan, { ...of, odd: { 'categories/plan': 0 } }));
    expect(judge(quick(), history, run(31, { ...plan, 'distinct/plan': 2 })).clearings).toEqual([
      {
        ...{ rule: 'categories', subject: 'plan' },
        sentence:
          'Categories of plan is not watched any more: the column has more values, or longer ones, than are listed.',
      },
    ]);
    expect(over(judge(quick(), history, run(31, { 'missing/plan': 1 })))).toEqual([]);
  });
});

describe('a run that is judged', () => {
  /** What the stage asks of the object store. */
  function inMemory() {
    const objects = new Map<string, Buffer>();
    const store = {
      put: async (key: string, bytes: Buffer) => {
        objects.set(key, bytes);
        return { uri: key, sha256: '', bytes: bytes.length };
      },
      findJson: async (key: string) => {
        const bytes = objects.get(key);
        return bytes && (JSON.parse(bytes.toString()) as unknown);
      },
      async *list(prefix: string, after = '') {
        for (const key of [...objects.keys()].toSorted()) {
          if (key.startsWith(prefix) && key > after) yield { key, bytes: 0, lastModified: new Date(0) };
        }
      },
    };
    const log = { watermarks: async () => Promise.reject(new Error('away')) };
    return { objects, deps: { store, log } as unknown as Pick<StageDeps, 'store' | 'log'> };
  }

  const pipeline = pipelineSchema.parse({
    ...sound,
    name: 'made-up',
    monitors: { training: { runs: 5, span: '1h' }, missing: { columns: { usage: { mute: true } } } },
  });

  it('keeps its measures, and says the same when it is judged again; a late one is judged by those before it', async () => {
    const { objects, deps } = inMemory();
    const world = new World(7, [
      { kind: 'rows', from: 30, to: 32, size: 0.1 },
      { kind: 'missing', from: 30, to: 32, size: 0.5, subject: 'usage' },
    ]);
    const results = [];
    for (let n = 0; n < 33; n++) {
      const hour = world.hour(n);
      if (!hour) continue;
      const report = { ...hour.report, batches: { main: `b${n}` } };
      objects.set(
        `runs/made-up/${report.hour.slice(0, 13)}/batches/b${n}/report.json`,
        Buffer.from(JSON.stringify(hour.cleaned)),
      );
      const input = { pipeline, report };
      const found = await judgeRun(deps, input, unattended);
      expect(await judgeRun(deps, input, unattended)).toEqual(found);
      results.push(found);
    }
    const odd = results.at(-3);
    expect(odd?.anomalies.map(({ rule, subject, severity, muted }) => ({ rule, subject, severity, muted }))).toEqual([
      { rule: 'rows', subject: 'read', severity: 'critical', muted: undefined },
      { rule: 'missing', subject: 'usage', severity: 'warning', muted: true },
    ]);
    expect(odd?.observations).toMatchObject([
      { pipeline: 'made-up', rule: 'rows', subject: 'read', occurrence: odd?.observations[0]?.hour },
    ]);
    expect(odd?.clearings).toMatchObject([
      { rule: 'missing', subject: 'usage', sentence: 'monitors.missing is muted.' },
    ]);
    expect(results.at(-1)?.clearings.map(({ rule, subject }) => `${rule} ${subject ?? ''}`)).toContain('rows read');
    const bytes = [...objects].filter(([key]) => key.startsWith('watching/')).map(([, value]) => value.length);
    expect(bytes).toHaveLength(33);
    expect(Math.max(...bytes)).toBeLessThan(8_000);
  });

  /** Judges hours of a world in the order given, each as a run of its own. */
  async function runs(
    deps: ReturnType<typeof inMemory>,
    order: readonly { readonly n: number; readonly hour: Hour; readonly startedAt?: string }[],
    definition: Pipeline = pipeline,
  ) {
    const found = [];
    for (const [at, { n, hour, startedAt = hour.report.startedAt }] of order.entries()) {
      const report = { ...hour.report, runId: `run-${n}-${at}`, startedAt, batches: { main: 'b' } };
      deps.objects.set(
        `runs/made-up/${report.hour.slice(0, 13)}/batches/b/report.json`,
        Buffer.from(JSON.stringify(hour.cleaned)),
      );
      found.push(await judgeRun(deps.deps, { pipeline: definition, report }, unattended));
    }
    return found;
  }
  const worldOf = (problems: ConstructorParameters<typeof World>[1]) => {
    const world = new World(7, problems);
    return Array.from({ length: 33 }, (_, n) => ({ n, hour: world.hour(n) as Hour }));
  };
  const halved = [{ kind: 'rows', from: 30, to: 31, size: 0.1 }] as const;

  it('ends what an earlier run of its hour told, where it mends the hour', async () => {
    const memory = inMemory();
    const odd = worldOf(halved).slice(0, 31);
    const mended = worldOf([])[30] as (typeof odd)[number];
    const found = await runs(memory, [...odd, mended]);
    expect(found.at(-2)?.observations.map(({ rule }) => rule)).toEqual(['rows']);
    expect(found.at(-1)?.anomalies).toEqual([]);
    expect(found.at(-1)?.clearings).toMatchObject([{ rule: 'rows', subject: 'read', hour: mended.hour.report.hour }]);
  });

  it('tells nobody of an old hour that is done again once later ones have been judged', async () => {
    const all = worldOf(halved);
    const again = all[30] as (typeof all)[number];
    const late = { ...again, startedAt: '2026-06-20T00:00:00Z' };
    const [afterwards, soon] = [await runs(inMemory(), [...all, late]), await runs(inMemory(), [...all, again])];
    for (const done of [afterwards.at(-1), soon.at(-1)]) {
      expect(done?.anomalies.map(({ rule }) => rule)).toEqual(['rows']);
      expect(done?.observations).toEqual([]);
    }
    // The newest hour is told however late it runs, and an hour that was never judged where it is not late.
    const newest = await runs(inMemory(), [...all.slice(0, 30), late]);
    expect(newest.at(-1)?.observations).toHaveLength(1);
    const held = await runs(inMemory(), [...all.slice(0, 30), ...all.slice(31), again]);
    expect(held.at(-1)?.observations).toHaveLength(1);
  });

  it('is not waited for where the store is silent, and keeps nothing once nobody waits', async () => {
    const { objects, deps } = inMemory();
    let wake = (): void => {};
    const asleep = new Promise<void>((resolve) => (wake = resolve));
    const silent = {
      ...deps.store,
      findJson: () => asleep,
      put: (...args: Parameters<typeof deps.store.put>) => deps.store.put(...args),
    };
    const { judgeRun: activity } = judgingActivities({ ...deps, store: silent } as unknown as StageDeps, 20);
    const { report } = (worldOf([])[0] as { hour: Hour }).hour;
    const found = (await new MockActivityEnvironment().run(activity, { pipeline, report })) as Judged;
    expect(found).toEqual({ anomalies: [], observations: [], clearings: [], failed: 'it took longer than 0.02 s.' });
    wake();
    await setImmediate();
    expect([...objects.keys()]).toEqual([]);
  });

  it('ends all that monitors told where they are switched off', async () => {
    const off = pipelineSchema.parse({ ...sound, name: 'made-up', monitors: { enabled: false } });
    const memory = inMemory();
    const [found] = await runs(memory, worldOf([]).slice(0, 1), off);
    expect(found).toMatchObject({ anomalies: [], observations: [] });
    expect(found?.watched).toBeUndefined();
    expect(found?.clearings.map(({ rule, subject }) => [rule, subject])).toEqual(
      monitorRules.map((rule) => [rule, undefined]),
    );
    expect(found?.clearings[0]).toMatchObject({ pipeline: 'made-up', sentence: 'monitors.enabled is false.' });
    expect([...memory.objects.keys()].filter((key) => key.startsWith('watching/'))).toEqual([]);
  });

  it('keeps little of a file with very many columns, and tells little of them', () => {
    const { report, cleaned } = new World(7).hour(0) ?? {};
    if (!report || !cleaned) throw new Error('no run');
    const of = (n: number, header: readonly string[]): HourMeasures => ({
      ...run(n, {}),
      ...measuresOf({ report, shape: 's', cleaned: { ...cleaned, schema: { ...cleaned.schema, header } } }),
      ...{ hour: hourAt(n), content: `c${n}` },
    });
    const names = Array.from({ length: 3_000 }, (_, at) => `COLUMN_${at}_${'x'.repeat(at % 2 === 0 ? 0 : 200)}`);
    expect(JSON.stringify(of(0, names).header).length).toBeLessThan(60_000);
    const schema = (header: readonly string[]) => judge(quick(), [of(0, names)], of(1, header)).verdicts;
    expect(schema(names)).toEqual([]);
    expect(schema(names.with(2_999, 'OTHER'))).toMatchObject([{ rule: 'schema' }]);
    expect(schema(names.with(1, `${names[1]}y`))).toMatchObject([{ rule: 'schema' }]);
    const [came] = schema(names.map((name) => `NEW_${name}`))[0]?.facts ?? [];
    expect(came?.value).toMatch(/^NEW_COLUMN_0_, .* and 481 more$/);
    expect(came?.value.split(', ')).toHaveLength(20);
  });

  it('took no longer for a consumer that somebody paused', () => {
    const { report, cleaned } = new World(7).hour(0) ?? {};
    if (!report || !cleaned) throw new Error('no run');
    const waited = { waitMs: 3_590_000, waitedFor: 'the consumer of p is paused' };
    const times = { ...waited, queueMs: 0, runMs: 900, retryMs: 0, busyMs: 5, cpuMs: 5, on: {}, failed: {} };
    const land = { stage: 'land', startedAt: report.startedAt, ms: 3_600_000, times };
    const measures = measuresOf({ report: { ...report, stages: [land] }, shape: 's', cleaned });
    expect(measures.values['duration/land']).toBe(10);
  });

  it('of a backfill says nothing of time', () => {
    const { report, cleaned } = new World(7).hour(0) ?? {};
    if (!report || !cleaned) throw new Error('no run');
    const now = measuresOf({ report, shape: 's', cleaned, lag: 5 });
    expect(now.values).toMatchObject({
      lag: 5,
      'duration/clean': expect.any(Number) as number,
      'age/observed': expect.any(Number) as number,
    });
    const late = measuresOf({ report: { ...report, startedAt: '2026-07-01T00:00:00Z' }, shape: 's', cleaned, lag: 5 });
    expect(Object.keys(late.values).filter((key) => /^(lag|duration|age)/.test(key))).toEqual([]);
    expect(late.values['rows']).toBe(now.values['rows']);
  });
});
