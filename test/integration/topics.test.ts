import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KafkaConnector } from '../../src/connectors/kafka.ts';
import { describeTopic } from '../../src/connectors/kafka-topic.ts';
import type { PipelineInput } from '../../src/definition/pipeline.ts';
import { planBatch } from '../../src/stages/publishing/plan.ts';
import { noStack } from '../helpers/stack.ts';
import { labHour, StreamingLab } from '../helpers/streaming-lab.ts';

const { ConfigResourceTypes } = kafkajs;

describe.skipIf(noStack)('a topic on a real broker', () => {
  let lab: StreamingLab;

  beforeAll(async () => {
    lab = await StreamingLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  /** Sets a topic, or a broker, by hand, as an operator's tool does: everything else that was set for it alone is gone. */
  async function setByHand(
    name: string,
    settings: Record<string, string>,
    type = ConfigResourceTypes.TOPIC,
  ): Promise<void> {
    const configEntries = Object.entries(settings).map(([setting, value]) => ({ name: setting, value }));
    const resources = [{ type, name, configEntries }];
    await lab.deps.kafka.admin('settings', (admin) => admin.alterConfigs({ validateOnly: false, resources }));
  }

  /** What is in force, asked of the broker and not of the code under test. */
  async function settingsOf(topic: string): Promise<Record<string, string>> {
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic }];
    const answer = await lab.deps.kafka.admin('settings', (admin) =>
      admin.describeConfigs({ includeSynonyms: false, resources }),
    );
    const entries = answer.resources[0]?.configEntries ?? [];
    return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
  }

  /** A broker learns of a change a moment later. */
  async function inForce(topic: string, settings: Record<string, string>): Promise<void> {
    await expect.poll(() => settingsOf(topic)).toMatchObject(settings);
  }

  type Publish = NonNullable<PipelineInput['publish']>;
  const define = (publish: Publish) => lab.definition({ publish });
  const redefine = (pipeline: ReturnType<typeof define>, publish: Publish) =>
    lab.definition({ name: pipeline.name, publish });

  it('is made as the definition says, and found so the next time', async () => {
    const pipeline = define({ partitions: 2, retention: '7d' });
    const made = await lab.prepared(pipeline);
    expect(made.changes[0]).toBe(`created topic ${made.topic} (2 partitions, epoch ${made.epoch})`);
    expect(await settingsOf(made.topic)).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': String(7 * 86_400_000),
      'retention.bytes': '-1',
      'min.insync.replicas': '1',
      'unclean.leader.election.enable': 'false',
      'compression.type': 'producer',
      'max.message.bytes': String(8 * 1024 * 1024),
    });
    expect(await lab.prepared(pipeline)).toMatchObject({ changes: [], warnings: [], partitions: 2 });
  });

  it('is set as the definition says, and whatever else was set for it stays', async () => {
    const pipeline = define({});
    const { topic } = await lab.prepared(pipeline);
    const wrong = {
      'cleanup.policy': 'compact',
      'retention.ms': '3600000',
      'retention.bytes': '1000000',
      'unclean.leader.election.enable': 'true',
      'max.message.bytes': '1000',
      'segment.ms': '600000',
    };
    await setByHand(topic, wrong);
    await inForce(topic, wrong);
    const { changes, warnings } = await lab.prepared(pipeline);
    expect(warnings).toEqual([]);
    expect(changes).toEqual([
      `topic ${topic}: cleanup.policy compact → delete`,
      `topic ${topic}: retention.ms 3600000 (1h) → 2592000000 (30d)`,
      `topic ${topic}: retention.bytes 1000000 → unlimited`,
      `topic ${topic}: unclean.leader.election.enable true → false`,
      `topic ${topic}: max.message.bytes 1000 → 8388608`,
    ]);
    expect(await settingsOf(topic)).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': '2592000000',
      'retention.bytes': '-1',
      'unclean.leader.election.enable': 'false',
      'max.message.bytes': '8388608',
      'segment.ms': '600000',
    });
    expect(await lab.prepared(pipeline)).toMatchObject({ changes: [], warnings: [] });
  });

  it('is left as it is where the definition says warn, but never so that rows could be lost', async () => {
    const pipeline = define({ onTopicDifference: 'warn' });
    const { topic } = await lab.prepared(pipeline);
    await setByHand(topic, { 'retention.ms': '-1', 'max.message.bytes': '2000000' });
    await inForce(topic, { 'retention.ms': '-1' });
    const { changes, warnings } = await lab.prepared(pipeline);
    expect(changes).toEqual([]);
    expect(warnings).toEqual([
      `topic ${topic}: retention.ms is unlimited and the definition wants 2592000000 (30d) (rows are kept for longer)`,
      expect.stringContaining('max.message.bytes is 2000000'),
    ]);
    expect(await settingsOf(topic)).toMatchObject({ 'retention.ms': '-1', 'max.message.bytes': '2000000' });

    for (const [name, value] of [
      ['cleanup.policy', 'compact,delete'],
      ['retention.ms', '60000'],
      ['retention.bytes', '1000000'],
      ['unclean.leader.election.enable', 'true'],
    ] as const) {
      await setByHand(topic, { 'retention.ms': '2592000000', [name]: value });
      await inForce(topic, { [name]: value });
      await expect(lab.prepared(pipeline)).rejects.toMatchObject({
        code: 'TopicMismatch',
        message: expect.stringMatching(`^Topic ${topic} is not as .*: ${name} is .*apply \\(it is warn\\)`) as string,
      });
      expect(await settingsOf(topic)).toMatchObject({ [name]: value });
    }
  });

  it('is refused with any difference where the definition says refuse', async () => {
    const pipeline = define({ onTopicDifference: 'refuse' });
    const { topic } = await lab.prepared(pipeline);
    expect(await lab.prepared(pipeline)).toMatchObject({ changes: [], warnings: [] });
    await setByHand(topic, { 'retention.ms': '-1' });
    await inForce(topic, { 'retention.ms': '-1' });
    await expect(lab.prepared(pipeline)).rejects.toMatchObject({
      code: 'TopicMismatch',
      message: expect.stringMatching(/retention\.ms is unlimited .*apply \(it is refuse\)/) as string,
    });
    await expect(lab.prepared(redefine(pipeline, { partitions: 4, onTopicDifference: 'refuse' }))).rejects.toThrow(
      /partitions is 3 and the definition wants 4/,
    );
  });

  it('is refused with a codec that is not read here, whoever set it; one that is made then has its own', async () => {
    const pipeline = define({});
    const { topic } = await lab.prepared(pipeline);
    for (const codec of ['zstd', 'snappy', 'lz4']) {
      await setByHand(topic, { 'compression.type': codec });
      await inForce(topic, { 'compression.type': codec });
      await expect(lab.prepared(pipeline)).rejects.toMatchObject({
        code: 'TopicMismatch',
        message: expect.stringMatching(`compression.type is ${codec} .*which kafkajs does not read`) as string,
      });
    }
    await setByHand(topic, { 'retention.ms': '2592000000' });
    await setByHand('1', { 'compression.type': 'zstd' }, ConfigResourceTypes.BROKER);
    try {
      await inForce(topic, { 'compression.type': 'zstd' });
      await expect(lab.prepared(pipeline)).rejects.toThrow(/compression\.type is zstd/);
      const other = define({ partitions: 1 });
      const stream = await lab.prepared(other);
      const batch = await lab.cleanBatch(other, stream, lab.rows(30));
      expect((await lab.landAndIndex(other, stream, batch)).equation.holds).toBe(true);
    } finally {
      await setByHand('1', {}, ConfigResourceTypes.BROKER);
    }
    await inForce(topic, { 'compression.type': 'producer' });
  });

  it('keeps rows for less only once those that this deletes have landed', async () => {
    const pipeline = define({ partitions: 1 });
    const stream = await lab.prepared(pipeline);
    const batch = await lab.cleanBatch(pipeline, stream, lab.rows(40));
    await lab.send(pipeline, stream, batch);
    const shorter = lab.definition({
      name: pipeline.name,
      publish: { partitions: 1, retention: '1s' },
      land: { type: 'kind', maxRecords: 50, abandonAfter: '1s' },
    });
    await wait(1_100);
    const kept = await lab.prepared(shorter);
    expect(kept.changes).toEqual([]);
    expect(kept.warnings).toEqual([expect.stringMatching(/retention\.ms .*shortened once all rows .* have landed$/)]);
    expect(await settingsOf(stream.topic)).toMatchObject({ 'retention.ms': '2592000000' });

    await lab.consumeUntil(lab.input(pipeline, stream), lab.isIn(batch));
    const after = await lab.prepared(shorter);
    expect(after.warnings).toEqual([]);
    expect(after.changes).toEqual([`topic ${stream.topic}: retention.ms 2592000000 (30d) → 1000 (1s)`]);
    expect(await settingsOf(stream.topic)).toMatchObject({ 'retention.ms': '1000' });
  });

  it('grows: batches that were planned before stay in their partitions, later ones use them all, and every row lands', async () => {
    const pipeline = define({ partitions: 2, batchRows: 20 });
    const before = await lab.prepared(pipeline);
    const planned = await lab.cleanBatch(pipeline, before, lab.rows(60));
    await planBatch(lab.deps, before, labHour, planned.batchId);
    const larger = redefine(pipeline, { partitions: 5, batchRows: 20 });
    const [grown, other] = await Promise.all([lab.prepared(larger), lab.prepared(larger)]);
    expect([grown.partitions, other.partitions, grown.epoch]).toEqual([5, 5, before.epoch]);
    expect([...grown.changes, ...other.changes]).toContain(`topic ${grown.topic}: partitions 2 → 5`);
    const sizes = async () => {
      const watermarks = await lab.deps.kafka.watermarks(grown.topic);
      return [0, 1, 2, 3, 4].map((partition) => Number(watermarks.get(partition)?.high));
    };
    // A partition that has just been added has no leader for a moment.
    await expect.poll(sizes, { timeout: 60_000 }).toEqual([0, 0, 0, 0, 0]);

    expect((await lab.landAndIndex(larger, grown, planned)).equation.holds).toBe(true);
    const [first = 0, second = 0, ...rest] = await sizes();
    expect([first + second, ...rest]).toEqual([62, 0, 0, 0]);

    const later = await lab.cleanBatch(larger, grown, lab.rows(200));
    expect((await lab.landAndIndex(larger, grown, later)).equation.holds).toBe(true);
    const end = await sizes();
    expect(end.every((size) => size > 20)).toBe(true);
    expect(end.reduce((sum, size) => sum + size, 0)).toBe(62 + 205);

    // Whoever still has the older definition goes on with what it knows.
    const older = await lab.prepared(pipeline);
    expect(older).toMatchObject({ partitions: 2, changes: [] });
    expect(older.warnings).toEqual([
      expect.stringMatching(/partitions is 5 and the definition wants 2 \(partitions cannot be taken away\)$/),
    ]);
  });

  it('does not grow where the definition says warn, and is used as it is', async () => {
    const pipeline = define({ partitions: 1, onTopicDifference: 'warn' });
    await lab.prepared(pipeline);
    const stream = await lab.prepared(redefine(pipeline, { partitions: 3, onTopicDifference: 'warn' }));
    expect(stream).toMatchObject({ partitions: 1, changes: [] });
    expect(stream.warnings).toEqual([expect.stringMatching(/partitions is 1 and the definition wants 3/)]);
    expect((await describeTopic(lab.deps.kafka, stream.topic))?.partitions).toHaveLength(1);
  });

  it('that somebody made anew with fewer partitions is refused', async () => {
    const pipeline = define({ partitions: 3 });
    const { topic } = await lab.prepared(pipeline);
    await lab.deps.kafka.admin('deletion', (admin) => admin.deleteTopics({ topics: [topic] }));
    await expect.poll(() => describeTopic(lab.deps.kafka, topic)).toBeUndefined();
    await lab.deps.kafka.createTopic(topic, { partitions: 1, replication: 1, config: {} });
    await expect(lab.prepared(pipeline)).rejects.toMatchObject({
      code: 'TopicMismatch',
      message: expect.stringMatching(/has 1 partitions, and s-\w+ made it with 3: somebody made it anew/) as string,
    });
  });

  it('is not made where replicas would lack brokers, and not used where too few are in sync', async () => {
    await expect(lab.prepared(define({ replication: 3 }))).rejects.toMatchObject({
      code: 'KafkaUnavailable',
      message: expect.stringMatching(/has 1 broker up, and publish\.replication says 3/) as string,
    });
    const pipeline = define({ onTopicDifference: 'warn' });
    const { topic } = await lab.prepared(pipeline);
    await setByHand(topic, { 'min.insync.replicas': '2', 'retention.ms': '2592000000' });
    await inForce(topic, { 'min.insync.replicas': '2' });
    await expect(lab.prepared(pipeline)).rejects.toMatchObject({
      code: 'KafkaUnavailable',
      message: expect.stringMatching(
        `^Topic ${topic}, partition 0 has 1 of 1 replicas in sync and min.insync.replicas says 2`,
      ) as string,
    });
    // With `apply` the very same topic is mended.
    const mended = await lab.prepared(redefine(pipeline, {}));
    expect(mended.changes).toContain(`topic ${topic}: min.insync.replicas 2 → 1`);
    await expect(lab.prepared(redefine(pipeline, { replication: 2 }))).rejects.toThrow(
      /replication factor is 1 and the definition wants 2 .*kafka-reassign-partitions/,
    );
  });

  it('says in one sentence that no broker answers', async () => {
    const kafka = new KafkaConnector({ brokers: ['127.0.0.1:1'] });
    await expect(describeTopic(kafka, 'any')).rejects.toMatchObject({
      code: 'KafkaUnavailable',
      message: expect.stringMatching(/^Kafka at 127\.0\.0\.1:1 failed on topic any: .*ECONNREFUSED/) as string,
    });
  });

  it('takes rows of any width up to 4 MiB, however many are sent at once', async () => {
    const pipeline = lab.definition({
      land: {},
      publish: { partitions: 1, compression: 'none' },
    });
    const stream = await lab.prepared(pipeline);
    const wide = (bytes: number) => randomBytes(bytes / 2).toString('hex');
    const rows = [
      ...Array.from({ length: 9 }, (_, at) => [`r${at}`, wide(1_000_000), '1']),
      ['last', wide(4_000_000), '1'],
    ];
    const batch = await lab.cleanBatch(pipeline, stream, rows);
    expect(await lab.send(pipeline, stream, batch)).toMatchObject({ rows: 10 });
    expect(await lab.topicSize(stream.topic)).toBe(11);
  });
});
