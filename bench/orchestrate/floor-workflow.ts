import { proxyActivities, upsertSearchAttributes } from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

const { nothing } = proxyActivities<{ nothing: () => Promise<void> }>({ startToCloseTimeout: '1m' });
const stage = defineSearchAttributeKey('PipelineStage', SearchAttributeType.KEYWORD);

/** As many activities one after the other as a run of an hour has, that do nothing: what Temporal itself takes for them. */
export async function floor(activities: number): Promise<void> {
  for (let n = 0; n < activities; n += 1) {
    // A run says its stage before each as well.
    upsertSearchAttributes([{ key: stage, value: String(n) }]);
    await nothing();
  }
}
