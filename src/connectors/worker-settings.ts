import { z } from 'zod';
import { durationMs } from '../definition/duration.ts';
import { duration } from '../definition/duration-schema.ts';
import { SluiceError } from '../definition/errors.ts';
import { taskQueues } from '../definition/names.ts';
import { flagName, workerFlags } from './worker-flags.ts';

export type QueueName = keyof typeof taskQueues;

/** How a worker process works. */
export interface WorkerSettings {
  /** The queues that it serves, with the number of activities at a time. */
  readonly queues: ReadonlyMap<QueueName, number>;
  /** How long activities go on after the worker was told to stop; consumers, which come to no end, not at all. */
  readonly graceMs: number;
  /** From then on nothing is waited for. Counted from when it was told to stop. */
  readonly forceMs: number;
  /** Where health is asked for; absent: nowhere. */
  readonly health?: { readonly host: string; readonly port: number };
  /** Where Prometheus asks for metrics; absent: nowhere. */
  readonly metrics?: { readonly host: string; readonly port: number };
  /** A file of `sluice bundle`. */
  readonly bundle?: string;
  /** Absent: this worker takes no part in worker versioning. */
  readonly version?: { readonly deploymentName: string; readonly buildId: string };
}

/**
 * Sizes where none is given. Cleaning holds memory and processors, so two at a time; a consumer waits for its topic most of the time, and holds its place for hours.
 */
export const usualSizes: Readonly<Record<QueueName, number>> = { light: 20, compute: 2, streaming: 50, watch: 20 };

const names = Object.keys(taskQueues) as QueueName[];
const example = names.map((name) => `${name}=${usualSizes[name]}`).join(',');

const queues = z.string().transform((text, context): ReadonlyMap<QueueName, number> => {
  const found = new Map<QueueName, number>();
  for (const item of text.split(',').map((part) => part.trim())) {
    const [, name = '', , size] = /^([^=]*?)\s*(=\s*(.*))?$/.exec(item) ?? [];
    const known = names.find((candidate) => candidate === name);
    const problem = known === undefined ? `"${name}" is no queue` : sizeProblem(known, size, found);
    if (known !== undefined && problem === undefined)
      found.set(known, size === undefined ? usualSizes[known] : Number(size));
    else context.addIssue({ code: 'custom', message: `${problem}; write it like ${example}` });
  }
  return found;
});

function sizeProblem(
  name: QueueName,
  size: string | undefined,
  found: ReadonlyMap<QueueName, number>,
): string | undefined {
  if (found.has(name)) return `${name} stands there twice`;
  if (size === undefined || /^[1-9]\d{0,3}$/.test(size)) return undefined;
  return `${name} has the size "${size}", which is no number from 1 to 9999`;
}

const place = z.string().transform((text, context): { host: string; port: number } => {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:]+)\]:|([^:[\]\s]+):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    context.addIssue({ code: 'custom', message: `"${text}" is no address; write it like 8090 or 0.0.0.0:8090` });
  }
  return { host: bracketed ?? plain ?? '127.0.0.1', port };
});

/** Temporal joins the two by a dot. */
const versionPart = (what: string) =>
  z.string().regex(/^[^\s\p{Cc}]{1,200}$/u, `a ${what} has 1 to 200 characters, and no spaces`);

const schema = z
  .object({
    SLUICE_WORKER_QUEUES: queues.prefault(example),
    SLUICE_WORKER_GRACE: duration.default('5s').transform(durationMs),
    SLUICE_WORKER_FORCE_AFTER: duration.default('20s').transform(durationMs),
    SLUICE_WORKER_HEALTH: place.optional(),
    SLUICE_WORKER_METRICS: place.optional(),
    SLUICE_WORKER_BUNDLE: z.string().optional(),
    TEMPORAL_DEPLOYMENT_NAME: versionPart('name')
      .refine((name) => !name.includes('.'), 'a deployment’s name has no dots')
      .optional(),
    TEMPORAL_WORKER_BUILD_ID: versionPart('build id').optional(),
  })
  .superRefine((found, context) => {
    const { SLUICE_WORKER_GRACE: grace, SLUICE_WORKER_FORCE_AFTER: force } = found;
    if (force <= grace) {
      const message = `${force / 1_000} s is not more than the grace of ${grace / 1_000} s, and handing over takes time too`;
      context.addIssue({ code: 'custom', path: ['SLUICE_WORKER_FORCE_AFTER'], message });
    }
    const { TEMPORAL_DEPLOYMENT_NAME: name, TEMPORAL_WORKER_BUILD_ID: build } = found;
    if ((name === undefined) === (build === undefined)) return;
    const path = [name === undefined ? 'TEMPORAL_WORKER_BUILD_ID' : 'TEMPORAL_DEPLOYMENT_NAME'];
    const missing =
      name === undefined ? '--deployment (TEMPORAL_DEPLOYMENT_NAME)' : '--build-id (TEMPORAL_WORKER_BUILD_ID)';
    context.addIssue({ code: 'custom', path, message: `goes together with ${missing}, which is missing` });
  });

/**
 * Reads how a worker works from its environment, over which options go that were given.
 * @param given options by the variable that they stand for
 * @throws SluiceError `SettingsInvalid`, naming all that is wrong by option or variable
 */
export function readWorkerSettings(
  environment: Readonly<Record<string, string | undefined>>,
  given: Readonly<Record<string, string>> = {},
): WorkerSettings {
  // A variable that is empty is one that is not set.
  const set = Object.entries({ ...environment, ...given }).filter(([name, value]) => value !== '' || name in given);
  const parsed = schema.safeParse(Object.fromEntries(set));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${calledAs(String(path[0]), given)}: ${message}`);
    throw new SluiceError('SettingsInvalid', `The worker cannot start like this: ${problems.join('. ')}.`);
  }
  const found = parsed.data;
  const { TEMPORAL_DEPLOYMENT_NAME: deploymentName, TEMPORAL_WORKER_BUILD_ID: buildId } = found;
  return {
    queues: found.SLUICE_WORKER_QUEUES,
    graceMs: found.SLUICE_WORKER_GRACE,
    forceMs: found.SLUICE_WORKER_FORCE_AFTER,
    ...(found.SLUICE_WORKER_HEALTH === undefined ? {} : { health: found.SLUICE_WORKER_HEALTH }),
    ...(found.SLUICE_WORKER_METRICS === undefined ? {} : { metrics: found.SLUICE_WORKER_METRICS }),
    ...(found.SLUICE_WORKER_BUNDLE === undefined ? {} : { bundle: found.SLUICE_WORKER_BUNDLE }),
    ...(deploymentName !== undefined && buildId !== undefined ? { version: { deploymentName, buildId } } : {}),
  };
}

/** Whoever wrote an option is told of the option. */
function calledAs(variable: string, given: Readonly<Record<string, string>>): string {
  const flag = workerFlags.find((candidate) => candidate.variable === variable);
  return flag && variable in given ? flagName(flag) : variable;
}
