import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { reportActivities } from '../../src/activities/reports.ts';
import type { StageDeps } from '../../src/stages/deps.ts';
import type { RunReport } from '../../src/stages/run-report.ts';

const report: RunReport = {
  ...{ pipeline: 'p', hour: '2026-11-24T03:00:00Z', workflowId: 'w', runId: 'r', outcome: 'failed', stages: [] },
  ...{ startedAt: '2026-11-24T03:05:00Z', endedAt: '2026-11-24T03:06:00Z' },
} as unknown as RunReport;

describe('the report of a run', () => {
  it('is stored although the logs of servers cannot be read', async () => {
    const kept: string[] = [];
    const put = async (key: string, bytes: Buffer) => {
      kept.push(String(bytes));
      return { uri: `s3://b/${key}`, sha256: '', bytes: bytes.length };
    };
    // All else is away, too.
    const deps = {
      store: { put },
      serverLogs: { all: () => Promise.reject(new RangeError('Invalid time value')) },
    } as unknown as StageDeps;
    const activity = new MockActivityEnvironment();
    const stored = await activity.run(reportActivities(deps, 10).writeReport, report);
    expect(stored).toMatchObject({ uri: 's3://b/runs/p/2026-11-24T03/attempts/r/run.json' });
    expect(kept.map((text) => JSON.parse(text) as unknown)).toEqual([report]);
  });
});
