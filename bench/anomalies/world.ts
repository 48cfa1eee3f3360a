import { toLogicalHour } from '../../src/definition/hour.ts';
import type { ColumnProfile, CleanReport } from '../../src/stages/cleaning/clean-report.ts';
import type { RunReport } from '../../src/stages/run-report.ts';
import { Chance } from './chance.ts';
import type { Problem } from './problems.ts';

// A made-up pipeline: hourly reports as runs write them, with a daily and a weekly rhythm, slow growth, and noise that is heavier than normal.

const HOUR_MS = 3_600_000;
const FIRST = Date.parse('2026-06-01T00:00:00Z');
const STAGES = { import: 25, clean: 40, publish: 35, land: 12, index: 45, reconcile: 6 };
const STATES = ['CA', 'TX', 'FL', 'NY', 'PA', 'IL', 'OH', 'GA', 'NC', 'MI', 'NJ', 'VA'];
const PLANS = ['basic', 'plus', 'family', 'business'];

/** What a run is measured by. */
export interface Hour {
  readonly report: RunReport;
  readonly cleaned: CleanReport;
  readonly lag: number;
}

/** How things usually are in a world, drawn once. */
interface Nature {
  readonly rows: number;
  readonly daily: number;
  readonly weekend: number;
  readonly growth: number;
  readonly noise: number;
  readonly rejected: number;
  readonly missing: number;
  readonly usage: number;
  readonly amount: number;
  readonly states: readonly number[];
  readonly plans: readonly number[];
  readonly pace: number;
}

export class World {
  readonly #chance: Chance;
  readonly #nature: Nature;
  readonly #problems: readonly Problem[];
  #drift = 0;
  #content = 0;
  #newest = 0;

  constructor(seed: number, problems: readonly Problem[] = []) {
    const chance = new Chance(seed);
    this.#chance = chance;
    this.#problems = problems;
    this.#nature = {
      rows: Math.exp(chance.between(Math.log(4_000), Math.log(60_000))),
      daily: chance.between(0.15, 0.6),
      weekend: chance.between(0.5, 0.9),
      growth: chance.between(-0.001, 0.004),
      noise: chance.between(0.02, 0.05),
      rejected: chance.between(0.002, 0.01),
      missing: chance.between(0.005, 0.04),
      usage: chance.between(0.3, 0.6),
      amount: chance.between(20, 200),
      states: STATES.map((_, at) => (1 / (at + 2)) * chance.between(0.7, 1.3)),
      plans: PLANS.map((_, at) => (1 / (at + 1)) * chance.between(0.7, 1.3)),
      pace: chance.between(0.7, 1.5),
    };
  }

  /** The next hour, in order; undefined where none was run. @param n hours since the first */
  hour(n: number): Hour | undefined {
    const chance = this.#chance;
    const hit = (kind: Problem['kind']): Problem | undefined =>
      this.#problems.find((problem) => problem.kind === kind && n >= problem.from && n < problem.to);
    const at = FIRST + n * HOUR_MS;
    const nature = this.#nature;
    this.#drift = 0.5 * this.#drift + nature.noise * chance.heavy();
    if (!hit('unchanged') && (n === 0 || chance.uniform() > 0.03)) this.#content = n;
    if (!hit('freshness')) this.#newest = at - chance.between(5, 40) * 60_000;
    const read = Math.max(1, Math.round(this.#volume(n) * Math.exp(this.#drift) * (hit('rows')?.size ?? 1)));
    const cleaned = this.#clean(n, read, hit);
    const slow = hit('duration');
    const stages = Object.entries(STAGES).map(([stage, seconds]) => {
      const spike = chance.uniform() < 0.01 ? chance.between(1.3, 1.9) : 1;
      const load = 0.4 + (0.6 * read) / nature.rows;
      const late = slow?.subject === stage ? slow.size : 1;
      const ms = seconds * 1_000 * nature.pace * load * Math.exp(0.12 * chance.heavy()) * spike * late;
      return { stage, startedAt: new Date(at).toISOString(), ms: Math.round(ms) };
    });
    const lag = hit('lag')?.size ?? (chance.uniform() < 0.05 ? chance.whole(50, 700) : chance.whole(0, 40));
    // What was not run leaves a gap, and the rest of the world goes on all the same.
    if (chance.uniform() < 0.004 && !this.#problems.some(({ from, to }) => n >= from && n < to)) return undefined;
    return { report: this.#report(n, cleaned, stages), cleaned, lag };
  }

  #volume(n: number): number {
    const { rows, daily, weekend, growth } = this.#nature;
    const [day, clock] = [Math.floor(n / 24) % 7, n % 24];
    const rest = day >= 5;
    // Weekends begin later in the day, so their hours are no mere part of a working day's.
    const swing = daily * Math.sin(((clock - (rest ? 10 : 7)) / 24) * 2 * Math.PI);
    return rows * Math.exp(swing + (growth * n) / 24) * (rest ? weekend : 1);
  }

  #clean(n: number, read: number, hit: (kind: Problem['kind']) => Problem | undefined): CleanReport {
    const chance = this.#chance;
    const nature = this.#nature;
    const share = (usual: number): number => usual * Math.exp(0.15 * chance.heavy());
    const rejected = chance.binomial(read, Math.min(0.9, share(nature.rejected) + (hit('rejected')?.size ?? 0)));
    const duplicates = chance.binomial(read - rejected, share(0.02));
    const filtered = chance.binomial(read - rejected - duplicates, share(0.01));
    const clean = read - rejected - duplicates - filtered;
    const gone = hit('missing');
    const lost = (column: string): number => (gone?.subject === column ? gone.size : 0);
    const missing = {
      id: 0,
      usage: chance.binomial(clean, share(nature.missing) + lost('usage')),
      amount: chance.binomial(clean, lost('amount')),
      tries: 0,
      state: chance.binomial(clean, 0.002 + lost('state')),
      plan: 0,
      customer: 0,
      observed: 0,
    };
    const moved = hit('distribution');
    const swing = 0.03 * Math.sin((n / 24) * 2 * Math.PI) + 0.004 * chance.heavy();
    const usage = { mean: nature.usage + swing + (moved?.subject === 'usage' ? moved.size * 0.24 : 0), spread: 0.18 };
    const times = Math.exp(0.02 * chance.heavy()) * (moved?.subject === 'amount' ? 1 + moved.size : 1);
    const customers = clean ** 0.8 * Math.exp(0.02 * chance.heavy()) * (hit('distinct')?.size ?? 1);
    const profile: ColumnProfile[] = [
      { name: 'id', type: 'string', missing: 0, distinct: clean, top: [] },
      this.#numbers('usage', clean - missing.usage, missing.usage, (z) => usage.mean + usage.spread * z, 0.18),
      this.#numbers(
        'amount',
        clean - missing.amount,
        missing.amount,
        (z) => nature.amount * times * Math.exp(0.8 * z),
        nature.amount,
      ),
      this.#numbers('tries', clean, 0, (z) => Math.max(0, Math.round(1.2 + 1.1 * z)), 1),
      this.#texts('state', STATES, nature.states, clean - missing.state, missing.state, hit),
      this.#texts('plan', PLANS, nature.plans, clean, 0, hit),
      { name: 'customer', type: 'string', missing: 0, distinct: Math.round(customers), top: [] },
      {
        ...{ name: 'observed', type: 'timestamp', missing: 0, distinct: clean, top: [] },
        ...{ max: new Date(this.#newest).toISOString(), min: new Date(this.#newest - HOUR_MS).toISOString() },
      },
    ];
    const schema = hit('schema');
    const header = profile.map(({ name }) => name.toUpperCase());
    if (schema?.subject === 'came') header.push('EXTRA');
    if (schema?.subject === 'went') header.splice(header.indexOf('CUSTOMER'), 1);
    return {
      ...{
        pipeline: 'made-up',
        engine: 'duckdb',
        rejectedBy: {},
        fills: {},
        unknownColumns: [],
        mended: 0,
        seenBefore: 0,
      },
      rows: { read, clean, duplicates, filtered, rejected },
      ...{ missing, quality: [], profile, timings: {} },
      schema: { header, columns: profile.map(({ name, type }) => ({ name, type })) },
    };
  }

  /** What so many numbers of a distribution come to. @param at the value at so many standard deviations of a normal one */
  #numbers(name: string, rows: number, missing: number, at: (z: number) => number, size: number): ColumnProfile {
    const chance = this.#chance;
    const off = (wider: number): number => (wider * size * chance.normal()) / Math.sqrt(Math.max(1, rows));
    const zs = { '0.05': -1.645, '0.25': -0.674, '0.5': 0, '0.75': 0.674, '0.95': 1.645 };
    const steps = Array.from({ length: 199 }, (_, step) => at(((step - 99) / 99) * 3.3));
    const weights = steps.map((_, step) => Math.exp(-((((step - 99) / 99) * 3.3) ** 2) / 2));
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    const mean = steps.reduce((sum, value, step) => sum + (value * (weights[step] ?? 0)) / all, 0);
    const whole = Number.isInteger(at(0.1234));
    const quantiles = Object.entries(zs).map(([share, z]) => {
      const value = at(z) + off(1.5);
      return [share, String(whole ? Math.round(value) : value)];
    });
    const distinct = whole ? 6 : Math.round(rows * 0.7);
    return {
      ...{ name, type: whole ? 'integer' : 'decimal', missing, distinct, top: [] },
      ...{ mean: mean + off(1), quantiles: Object.fromEntries(quantiles) as Record<string, string> },
    };
  }

  #texts(
    name: string,
    values: readonly string[],
    usual: readonly number[],
    rows: number,
    missing: number,
    hit: (kind: Problem['kind']) => Problem | undefined,
  ): ColumnProfile {
    const weights = new Map(
      values.map((value, at) => [value, (usual[at] ?? 0) * Math.exp(0.03 * this.#chance.heavy())]),
    );
    const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
    for (const kind of ['categories', 'mix'] as const) {
      const problem = hit(kind);
      if (problem?.subject !== name) continue;
      if (kind === 'mix') weights.set(values[1] ?? '', (weights.get(values[1] ?? '') ?? 0) + problem.size * total);
      else if (problem.size > 0) weights.set('unheard of', problem.size * total);
      else weights.delete(values[2] ?? '');
    }
    const sum = [...weights.values()].reduce((all, weight) => all + weight, 0);
    const top = [...weights]
      .map(([value, weight]) => ({ value, rows: this.#chance.binomial(rows, weight / sum) }))
      .filter((one) => one.rows > 0)
      .toSorted((a, b) => b.rows - a.rows);
    return { name, type: 'string', missing, distinct: top.length, top };
  }

  #report(n: number, { rows }: CleanReport, stages: RunReport['stages']): RunReport {
    const at = FIRST + n * HOUR_MS;
    const startedAt = new Date(at + 60_000).toISOString();
    const sha256 = `content ${this.#content}`;
    return {
      ...{
        pipeline: 'made-up',
        hour: toLogicalHour(at),
        workflowId: `pipeline/made-up/${toLogicalHour(at)}`,
        runId: `run-${n}`,
      },
      ...{ outcome: 'completed', startedAt, endedAt: new Date(at + 300_000).toISOString(), stages },
      source: {
        ...{ address: 'made up', fetchedAt: startedAt, replayed: false, unknownColumns: [] },
        raw: { uri: `s3://made-up/${n}`, sha256, bytes: rows.read * 80 },
      },
      clean: { engine: 'duckdb', quality: [], rejectedBy: {}, datasets: { main: { rows, sha256 } } },
      ...{ generations: {}, batches: {}, equations: [] },
    };
  }
}
