import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { ConsumeStatus } from '../../stages/io.ts';
import type { SeenConsumer } from '../../stages/watching/outside/seen.ts';

type Pending = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>;
type Instant = Pending[number]['lastHeartbeatTime'];

/** Of Temporal's API: it is with a worker, perhaps one that is to stop it. */
const WITH_A_WORKER: readonly unknown[] = [2, 3];

/** Milliseconds since 1970; 0 where there is none. */
export function millis(instant: Instant): number {
  return Number(instant?.seconds ?? 0) * 1_000 + (instant?.nanos ?? 0) / 1e6;
}

/** What reads for a consumer, by its pending activities; undefined where nothing is to read. */
export function readingOf(pending: Pending): SeenConsumer['reading'] {
  const found = pending.find(({ activityType }) => activityType?.name === 'consume');
  if (!found) return undefined;
  const { topic, positions = {}, reading = {} } = statusIn(found.heartbeatDetails?.payloads?.[0]);
  const isTriedAgain = !WITH_A_WORKER.includes(found.state);
  const failure = found.lastFailure?.message;
  return {
    ...(topic === undefined ? {} : { topic }),
    ...{ positions, next: reading },
    ...(isTriedAgain ? {} : { beatAt: Math.max(millis(found.lastHeartbeatTime), millis(found.lastStartedTime)) }),
    // Temporal keeps it for as long as the activity is there, however well the attempt after it does.
    ...(failure && (isTriedAgain || millis(found.lastHeartbeatTime) <= millis(found.lastStartedTime))
      ? { failure }
      : {}),
  };
}

/** The newest heartbeat of what is done on a queue. Milliseconds since 1970; 0 where nothing is. */
export function heartbeatOn(queue: string, pending: Pending): number {
  const beats = pending
    .filter(({ state, activityOptions }) => WITH_A_WORKER.includes(state) && activityOptions?.taskQueue?.name === queue)
    .map(({ lastHeartbeatTime, lastStartedTime }) => Math.max(millis(lastHeartbeatTime), millis(lastStartedTime)));
  return Math.max(0, ...beats);
}

type Payload = NonNullable<NonNullable<Pending[number]['heartbeatDetails']>['payloads']>[number];

/** What `attended` has beaten with, of a version that may be another one. */
function statusIn(payload: Payload | undefined): Partial<ConsumeStatus> {
  try {
    const { resume } = JSON.parse(Buffer.from(payload?.data ?? []).toString()) as { resume?: Partial<ConsumeStatus> };
    return resume ?? {};
  } catch {
    return {};
  }
}
