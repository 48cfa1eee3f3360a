import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PipelineInput } from '../../src/definition/pipeline.ts';
import type { StageDeps } from '../../src/stages/deps.ts';
import { TestApp } from '../helpers/app.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noStack } from '../helpers/stack.ts';

interface Shown {
  streams: {
    consumers: { shard: number; state: { mode: string; shards: number; problem?: { code: string } } }[];
    partitions: { partition: number; lag: number; position: string; high: string }[];
  }[];
}

describe.skipIf(noStack)('consumers and dead letters, from the command line', () => {
  let app: TestApp;
  let deps: StageDeps;

  beforeAll(async () => {
    app = await TestApp.start();
    deps = stageDeps(app.environment);
  });

  afterAll(async () => {
    await deps?.search.close();
    await app?.stop();
  });

  const csv = (rows: number): string =>
    ['id,kind,amount', ...Array.from({ length: rows }, (_, at) => `r${at},k${at % 3},${at / 8}`)].join('\n') + '\n';

  async function defined(input: Partial<PipelineInput>, rows: number) {
    const { input: whole, pipeline } = app.define(input);
    app.serve(pipeline, { body: csv(rows) });
    return { file: await app.definitionFile(whole), whole, name: pipeline.name };
  }

  async function status(file: string): Promise<Shown['streams'][0]> {
    const { out } = await app.cli(['consumer', 'status', file, '--json']);
    const [stream] = (JSON.parse(out) as Shown).streams;
    if (!stream) throw new Error(`no stream in ${out}`);
    return stream;
  }

  async function untilModes(file: string, modes: string[]): Promise<void> {
    await expect
      .poll(async () => (await status(file)).consumers.map(({ state }) => state.mode), {
        timeout: 60_000,
        interval: 500,
      })
      .toEqual(modes);
  }

  it('are shown with what has landed where no worker answers for them, and steering says so', async () => {
    const { file, name } = await defined({ publish: { partitions: 1 }, land: { type: 'kind' } }, 20);
    expect((await app.cli(['run', file])).code).toBe(0);
    await app.cli(['consumer', 'drain', file]);
    await expect.poll(async () => (await status(file)).consumers, { timeout: 60_000 }).toEqual([]);
    const { temporal: client } = app.client;
    const unserved = { workflowId: `consumer/${name}/0`, taskQueue: 'nobody-serves-this', args: [] };
    const handle = await client.workflow.start('consumer', unserved);
    try {
      await expect.poll(async () => (await status(file)).consumers.length, { timeout: 60_000 }).toBe(1);
      const shown = await app.cli(['consumer', 'status', file]);
      expect(shown.out).toMatch(/shard 0: no worker answers for it/);
      expect(shown.out).toMatch(/partition 0: landed up to 21 of 21, lag 0/);
      expect(shown.code).toBe(0);
      expect((await app.cli(['consumer', 'pause', file])).err).toMatch(/No worker answers for consumer/);
    } finally {
      await handle.terminate();
    }
    expect((await app.cli(['consumer', 'pause', file, '--dataset', 'nope'])).err).toMatch(/no data set "nope"/);
  });

  it('share the partitions as the definition says, and fewer of them are told at the next run', async () => {
    const { file, whole } = await defined({ publish: { partitions: 4 }, land: { type: 'kind', shards: 2 } }, 200);
    expect(JSON.parse((await app.cli(['run', file, '--json'])).out)).toMatchObject({
      holds: true,
      rows: { landed: 200 },
    });
    const before = await status(file);
    expect(before.consumers.map(({ shard, state }) => [shard, state.mode, state.shards])).toEqual([
      [0, 'running', 2],
      [1, 'running', 2],
    ]);
    expect(before.partitions.map(({ lag }) => lag)).toEqual([0, 0, 0, 0]);
    app.serve({ name: whole.name }, { body: csv(201) });
    await app.definitionFile({ ...whole, land: { type: 'kind', shards: 1 } });
    expect(JSON.parse((await app.cli(['run', file, '--refetch', '--json'])).out)).toMatchObject({ holds: true });
    await untilModes(file, ['running']);
    const words = await app.cli(['consumer', 'status', file]);
    expect(words.out).toMatch(/running/);
    expect(words.out).toMatch(/partition 3: landed up to \d+ of \d+, lag 0/);
  });

  it('pause, resume and drain, and what is asked of one that does not run is answered in a sentence', async () => {
    const { file } = await defined({}, 20);
    await app.cli(['run', file, '--json']);
    expect((await app.cli(['consumer', 'pause', file])).out).toMatch(/shard 0: paused/);
    await untilModes(file, ['paused']);
    expect((await app.cli(['consumer', 'resume', file])).out).toMatch(/shard 0: running/);
    expect((await app.cli(['consumer', 'drain', file])).out).toMatch(/shard 0: draining/);
    await untilModes(file, []);
    const { code, err } = await app.cli(['consumer', 'pause', file]);
    expect([code, err]).toEqual([1, expect.stringMatching(/^No consumer of e-\w+ runs: .*\n$/)]);
  });

  it('halt on rows that are gone, say so to the run and to whoever asks, and go on when these are given up', async () => {
    const { file, name } = await defined({ publish: { partitions: 1 } }, 30);
    await app.cli(['run', file, '--json']);
    await app.cli(['consumer', 'pause', file]);
    await untilModes(file, ['paused']);
    app.serve({ name }, { body: csv(40) });
    const running = app.cli(['run', file, '--refetch', '--json']);
    const high = async () => (await deps.kafka.watermarks(name)).get(0)?.high;
    await expect.poll(high, { timeout: 60_000, interval: 200 }).toBe(72n);
    await deps.kafka.admin('truncation', async (admin) => {
      await admin.fetchTopicOffsets(name);
      await admin.deleteTopicRecords({ topic: name, partitions: [{ partition: 0, offset: '50' }] });
    });
    await app.cli(['consumer', 'resume', file]);
    await untilModes(file, ['halted']);
    const failed = await running;
    expect([failed.code, failed.err]).toEqual([
      1,
      expect.stringMatching(/begins at offset 50, but offset 31 is still needed/),
    ]);
    const shown = await app.cli(['consumer', 'status', file]);
    expect([shown.code, shown.out]).toEqual([1, expect.stringMatching(/halted[\s\S]*LogTruncated/)]);
    const loss = ['consumer', 'accept-loss', file, '--partition', '0', '--reason', 'a test', '--from', '31', '--to'];
    const refused = await app.cli([...loss, '40']);
    expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/what is gone reaches to 49, not to 40/)]);
    expect((await app.cli([...loss, '49'])).out).toMatch(
      /offsets 31 to 49 of partition 0 are given up; the consumer is running/,
    );
    const again = await app.cli(['run', file, '--force', '--json']);
    expect(JSON.parse(again.out)).toMatchObject({
      holds: true,
      rows: { clean: 40, published: 40, landed: 40, indexed: 40 },
    });
    await untilModes(file, ['running']);
  });

  it('keep what others write as dead letters, which are listed, shown and sent again', async () => {
    const land = { type: 'kind', foreignFlush: '1s' };
    const { file, whole, name } = await defined({ publish: { partitions: 1 }, land }, 20);
    await app.cli(['run', file, '--json']);
    expect((await app.cli(['dlq', 'list', file])).out).toMatch(/No dead letters/);
    const producer = deps.kafka.producer();
    await producer.connect();
    const values = ['{"id":"x1","kind":"k0"}', Buffer.from([0xff, 0x00])];
    await producer.send({ topic: name, messages: values.map((value) => ({ partition: 0, value })) });
    await producer.disconnect();
    const letters = async () =>
      (JSON.parse((await app.cli(['dlq', 'show', file, '--json'])).out) as { letters: { value: unknown }[] }).letters;
    await expect.poll(letters, { timeout: 60_000, interval: 500 }).toHaveLength(2);
    expect((await letters()).map(({ value }) => value)).toEqual([{ text: values[0] }, { base64: '/wA=' }]);
    expect((await app.cli(['dlq', 'list', file])).out).toMatch(/foreign {2}2, 0 of them replayed/);
    await app.definitionFile({ ...whole, land: { ...land, foreign: 'land' } });
    await app.cli(['run', file, '--force', '--json']);
    expect((await app.cli(['dlq', 'replay', file, '--at', '0:21', '--dry-run'])).out).toMatch(/1 would be sent/);
    const first = (await status(file)).partitions[0]?.high;
    expect((await app.cli(['dlq', 'replay', file, '--at', `0:21`])).out).toMatch(/1 sent to/);
    expect((await app.cli(['dlq', 'replay', file, '--at', `0:21`])).out).toMatch(/0 sent to .*; 1 had been before/);
    expect(Number((await status(file)).partitions[0]?.high)).toBe(Number(first) + 1);
    const landed = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const { key } of deps.store.list(`landing/${name}/foreign/`)) found.push(key);
      return found;
    };
    await expect.poll(landed, { timeout: 60_000, interval: 500 }).toEqual([expect.stringMatching(/type=k0/)]);
  });
});
