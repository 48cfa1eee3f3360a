import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { down, runningStack, up, type RunningStack, type StackOptions } from '../../../stack/index.ts';
import { chosenPort, requireFree } from '../../../stack/ports.ts';
import { loadDefinition } from '../../definition/load.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { API_PORT, listeningOn, RATE_LIMIT } from '../api/listening.ts';
import { serveApi, type ServedApi } from '../api/serving.ts';
import { scheduleWords } from '../schedules/words.ts';
import { SluiceClient } from '../sluice-client.ts';
import { stackLogs } from './local-stack.ts';
import { keepWatchdog } from './keep-watchdog.ts';
import { keepWorker, type KeptWorker } from './kept-worker.ts';
import { onInterrupt } from './leaving.ts';
import { launchAndFollow, summaryOf } from './run.ts';
import { bold, equationLines, preparedLines, Screen, seconds, staleLines } from './screen.ts';
import {
  isReachable,
  rememberSourcePort,
  serveSource,
  shippedCopy,
  sourcePort,
  type ServedSource,
} from './shipped-source.ts';

export interface StartOptions {
  readonly exit?: boolean;
  readonly force?: boolean;
  readonly state?: string;
  readonly freePorts?: boolean;
  readonly kafka?: 'kraft' | 'zookeeper';
  readonly json?: boolean;
}

/** The one of the SDK's examples, and of `deploy/`. */
const METRICS_PORT = 9464;

const shipped = fileURLToPath(new URL('../../../pipelines/broadband.yaml', import.meta.url));

/** `npm start`: everything from nothing to a run that accounts for its rows. What it started it also stops. */
export async function start(definition: string | undefined, options: StartOptions): Promise<number> {
  const startedAt = Date.now();
  const file = definition ?? shipped;
  const screen = new Screen();
  const stop = new AbortController();
  onInterrupt(() => {
    screen.say('Stopping …');
    stop.abort();
  });
  const orStopped = <T>(work: Promise<T>): Promise<T> => Promise.race([work, rejectOn(stop.signal)]);
  const written = await loadDefinition(file);
  const stack: StackOptions = {
    freePorts: options.freePorts ?? false,
    ...(options.state === undefined ? {} : { state: options.state }),
    ...(options.kafka === undefined ? {} : { kafka: options.kafka }),
  };
  const ours = (await runningStack(stack)) === undefined;
  let source: ServedSource | undefined;
  let worker: KeptWorker | undefined;
  let client: SluiceClient | undefined;
  let api: ServedApi | undefined;
  let stopWatchdog: (() => Promise<void>) | undefined;
  let interrupted = false;
  try {
    const running = await orStopped(up(stack));
    source = await localSource(written, file, running.state, options.freePorts ?? false, screen);
    const pipeline = source?.pipeline ?? written;
    const environment = {
      SLUICE_WORKER_METRICS: await metricsPlace(options.freePorts ?? false),
      ...workerEnvironment(running, source),
    };
    const log = join(running.state, 'logs', 'worker.log');
    screen.say(`Starting a worker (its log: ${log})`);
    worker = await orStopped(keepWorker(environment, log, (line) => screen.say(line)));
    client = await SluiceClient.connect(environment);
    const { outcome } = await client.schedules.apply(pipeline);
    screen.say(`Schedule ${bold(pipeline.name)} ${outcome}: ${scheduleWords(pipeline).join('; ')}`);

    api = await startApi(running, environment, pipeline, options.freePorts ?? false);
    // The worker above serves its queue.
    stopWatchdog = keepWatchdog(environment, (sentence) => screen.say(sentence), pipeline);
    screen.say(`API ready at ${api.url}`);

    const work = launchAndFollow(client, pipeline, { force: options.force ?? false, stopsWithUs: true }, screen);
    const { launched, report } = await orStopped(Promise.race([work, worker.gaveUp]));
    const lines = report ? [preparedLines, equationLines, staleLines].flatMap((linesOf) => linesOf(report)) : [];
    for (const line of lines) screen.say(line);
    const links = {
      ...{ ...running.links, api: api.url, dashboard: `${api.url}/dashboard` },
      ...(worker.metrics === undefined ? {} : { metrics: worker.metrics }),
    };
    showLinks(links, launched.workflowId, launched.hour, screen);
    screen.say(`Took ${seconds(Date.now() - startedAt)} in all`);
    if (options.json) {
      process.stdout.write(
        `${JSON.stringify({ ...summaryOf(launched, report), links, ms: Date.now() - startedAt })}\n`,
      );
    }
    if (!options.exit) {
      screen.say('The schedule goes on as long as this command runs; Ctrl-C stops it.');
      await Promise.race([worker.gaveUp, aborted(stop.signal)]);
    }
    return 0;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    interrupted = true;
    return 130;
  } finally {
    screen.end();
    await stopWatchdog?.();
    await api?.stop();
    await client?.close();
    await worker?.stop();
    await source?.close();
    if (ours) await down(stack);
    // What was interrupted may be a build that goes on for minutes.
    if (interrupted) process.exit(130);
  }
}

/** Where the public source cannot be reached, the copy that ships with the project is served on loopback instead. */
async function localSource(
  pipeline: Pipeline,
  file: string,
  state: string,
  freePort: boolean,
  screen: Screen,
): Promise<ServedSource | undefined> {
  const { url } = pipeline.source;
  if (typeof url !== 'string' || (await isReachable(url))) return undefined;
  const copy = await shippedCopy(file, url);
  if (copy === undefined) return undefined;
  const served = await serveSource(pipeline, copy, await sourcePort(state, freePort));
  await rememberSourcePort(state, served);
  screen.say(`${url} cannot be reached from here: the shipped copy is served instead, at http://${served.allow}`);
  return served;
}

function workerEnvironment(
  running: RunningStack,
  source: ServedSource | undefined,
): Record<string, string | undefined> {
  const allow = [process.env['SLUICE_SOURCE_ALLOW'], source?.allow].filter((item) => item !== undefined && item !== '');
  return {
    SLUICE_LOCAL_COPIES: join(running.state, 'copies'),
    ...stackLogs(running),
    ...process.env,
    ...running.environment,
    SLUICE_SOURCE_ALLOW: allow.join(','),
  };
}

/** Where the worker tells its metrics: on the usual port, or on any where that is held. */
async function metricsPlace(freePort: boolean): Promise<string> {
  const port = chosenPort('metrics', METRICS_PORT, process.env);
  if (freePort) return '0';
  return requireFree('metrics', 'metrics', port).then(
    () => String(port),
    () => '0',
  );
}

/** Beside the worker, for this machine; where its port is held, at another one. */
async function startApi(
  { state }: RunningStack,
  environment: Record<string, string | undefined>,
  pipeline: Pipeline,
  freePort: boolean,
): Promise<ServedApi> {
  const log = createWriteStream(join(state, 'logs', 'api.log'), { flags: 'a', mode: 0o600 });
  return serveApi({
    ...(await listeningOn('127.0.0.1', environment)),
    ...{ environment, pipeline, log, rateLimit: RATE_LIMIT },
    port: freePort ? 0 : chosenPort('api', API_PORT, environment),
    orAnyPort: true,
  });
}

function showLinks(
  links: RunningStack['links'] & { readonly api: string; readonly dashboard: string; readonly metrics?: string },
  workflowId: string,
  hour: string,
  screen: Screen,
): void {
  const titles = {
    ...{ temporal: 'Runs', minio: 'Objects', mailpit: 'Mail', api: 'API', dashboard: 'Dashboard' },
    metrics: 'Metrics',
  } as const;
  if (links.temporal) {
    screen.say(
      `${'This hour'.padEnd(10)} ${links.temporal}/namespaces/default/workflows/${encodeURIComponent(workflowId)}  (${hour})`,
    );
  }
  for (const [name, title] of Object.entries(titles)) {
    const link = links[name as keyof typeof titles];
    if (link) screen.say(`${title.padEnd(10)} ${link}`);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

async function rejectOn(signal: AbortSignal): Promise<never> {
  await aborted(signal);
  throw new Error('stopped');
}
