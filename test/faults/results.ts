import { appendFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Verdict } from './checker.ts';
import { seed } from './lab.ts';

/** One line of the suite's table. */
export interface Result {
  readonly group: string;
  readonly scenario: string;
  readonly runs: number;
  readonly rows: number;
  readonly lost: number;
  readonly doubled: number;
  /** From the heal (the restart of what was killed) until the hour was complete; the longest of the runs. */
  readonly recoverySeconds?: number;
  /** Of a negative control: what the checker said of it. */
  readonly red?: string;
  readonly seed: number;
}

/** Appends a line to the results of this run, where they are asked for. */
export function record(result: Omit<Result, 'seed'>): void {
  const file = process.env['SLUICE_FAULTS_RESULTS'];
  if (file !== undefined && file !== '') appendFileSync(file, `${JSON.stringify({ ...result, seed })}\n`);
}

/** The verdict of an hour on which everything is where it should be, once. Lists what is not. */
export function expectWhole(verdict: Verdict): void {
  const wrong = verdict.hops.map(({ name, lost, doubled, strange }) => ({
    name,
    lost: lost.slice(0, 5),
    doubled: doubled.slice(0, 5),
    strange: strange.slice(0, 5),
  }));
  const nothing = { lost: [], doubled: [], strange: [] };
  expect(wrong).toEqual(verdict.hops.map(({ name }) => ({ name, ...nothing })));
  expect(verdict.problems).toEqual([]);
  expect(verdict.rows).toBeGreaterThan(0);
  expect(verdict.hops.map(({ rows }) => rows)).toEqual(verdict.hops.map(() => verdict.rows));
}

/** Records scenarios whose verdicts were whole. */
export function recordRuns(
  group: string,
  scenario: string,
  verdicts: readonly Verdict[],
  recoverySeconds?: number,
): void {
  const sum = (of: (verdict: Verdict) => number): number => verdicts.reduce((total, verdict) => total + of(verdict), 0);
  record({
    group,
    scenario,
    runs: verdicts.length,
    rows: sum(({ rows }) => rows),
    lost: sum(({ lost }) => lost),
    doubled: sum(({ doubled }) => doubled),
    ...(recoverySeconds === undefined ? {} : { recoverySeconds: Math.round(recoverySeconds * 10) / 10 }),
  });
}
