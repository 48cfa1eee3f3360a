import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { reportLines } from '../../src/client/cli/report-lines.ts';
import { sparkWork } from '../../src/connectors/spark/work.ts';
import { runReport } from '../helpers/operations.ts';

const tagOf = (session: string, operation: string): string =>
  `SparkConnect_OperationTag_User_sluice_Session_${session}_Operation_${operation}`;
const at = (second: number): string => `2026-11-26T03:00:${String(second).padStart(2, '0')}.000GMT`;
const job = (session: string, operation: string, stageIds: readonly number[], seconds: number) => ({
  ...{ jobTags: ['another', tagOf(session, operation)], submissionTime: at(0), completionTime: at(seconds), stageIds },
  ...{ numTasks: 5, numSkippedTasks: 1 },
});
const stage = (stageId: number, seconds: number, spilled = 0) => ({
  ...{ stageId, name: 'the plan with its constants', submissionTime: at(0), completionTime: at(seconds) },
  ...{ numTasks: 4, numFailedTasks: 0, executorRunTime: 1_500, inputBytes: 10 },
  ...{ shuffleReadBytes: 20, shuffleWriteBytes: 30, diskBytesSpilled: spilled },
});

describe('what Spark says of its jobs', () => {
  let server: Server | undefined;

  afterEach(() => new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined))));

  async function serve(answers: Readonly<Record<string, unknown>>): Promise<string> {
    server = createServer((request, response) => {
      const found = answers[(request.url ?? '').replace('/api/v1/', '')];
      response.writeHead(found === undefined ? 404 : 200).end(JSON.stringify(found));
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  const signal = AbortSignal.timeout(10_000);
  const steps = new Map([
    ['o1', 'judges rows'],
    ['o2', 'writes clean rows'],
  ]);

  it('is that of one session, the longest in front, and over all that were not listed', async () => {
    const { submissionTime: _skipped, ...skipped } = stage(4, 0);
    const ui = await serve({
      applications: [{ id: 'a' }],
      'applications/a/jobs': [job('s1', 'o1', [1, 4], 2), job('s1', 'o2', [2], 9), job('s2', 'o1', [3], 30)],
      'applications/a/stages': [stage(1, 2), stage(2, 8, 77), stage(3, 30), skipped],
    });
    const work = await sparkWork(ui, 's1', steps, signal);
    expect(work?.jobs).toEqual([
      { step: 'writes clean rows', ms: 9_000, stages: 1, tasks: 4 },
      { step: 'judges rows', ms: 2_000, stages: 2, tasks: 4 },
    ]);
    expect(work?.stages.map(({ step, stage, ms, spillBytes }) => [step, stage, ms, spillBytes])).toEqual([
      ['writes clean rows', 2, 8_000, 77],
      ['judges rows', 1, 2_000, 0],
    ]);
    expect(work?.all).toEqual({ jobs: 2, stages: 2, tasks: 8, shuffleBytes: 60, spillBytes: 77 });
    const lines = reportLines(
      runReport({ clean: { engine: 'spark', quality: [], rejectedBy: {}, ...(work ? { spark: work } : {}) } }),
    );
    expect(lines.join('\n')).toContain('2 jobs, 2 stages, 8 tasks; shuffled 60 B, spilled 77 B');
    expect(lines.find((line) => line.includes('writes clean rows'))).toMatch(/8\.0 s +4 tasks +ran 1\.5 s/);
  });

  it('is nothing where it knows no job of the session, or is another server', async () => {
    const ui = await serve({ applications: [{ id: 'a' }], 'applications/a/jobs': [], 'applications/a/stages': [] });
    expect(await sparkWork(ui, 's1', steps, signal)).toBeUndefined();
    await expect(sparkWork(`${ui}elsewhere`, 's1', steps, signal)).rejects.toThrow(/404/);
  });
});
