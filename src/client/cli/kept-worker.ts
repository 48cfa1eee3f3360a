import { SluiceError } from '../../definition/errors.ts';
import { startWorker } from './worker-process.ts';

/** One that ends sooner is not worth another for ever. */
const SHORT_LIFE_MS = 30_000;
const SHORT_LIVES = 3;

/** A worker that is started again when it ends by itself. */
export interface KeptWorker {
  /** Rejects with `StackUnavailable` once no other is started; never resolves. */
  readonly gaveUp: Promise<never>;
  /** Of the first one; the others take the same address where it names a port. */
  readonly metrics?: string;
  stop(): Promise<void>;
}

/**
 * Starts a worker as a process of its own, and another whenever it ends without being told to: killed, or out of memory.
 * What it held goes on with the next one.
 * @param say tells whoever watches
 * @throws SluiceError `StackUnavailable` where the first one does not start
 */
export async function keepWorker(
  environment: Record<string, string | undefined>,
  log: string,
  say: (line: string) => void,
): Promise<KeptWorker> {
  // The one that runs, or is being started.
  let current = startWorker(environment, log);
  const { metrics } = await current;
  let stopping = false;
  const gaveUp = keep();
  gaveUp.catch(() => {});
  return {
    gaveUp,
    ...(metrics === undefined ? {} : { metrics }),
    stop: async () => {
      stopping = true;
      const worker = await current.catch(() => undefined);
      await worker?.stop();
    },
  };

  async function keep(): Promise<never> {
    let shortLives = 0;
    for (;;) {
      const startedAt = Date.now();
      const { ended } = await current;
      const code = await ended;
      if (stopping) return new Promise<never>(() => {});
      const how = code === null ? 'it was killed' : `exit code ${code}`;
      shortLives = Date.now() - startedAt < SHORT_LIFE_MS ? shortLives + 1 : 0;
      if (shortLives === SHORT_LIVES) {
        const often = `The worker ended ${SHORT_LIVES} times in a row (${how})`;
        throw new SluiceError('StackUnavailable', `${often}: its log is ${log}.`);
      }
      say(`The worker ended (${how}); another starts, and what it held goes on once its heartbeat is missed`);
      current = startWorker(environment, log);
    }
  }
}
