import { join } from 'node:path';
import { runningStack, type RunningStack } from '../../../stack/index.ts';

/** Any of these says that somebody chose the servers: then nothing is filled in. */
const chosen = [
  ...['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'],
  ...['SLUICE_KAFKA_BROKERS', 'SLUICE_S3_ENDPOINT', 'SLUICE_ELASTICSEARCH_URL'],
];

/** Where a stack has the logs of its servers and of its workers, for reports and `sluice logs`. */
export const stackLogs = ({ state }: Pick<RunningStack, 'state'>): Record<string, string> => ({
  SLUICE_SERVER_LOGS: join(state, 'logs'),
  SLUICE_LOG_DIR: join(state, 'logs', 'workers'),
});

/**
 * Leads this process to the local stack where one runs and the environment names no server, so that `sluice check` and `sluice worker`
 * find what `npm run stack -- up` started, its credentials included. `SLUICE_STACK` names another stack's folder.
 */
export async function adoptLocalStack(environment: NodeJS.ProcessEnv): Promise<void> {
  if (chosen.some((name) => (environment[name] ?? '') !== '')) return;
  const state = environment['SLUICE_STACK'];
  const running = await runningStack(state ? { state } : {});
  if (!running) return;
  const found = { ...running.environment, ...stackLogs(running) };
  for (const [name, value] of Object.entries(found)) environment[name] ??= value;
}
