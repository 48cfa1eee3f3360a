import { setTimeout as wait } from 'node:timers/promises';
import { PassThrough } from 'node:stream';
import { readSettings } from '../../connectors/settings.ts';
import { requireListening, temporalPlace } from '../../connectors/temporal.ts';
import { sentenceOf } from '../../definition/errors.ts';
import { startWorker } from './worker-process.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** While Temporal is away it is asked for so often; a worker that ends by itself is started again after so long, and longer if it does so soon. */
const LOOK_EVERY_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
/** One that takes longer to start hangs: Temporal's port may take a connection and never answer. */
const START_WITHIN_MS = 60_000;
/** A worker that ends sooner did not work. */
const SHORT_LIFE_MS = 30_000;

/**
 * Why this process cannot watch, in a sentence; undefined where it can. What takes up the watch's queue sends mails and reads the store: with less than a
 * worker has it would take up what it cannot do.
 */
export function whyNotWatching(environment: Environment): string | undefined {
  if (!environment['SLUICE_S3_ACCESS_KEY']) {
    return 'SLUICE_S3_ACCESS_KEY is not set; give "serve" the environment of the workers, or say --no-watchdog.';
  }
  try {
    readSettings(environment);
    return undefined;
  } catch (error) {
    return sentenceOf(error);
  }
}

/**
 * Keeps a worker of the queue `watch` as a process of its own: as soon as Temporal is there, and again whenever it ends. Alerts and the watchdog
 * then live while no other worker does, and what goes wrong in it leaves whoever started it alone.
 * @param log where its lines go @param say tells whoever looks after this process, once for each change @param withinMs how long a start may take
 * @returns stops it, and waits until it has
 */
export function keepWatchWorker(
  environment: Environment,
  log: (line: string) => void,
  say: (sentence: string) => void,
  withinMs = START_WITHIN_MS,
): () => Promise<void> {
  const stop = new AbortController();
  const lines = new PassThrough();
  let rest = '';
  lines.setEncoding('utf8').on('data', (text: string) => {
    const all = (rest + text).split('\n');
    rest = all.pop() ?? '';
    for (const line of all) log(line);
  });
  const own = watchEnvironment(environment);
  const kept = keep();
  return async () => {
    stop.abort();
    await kept;
  };

  async function keep(): Promise<void> {
    const pause = (ms: number): Promise<unknown> => wait(ms, undefined, { signal: stop.signal }).catch(() => {});
    let said = '';
    const sayOnce = (sentence: string): void => {
      if (sentence !== said) say((said = sentence));
    };
    let shortLives = 0;
    while (!stop.signal.aborted) {
      const startedAt = Date.now();
      try {
        await requireListening(temporalPlace(own));
      } catch {
        // Whoever asks for readiness is told; here it is told once it is there.
        await pause(LOOK_EVERY_MS);
        continue;
      }
      try {
        const worker = await startWorker(own, lines, { signal: stop.signal, withinMs });
        sayOnce(`Watching, by a worker of its own (pid ${worker.pid})`);
        const stopIt = (): void => void worker.stop();
        stop.signal.addEventListener('abort', stopIt, { once: true });
        if (stop.signal.aborted) stopIt();
        const code = await worker.ended;
        stop.signal.removeEventListener('abort', stopIt);
        if (!stop.signal.aborted)
          sayOnce(`The watching worker ended (${code === null ? 'killed' : `exit code ${code}`}); another starts`);
      } catch (error) {
        if (!stop.signal.aborted) sayOnce(`Not watching: ${sentenceOf(error)}`);
      }
      shortLives = Date.now() - startedAt < SHORT_LIFE_MS ? shortLives + 1 : 0;
      await pause(Math.min(LONGEST_PAUSE_MS, 1_000 * 2 ** Math.min(shortLives, 6)));
    }
  }
}

/** As the worker's, but for what one machine has once. */
export function watchEnvironment(environment: Environment): Environment {
  return {
    ...environment,
    SLUICE_WORKER_QUEUES: 'watch',
    SLUICE_WORKER_HEALTH: undefined,
    SLUICE_WORKER_METRICS: environment['SLUICE_WATCH_METRICS'],
  };
}
