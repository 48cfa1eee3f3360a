import { describe, expect, it } from 'vitest';
import type { StandingTopic } from '../../src/connectors/kafka-topic.ts';
import { parseDefinition } from '../../src/definition/parse.ts';
import { pipelineSchema, type Pipeline } from '../../src/definition/pipeline.ts';
import { requirePartitions } from '../../src/stages/preparing/cluster-health.ts';
import { differencesOf, wantedSettings } from '../../src/stages/preparing/topic-settings.ts';

const definition = (publish: object): Pipeline['publish'] =>
  pipelineSchema.parse({
    name: 'p',
    source: { url: 'https://example.org/x.csv' },
    columns: { ID: { name: 'id' } },
    publish,
  }).publish;

const three = definition({ replication: 3 });

/** A topic of three partitions on three brokers that is all that the definition wants, but for some settings. */
function topic(settings: Record<string, string> = {}, parts: Partial<StandingTopic> = {}): StandingTopic {
  const partitions = [0, 1, 2].map((id) => ({ id, leader: 1, replicas: [1, 2, 3], inSync: [1, 2, 3] }));
  return { partitions, settings: { ...wantedSettings(three), ...settings }, overrides: {}, ...parts };
}

describe('what a topic has otherwise than the definition', () => {
  const found = (standing: StandingTopic, publish = three) =>
    differencesOf(publish, standing).map(({ setting, danger }) => `${setting} ${danger}`);

  it('is nothing where it stands as it was made', () => {
    expect(found(topic())).toEqual([]);
    expect(wantedSettings(three)).toMatchObject({ 'retention.ms': '2592000000', 'min.insync.replicas': '2' });
    expect(wantedSettings(definition({ retention: '7d' }))).toMatchObject({
      'retention.ms': '604800000',
      'min.insync.replicas': '1',
    });
  });

  it.each([
    ['cleanup.policy', 'compact', 'endangers'],
    ['cleanup.policy', 'compact,delete', 'endangers'],
    ['cleanup.policy', 'delete,compact', 'endangers'],
    ['cleanup.policy', '', 'harmless'],
    ['retention.ms', '2591999999', 'endangers'],
    ['retention.ms', '2592000001', 'harmless'],
    ['retention.ms', '-1', 'harmless'],
    ['retention.bytes', '1073741824', 'endangers'],
    ['min.insync.replicas', '1', 'endangers'],
    ['min.insync.replicas', '3', 'harmless'],
    ['unclean.leader.election.enable', 'true', 'endangers'],
    ['compression.type', 'zstd', 'unreadable'],
    ['compression.type', 'snappy', 'unreadable'],
    ['compression.type', 'lz4', 'unreadable'],
    ['max.message.bytes', '1048588', 'harmless'],
  ])('%s %s: %s', (setting, value, danger) => {
    expect(found(topic({ [setting]: value }))).toEqual([`${setting} ${danger}`]);
  });

  it.each([
    ['compression.type', 'gzip'],
    ['compression.type', 'uncompressed'],
    ['max.message.bytes', '20971520'],
    ['message.timestamp.type', 'LogAppendTime'],
    ['segment.ms', '1000'],
  ])('%s %s is as good', (setting, value) => {
    expect(found(topic({ [setting]: value }))).toEqual([]);
  });

  it('compares partitions and replicas too', () => {
    expect(found(topic(), { ...three, partitions: 4 })).toEqual(['partitions harmless']);
    expect(found(topic(), { ...three, partitions: 2 })).toEqual(['partitions harmless']);
    expect(found(topic(), { ...three, replication: 2 })).toEqual(['replication factor harmless']);
    const partitions = topic().partitions.map((part) => (part.id === 1 ? { ...part, replicas: [1, 2] } : part));
    expect(found(topic({}, { partitions }))).toEqual(['replication factor endangers']);
  });
});

describe('partitions', () => {
  const one = (part: object) => topic({}, { partitions: [{ ...topic().partitions[0], ...part } as never] });

  it('take rows while enough replicas are in sync, and tell of those that are behind', () => {
    expect(requirePartitions('t', topic())).toEqual([]);
    expect(requirePartitions('t', one({ inSync: [1, 3] }))).toEqual([
      'topic t: 1 of 1 partitions have replicas that are not in sync',
    ]);
  });

  it('are refused, to be tried again, without a leader or with too few replicas in sync', () => {
    const retry = (sentence: RegExp) =>
      expect.objectContaining({ code: 'KafkaUnavailable', message: expect.stringMatching(sentence) as string });
    expect(() => requirePartitions('t', one({ inSync: [1] }))).toThrow(
      retry(/^Topic t, partition 0 has 1 of 3 replicas in sync and min\.insync\.replicas says 2, .*brokers 1, 2, 3/),
    );
    expect(() => requirePartitions('t', one({ leader: undefined }))).toThrow(retry(/partition 0 has no leader/));
  });
});

describe('publish', () => {
  it.each([
    ['{ retention: 23h }', /"23h" is shorter than land\.abandonAfter \(24h\)/],
    ['{ replication: 2, minInsyncReplicas: 3 }', /3 is more than publish\.replication \(2\)/],
    ['{ minInsyncReplicas: 2 }', /2 is more than publish\.replication \(1\)/],
    ['{ onTopicDifference: ignore }', /apply.*warn.*refuse/],
    ['{ topic: others.dlq }', /"\.dlq" at the end is how the topics of dead letters are called/],
  ])('%s is refused in one sentence', (publish, sentence) => {
    const text = `name: p\nsource: { url: https://example.org/x.csv }\ncolumns: { ID: { name: id } }\npublish: ${publish}`;
    const parsed = parseDefinition(text);
    const problems = 'problems' in parsed ? parsed.problems : [];
    expect(problems.map(({ message }) => message)).toEqual([expect.stringMatching(sentence)]);
    expect(problems[0]?.path).toMatch(/^publish\./);
  });

  it('has no data set whose topic would be that of the dead letters, and no batch that dies at once', () => {
    const text =
      'name: p\nsource: { url: https://example.org/x.csv }\ncolumns: { ID: { name: id } }\nland: { abandonAfter: 9s }\n' +
      "aggregate: [{ name: dlq, groupBy: [id], measures: { n: { count: '*' } } }]";
    const parsed = parseDefinition(text);
    const problems = 'problems' in parsed ? parsed.problems : [];
    expect(problems.map(({ path }) => path).toSorted()).toEqual(['aggregate.0.name', 'land.abandonAfter']);
  });

  it('may keep rows as long as a batch counts as alive', () => {
    const text =
      'name: p\nsource: { url: https://example.org/x.csv }\ncolumns: { ID: { name: id } }\npublish: { retention: 1h }\nland: { abandonAfter: 1h }';
    expect('pipeline' in parseDefinition(text)).toBe(true);
  });
});
