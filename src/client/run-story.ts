import type { Client } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { attributes } from '../workflows/attributes.ts';

/** Something that happened in a run, as Temporal's history has it. */
export interface StoryEntry {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly kind: 'run' | 'stage' | 'activity' | 'consumer' | 'signal' | 'update';
  /** Of the stage, activity, signal or update; the run's status for `run`. */
  readonly name: string;
  /** In a few words; a failure with its code and sentence. */
  readonly text: string;
  readonly failed?: boolean;
}

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;
type Event = NonNullable<History['events']>[number];
type Failure = NonNullable<NonNullable<Event['activityTaskFailedEventAttributes']>['failure']>;

/** A run's story in the order of its history: later histories of the same run begin with the same entries. */
export function storyOf({ events }: History): StoryEntry[] {
  const scheduled = new Map<string, { name: string; summary: string }>();
  const started = new Map<string, { at: number; attempt: number; failure?: Failure | null }>();
  const story: StoryEntry[] = [];
  for (const event of events ?? []) {
    const at = millis(event);
    const say = (kind: StoryEntry['kind'], name: string, text: string, failed = false): void =>
      void story.push({ at: new Date(at).toISOString(), kind, name, text, ...(failed ? { failed } : {}) });
    const scheduling = event.activityTaskScheduledEventAttributes;
    if (scheduling) {
      const summary = decoded(event.userMetadata?.summary);
      const name = scheduling.activityType?.name ?? '';
      scheduled.set(String(event.eventId), { name, summary: typeof summary === 'string' ? summary : '' });
    }
    const start = event.activityTaskStartedEventAttributes;
    if (start) {
      const { attempt, lastFailure: failure } = start;
      started.set(String(start.scheduledEventId), { at, attempt: attempt ?? 1, ...(failure ? { failure } : {}) });
    }
    const closed =
      event.activityTaskCompletedEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes;
    if (closed) {
      const { name, summary } = scheduled.get(String(closed.scheduledEventId)) ?? { name: '', summary: '' };
      const run = started.get(String(closed.scheduledEventId));
      const took = run ? `${((at - run.at) / 1000).toFixed(1)} s` : 'never begun';
      const again = run && run.attempt > 1 ? `, attempt ${run.attempt}` : '';
      const before = run?.failure ? `; before that: ${said(run.failure)}` : '';
      const failure = 'failure' in closed ? closed.failure : undefined;
      const how = failure ? 'failed' : event.activityTaskCanceledEventAttributes ? 'cancelled' : 'done';
      const why = failure ? `: ${said(failure)}` : before;
      say(
        'activity',
        name,
        `${how} in ${took}${again}${summary === '' ? '' : ` (${summary})`}${why}`,
        how === 'failed',
      );
    }
    tellOthers(event, say);
  }
  return story;
}

type Say = (kind: StoryEntry['kind'], name: string, text: string, failed?: boolean) => void;

/** Everything but activities: each is told by one event. */
function tellOthers(event: Event, say: Say): void {
  const begun = event.workflowExecutionStartedEventAttributes;
  if (begun) {
    const by = begun.parentWorkflowExecution?.workflowId;
    const input = decoded(begun.input?.payloads?.[0]) as Record<string, unknown> | undefined;
    const asked = ['force', 'refetch', 'useCurrent', 'startFrom']
      .filter((name) => input?.[name])
      .map((name) => (input?.[name] === true ? name : `${name} ${String(input?.[name])}`));
    say('run', 'begun', [...(by ? [`by ${by}`] : []), ...asked].join(', '));
  }
  const upserted = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
  const stage = decoded(upserted?.[attributes.stage.name]);
  if (typeof stage === 'string') say('stage', stage, 'begun');
  const child = event.childWorkflowExecutionStartedEventAttributes;
  if (child) say('consumer', child.workflowExecution?.workflowId ?? '', 'started');
  const signal = event.workflowExecutionSignaledEventAttributes;
  if (signal) say('signal', signal.signalName ?? '', briefly(decoded(signal.input?.payloads?.[0])));
  const update = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest;
  if (update) {
    const by = update.meta?.identity;
    say('update', update.input?.name ?? '', `accepted${by ? `, by ${by}` : ''}`);
  }
  if (event.workflowExecutionCancelRequestedEventAttributes) say('run', 'cancelling', 'a cancellation was asked for');
  if (event.workflowExecutionCompletedEventAttributes) {
    const { payloads } = event.workflowExecutionCompletedEventAttributes.result ?? {};
    const report = decoded(payloads?.[0]) as { outcome?: string } | undefined;
    say('run', 'completed', report?.outcome === 'unchanged' ? 'unchanged' : '');
  }
  const failed = event.workflowExecutionFailedEventAttributes;
  if (failed) say('run', 'failed', failed.failure ? said(failed.failure) : '', true);
  if (event.workflowExecutionCanceledEventAttributes) say('run', 'cancelled', '');
  if (event.workflowExecutionTimedOutEventAttributes) say('run', 'timed out', '', true);
  const terminated = event.workflowExecutionTerminatedEventAttributes;
  if (terminated)
    say('run', 'terminated', [terminated.reason, terminated.identity].filter(Boolean).join(', by '), true);
}

/** A failure as its code and sentence: that of its cause, which says more than "Activity task failed". */
function said(failure: Failure): string {
  let at = failure;
  while (!at.applicationFailureInfo && at.cause) at = at.cause;
  const code = at.applicationFailureInfo?.type;
  return code ? `${code}: ${at.message ?? ''}` : (at.message ?? '');
}

function decoded(payload: Payload | null | undefined): unknown {
  return payload?.data ? defaultPayloadConverter.fromPayload(payload) : undefined;
}

function briefly(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value).slice(0, 120);
}

function millis({ eventTime }: Event): number {
  return Number(eventTime?.seconds ?? 0) * 1000 + Math.floor((eventTime?.nanos ?? 0) / 1e6);
}
