import type { Incident } from '../../src/definition/incidents.ts';
import type { Anomaly, RunReport } from '../../src/stages/run-report.ts';

const counts = { read: 100, clean: 90, duplicates: 4, filtered: 1, rejected: 5 };
const means = { read: 9, clean: 9, duplicates: 0, filtered: 0, rejected: 0 };

/** The report of a run of two data sets, of which one's equation does not hold. */
export function runReport(other: Partial<RunReport> = {}): RunReport {
  return {
    pipeline: 'broadband',
    hour: '2026-11-24T03:00:00Z',
    workflowId: 'pipeline/broadband/2026-11-24T03:00:00Z',
    runId: 'r1',
    outcome: 'completed',
    startedAt: '2026-11-24T03:00:10.000Z',
    endedAt: '2026-11-24T03:01:00.000Z',
    stages: [
      { stage: 'prepare', startedAt: '2026-11-24T03:00:10.000Z', ms: 1_000 },
      { stage: 'import', startedAt: '2026-11-24T03:00:11.000Z', ms: 2_000, rows: 100 },
      { stage: 'clean', startedAt: '2026-11-24T03:00:13.000Z', ms: 30_000, rows: 100 },
    ],
    clean: {
      engine: 'duckdb',
      quality: [],
      rejectedBy: { 'amount range': 3, 'id required': 2 },
      datasets: { main: { rows: counts, sha256: 'ab' }, means: { rows: means, sha256: 'cd' } },
    },
    generations: { main: 1, means: 1 },
    batches: { main: 'b1', means: 'b2' },
    equations: [
      { dataset: 'main', rows: { ...counts, published: 90, landed: 90, indexed: 90 }, holds: true },
      {
        ...{ dataset: 'means', rows: { ...means, published: 9, landed: 9, indexed: 8 }, holds: false },
        broken: 'landed 9 → indexed 8',
      },
    ],
    ...other,
  };
}

/** Two things that monitors found odd: one in numbers, which somebody is told of, and one without, which is muted. */
export const someAnomalies: readonly Anomaly[] = [
  {
    ...{ rule: 'rows', subject: 'read', severity: 'critical', sentence: '16 rows were read, usually 100.' },
    facts: [
      { name: 'found', value: '16' },
      { name: 'off by', value: '12 usual deviations' },
    ],
    numbers: { found: 16, expected: 100, deviations: 12, runs: 48 },
  },
  { ...{ rule: 'schema', severity: 'warning', sentence: "The file's columns are others.", muted: true } },
];

/** An incident of two runs that failed. */
export function someIncident(other: Partial<Incident> = {}): Incident {
  const { pipeline = 'broadband', rule = 'run-failed', subject = 'SourceNotFound' } = other;
  return {
    ...{ id: `incident/${pipeline}/${rule}/${subject}`, pipeline, rule, subject, severity: 'critical', state: 'open' },
    ...{ openedAt: '2026-11-24T03:00:00.000Z', lastSeenAt: '2026-11-24T04:00:00.000Z', occurrences: 2 },
    hours: ['2026-11-24T03:00:00Z', '2026-11-24T04:00:00Z'],
    ...{ sentence: 'There is no such file.', facts: [] },
    ...other,
  };
}
