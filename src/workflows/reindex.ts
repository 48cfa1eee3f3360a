import { setCurrentDetails } from '@temporalio/workflow';
import type { RebuildPlan, Rebuilt } from '../activities/index.ts';
import { streamsOf } from '../definition/streams.ts';
import type { ReindexInput, ReindexReport } from './messages.ts';
import { endingOf } from './failure.ts';
import { defaultRetries, stageActivities } from './stage-activities.ts';

/**
 * Rebuilds the indices of a pipeline from the object store, one data set after the other. What is to be filled is decided once and kept
 * in the history, so a worker that dies at any point is followed by one that goes on in the same index.
 */
export async function reindex(input: ReindexInput): Promise<ReindexReport> {
  const dryRun = input?.dryRun === true;
  try {
    const { acceptDefinition } = stageActivities('light', defaultRetries, 'definition');
    const pipeline = await acceptDefinition({ pipeline: input?.pipeline });
    const plans: RebuildPlan[] = [];
    const rebuilt: Rebuilt[] = [];
    for (const { dataset, alias } of streamsOf(pipeline)) {
      const stage = stageActivities('light', pipeline.retries, alias);
      const plan = await stage.planRebuild({ pipeline, dataset, dryRun });
      plans.push(plan);
      const { from, to } = plan;
      if (dryRun || to === undefined) continue;
      show(plans, rebuilt);
      const keepOld = input.keepOld === true;
      rebuilt.push(
        await stage.rebuildIndex({ pipeline, dataset, ...(from === undefined ? {} : { from }), to, keepOld }),
      );
      show(plans, rebuilt);
    }
    return { pipeline: pipeline.name, dryRun, plans, rebuilt };
  } catch (error) {
    throw endingOf(error);
  }
}

function show(plans: readonly RebuildPlan[], rebuilt: readonly Rebuilt[]): void {
  const lines = plans.map(({ alias, from, to, hours, rows }, at) => {
    const state = rebuilt[at] ? 'done' : 'running';
    return `| ${alias} | ${from ?? ''} → ${to ?? ''} | ${hours} | ${rows} | ${state} |`;
  });
  setCurrentDetails(['| Alias | Index | Hours | Rows | State |', '|---|---|---|---|---|', ...lines].join('\n'));
}
