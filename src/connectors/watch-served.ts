import type { Connection } from '@temporalio/client';
import { taskQueues } from '../definition/names.ts';

type Service = Pick<Connection['workflowService'], 'describeTaskQueue'>;

/** A poll lasts for a minute, and counts from its beginning. */
const POLLED_WITHIN_MS = 90_000;
/** Of Temporal's API. */
const WORKFLOW_QUEUE = 1;

/** Whoever named the queues of workers before there was `watch` has left it out. */
export const NOBODY_WATCHES = `Nobody serves the queue ${taskQueues.watch}: alerts wait and nothing is watched from outside until "sluice serve" runs, or a worker has watch among its queues (--queues, SLUICE_WORKER_QUEUES).`;

/** Whether a worker takes up workflows of a queue, as far as Temporal knows. */
export async function isServed(
  service: Service,
  namespace: string,
  queue: keyof typeof taskQueues,
  now: number,
): Promise<boolean> {
  const { pollers } = await service.describeTaskQueue({
    ...{ namespace, taskQueue: { name: taskQueues[queue] }, taskQueueType: WORKFLOW_QUEUE },
  });
  return (pollers ?? []).some(
    ({ lastAccessTime }) => now - Number(lastAccessTime?.seconds ?? 0) * 1_000 < POLLED_WITHIN_MS,
  );
}
