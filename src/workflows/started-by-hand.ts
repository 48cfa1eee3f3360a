import type { ConsumeInput } from '../activities/index.ts';
import { SluiceError } from '../definition/errors.ts';
import { toLogicalHour } from '../definition/hour.ts';
import { failure } from './failure.ts';
import { wrongAlerts } from './incident-checks.ts';
import type { ConsumerInput, RunInput } from './messages.ts';

/** What a run reads of its definition whatever else that holds; only one that was accepted has all of it. */
const accepted = ['source', 'columns', 'duplicates', 'save', 'land', 'retries', 'aggregate'] as const;

/**
 * Anybody may start a run by hand, and whatever its input lacks would fail its workflow task again and again: an open run of its hour that
 * others wait for.
 * @throws `DefinitionInvalid`
 */
export function requireRunInput(input: RunInput | undefined): void {
  const { pipeline, hour } = (input ?? {}) as Partial<RunInput>;
  const holds = (member: string): boolean => {
    const value = (pipeline as Readonly<Record<string, unknown>> | undefined)?.[member];
    return typeof value === 'object' && value !== null;
  };
  const missing = [
    ...(typeof pipeline?.name === 'string' ? [] : ['pipeline.name']),
    ...accepted.filter((member) => !holds(member)).map((member) => `pipeline.${member}`),
    ...(isHour(hour) ? [] : ['hour']),
  ];
  if (missing.length === 0) return;
  refuse(
    `a run: ${missing.join(', ')} is missing or wrong; start "launch" with {"pipeline", "hour"}, which checks and fills in`,
  );
}

/** As {@link requireRunInput}, for what tells of a pipeline's problems. @throws `DefinitionInvalid` */
export function requireAlertedPipeline(what: string, input: { readonly pipeline?: unknown } | undefined): void {
  const { name, alerts } = (input?.pipeline ?? {}) as { readonly name?: unknown; readonly alerts?: unknown };
  const missing = [
    ...(typeof name === 'string' && name !== '' ? [] : ['pipeline.name']),
    ...(wrongAlerts(alerts) === undefined ? [] : ['pipeline.alerts']),
  ];
  if (missing.length > 0) refuse(`${what}: ${missing.join(', ')} is missing or wrong; what sees a problem starts it`);
}

const unnumbered = { life: 0 };

/** As {@link requireRunInput}, for a consumer. @throws `DefinitionInvalid` */
export function requireConsumerInput(input: ConsumerInput | undefined): void {
  // Consumers from before topics had lives continue without.
  const wrong = wrongConsumeInput(input?.consume && { ...unnumbered, ...input.consume });
  if (wrong.length === 0) return;
  refuse(
    `a consumer: ${wrong.map((member) => `consume.${member}`).join(', ')} is missing or wrong; the next run starts one`,
  );
}

/** Members that are not what a run tells a consumer. */
export function wrongConsumeInput(given: ConsumeInput | null | undefined): string[] {
  const members: Readonly<Record<string, unknown>> = { shards: 1, ...given };
  const texts = ['stream', 'topic', 'epoch'].filter(
    (name) => typeof members[name] !== 'string' || members[name] === '',
  );
  const numbers = ['shard', 'life', 'partitions', 'maxRecords', 'maxBytes', 'abandonAfterMs', 'shards'];
  return [...texts, ...numbers.filter((name) => !Number.isSafeInteger(members[name]))];
}

function isHour(hour: unknown): boolean {
  try {
    return typeof hour === 'string' && toLogicalHour(hour) === hour;
  } catch (error) {
    if (error instanceof SluiceError) return false;
    throw error;
  }
}

function refuse(what: string): never {
  throw failure({ code: 'DefinitionInvalid', message: `That is no input of ${what}.` });
}
