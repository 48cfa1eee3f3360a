import { setTimeout as wait } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Backfills } from '../../src/client/backfills.ts';
import type { RunEvent } from '../../src/client/run-events.ts';
import { Runs } from '../../src/client/runs.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import { definition, goodStages, hour } from '../helpers/fake-stages.ts';
import { Gate } from '../helpers/gate.ts';
import { proxyOf, type TcpProxy } from '../helpers/tcp-proxy.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('whoever follows something while Temporal is away', () => {
  let lab: WorkflowLab;
  let proxy: TcpProxy;
  let connection: Connection;
  let client: Client;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
    proxy = await proxyOf(lab.temporal.address);
    // Without the SDK's own interceptor, which would try again for 20 s before it gives up.
    connection = await Connection.connect({ address: proxy.address, interceptors: [] });
    client = new Client({ connection });
  });

  afterAll(async () => {
    await connection?.close();
    await proxy?.close();
    await lab?.stop();
  });

  const runs = () =>
    new Runs(client, () => {
      throw new Error('no object store in here');
    });

  /** A run that cleans until the gate is opened. */
  async function heldRun() {
    const pipeline = definition();
    const { stages: good } = goodStages(pipeline);
    const gate = new Gate();
    lab.stages = {
      ...good,
      clean: async (input: never) => {
        await gate.pass();
        return good.clean(input);
      },
    };
    const { workflowId } = await lab.temporal.client.workflow.start('pipeline', {
      workflowId: ids.pipeline(pipeline.name, hour),
      taskQueue: taskQueues.light,
      args: [{ pipeline, hour, force: false, refetch: false, useCurrent: false }],
    });
    await gate.reached;
    return { workflowId, gate };
  }

  it('is told so, and then what the run came to', async () => {
    const { workflowId, gate } = await heldRun();
    const events: RunEvent[] = [];
    const report = runs().wait(workflowId, { onProgress: (event) => events.push(event) });
    const waits = () => events.flatMap((event) => (event.type === 'waiting' ? [event.what] : []));
    await expect.poll(() => events.some(({ stage }) => stage === 'clean'), { timeout: 60_000 }).toBe(true);
    await proxy.close();
    await expect.poll(waits, { timeout: 60_000 }).toContain('Temporal');
    gate.open();
    await proxy.open();
    expect(await report).toMatchObject({ outcome: 'completed' });
    expect(waits().filter((what) => what === 'Temporal')).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ type: 'ended', outcome: 'completed' });
    expect(events.filter(({ type }) => type === 'ended')).toHaveLength(1);
  });

  it('is told what a backfill came to', async () => {
    const pipeline = definition();
    const { stages: good } = goodStages(pipeline);
    const gate = new Gate();
    lab.stages = {
      ...good,
      planBackfill: async () => {
        await gate.pass();
        const found = { missing: 0, failed: 0, stale: 0, running: 0, present: 1, removed: 0 };
        return { found, hours: [], stretches: [], failed: [], warnings: [] };
      },
    };
    const backfills = new Backfills(client);
    const { workflowId } = await backfills.start({ pipeline, from: hour, to: hour });
    await gate.reached;
    let settled = false;
    const report = backfills.wait(workflowId).finally(() => (settled = true));
    await proxy.close();
    await wait(1_500);
    expect(settled).toBe(false);
    gate.open();
    await proxy.open();
    expect(await report).toMatchObject({ outcome: 'completed', hours: 0 });
  });

  it('is told of no end where it can follow no longer', async () => {
    const { workflowId, gate } = await heldRun();
    const own = await Connection.connect({ address: proxy.address, interceptors: [] });
    const followed = new Runs(new Client({ connection: own }), () => {
      throw new Error('no object store in here');
    });
    const events: RunEvent[] = [];
    const report = followed.wait(workflowId, { onProgress: (event) => events.push(event) });
    const refused = report.catch((error: unknown) => error);
    await expect.poll(() => events.length, { timeout: 60_000 }).toBeGreaterThan(0);
    await own.close();
    await proxy.close();
    expect(await refused).toMatchObject({
      code: 'StackUnavailable',
      message: expect.stringMatching(/can be followed no longer, and may go on: [^.]+\. Look again/) as unknown,
    });
    await proxy.open();
    expect(events.map(({ type }) => type)).not.toContain('ended');
    gate.open();
    await lab.temporal.client.workflow.getHandle(workflowId).result();
  });
});
