import { GracefulShutdownPeriodExpiredError, type NativeConnection, Runtime } from '@temporalio/worker';
import { readLogSettings } from '../connectors/log-settings.ts';
import { MeteredMetrics } from '../connectors/metrics.ts';
import { redactor } from '../connectors/redaction.ts';
import { flushTraces, startTracing } from '../connectors/start-tracing.ts';
import { requireSearchAttributes, temporalPlace } from '../connectors/temporal.ts';
import type { WorkerSettings } from '../connectors/worker-settings.ts';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import { readBundle } from './bundle.ts';
import { connectWorker } from './connection.ts';
import type { Health } from './health.ts';
import { workerLog } from './logging.ts';
import { metricsEndpoint, type MetricsEndpoint } from './metrics-endpoint.ts';
import { sampleTemporal } from './sampling.ts';
import { stageDepsOf } from './stage-deps.ts';
import { warnWhereUnwatched } from './unwatched.ts';
import { bundleWorkflows, createWorkers, runWorkers } from './worker-set.ts';

/**
 * Serves the queues of the settings until `stop` aborts, and hands over what is held then.
 * @throws SluiceError `WorkerShutdown` where something did not stop in time
 */
export async function serve(settings: WorkerSettings, health: Health | undefined, stop: AbortSignal): Promise<void> {
  // Signals are handled by whoever called; the SDK's own handling would stop the workers one by one behind our back.
  const endpoint = settings.metrics && (await metricsEndpoint(settings.metrics));
  const stages = stageDepsOf(process.env);
  const log = workerLog(
    readLogSettings(process.env),
    redactor(process.env, (text) => stages.settings.secrets.redacted(text)),
  );
  const { logger } = log;
  const telemetryOptions = { ...log.telemetry, ...endpoint?.telemetry };
  const { metricMeter } = Runtime.install({ logger, shutdownSignals: [], telemetryOptions });
  await startTracing({
    say: (sentence) => logger.warn(sentence),
    redacted: (text) => stages.settings.secrets.redacted(text),
  });
  const place = temporalPlace(process.env);
  const { address, namespace } = place;
  const metrics = endpoint && new MeteredMetrics(metricMeter);
  const deps = { ...stages, ...(metrics ? { metrics } : {}) };
  const { bundle } = settings;
  const connection = await connectWorker(place);
  try {
    await checkNamespace(connection, namespace);
    const workers = await createWorkers({
      connection,
      namespace,
      deps,
      settings,
      bundle: () => (bundle === undefined ? bundleWorkflows() : readBundle(bundle)),
    });
    health?.serves({ connection, workers });
    if (metrics) void sampleTemporal(connection, namespace, metrics, (message) => logger.warn(message), stop);
    void warnWhereUnwatched(connection, namespace, settings.queues, (message) => logger.warn(message), stop);
    const running = runWorkers(workers, stop);
    process.stdout.write(`worker ready: ${readyLine(settings, { address, namespace }, { health, endpoint })}\n`);
    await running;
  } catch (error) {
    if (!wasLeftBehind(error)) throw error;
    const left = `something did not stop within ${settings.forceMs / 1_000} s; another worker takes it up once its heartbeat is missed.`;
    throw new SluiceError('WorkerShutdown', left, { cause: error });
  } finally {
    // What was left behind holds on to it; the process ends all the same.
    await connection.close().catch(() => {});
    await deps.search.close();
    deps.spark?.close();
    await flushTraces();
    log.close();
  }
}

/** The SDK (1.24) throws the former, and then the latter over it, as what did not stop holds on to the worker. */
const wasLeftBehind = (error: unknown): boolean =>
  error instanceof GracefulShutdownPeriodExpiredError || sentenceOf(error).startsWith('Worker still in use');

/** Where it works, on what, and as what. */
function readyLine(
  { queues, version }: WorkerSettings,
  { address, namespace }: { readonly address: string; readonly namespace: string },
  { health, endpoint }: { readonly health: Health | undefined; readonly endpoint: MetricsEndpoint | undefined },
): string {
  const sizes = [...queues].map(([name, size]) => `${name}=${size}`).join(',');
  return [
    `Temporal at ${address}, namespace ${namespace}`,
    `queues ${sizes}`,
    ...(version ? [`build ${version.buildId} of deployment ${version.deploymentName}`] : []),
    ...(health ? [`health at ${health.url}`] : []),
    ...(endpoint ? [`metrics at ${endpoint.url}`] : []),
    `pid ${process.pid}`,
  ].join('; ');
}

/** Where a server does not let a worker ask (Temporal Cloud), the worker starts all the same. */
async function checkNamespace(connection: NativeConnection, namespace: string): Promise<void> {
  try {
    await requireSearchAttributes(connection.operatorService, namespace);
  } catch (error) {
    if (error instanceof SluiceError) throw error;
  }
}
