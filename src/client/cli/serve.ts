import { SluiceError } from '../../definition/errors.ts';
import { loadDefinition } from '../../definition/load.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { listeningOn, type Listening } from '../api/listening.ts';
import { serveApi } from '../api/serving.ts';
import { onInterrupt } from './leaving.ts';
import { keepWatchdog } from './keep-watchdog.ts';
import { keepWatchWorker, whyNotWatching } from './watch-worker.ts';

export interface ServeFlags {
  readonly host: string;
  readonly port: number;
  readonly rateLimit: number;
  readonly log: boolean;
  readonly watchdog: boolean;
}

/** `sluice serve`: the HTTP API, until Ctrl-C or SIGTERM; 2 where it is told wrongly who may speak to it. @throws SluiceError `SettingsInvalid` where it cannot listen there */
export async function serve(
  definition: string | undefined,
  { host, port, rateLimit, log, watchdog }: ServeFlags,
): Promise<number> {
  const listening = await listeningAt(host);
  if (listening === undefined) return 2;
  const pipeline = definition === undefined ? undefined : await loadDefinition(definition);
  const stop = new AbortController();
  onInterrupt(() => stop.abort());
  const { url, stop: close } = await serveApi({
    ...listening,
    ...{ port, rateLimit, environment: process.env },
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(log ? { log: process.stderr } : {}),
  });
  process.stdout.write(
    `API ready: ${url}\n` +
      `  dashboard  ${url}/dashboard\n` +
      `  described  ${url}/openapi.json\n` +
      `  trigger    curl -X POST ${listening.token === undefined ? '' : '-H "Authorization: Bearer $SLUICE_API_TOKEN" '}${url}/trigger-pipeline\n`,
  );
  const stopWatching = watchdog ? watch(process.env, pipeline) : undefined;
  if (!stop.signal.aborted) await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
  await Promise.all([close(), stopWatching?.()]);
  process.stdout.write('API stopped\n');
  return 0;
}

/** @returns stops it; undefined where this process cannot watch, which has been said then */
function watch(environment: NodeJS.ProcessEnv, pipeline: Pipeline | undefined): (() => Promise<void>) | undefined {
  const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
  const why = whyNotWatching(environment);
  if (why !== undefined) {
    say(`Not watching: ${why}`);
    return undefined;
  }
  const stops = [keepWatchWorker(environment, say, say), keepWatchdog(environment, say, pipeline)];
  return async () => void (await Promise.all(stops.map((stop) => stop())));
}

/** Undefined where an option or a variable is wrong, which has been said then. */
async function listeningAt(host: string): Promise<Listening | undefined> {
  try {
    return await listeningOn(host, process.env);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return undefined;
  }
}
