import type { WorkflowBundle } from '@temporalio/worker';
import { readBundle } from '../../src/workers/bundle.ts';
import { bundleWorkflows } from '../../src/workers/worker-set.ts';

/** The workflows, as `npm test` has bundled them for all tests; undefined where these are run by hand. */
const made = process.env['SLUICE_TEST_BUNDLE'];

/** What a worker process is told, so that it takes them from there. */
export const bundleVariables: Readonly<Record<string, string>> =
  made === undefined ? {} : { SLUICE_WORKER_BUNDLE: made };

/** The same for a worker in the test's own process; where there are none made, it bundles them. */
export async function workflowBundle(): Promise<WorkflowBundle> {
  return made === undefined ? bundleWorkflows() : readBundle(made);
}
