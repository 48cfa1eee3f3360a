import { Context } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/definition/errors.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { AcceptLossInput, ConsumeInput } from '../../src/stages/io.ts';
import type { consumer as consumerWorkflow } from '../../src/workflows/index.ts';
import type { ConsumerInput, ConsumerState } from '../../src/workflows/messages.ts';
import { definition } from '../helpers/fake-stages.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('the consumer workflow', () => {
  let lab: WorkflowLab;
  /** Readings now, those that began, and what they were given. */
  let reading = 0;
  const given: ConsumeInput[] = [];

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  const reads = async (input: ConsumeInput): Promise<unknown> => {
    reading += 1;
    given.push(input);
    const beat = setInterval(() => Context.current().heartbeat(), 50);
    try {
      await Context.current().cancelled;
    } catch {
      // As the real one: ends normally when it is told to stop.
    } finally {
      clearInterval(beat);
      reading -= 1;
    }
    return { positions: {}, landedRows: 0, resent: 0, foreign: 0, manifests: 0, openBatches: 0 };
  };
  const start = (input: Partial<ConsumerInput> = {}, epoch = 'e1') => {
    const { name } = definition();
    given.length = 0;
    const consume: ConsumeInput = {
      ...{ stream: name, topic: name, epoch, life: 1, partitions: 1, shard: 0 },
      ...{ maxRecords: 10, maxBytes: 1_024, abandonAfterMs: 1_000 },
    };
    return lab.temporal.client.workflow.start<typeof consumerWorkflow>('consumer', {
      workflowId: ids.consumer(name, 0),
      taskQueue: taskQueues.light,
      args: [{ consume, ...input }],
    });
  };
  const until = async (what: () => boolean | Promise<boolean>): Promise<void> => {
    for (let tries = 0; tries < 1_200; tries += 1) {
      if (await what()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('it never came to that');
  };

  it('reads until it is paused, reads again when it is resumed, and ends when it is drained', async () => {
    lab.stages = { consume: reads };
    const handle = await start();
    await until(() => reading === 1);
    expect(await handle.executeUpdate<ConsumerState, []>('pause')).toMatchObject({ mode: 'paused' });
    await until(() => reading === 0);
    expect(await handle.query<ConsumerState>('state')).toMatchObject({ mode: 'paused', epoch: 'e1' });
    expect(await handle.executeUpdate<ConsumerState, []>('resume')).toMatchObject({ mode: 'running' });
    await until(() => reading === 1);
    expect(given).toHaveLength(2);
    expect(await handle.executeUpdate<ConsumerState, []>('drain')).toMatchObject({ mode: 'draining' });
    expect(await handle.result()).toMatchObject({ mode: 'draining' });
    expect(reading).toBe(0);
  });

  it('goes on, and does not halt, where the worker of an activity that was to end stopped before it had heard of that', async () => {
    let stop = (): void => {};
    // It hears of nothing, as it sends no heartbeat; then it fails as an attempt does whose worker stops.
    const deaf = new Promise<never>((_, reject) => {
      stop = () => reject(new SluiceError('WorkerShutdown', 'The worker was told to stop; another goes on.'));
    });
    deaf.catch(() => {});
    lab.stages = { consume: () => deaf };
    const handle = await start();
    const pending = async () => (await handle.describe()).raw.pendingActivities?.[0]?.state;
    // 2: it runs; 3: it is to be cancelled.
    await until(async () => (await pending()) === 2);
    await handle.executeUpdate('pause');
    await until(async () => (await pending()) === 3);
    await handle.executeUpdate('resume');
    lab.stages = { consume: reads };
    stop();
    await until(() => reading === 1);
    expect(await handle.query<ConsumerState>('state')).toMatchObject({ mode: 'running' });
    await handle.executeUpdate('drain');
    await handle.result();
  });

  it('obeys the same words as signals, as the command line and the Web UI send them', async () => {
    lab.stages = { consume: reads };
    const handle = await start();
    await until(() => reading === 1);
    await handle.signal('pause');
    await until(() => reading === 0);
    await handle.signal('resume');
    await until(() => reading === 1);
    await handle.signal('drain');
    await handle.result();
    expect(reading).toBe(0);
  });

  it('halts where going on would lose rows, says why, and checks again when it is resumed', async () => {
    let broken = true;
    lab.stages = {
      consume: async (input: ConsumeInput) => {
        if (broken) throw new SluiceError('LogTruncated', 'offset 7 is gone');
        return reads(input);
      },
    };
    const handle = await start();
    await until(async () => (await handle.query<ConsumerState>('state')).mode === 'halted');
    expect((await handle.query<ConsumerState>('state')).problem).toEqual({
      code: 'LogTruncated',
      message: 'offset 7 is gone',
    });
    broken = false;
    await handle.executeUpdate('resume');
    await until(() => reading === 1);
    const state = await handle.query<ConsumerState>('state');
    expect(state.mode).toBe('running');
    expect(state.problem).toBeUndefined();
    await handle.executeUpdate('drain');
    await handle.result();
  });

  it('tries again what may pass, for as long as it takes, and does not halt', async () => {
    let tries = 0;
    lab.stages = {
      consume: async (input: ConsumeInput) => {
        tries += 1;
        if (tries < 3) throw new SluiceError('KafkaUnavailable', 'away');
        return reads(input);
      },
    };
    const handle = await start();
    await until(() => tries === 2);
    expect(await handle.query<ConsumerState>('state')).toMatchObject({ mode: 'running' });
    await until(() => reading === 1);
    // Once it is told to leave, no word takes that back.
    await Promise.all([handle.signal('drain'), handle.signal('pause'), handle.signal('resume')]);
    expect(await handle.result()).toMatchObject({ mode: 'draining' });
  });

  it('gives up what a person says when it has halted, and nothing while it reads', async () => {
    const accepted: unknown[] = [];
    let broken = false;
    lab.stages = {
      consume: async (input: ConsumeInput) => {
        if (broken && accepted.length === 0) throw new SluiceError('LogTruncated', 'offset 7 is gone');
        return reads(input);
      },
      acceptLoss: async (input: AcceptLossInput) => {
        if (input.to === '9') throw new SluiceError('LossRefused', 'what is gone reaches to 8, not to 9');
        accepted.push(input);
        return { epoch: 'e1', partition: 0, first: '7', last: '8', reason: 'disk', acceptedAt: 1 };
      },
    };
    const loss = { partition: 0, from: '7', to: '8', reason: 'disk' };
    const handle = await start();
    const accept = (args: object) => handle.executeUpdate('acceptLoss', { args: [args] });
    await until(() => reading === 1);
    await expect(accept(loss)).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/is running/) as string },
    });
    broken = true;
    await handle.executeUpdate('pause');
    await handle.executeUpdate('resume');
    await until(async () => (await handle.query<ConsumerState>('state')).mode === 'halted');
    await expect(accept({ ...loss, from: 7 })).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/offsets as text/) as string },
    });
    await expect(accept({ ...loss, reason: ' ' })).rejects.toThrow('Update failed');
    await expect(accept({ ...loss, to: '9' })).rejects.toThrow('Update failed');
    expect((await handle.query<ConsumerState>('state')).mode).toBe('halted');
    expect(await accept(loss)).toMatchObject({ mode: 'running', accepted: loss });
    await until(() => reading === 1);
    expect(accepted).toEqual([{ consume: given[0], ...loss }]);
    await handle.executeUpdate('drain');
    await handle.result();
  });

  it('tells shards that are left over to leave when there are fewer', async () => {
    lab.stages = { consume: reads };
    const handle = await start();
    await until(() => reading === 1);
    const consume = given[0] as ConsumeInput;
    const shard = (n: number) =>
      lab.temporal.client.workflow.start<typeof consumerWorkflow>('consumer', {
        workflowId: ids.consumer(consume.stream, n),
        taskQueue: taskQueues.light,
        args: [{ consume: { ...consume, shard: n, shards: 3 } }],
      });
    const others = [await shard(1), await shard(2)];
    await handle.signal('adopt', { ...consume, shards: 3 });
    await until(() => reading === 3);
    await handle.signal('adopt', { ...consume, shards: 1 });
    for (const other of others) expect(await other.result()).toMatchObject({ mode: 'draining' });
    expect(await handle.query<ConsumerState>('state')).toMatchObject({ mode: 'running', shards: 1 });
    await handle.executeUpdate('drain');
    await handle.result();
  });

  it('leaves aside what no run would tell it, and goes on', async () => {
    lab.stages = { consume: reads };
    const handle = await start();
    await until(() => reading === 1);
    const [own] = given;
    await handle.signal('adopt');
    for (const told of [
      null,
      5,
      {},
      [],
      { ...own, stream: 'other', life: 2 },
      { ...own, life: 'x' },
      { ...own, shard: 1 },
    ])
      await handle.signal('adopt', told);
    expect(await handle.executeUpdate<ConsumerState, []>('pause')).toMatchObject({
      mode: 'paused',
      epoch: 'e1',
      life: 1,
    });
    await handle.executeUpdate('resume');
    await until(() => reading === 1 && given.length === 2);
    expect(given[1]).toEqual(own);
    await handle.executeUpdate('drain');
    await handle.result();
  });

  it('adopts a newer epoch and reads that topic afresh', async () => {
    lab.stages = { consume: reads };
    const handle = await start();
    await until(() => reading === 1);
    const newer: ConsumeInput = { ...(given[0] as ConsumeInput), epoch: 'e2', life: 2, partitions: 3 };
    await handle.signal('adopt', newer);
    await until(() => given.length === 2);
    // The same again changes nothing, and neither does what a run says that has not heard of the new topic.
    await handle.signal('adopt', newer);
    await handle.signal('adopt', given[0] as ConsumeInput);
    await handle.query('state');
    expect(given.map(({ epoch }) => epoch)).toEqual(['e1', 'e2']);
    // It joins anew for partitions that were added, and is not led back by a run that began before.
    await handle.signal('adopt', { ...newer, partitions: 5 });
    await until(() => given.length === 3);
    await handle.signal('adopt', newer);
    await handle.query('state');
    await handle.executeUpdate('drain');
    await handle.result();
    expect(given.map(({ partitions }) => partitions).slice(1)).toEqual([3, 5]);
  });

  it('continues as new, paused or not, with what it was last told', async () => {
    lab.stages = { consume: reads };
    const handle = await start({ maxHistory: 30 });
    const { runId: first } = await handle.describe();
    const newest = lab.temporal.client.workflow.getHandle(handle.workflowId);
    await until(() => reading === 1);
    await newest.signal('adopt', { ...(given[0] as ConsumeInput), epoch: 'e2', life: 2 });
    for (let times = 0; times < 12; times += 1) {
      await newest.executeUpdate(times % 2 === 0 ? 'pause' : 'resume');
      if ((await newest.describe()).runId !== first) break;
    }
    await until(async () => (await newest.describe()).runId !== first);
    expect(await newest.query<ConsumerState>('state')).toMatchObject({ epoch: 'e2' });
    await newest.executeUpdate('drain');
    await newest.result();
    expect(reading).toBe(0);
  });
});
