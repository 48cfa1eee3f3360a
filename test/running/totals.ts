import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';

/** What the tests of a run, or of a part of it, came to. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** False as well where a file failed before it had a test. */
  readonly success: boolean;
  /** Each test that failed, or file that did before it had one, as `file: test`. */
  readonly failures: readonly string[];
  /** Each test that was skipped, the same way. */
  readonly skips: readonly string[];
}

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/**
 * Reads vitest's JSON report.
 * @returns undefined where there is none, or half of one: vitest did not come to its end
 */
export async function readTotals(path: string, home = process.cwd()): Promise<Totals | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  let report: Report;
  try {
    report = JSON.parse(text) as Report;
  } catch {
    return undefined;
  }
  const which = (statuses: readonly string[]): string[] =>
    report.testResults.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter(({ status }) => statuses.includes(status))
        .map(({ fullName }) => `${relative(home, name)}: ${fullName}`),
    );
  const filesAlone = report.testResults
    .filter(
      ({ status, assertionResults }) => status === 'failed' && assertionResults.every((one) => one.status !== 'failed'),
    )
    .map(({ name, message }) => `${relative(home, name)}: ${message.split('\n')[0]}`);
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
    success: report.success,
    failures: [...which(['failed']), ...filesAlone],
    skips: which(['skipped', 'pending', 'todo', 'disabled']),
  };
}

export function sumOf(all: readonly Totals[]): Totals {
  const sum = (of: (one: Totals) => number): number => all.reduce((total, one) => total + of(one), 0);
  return {
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    skipped: sum(({ skipped }) => skipped),
    success: all.every(({ success }) => success),
    failures: all.flatMap(({ failures }) => failures),
    skips: all.flatMap(({ skips }) => skips),
  };
}
