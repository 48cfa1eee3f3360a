import { CommanderError } from 'commander';
import { readLogSettings } from '../connectors/log-settings.ts';
import { readWorkerSettings, type WorkerSettings } from '../connectors/worker-settings.ts';
import { sentenceOf } from '../definition/errors.ts';
import { givenOptions } from './arguments.ts';
import { Health } from './health.ts';
import { stopSignals } from './stop-signals.ts';

/** `sluice worker`: serves task queues until SIGINT, SIGTERM or SIGHUP. @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  const settings = settingsOf(argv);
  if (settings === undefined) return 2;
  let health: Health | undefined;
  const stop = stopSignals((why) => {
    health?.stops();
    process.stdout.write(`worker stops: ${why}; what it holds goes on elsewhere. A second signal ends it at once.\n`);
  });
  try {
    health = settings.health && (await Health.listen(settings.health));
    // Only now: a wrong option is answered before the libraries are there, and health while they come.
    const { serve } = await import('./serve.ts');
    await serve(settings, health, stop);
    process.stdout.write('worker stopped\n');
    return 0;
  } catch (error) {
    if (process.env['SLUICE_DEBUG'] === '1') console.error(error);
    process.stderr.write(`The worker stopped: ${sentenceOf(error)}\n`);
    return 1;
  } finally {
    await health?.close();
  }
}

/** Undefined where it was called wrongly, which has been said then. */
function settingsOf(argv: readonly string[]): WorkerSettings | undefined {
  try {
    readLogSettings(process.env);
    return readWorkerSettings(process.env, givenOptions(argv));
  } catch (error) {
    if (!(error instanceof CommanderError)) process.stderr.write(`${sentenceOf(error)}\n`);
    return undefined;
  }
}
