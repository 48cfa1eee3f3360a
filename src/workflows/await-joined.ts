import { patched, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { RunReport } from '../activities/index.ts';
import { defaultRetries, stageActivities } from './stage-activities.ts';

const SHORTEST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 900_000;

/**
 * Waits for a run that another launch has started. Looks in between and holds no place of the queue meanwhile: the run itself needs one.
 * @returns its report
 * @throws its own failure
 */
export async function awaitJoined(workflowId: string): Promise<RunReport> {
  if (!patched('polled-run')) {
    return stageActivities('light', defaultRetries, workflowId).awaitRun({ workflowId });
  }
  // A Temporal that does not answer for a while says nothing about the run.
  const retries = { ...defaultRetries, attempts: Number.POSITIVE_INFINITY };
  const { lookAtRun } = stageActivities('light', retries, workflowId);
  setCurrentDetails(`waits for ${workflowId}, which another launch has started`);
  const began = Date.now();
  // The run that was found first: the hour may be run again before the next look.
  let runId: string | undefined;
  for (;;) {
    const look = await lookAtRun({ workflowId, ...(runId === undefined ? {} : { runId }) });
    if (look.report) return look.report;
    ({ runId } = look);
    await sleep(joinedWaitMs(Date.now() - began), { summary: `${workflowId} runs` });
  }
}

/**
 * How long to wait before the next look: a tenth of the wait so far, two seconds at least, a quarter of an hour at most. A wait of six weeks
 * is some 45,000 events of the 50,000 that a history may have.
 */
export function joinedWaitMs(waitedMs: number): number {
  return Math.min(Math.max(SHORTEST_WAIT_MS, Math.ceil(waitedMs / 10)), LONGEST_WAIT_MS);
}
