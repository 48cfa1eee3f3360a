import { randomBytes } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { tellIncidents, tellingActivities, type PassedOn, type Told } from '../../src/activities/telling.ts';
import { temporalOf } from '../../src/activities/watching/temporal-world.ts';
import { Schedules } from '../../src/client/schedules/schedules.ts';
import { watchdogLines } from '../../src/client/cli/watchdog.ts';
import { Watchdog } from '../../src/client/watchdog.ts';
import { planDeliveries } from '../../src/definition/deliveries.ts';
import { toLogicalHour } from '../../src/definition/hour.ts';
import type { AlertedPipeline, Notice } from '../../src/definition/incidents.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import { look } from '../../src/stages/watching/outside/look.ts';
import type { WatchMemory } from '../../src/stages/watching/outside/memory.ts';
import { consumeInput } from '../helpers/fake-reading.ts';
import { untilStopped } from '../helpers/gate.ts';
import { definitionOf, Outside } from '../helpers/outside.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

const MINUTE = 60_000;

const until = (what: () => boolean | Promise<boolean>): Promise<unknown> =>
  vi.waitUntil(async () => Promise.resolve(what()).catch(() => false), { timeout: 60_000, interval: 50 });

describe.skipIf(noTemporal)('the watchdog', () => {
  let lab: WorkflowLab;
  let watchdog: Watchdog;
  let outside: Outside;
  let name: string;
  let looks: WatchMemory[];
  let told: string[];
  /** In place of telling incidents. */
  let refuses: boolean;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
    watchdog = new Watchdog(lab.temporal.client);
  });

  afterAll(async () => {
    await lab?.stop();
  });

  beforeEach(() => {
    name = `w-${randomBytes(4).toString('hex')}`;
    outside = new Outside();
    outside.now = Date.parse('2026-11-24T12:00:00Z');
    outside.schedule(definitionOf(name, { alerts: { email: { to: ['a@example.org'] }, policy: { group: '10ms' } } }));
    looks = [];
    told = [];
    refuses = false;
    const { passOn } = tellingActivities();
    lab.stages = {
      look: async ({ memory }: { memory: WatchMemory }) => {
        looks.push(memory);
        outside.now += MINUTE;
        return { ...(await look(outside.world, memory, outside.now, MINUTE)), everyMs: 50 };
      },
      tellOf: async (given: Told) => {
        if (refuses) throw ApplicationFailure.nonRetryable('Nobody listens.');
        await tellIncidents(lab.temporal.client, given);
      },
      passOn: (given: PassedOn) => passOn(given),
      planDeliveries: async ({ pipeline, notice }: { pipeline: AlertedPipeline; notice: Notice }) =>
        planDeliveries(pipeline.alerts, notice, new Date().toISOString()),
      deliver: async ({ notice }: { notice: Notice }) => {
        if (notice.pipeline === name)
          told.push(...notice.transitions.map(({ kind, incident }) => `${kind} ${incident.rule}`));
        return { accepted: true };
      },
    };
  });

  const stop = (): Promise<unknown> =>
    lab.temporal.client.workflow.getHandle(ids.watchdog).terminate('the test is over');

  it('tells once that workers are gone, and once that they are back, whoever starts it how often', async () => {
    expect(await watchdog.keep()).toBe(true);
    expect(await watchdog.keep()).toBe(false);
    await watchdog.start();
    await until(() => looks.length > 2);
    for (const queue of ['light', 'compute'] as const) outside.gone(queue, outside.now);
    await until(() => told.length === 1);
    const seenFor = looks.length;
    await until(() => looks.length > seenFor + 3);
    const { state } = await watchdog.view();
    expect(state).toMatchObject({ pipelines: [name], open: [{ pipeline: name, rule: 'worker-gone' }], everyMs: 50 });
    expect(watchdogLines({ running: true, ...(state ? { state } : {}) }, outside.now, 200).join('\n')).toMatch(
      /1 problem\n {2}w-\w+ {2}.*worker-gone.* {2}No worker has served the queues light and compute for more than 2m/,
    );
    for (const queue of ['light', 'compute'] as const) outside.gone(queue, undefined);
    await until(() => told.length === 2);
    expect(told).toEqual(['opened worker-gone', 'recovered worker-gone']);
    await stop();
    expect(await watchdog.view()).toEqual({ running: false });
  });

  it('continues as new, and knows then what it has told', async () => {
    outside.gone('compute', outside.now);
    await watchdog.start({ maxHistory: 60 });
    const handle = lab.temporal.client.workflow.getHandle(ids.watchdog);
    const { runId } = await handle.describe();
    await until(() => told.length === 1);
    await until(async () => (await handle.describe()).runId !== runId);
    const then = looks.length;
    await until(() => looks.length > then + 2);
    expect(looks.at(-1)?.pipelines?.[name]?.open).toMatchObject([{ rule: 'worker-gone' }]);
    outside.gone('compute', undefined);
    await until(() => told.length === 2);
    expect(told).toEqual(['opened worker-gone', 'recovered worker-gone']);
    await stop();
  });

  it('tells at a later look what could not be told', async () => {
    refuses = true;
    outside.gone('compute', outside.now);
    await watchdog.start();
    await until(() => looks.length > 6);
    expect(told).toEqual([]);
    refuses = false;
    await until(() => told.length === 1);
    await stop();
  });

  it('goes on looking at all others soon, where one cannot be told', async () => {
    let tries = 0;
    lab.stages = {
      ...lab.stages,
      tellOf: async () => {
        tries += 1;
        throw new Error('Temporal takes no word of it.');
      },
    };
    outside.gone('compute', outside.now - 10 * MINUTE);
    await watchdog.start();
    await until(() => looks.length > 2);
    expect(tries).toBeGreaterThanOrEqual(3);
    expect(tries).toBeLessThan(10);
    await stop();
  });

  it('tells the end of what one told that was ended, if not at its first look', async () => {
    const { incidents } = temporalOf(lab.temporal.client, {} as never);
    outside.world.incidents = async () => (await incidents()).filter(({ pipeline }) => pipeline === name);
    outside.gone('compute', outside.now - 10 * MINUTE);
    await watchdog.start();
    await until(() => told.length === 1);
    // The list is a moment behind.
    await until(async () => (await outside.world.incidents()).length === 1);
    await stop();
    outside.gone('compute', undefined);
    refuses = true;
    const before = looks.length;
    await watchdog.start();
    await until(() => looks.length > before + 2);
    expect(told).toEqual(['opened worker-gone']);
    refuses = false;
    await until(() => told.length === 2);
    expect(told).toEqual(['opened worker-gone', 'recovered worker-gone']);
    await stop();
  });

  it('has of Temporal what it asks for, of no worker', async () => {
    const { client } = lab.temporal;
    const world = temporalOf(client, { exists: async () => false } as never);
    const pipeline = definitionOf(name, { key: [] });
    await new Schedules(client).apply(pipeline);
    await new Schedules(client).pause(name, 'for a test');
    lab.stages = { consume: async () => untilStopped() };
    const consumer = await client.workflow.start('consumer', {
      ...{ workflowId: ids.consumer(name, 0), taskQueue: taskQueues.light, args: [{ consume: consumeInput(name) }] },
    });
    // The list is a moment behind; who is known is asked for all the same.
    const [schedule] = (await world.schedules([name])).filter((one) => one.pipeline === name);
    expect(schedule).toMatchObject({
      definition: { name },
      paused: true,
      note: 'for a test',
      counts: { missed: 0, skipped: 0 },
    });
    for (const at of [schedule?.createdAt, schedule?.changedAt])
      expect(Math.abs((at ?? 0) - Date.now())).toBeLessThan(MINUTE);
    await until(async () =>
      (await world.consumers()).some((one) => one.stream === name && one.reading?.beatAt !== undefined),
    );
    expect((await world.consumers()).find(({ stream }) => stream === name)).toMatchObject({ pipeline: name, shard: 0 });
    for (const queue of ['light', 'compute', 'streaming'] as const) {
      expect(Date.now() - (await world.served(queue, { consumers: [], runs: [] }))).toBeLessThan(2 * MINUTE);
    }
    expect(await world.ran(name, toLogicalHour(Date.now()))).toBe(false);
    expect(await world.wentThrough(new Date(0).toISOString())).toEqual([]);
    await consumer.terminate();
    await new Schedules(client).delete(name);
    expect((await world.schedules([name])).filter((one) => one.pipeline === name)).toEqual([]);
  });
});
