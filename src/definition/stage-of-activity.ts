import { datasetOf } from './names.ts';

/** The stage that an activity's attempt counts for. Those that are left out look, wait, or keep the books of other workflows. */
export const stageOfActivity: Readonly<Record<string, string>> = {
  prepare: 'prepare',
  findStored: 'reuse',
  importSource: 'import',
  clean: 'clean',
  saveLocalCopy: 'save',
  publish: 'publish',
  consume: 'consume',
  commitHour: 'commit',
  markStale: 'commit',
  indexBatch: 'index',
  reconcile: 'reconcile',
  writeReport: 'report',
  planRebuild: 'rebuild',
  rebuildIndex: 'rebuild',
  compactStream: 'compact',
  collectGarbage: 'gc',
  retain: 'retain',
  deliver: 'deliver',
};

/** Whose work a workflow does, by its id; undefined where that says nothing. */
export function pipelineOfWorkflow(workflowId: string): string | undefined {
  const [, stream] =
    /^(?:pipeline|consumer|reindex|maintenance|backfill|incident|notifier)\/([a-z][^/]*)/.exec(workflowId) ?? [];
  return stream === undefined ? undefined : datasetOf(stream).pipeline;
}
