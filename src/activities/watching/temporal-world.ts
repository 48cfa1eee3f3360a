import { ScheduleNotFoundError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { acceptDefinition } from '../../definition/check-definition.ts';
import { sentenceOf } from '../../definition/errors.ts';
import type { Incident } from '../../definition/incidents.ts';
import { hourOfRun, ids, keys, taskQueues } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { StageDeps } from '../../stages/deps.ts';
import { inGroups } from '../../stages/in-groups.ts';
import type { SeenConsumer, SeenRun, SeenSchedule } from '../../stages/watching/outside/seen.ts';
import type { World } from '../../stages/watching/outside/world.ts';
import { heartbeatOn, millis, readingOf } from './pending.ts';

const rowsAttribute = defineSearchAttributeKey('PipelineRows', SearchAttributeType.INT);

/** One poll lasts for a minute, and counts from its beginning. */
const POLL_MS = 60_000;
/** Each costs a question of its own, where it is asked for at all. The oldest have the places. */
const MOST_RUNS = 100;
const MOST_ENDED = 1_000;
/** Of Temporal's API. */
const WORKFLOW_QUEUE = 1;
const ACTIVITY_QUEUE = 2;

/** The part of it that is asked of Temporal: no worker has to answer. */
export function temporalOf(
  client: Client,
  store: StageDeps['store'],
): Pick<World, 'schedules' | 'incidents' | 'consumers' | 'runs' | 'served' | 'ran' | 'wentThrough'> {
  const { namespace } = client.options;
  return {
    schedules: async (known, unseen = () => {}) => {
      const names = new Set(known);
      for await (const { scheduleId, action } of client.schedule.list()) {
        if (action?.workflowType === 'launch') names.add(scheduleId);
      }
      const untold: { readonly name: string; readonly error: unknown }[] = [];
      const found = await inGroups([...names].toSorted(), (name) =>
        seenSchedule(client, name).catch((error: unknown) => void untold.push({ name, error })),
      );
      if (untold.length > 0 && untold.length === names.size) throw untold[0]?.error;
      for (const { name, error } of untold) unseen(name, `its schedule cannot be described: ${sentenceOf(error)}`);
      return found.filter((schedule) => schedule !== undefined);
    },

    incidents: () => openIncidents(client),

    consumers: async () => {
      const found: { workflowId: string; stream: string; shard: number }[] = [];
      for await (const { workflowId } of client.workflow.list({ query: openOf('consumer') })) {
        const [, stream, shard] = /^consumer\/(.+)\/(\d+)$/.exec(workflowId) ?? [];
        if (stream !== undefined) found.push({ workflowId, stream, shard: Number(shard) });
      }
      const seen = await inGroups(found, async (one): Promise<SeenConsumer | undefined> => {
        const pending = await pendingOf(client, one.workflowId);
        if (!pending) return undefined;
        const reading = readingOf(pending);
        return { ...one, pipeline: one.stream.split('.')[0] ?? one.stream, ...(reading ? { reading } : {}) };
      });
      return seen.filter((consumer) => consumer !== undefined);
    },

    runs: async () => {
      const open = await oldestFirst(client, 'pipeline');
      return open.flatMap((workflowId): SeenRun[] => {
        const run = hourOfRun(workflowId);
        return run ? [{ workflowId, ...run }] : [];
      });
    },

    served: async (queue, { consumers, runs }) => {
      const { pollers } = await client.workflowService.describeTaskQueue({
        ...{ namespace, taskQueue: { name: taskQueues[queue] } },
        taskQueueType: queue === 'light' ? WORKFLOW_QUEUE : ACTIVITY_QUEUE,
      });
      const polled = Math.max(0, ...(pollers ?? []).map(({ lastAccessTime }) => millis(lastAccessTime)));
      // Who has no place left does not poll; what it does beats.
      if (queue === 'light' || Date.now() - polled < POLL_MS) return polled;
      if (queue === 'streaming') return Math.max(polled, ...consumers.map(({ reading }) => reading?.beatAt ?? 0));
      const maintained = (await oldestFirst(client, 'maintenance')).slice(0, MOST_RUNS);
      const running = runs.slice(0, MOST_RUNS).map(({ workflowId }) => workflowId);
      const beats = await inGroups([...maintained, ...running], async (workflowId) =>
        heartbeatOn(taskQueues[queue], (await pendingOf(client, workflowId)) ?? []),
      );
      return Math.max(polled, ...beats);
    },

    ran: async (pipeline, hour) => {
      try {
        await client.workflow.getHandle(ids.pipeline(pipeline, hour)).describe();
        return true;
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
        return store.exists(keys.done(pipeline, hour));
      }
    },

    wentThrough: async (since) => {
      const query = `WorkflowType = "pipeline" AND ExecutionStatus = "Completed" AND PipelineOutcome = "completed" AND CloseTime > "${since}"`;
      const found: { pipeline: string; hour: string }[] = [];
      for await (const { workflowId, typedSearchAttributes } of client.workflow.list({ query })) {
        const run = hourOfRun(workflowId);
        if (run && (typedSearchAttributes.get(rowsAttribute) ?? 0) > 0) found.push(run);
        if (found.length >= MOST_ENDED) break;
      }
      return found;
    },
  };
}

/** As they stand. The list is a moment behind. */
export async function openIncidents(client: Client): Promise<Incident[]> {
  const found: Incident[] = [];
  for await (const { memo } of client.workflow.list({ query: openOf('incident') })) {
    const incident = memo?.['incident'] as Incident | undefined;
    if (incident && incident.endedAt === undefined) found.push(incident);
  }
  return found;
}

const openOf = (type: string): string => `WorkflowType = "${type}" AND ExecutionStatus = "Running"`;

/** Ids of the open workflows of a type. */
async function oldestFirst(client: Client, type: string): Promise<string[]> {
  const found: { readonly workflowId: string; readonly startedAt: number }[] = [];
  for await (const { workflowId, startTime } of client.workflow.list({ query: openOf(type) })) {
    found.push({ workflowId, startedAt: startTime.getTime() });
  }
  return found.toSorted((a, b) => a.startedAt - b.startedAt).map(({ workflowId }) => workflowId);
}

/** Undefined where it is over by now. */
async function pendingOf(client: Client, workflowId: string): Promise<Parameters<typeof readingOf>[0] | undefined> {
  try {
    const { raw, status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' ? (raw.pendingActivities ?? []) : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** Undefined where there is none by that name, or it starts something else. */
async function seenSchedule(client: Client, name: string): Promise<SeenSchedule | undefined> {
  try {
    const { action, state, info } = await client.schedule.getHandle(name).describe();
    if (action.workflowType !== 'launch') return undefined;
    const definition = definitionIn(action.args?.[0], name);
    return {
      pipeline: name,
      ...(definition ? { definition } : {}),
      paused: state.paused,
      ...(state.note === undefined || state.note === '' ? {} : { note: state.note }),
      ...(state.remainingActions === undefined ? {} : { remaining: state.remainingActions }),
      createdAt: info.createdAt.getTime(),
      changedAt: (info.lastUpdatedAt ?? info.createdAt).getTime(),
      next: info.nextActionTimes.map((time) => time.getTime()),
      counts: { missed: info.numActionsMissedCatchupWindow, skipped: info.numActionsSkippedOverlap },
    };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

function definitionIn(input: unknown, name: string): Pipeline | undefined {
  try {
    const definition = acceptDefinition((input as { readonly pipeline?: unknown } | undefined)?.pipeline);
    return definition.name === name ? definition : undefined;
  } catch {
    return undefined;
  }
}
