import { SluiceError } from '../src/definition/errors.ts';
import type { StackState } from './state.ts';
import type { KafkaKind, ServerName } from './versions.ts';

/** Which Kafka a stack has, or would get where nothing is said. */
export const kafkaOf = (state: StackState | undefined): KafkaKind => state?.kafka ?? 'kraft';

/**
 * Which Kafka a stack gets. One that has one keeps it: its object store holds the lives of topics that the other one does not have.
 * @throws SluiceError `StackUnavailable` where it has the other one
 */
export function settleKafka(
  state: StackState | undefined,
  wanted: KafkaKind | undefined,
  servers: readonly ServerName[],
): KafkaKind {
  const standing = state?.kafka ?? (state?.processes.kafka ? 'kraft' : undefined);
  const kind = wanted ?? standing ?? 'kraft';
  if (kind === 'kraft' && servers.includes('zookeeper')) {
    throw new SluiceError(
      'StackUnavailable',
      'ZooKeeper comes with a Kafka that needs it: say --kafka zookeeper, for a stack that has no Kafka yet.',
    );
  }
  if (standing === undefined || kind === standing || !servers.includes('kafka')) return kind;
  throw new SluiceError(
    'StackUnavailable',
    `This stack has Kafka with ${standing === 'kraft' ? 'KRaft' : 'ZooKeeper'}, and its object store tells of the topics there: choose another ` +
      'folder with --state DIR for the other kind, or begin anew after "npm run stack -- down --remove".',
  );
}

/** Kafka of that kind never comes without it. */
export function withZooKeeper(kind: KafkaKind, names: readonly ServerName[]): readonly ServerName[] {
  if (kind === 'kraft' || !names.includes('kafka') || names.includes('zookeeper')) return names;
  return ['zookeeper', ...names];
}
