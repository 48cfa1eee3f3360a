import { setWorkflowOptions, type Workflow } from '@temporalio/workflow';

declare global {
  /** Said in front of the bundle by a worker that is a version of a deployment (`workers/worker-set.ts`). */
  var sluiceIsVersioned: boolean | undefined;
}

/**
 * For a workflow without an end. Under worker versioning others end on the build that they began with; this one goes to the current build, with `patched` for
 * what changes. A worker that takes no part in versioning says nothing of it: Temporal refuses its answers otherwise, and the workflow would stand still.
 */
export function goesAlong(workflow: Workflow): void {
  if (globalThis.sluiceIsVersioned === true) setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, workflow);
}
