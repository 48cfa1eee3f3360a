import { runningStack } from '../../../stack/index.ts';

/** Any of these says that somebody chose the servers: then nothing is filled in. */
const chosen = [
  ...['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'],
  ...['SLUICE_KAFKA_BROKERS', 'SLUICE_S3_ENDPOINT', 'SLUICE_ELASTICSEARCH_URL'],
];

/**
 * Leads this process to the local stack where one runs and the environment names no server, so that `sluice check` and `sluice worker`
 * find what `npm run stack -- up` started, its credentials included. `SLUICE_STACK` names another stack's folder.
 */
export async function adoptLocalStack(environment: NodeJS.ProcessEnv): Promise<void> {
  if (chosen.some((name) => (environment[name] ?? '') !== '')) return;
  const state = environment['SLUICE_STACK'];
  const running = await runningStack(state ? { state } : {});
  for (const [name, value] of Object.entries(running?.environment ?? {})) environment[name] ??= value;
}
