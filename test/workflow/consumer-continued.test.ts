import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Told } from '../../src/activities/telling.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { AcceptLossInput } from '../../src/stages/io.ts';
import type { consumer as consumerWorkflow } from '../../src/workflows/index.ts';
import type { ConsumerInput, ConsumerState } from '../../src/workflows/messages.ts';
import { FakeReading, consumeInput } from '../helpers/fake-reading.ts';
import { definition } from '../helpers/fake-stages.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

/** The boundary at which a consumer's history is full, in each state, with words that arrive just then. */
describe.skipIf(noTemporal)('a consumer whose history is full', () => {
  let lab: WorkflowLab;
  let reading: FakeReading;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  const until = (what: () => boolean | Promise<boolean>) => vi.waitUntil(what, { timeout: 60_000, interval: 50 });
  const lost = new SluiceError('LogTruncated', 'offset 7 is gone');
  const loss = { partition: 0, from: '7', to: '8', reason: 'disk' };

  /** @param maxHistory events after which it is to begin anew; it begins with five or six */
  async function start(maxHistory: number, more: Partial<ConsumerInput> = {}) {
    const { name } = definition();
    reading = new FakeReading();
    lab.stages = { consume: reading.consume };
    const consume = consumeInput(name);
    const begun = await lab.temporal.client.workflow.start<typeof consumerWorkflow>('consumer', {
      workflowId: ids.consumer(name, 0),
      taskQueue: taskQueues.light,
      args: [{ consume, maxHistory, ...more }],
    });
    const first = begun.firstExecutionRunId;
    const handle = lab.temporal.client.workflow.getHandle<typeof consumerWorkflow>(begun.workflowId);
    const state = () => handle.query<ConsumerState>('state');
    const mode = async () => (await state()).mode;
    const runId = async () => (await handle.describe()).runId;
    return {
      ...{ handle, consume, first, state, runId },
      is: (wanted: ConsumerState['mode']) => until(async () => (await mode()) === wanted),
      continued: () => until(async () => (await runId()) !== first),
      /** Words that change nothing, until there are so many events. */
      fill: async (events: number) => {
        while ((await handle.describe()).historyLength <= events) await handle.signal('adopt', consume);
      },
      drained: async () => {
        await handle.executeUpdate('drain');
        expect(await handle.result()).toMatchObject({ mode: 'draining' });
        expect(reading.now).toBe(0);
      },
    };
  }

  it('begins anew while it reads, and reads on with what it was told last', async () => {
    const { handle, consume, first, fill, continued, state, runId, drained } = await start(40);
    await until(() => reading.now === 1);
    await fill(36);
    expect(await runId()).toBe(first);
    const newer = consumeInput(consume.stream, { epoch: 'e2', life: 2 });
    await handle.signal('adopt', newer);
    await handle.signal('adopt', consume);
    await fill(40).catch(() => {});
    await continued();
    await until(() => reading.now === 1);
    expect(await state()).toMatchObject({ mode: 'running', epoch: 'e2' });
    expect(reading.given.at(-1)).toEqual(newer);
    await drained();
  });

  it('begins anew while it is paused, and stays so until it is resumed', async () => {
    const { handle, is, fill, continued, state, drained } = await start(40);
    await until(() => reading.now === 1);
    await handle.executeUpdate('pause');
    await until(() => reading.now === 0);
    await fill(40).catch(() => {});
    await continued();
    expect(await state()).toMatchObject({ mode: 'paused' });
    expect(reading.given).toHaveLength(1);
    await handle.executeUpdate('resume');
    await is('running');
    await until(() => reading.now === 1);
    await drained();
  });

  it('stays in the run that has halted, tells why, and begins anew once it is resumed', async () => {
    const { handle, consume, first, is, fill, continued, state, runId, drained } = await start(40);
    await until(() => reading.now === 1);
    reading.problem = lost;
    await handle.executeUpdate('pause');
    await handle.executeUpdate('resume');
    await is('halted');
    await fill(60);
    expect([await runId(), await state()]).toMatchObject([
      first,
      { mode: 'halted', problem: { code: 'LogTruncated' } },
    ]);
    // A halted one is told of newer limits, too.
    await handle.signal('adopt', consumeInput(consume.stream, { maxRecords: 99 }));
    reading.problem = undefined;
    await handle.executeUpdate('resume');
    await continued();
    await until(() => reading.now === 1);
    expect(reading.given.at(-1)).toMatchObject({ maxRecords: 99 });
    expect(await state()).toMatchObject({ mode: 'running' });
    await drained();
  });

  it('reads while nobody can be told of its halt, and begins anew once that is told', async () => {
    const { handle, first, is, fill, continued, runId, drained } = await start(40, { checkedMs: 100 });
    let refused = 0;
    let heard: Told[] | undefined;
    lab.stages = {
      ...lab.stages,
      tellOf: async (told: Told) => {
        if (!heard && (refused += 1) > 0) throw new SluiceError('Unexpected', 'Temporal takes no word of it');
        heard?.push(told);
      },
    };
    reading.problem = lost;
    await handle.executeUpdate('pause');
    await handle.executeUpdate('resume');
    await is('halted');
    await until(() => refused > 0);
    reading.problem = undefined;
    await handle.executeUpdate('resume');
    await fill(60);
    await until(() => reading.now === 1);
    expect(await runId()).toBe(first);
    heard = [];
    await continued();
    expect(heard.map(({ observations, clearings }) => [observations.length, clearings.length])).toEqual([
      [1, 0],
      [0, 1],
    ]);
    await until(() => reading.now === 1);
    await drained();
  });

  it('tells that it reads, for the one before it may have left without a word; drained at once it tells nothing', async () => {
    const heard: Told[] = [];
    for (const checkedMs of [60_000, 100]) {
      const { drained } = await start(1_000, { checkedMs });
      lab.stages = { ...lab.stages, tellOf: async (told: Told) => void heard.push(told) };
      await until(() => reading.now === 1);
      if (checkedMs === 100) await until(() => heard.length === 1);
      await drained();
    }
    expect(heard).toMatchObject([{ observations: [], clearings: [{ rule: 'consumer-halted' }] }]);
  });

  it.each(['paused', 'drained'] as const)('may be %s out of a halt', async (how) => {
    const { handle, is, fill, continued, state, drained } = await start(40);
    reading.problem = lost;
    await is('halted');
    await fill(60);
    if (how === 'drained') return drained();
    await handle.executeUpdate('pause');
    await continued();
    expect(await state()).toMatchObject({ mode: 'paused' });
    expect((await state()).problem).toBeUndefined();
    await drained();
  });

  it('leaves when it is drained in the very moment, and begins nothing anew', async () => {
    const { handle, first, fill, runId } = await start(40);
    await until(() => reading.now === 1);
    await fill(38);
    await Promise.all([handle.signal('drain'), handle.signal('pause'), handle.signal('resume')]);
    expect(await handle.result()).toMatchObject({ mode: 'draining' });
    expect(await runId()).toBe(first);
  });

  /** One that is paused and full, and waits for a loss to be written before it begins anew. */
  async function waitsForLoss() {
    const begun = await start(40, { paused: true });
    const [writing, written] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    lab.stages = {
      ...lab.stages,
      acceptLoss: async (input: AcceptLossInput) => {
        writing.resolve();
        await written.promise;
        return { epoch: input.consume.epoch, partition: 0, first: '7', last: '8', reason: 'disk', acceptedAt: 1 };
      },
    };
    const accepted = begun.handle.executeUpdate('acceptLoss', { args: [loss] });
    await writing.promise;
    await begun.fill(45);
    return { ...begun, accepted, write: written.resolve };
  }

  it.each([
    ['pause', 'paused', 0],
    ['resume', 'running', 1],
  ] as const)('forgets no %s that comes while it waits for a loss to be written', async (word, mode, readings) => {
    const { handle, fill, continued, is, drained, accepted, write } = await waitsForLoss();
    await handle.signal(word);
    await fill(47);
    write();
    expect(await accepted).toMatchObject({ accepted: loss });
    await continued();
    await is(mode);
    await until(() => reading.now === readings);
    await drained();
  });

  it('leaves, and begins nothing anew, where it is drained while it waits for a loss to be written', async () => {
    const { handle, first, fill, runId, accepted, write } = await waitsForLoss();
    expect(await handle.executeUpdate('drain')).toMatchObject({ mode: 'draining' });
    await fill(47);
    write();
    expect(await accepted).toMatchObject({ accepted: loss });
    expect(await handle.result()).toMatchObject({ mode: 'draining' });
    expect(await runId()).toBe(first);
  });
});
