import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inLanes, jobs, lanesOf, namesProjects } from '../running/jobs.ts';
import { readTotals, sumOf } from '../running/totals.ts';
import config from '../../vitest.config.ts';

const GB = 2 ** 30;
const never = new AbortController().signal;

describe('the jobs of npm test', () => {
  it('are all the projects that there are, each once', () => {
    const { projects } = (config as { test: { projects: { test: { name: string } }[] } }).test;
    const names = projects.map(({ test }) => test.name);
    expect(jobs.flatMap((job) => job.projects).toSorted()).toEqual(names.toSorted());
  });

  it('run two at once where there are two cores and the memory for it, and nobody says otherwise', () => {
    expect(lanesOf({}, { cores: 2, memory: 16 * GB })).toEqual({ lanes: 2 });
    expect(lanesOf({}, { cores: 1, memory: 16 * GB })).toMatchObject({ lanes: 1 });
    expect(lanesOf({}, { cores: 8, memory: 7 * GB })).toEqual({ lanes: 1, why: expect.stringMatching(/^7\.0 GB/) });
    expect(lanesOf({ SLUICE_TEST_SEQUENCE: '1' }, { cores: 8, memory: 64 * GB })).toMatchObject({ lanes: 1 });
  });

  it('begin in their order, never more at once than lanes, and no more of them once they are stopped', async () => {
    const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<number>());
    const begun: number[] = [];
    const work = gates.map((gate, at) => async () => {
      begun.push(at);
      return gate.promise;
    });
    const stopped = new AbortController();
    const all = inLanes(2, work, stopped.signal);
    expect(begun).toEqual([0, 1]);
    gates[1]?.resolve(11);
    await expect.poll(() => begun).toEqual([0, 1, 2]);
    stopped.abort();
    gates[0]?.resolve(10);
    gates[2]?.resolve(12);
    expect(await all).toEqual([10, 11, 12, undefined]);
    expect(begun).toEqual([0, 1, 2]);
    const one = inLanes(
      1,
      [1, 2, 3].map((n) => async () => n),
      never,
    );
    expect(await one).toEqual([1, 2, 3]);
  });

  it('are one where the arguments name projects', () => {
    expect(namesProjects(['--project', 'unit'])).toBe(true);
    expect(namesProjects(['--project=unit'])).toBe(true);
    expect(namesProjects(['test/unit/project.test.ts'])).toBe(false);
  });
});

describe('the totals of a vitest', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-totals-'));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  const read = async (text: string) => {
    const path = join(folder, 'totals.json');
    await writeFile(path, text);
    return readTotals(path, '/home');
  };

  it('say what failed and what was skipped, a file that never had a test as well', async () => {
    const found = await read(
      JSON.stringify({
        ...{ numPassedTests: 1, numFailedTests: 1, numPendingTests: 1, numTodoTests: 1, success: false },
        testResults: [
          {
            ...{ name: '/home/test/a.test.ts', status: 'failed', message: '' },
            assertionResults: [
              { fullName: 'one', status: 'passed' },
              { fullName: 'two', status: 'failed' },
              { fullName: 'three', status: 'skipped' },
              { fullName: 'four', status: 'todo' },
            ],
          },
          { name: '/home/test/b.test.ts', status: 'failed', message: 'no such module\nat', assertionResults: [] },
        ],
      }),
    );
    expect(found).toEqual({
      ...{ passed: 1, failed: 1, skipped: 2, success: false },
      failures: ['test/a.test.ts: two', 'test/b.test.ts: no such module'],
      skips: ['test/a.test.ts: three', 'test/a.test.ts: four'],
    });
    const well = { passed: 5, failed: 0, skipped: 0, success: true, failures: [], skips: [] };
    expect(sumOf([well, found ?? well])).toMatchObject({ passed: 6, failed: 1, skipped: 2, success: false });
    expect(sumOf([well, well])).toMatchObject({ passed: 10, success: true });
  });

  it('are none where it was killed over them', async () => {
    expect(await read('{"numPassedTests":1,')).toBeUndefined();
    expect(await readTotals(join(folder, 'none.json'))).toBeUndefined();
  });
});
