import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApi } from '../../src/client/api/server.ts';
import { Backfills } from '../../src/client/backfills.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { runSluice } from '../helpers/cli.ts';
import { definition, goodStages, hour } from '../helpers/fake-stages.ts';
import { Gate } from '../helpers/gate.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('backfills by the client', () => {
  let lab: WorkflowLab;
  let backfills: Backfills;
  let environment: NodeJS.ProcessEnv;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
    backfills = new Backfills(lab.temporal.client);
    environment = { ...process.env, TEMPORAL_ADDRESS: lab.temporal.address };
  });

  afterAll(async () => {
    await lab?.stop();
  });

  /** Plans in which nothing is to be run; each waits for its gate first. */
  function planned(pipeline: Pipeline, gates: readonly Gate[] = []): void {
    const { stages } = goodStages(pipeline);
    const found = { missing: 0, failed: 0, stale: 0, running: 0, present: 1, removed: 0 };
    let asked = 0;
    lab.stages = {
      ...stages,
      planBackfill: async () => {
        await gates[asked++]?.pass();
        return { found, hours: [], stretches: [], failed: [], warnings: [] };
      },
    };
  }

  it('answer each of two previews of one range', async () => {
    const pipeline = definition();
    const gates = [new Gate(), new Gate()];
    planned(pipeline, gates);
    const previews = gates.map(() => backfills.preview({ pipeline, from: hour, to: hour }));
    await Promise.all(gates.map(({ reached }) => reached));
    for (const gate of gates) gate.open();
    expect(await Promise.all(previews)).toMatchObject([{ outcome: 'planned' }, { outcome: 'planned' }]);
    expect(await backfills.list({ pipeline: pipeline.name })).toEqual([]);
  });

  it('tell one that is not there from one that no worker answers for', async () => {
    const pipeline = definition();
    planned(pipeline);
    const id = ids.backfill(pipeline.name, hour, hour);
    const api = await createApi({ host: '127.0.0.1', hosts: [], environment, rateLimit: 1_000 });
    const ask = async () => {
      const { statusCode, body } = await api.inject({ url: `/backfills/${pipeline.name}/${hour}/${hour}` });
      return { status: statusCode, json: JSON.parse(body) as unknown };
    };
    try {
      await expect(backfills.look(id)).rejects.toMatchObject({ code: 'HourUnknown' });
      expect(await ask()).toMatchObject({ status: 404, json: { code: 'HourUnknown' } });
      await lab.without(taskQueues.light, async () => {
        await backfills.start({ pipeline, from: hour, to: hour });
        await expect(backfills.look(id)).rejects.toMatchObject({ code: 'NoWorker' });
        expect(await ask()).toMatchObject({ status: 503, json: { code: 'NoWorker' } });
      });
      expect(await backfills.wait(id)).toMatchObject({ outcome: 'completed' });
      expect(await ask()).toMatchObject({ status: 200, json: { mode: 'over' } });
    } finally {
      await api.close();
    }
  });

  it('show by "sluice backfill status" what the newest one came to, where none is on its way', async () => {
    const pipeline = definition();
    planned(pipeline);
    const { workflowId } = await backfills.start({ pipeline, from: hour, to: hour });
    await backfills.wait(workflowId);
    const status = async () => {
      const { code, out } = await runSluice(['backfill', 'status', '--json'], environment);
      return { code, found: JSON.parse(out) as unknown };
    };
    await expect.poll(status, { timeout: 60_000 }).toMatchObject({ code: 0, found: { workflowId, mode: 'over' } });
    const paused = await runSluice(['backfill', 'pause', '--json'], environment);
    expect([paused.code, JSON.parse(paused.out)]).toMatchObject([1, { error: { code: 'NotRunning' } }]);
  });
});
