import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { requireListening, requireSearchAttributes, temporalPlace } from '../connectors/temporal.ts';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import { stageDepsOf } from './stage-deps.ts';
import { createWorkers, runWorkers } from './worker-set.ts';

/** `sluice worker`: serves every task queue until SIGINT or SIGTERM. @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  if (argv.length > 0) {
    process.stderr.write(`"sluice worker" takes no arguments, and got "${argv.join(' ')}".\n`);
    return 2;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  // Started by "sluice start": it does not outlive that.
  process.once('disconnect', () => stop.abort());
  // Whoever listens to it would keep the process alive after its work.
  process.channel?.unref();
  try {
    // Signals are handled here; the SDK's own handling would stop the workers one by one behind our back.
    Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: [] });
    const place = temporalPlace(process.env);
    const { address, namespace } = place;
    await requireListening(place);
    const deps = stageDepsOf(process.env);
    const { tls, apiKey, metadata } = place.options;
    const connection = await NativeConnection.connect({
      address,
      ...(tls === undefined ? {} : { tls }),
      ...(typeof apiKey === 'string' ? { apiKey } : {}),
      ...(metadata === undefined ? {} : { metadata: metadata as Record<string, string> }),
    });
    try {
      await checkNamespace(connection, namespace);
      const workers = await createWorkers({ connection, namespace, deps });
      process.stdout.write(`worker ready: Temporal at ${address}, ${workers.length} task queues, pid ${process.pid}\n`);
      await runWorkers(workers, stop.signal);
    } finally {
      await connection.close();
      await deps.search.close();
      deps.spark?.close();
    }
    process.stdout.write('worker stopped\n');
    return 0;
  } catch (error) {
    if (process.env['SLUICE_DEBUG'] === '1') console.error(error);
    process.stderr.write(`The worker stopped: ${sentenceOf(error)}\n`);
    return 1;
  }
}

/** Where a server does not let a worker ask (Temporal Cloud), the worker starts all the same. */
async function checkNamespace(connection: NativeConnection, namespace: string): Promise<void> {
  try {
    await requireSearchAttributes(connection.operatorService, namespace);
  } catch (error) {
    if (error instanceof SluiceError) throw error;
  }
}
