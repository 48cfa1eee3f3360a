import { alterTopic, growTopic, type StandingTopic } from '../../connectors/kafka-topic.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { StageDeps } from '../deps.ts';
import { differencesOf, type Difference } from './topic-settings.ts';

/** What became of the differences between a topic and the definition. */
export interface Settled {
  readonly topic: StandingTopic;
  readonly changes: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Does with each difference what `publish.onTopicDifference` says:
 *
 * - `apply`: sets the topic as the definition has it. Retention is shortened only once everything that this deletes has landed.
 * - `warn`: leaves it and says so, but refuses what could lose rows.
 * - `refuse`: refuses any.
 *
 * What nothing can be done about from here (other replicas, partitions beyond the definition's) is refused where rows could be lost, else said.
 * @param landedBefore whether all rows that are older than so many milliseconds have landed
 * @throws SluiceError `TopicMismatch`, which names every difference that is refused
 */
export async function settleTopic(
  { kafka }: Pick<StageDeps, 'kafka'>,
  name: string,
  publish: Pipeline['publish'],
  standing: StandingTopic,
  landedBefore: (ms: number) => Promise<boolean>,
): Promise<Settled> {
  const differences = differencesOf(publish, standing);
  const refused = differences.filter((found) => isRefused(found, publish));
  if (refused.length > 0) {
    throw new SluiceError(
      'TopicMismatch',
      `Topic ${name} is not as the definition says: ${refused.map(sentence).join('; ')}. ${remedyFor(refused, publish)}`,
      { facts: { topic: name, differences: refused } },
    );
  }
  if (publish.onTopicDifference === 'warn')
    return { topic: standing, changes: [], warnings: differences.map((found) => `topic ${name}: ${sentence(found)}`) };

  const changes: string[] = [];
  const warnings: string[] = [];
  const alter: Record<string, string> = {};
  let topic = standing;
  for (const found of differences) {
    const { setting, stands, wanted } = found;
    const changed = `topic ${name}: ${setting} ${shown(setting, stands)} → ${shown(setting, wanted)}`;
    if (setting === 'partitions' && Number(stands) < Number(wanted)) {
      topic = await growTopic(kafka, name, Number(wanted));
      changes.push(changed);
    } else if (['partitions', 'replication factor'].includes(setting)) {
      warnings.push(`topic ${name}: ${sentence(found)}`);
    } else if (setting === 'retention.ms' && found.danger === 'harmless' && !(await landedBefore(Number(wanted)))) {
      warnings.push(`topic ${name}: ${sentence(found)}; it is shortened once all rows that this deletes have landed`);
    } else {
      alter[setting] = wanted;
      changes.push(changed);
    }
  }
  if (Object.keys(alter).length > 0) topic = await altered(kafka, name, alter);
  return { topic, changes, warnings };
}

async function altered(
  kafka: StageDeps['kafka'],
  name: string,
  settings: Readonly<Record<string, string>>,
): Promise<StandingTopic> {
  const topic = await alterTopic(kafka, name, settings);
  const kept = Object.entries(settings).filter(([setting, value]) => topic.settings[setting] !== value);
  if (kept.length === 0) return topic;
  throw new SluiceError(
    'TopicMismatch',
    `Kafka took the settings of topic ${name}, but still has ${kept.map(([setting]) => `${setting} ${topic.settings[setting]}`).join(', ')}: ` +
      'see whether a policy of the cluster or another program sets them.',
  );
}

function isRefused({ setting, danger }: Difference, { onTopicDifference }: Pipeline['publish']): boolean {
  if (danger === 'unreadable' || onTopicDifference === 'refuse') return true;
  if (danger === 'harmless') return false;
  return onTopicDifference === 'warn' || setting === 'replication factor';
}

function sentence({ setting, stands, wanted, because }: Difference): string {
  return `${setting} is ${shown(setting, stands)} and the definition wants ${shown(setting, wanted)} (${because})`;
}

/** Durations as people write them beside Kafka's milliseconds. */
function shown(setting: string, value: string): string {
  if (setting !== 'retention.ms') return value === '-1' ? 'unlimited' : value;
  const ms = Number(value);
  if (ms < 0) return 'unlimited';
  for (const [unit, length] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const)
    if (ms >= length && ms % length === 0) return `${value} (${ms / length}${unit})`;
  return value;
}

function remedyFor(refused: readonly Difference[], { onTopicDifference }: Pipeline['publish']): string {
  const settable = refused.some(({ setting, danger, stands, wanted }) =>
    setting === 'partitions'
      ? Number(stands) < Number(wanted)
      : setting !== 'replication factor' && danger !== 'unreadable',
  );
  if (!settable) return 'Change the topic or the definition.';
  return `Change the topic or the definition, or let Sluice set it with publish.onTopicDifference: apply (it is ${onTopicDifference}).`;
}
