import { planBackfill, type BackfillPlan, type BackfillPlanInput } from '../stages/accounting/plan-backfill.ts';
import type { StageDeps } from '../stages/deps.ts';
import { attended } from './attended.ts';
import { openRuns } from './open-runs.ts';

/** What a backfill asks of the object store, and of Temporal's list. */
export function backfillActivities(deps: StageDeps) {
  return {
    planBackfill: (input: BackfillPlanInput): Promise<BackfillPlan> =>
      attended(async () => {
        const running = await openRuns(input.pipeline.name);
        return planBackfill(deps, input, new Set(running.map(({ hour }) => hour)));
      }),
  };
}
