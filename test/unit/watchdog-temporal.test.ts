import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { taskQueues } from '../../src/definition/names.ts';
import { temporalOf } from '../../src/activities/watching/temporal-world.ts';

const now = Date.now();
const minutesAgo = (minutes: number): number => now - minutes * 60_000;
const instant = (ms: number): object => ({ seconds: Math.floor(ms / 1_000), nanos: 0 });

interface Open {
  readonly type: string;
  readonly id: string;
  readonly startedAt: number;
  /** When what it does on `compute` last said that it is alive. */
  readonly beatAt?: number;
}

/** Temporal with workflows that are open, where nobody polls. */
function temporal(open: readonly Open[]): { readonly client: Client; readonly described: string[] } {
  const described: string[] = [];
  const listed = open.toSorted((a, b) => b.startedAt - a.startedAt);
  const client = {
    options: { namespace: 'default' },
    workflowService: { describeTaskQueue: async () => ({ pollers: [] }) },
    workflow: {
      list: async function* ({ query }: { query: string }) {
        for (const { type, id, startedAt } of listed)
          if (query.includes(`"${type}"`)) yield { workflowId: id, startTime: new Date(startedAt) };
      },
      getHandle: (id: string) => ({
        describe: async () => {
          described.push(id);
          const found = open.find((one) => one.id === id);
          if (!found) throw new WorkflowNotFoundError('gone', id, undefined);
          const { beatAt } = found;
          const doing = {
            ...{
              activityType: { name: 'compactStream' },
              state: 2,
              activityOptions: { taskQueue: { name: taskQueues.compute } },
            },
            ...{ lastHeartbeatTime: instant(beatAt ?? 0), lastStartedTime: instant(0) },
          };
          return { status: { name: 'RUNNING' }, raw: { pendingActivities: beatAt === undefined ? [] : [doing] } };
        },
      }),
    },
  } as unknown as Client;
  return { client, described };
}

describe('a queue that nobody polls, as all its places are taken', () => {
  const servedOf = async (client: Client): Promise<number> => {
    const world = temporalOf(client, {} as never);
    return world.served('compute', { consumers: [], runs: await world.runs() });
  };

  it('is served where maintenance says that it is alive', async () => {
    const { client } = temporal([
      { type: 'maintenance', id: 'maintenance/demo-2026-11-24T03:00:00Z', startedAt: minutesAgo(9), beatAt: now },
    ]);
    expect(now - (await servedOf(client))).toBeLessThan(2_000);
  });

  it('is served where the oldest of very many runs says so', async () => {
    const hour = (n: number): string => new Date(Date.UTC(2026, 0, 1, n)).toISOString().slice(0, 13);
    const waiting = Array.from({ length: 300 }, (_, n) => ({
      ...{ type: 'pipeline', id: `pipeline/demo/${hour(n)}`, startedAt: minutesAgo(400 - n) },
    }));
    const [oldest, ...others] = waiting;
    const { client, described } = temporal([{ ...oldest!, beatAt: now }, ...others]);
    expect(now - (await servedOf(client))).toBeLessThan(2_000);
    expect(described.length).toBeLessThanOrEqual(100);
  });

  it('is not served where all of it is silent', async () => {
    const { client } = temporal([
      { type: 'maintenance', id: 'maintenance/demo', startedAt: minutesAgo(90), beatAt: minutesAgo(30) },
      { type: 'pipeline', id: 'pipeline/demo/2026-11-24T11', startedAt: minutesAgo(90) },
    ]);
    expect(Math.round((now - (await servedOf(client))) / 60_000)).toBe(30);
  });
});

describe('schedules', () => {
  const client = (broken: readonly string[]): Client =>
    ({
      options: { namespace: 'default' },
      schedule: {
        list: async function* () {
          for (const scheduleId of ['one', 'two']) yield { scheduleId, action: { workflowType: 'launch' } };
        },
        getHandle: (name: string) => ({
          describe: async () => {
            if (broken.includes(name)) throw new Error('Received message larger than max');
            return {
              ...{ action: { workflowType: 'launch', args: [] }, state: { paused: false } },
              info: {
                ...{ createdAt: new Date(0), nextActionTimes: [] },
                ...{ numActionsMissedCatchupWindow: 0, numActionsSkippedOverlap: 0 },
              },
            };
          },
        }),
      },
    }) as unknown as Client;

  it('are seen, but for one that cannot be described, which is said', async () => {
    const unseen: string[] = [];
    const seen = await temporalOf(client(['one']), {} as never).schedules([], (...said) =>
      unseen.push(said.join(': ')),
    );
    expect(seen.map(({ pipeline }) => pipeline)).toEqual(['two']);
    expect(unseen).toEqual(['one: its schedule cannot be described: Received message larger than max']);
  });

  it('cannot be looked at where none can be described', async () => {
    await expect(temporalOf(client(['one', 'two']), {} as never).schedules([])).rejects.toThrow('larger than max');
  });
});
