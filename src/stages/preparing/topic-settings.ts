import type { StandingTopic } from '../../connectors/kafka-topic.ts';
import { durationMs } from '../../definition/duration.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { MESSAGE_BYTES } from '../publishing/send-size.ts';

type Publish = Pipeline['publish'];

/** Codecs that kafkajs reads; `producer` leaves batches as they were sent. */
const READABLE = ['producer', 'gzip', 'uncompressed'];

/**
 * What a difference means.
 * - `harmless`: nothing can be lost by it.
 * - `endangers`: rows could be lost; never merely warned of.
 * - `unreadable`: what the topic holds already could not be read, so setting it otherwise would not be enough.
 */
export type Danger = 'harmless' | 'endangers' | 'unreadable';

/** One thing in which a topic is not as the definition says. */
export interface Difference {
  /** Kafka's own name of a setting; also `partitions` and `replication factor`. */
  readonly setting: string;
  readonly stands: string;
  readonly wanted: string;
  readonly danger: Danger;
  /** What follows from it, or what is to be done. */
  readonly because: string;
}

/** What is set on a topic for nothing to be lost in it. */
export function wantedSettings(publish: Publish): Readonly<Record<string, string>> {
  return {
    'cleanup.policy': 'delete',
    'retention.ms': String(durationMs(publish.retention)),
    'retention.bytes': '-1',
    'min.insync.replicas': String(publish.minInsyncReplicas ?? Math.min(2, publish.replication)),
    'unclean.leader.election.enable': 'false',
    'compression.type': 'producer',
    'max.message.bytes': String(MESSAGE_BYTES),
  };
}

/** Compares a topic with the definition. Pure. Partitions beyond the definition's are a difference too, though of no consequence. */
export function differencesOf(publish: Publish, topic: StandingTopic): Difference[] {
  const wanted = wantedSettings(publish);
  const settings = Object.entries(wanted).flatMap(([setting, value]): Difference[] => {
    const stands = topic.settings[setting];
    if (stands === undefined || stands === value) return [];
    const found = judge(setting, stands, value);
    return found ? [{ setting, stands, wanted: value, ...found }] : [];
  });
  return [...partitions(publish, topic), ...replication(publish, topic), ...settings];
}

type Judgement = Pick<Difference, 'danger' | 'because'>;

/** Why another value matters; undefined where it is as good. */
function judge(setting: string, stands: string, wanted: string): Judgement | undefined {
  switch (setting) {
    case 'cleanup.policy':
      if (!stands.includes('compact')) return { danger: 'harmless', because: 'rows are never deleted' };
      return endangers('of rows with the same key only the last would stay');
    case 'retention.ms':
      if (stands === '-1' || Number(stands) > Number(wanted))
        return { danger: 'harmless', because: 'rows are kept for longer' };
      return endangers('rows that wait longer to be landed would be deleted');
    case 'retention.bytes':
      return endangers('rows beyond that size would be deleted, landed or not');
    case 'min.insync.replicas':
      if (Number(stands) < Number(wanted)) return endangers('a row could count as sent while too few brokers have it');
      return { danger: 'harmless', because: 'more brokers must have a row before it counts as sent' };
    case 'unclean.leader.election.enable':
      return endangers('a broker that lacks rows which count as sent could lead');
    case 'compression.type':
      if (READABLE.includes(stands)) return undefined;
      return {
        danger: 'unreadable',
        because:
          `the broker packs rows with ${stands}, which kafkajs does not read: set it to producer; where rows were written meanwhile, delete ` +
          'the topic and run their hours again',
      };
    default:
      if (Number(stands) >= Number(wanted)) return undefined;
      return { danger: 'harmless', because: 'larger sends are refused, and publishing fails' };
  }
}

const endangers = (because: string): Judgement => ({ danger: 'endangers', because });

function partitions(publish: Publish, topic: StandingTopic): Difference[] {
  const stands = topic.partitions.length;
  if (stands === publish.partitions) return [];
  const because = stands > publish.partitions ? 'partitions cannot be taken away' : 'fewer are used';
  return [difference('partitions', stands, publish.partitions, 'harmless', because)];
}

function replication(publish: Publish, topic: StandingTopic): Difference[] {
  const stands = Math.min(...topic.partitions.map(({ replicas }) => replicas.length));
  if (stands === publish.replication) return [];
  if (stands > publish.replication)
    return [difference('replication factor', stands, publish.replication, 'harmless', 'more brokers hold each row')];
  const because =
    'fewer disks hold each row: add replicas with kafka-reassign-partitions, or set publish.replication to what stands';
  return [difference('replication factor', stands, publish.replication, 'endangers', because)];
}

function difference(setting: string, stands: number, wanted: number, danger: Danger, because: string): Difference {
  return { setting, stands: String(stands), wanted: String(wanted), danger, because };
}
