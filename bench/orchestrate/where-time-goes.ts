import type { Client } from '@temporalio/client';

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;
type Event = NonNullable<History['events']>[number];

/** Where the time of one workflow went, by its history; milliseconds. */
export interface TimeSpent {
  /** From its start to its end. */
  readonly whole: number;
  /** In activities, from an attempt's start to its end. */
  readonly activities: number;
  /** From scheduling an activity to its start: a worker has to poll it, and to have a free slot. */
  readonly activityWait: number;
  /** In workflow tasks: the workflow's own code, replayed or not. */
  readonly workflowTasks: number;
  /** From scheduling a workflow task to its start. */
  readonly workflowTaskWait: number;
  readonly activityCount: number;
  readonly workflowTaskCount: number;
  readonly events: number;
  /** Each activity by name: its wait and its work. */
  readonly byActivity: Readonly<Record<string, { readonly wait: number; readonly work: number }>>;
}

/** Activities that run side by side count each: the parts may come to more than the whole. */
export function timeSpent({ events }: History): TimeSpent {
  const all = events ?? [];
  const at = new Map(all.map((event) => [String(event.eventId), millis(event)]));
  const names = new Map<string, string>();
  const byActivity: Record<string, { wait: number; work: number }> = {};
  const sum = {
    activities: 0,
    activityWait: 0,
    workflowTasks: 0,
    workflowTaskWait: 0,
    activityCount: 0,
    workflowTaskCount: 0,
  };
  for (const event of all) {
    const now = millis(event);
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) names.set(String(event.eventId), scheduled.activityType?.name ?? '');
    const done = event.activityTaskCompletedEventAttributes;
    if (done) {
      const start = at.get(String(done.startedEventId)) ?? now;
      const asked = at.get(String(done.scheduledEventId)) ?? start;
      const name = names.get(String(done.scheduledEventId)) ?? '';
      const entry = (byActivity[name] ??= { wait: 0, work: 0 });
      entry.wait += start - asked;
      entry.work += now - start;
      sum.activityWait += start - asked;
      sum.activities += now - start;
      sum.activityCount += 1;
    }
    const task = event.workflowTaskCompletedEventAttributes;
    if (task) {
      const start = at.get(String(task.startedEventId)) ?? now;
      sum.workflowTaskWait += start - (at.get(String(task.scheduledEventId)) ?? start);
      sum.workflowTasks += now - start;
      sum.workflowTaskCount += 1;
    }
  }
  const [first, last] = [all[0], all.at(-1)];
  const whole = first && last ? millis(last) - millis(first) : 0;
  return { whole, ...sum, events: all.length, byActivity };
}

function millis({ eventTime }: Event): number {
  return Number(eventTime?.seconds ?? 0) * 1_000 + (eventTime?.nanos ?? 0) / 1e6;
}
