import { defineConfig } from 'vitest/config';

/** Tests on Spark alone: no worker serves them, so they may run beside those that have one. */
const onSpark = 'test/integration/spark*.test.ts';

/** What is waited for comes at once on a quiet machine; the time is for one that does much else. No test asserts how long something takes. */
const poll = { timeout: 60_000 };

/**
 * Six rings: `unit` needs no server and takes seconds; `model` neither, for a minute; `workflow` needs Temporal alone; `servers` needs the whole
 * stack; `spark` only two servers of it; `faults` kills servers, so it comes last, on a stack of its own. `test/running/jobs.ts` says which of
 * them `npm test` runs at once.
 */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 180_000 } },
      { test: { name: 'model', include: ['test/model/**/*.test.ts'], testTimeout: 600_000 } },
      {
        test: {
          name: 'workflow',
          include: ['test/{workflow,replay}/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          expect: { poll },
        },
      },
      {
        test: {
          name: 'servers',
          include: ['test/{integration,e2e}/**/*.test.ts'],
          exclude: [onSpark],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          expect: { poll },
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'spark',
          include: [onSpark],
          testTimeout: 600_000,
          hookTimeout: 300_000,
          expect: { poll },
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          globalSetup: ['test/faults/setup.ts'],
          testTimeout: 900_000,
          hookTimeout: 300_000,
          expect: { poll },
          fileParallelism: false,
          maxConcurrency: 8,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
