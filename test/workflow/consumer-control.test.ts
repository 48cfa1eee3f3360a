import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConsumerControl } from '../../src/client/consumer-control.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { consumer as consumerWorkflow } from '../../src/workflows/index.ts';
import { consumeInput, FakeReading } from '../helpers/fake-reading.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('a consumer that is told something', () => {
  let lab: WorkflowLab;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  const start = (stream: string) =>
    lab.temporal.client.workflow.start<typeof consumerWorkflow>('consumer', {
      workflowId: ids.consumer(stream, 0),
      taskQueue: taskQueues.light,
      args: [{ consume: consumeInput(stream) }],
    });

  // Schemathesis found it: the API answered as to a mistake of its own.
  it.each(['pause', 'resume', 'drain'] as const)(
    '%s: it is not running where it was drained after it had been looked at',
    async (word) => {
      const stream = `w-drained-${word}`;
      lab.stages = { consume: new FakeReading().consume };
      const handle = await start(stream);
      const { connection, options } = lab.temporal.client;
      let looked = 0;
      const late = new Client({
        connection,
        namespace: options.namespace,
        interceptors: {
          workflow: [
            {
              query: async (input, next) => {
                looked += 1;
                return next(input);
              },
              startUpdate: async (input, next) => {
                await handle.executeUpdate('drain');
                await handle.result();
                return next(input);
              },
            },
          ],
        },
      });
      // Temporal's list may be a moment behind.
      await expect.poll(() => new ConsumerControl(lab.temporal.client).list(stream)).toHaveLength(1);
      await expect(new ConsumerControl(late)[word](stream)).rejects.toMatchObject({
        code: 'NotRunning',
        message: expect.stringContaining(`consumer/${stream}/0`) as unknown,
      });
      expect(looked).toBe(1);
    },
  );
});
