import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import type { PendingActivity } from './run-events.ts';

/** What the activities of a workflow say of themselves now, from Temporal's own description: no worker has to answer. */
export async function pendingActivities(
  client: Client,
  workflowId: string,
  runId?: string,
): Promise<PendingActivity[]> {
  const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
  return pendingOf(raw.pendingActivities ?? []);
}

type Described = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>;

export function pendingOf(activities: Described): PendingActivity[] {
  return activities.map((described) => {
    const { activityType, attempt, heartbeatDetails, lastFailure, lastHeartbeatTime, lastStartedTime } = described;
    const failedAt = millis(described.lastAttemptCompleteTime);
    const beat = beatOf(heartbeatDetails?.payloads?.[0]);
    const code = lastFailure?.applicationFailureInfo?.type;
    return {
      activity: activityType?.name ?? '',
      attempt: attempt ?? 1,
      ...(beat?.note === undefined ? {} : { note: beat.note }),
      ...(lastFailure
        ? {
            failure: {
              message: lastFailure.message ?? '',
              ...(code ? { code } : {}),
              ...(failedAt > 0 ? { at: new Date(failedAt).toISOString() } : {}),
            },
          }
        : {}),
      // Temporal keeps the failure for as long as the activity is there, however well the attempt after it does.
      ...(millis(lastHeartbeatTime) > millis(lastStartedTime) ? { recovered: true } : {}),
    };
  });
}

type Payload = NonNullable<NonNullable<Described[number]['heartbeatDetails']>['payloads']>[number];

/** What an activity has said with its last beat. Of one that beats without a word the payload is empty, and no JSON. */
function beatOf(payload: Payload | undefined): { note?: string } | null {
  const { data, metadata } = payload ?? {};
  const isJson = Buffer.from(metadata?.['encoding'] ?? []).toString() === 'json/plain';
  return isJson && data ? (JSON.parse(Buffer.from(data).toString()) as { note?: string } | null) : null;
}

type Instant = Described[number]['lastHeartbeatTime'];

function millis(instant: Instant): number {
  return Number(instant?.seconds ?? 0) * 1000 + (instant?.nanos ?? 0) / 1e6;
}
