import { Worker } from 'node:worker_threads';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import type { Progress, StageContext } from '../deps.ts';

/** What a thread says: how far it is, and at its end what came of it. */
export type ThreadMessage<T> = { readonly progress: Progress } | { readonly result: T };

export interface ThreadWork {
  /** The module that works: it reads `workerData` and posts {@link ThreadMessage}s. */
  readonly script: URL;
  readonly data: unknown;
  /** For sentences: `danfojs`. */
  readonly name: string;
  readonly context: StageContext;
  readonly memoryMb: number;
  /** Told where the thread has no room. */
  readonly tooLarge: string;
  /** A thread that says nothing for longer is stopped; `sentence` says why. */
  readonly silence?: { readonly ms: number; readonly sentence: string };
}

const ALIVE_MS = 1_000;

/**
 * Works in a thread that can be stopped at any moment: what blocks it keeps neither the worker from heartbeating nor a person from
 * stopping it.
 * @throws SluiceError `EngineUnfit` where it has no room or is silent for too long, `EngineFailed` for whatever else it throws
 */
export async function inThread<T>(work: ThreadWork): Promise<T> {
  const { script, data, name, context, memoryMb, silence } = work;
  context.signal.throwIfAborted();
  const thread = new Worker(script, {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    stdout: true,
  });
  let heardAt = Date.now();
  let latest: Progress = { note: `${name} is at work` };
  const stop = (): void => void thread.terminate();
  context.signal.addEventListener('abort', stop, { once: true });
  let alive: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      alive = setInterval(() => {
        context.progress(latest);
        if (silence && Date.now() - heardAt > silence.ms) reject(new SluiceError('EngineUnfit', silence.sentence));
      }, ALIVE_MS);
      thread.on('message', (message: ThreadMessage<T>) => {
        heardAt = Date.now();
        if ('result' in message) resolve(message.result);
        else context.progress((latest = message.progress));
      });
      thread.once('error', (error) => reject(failureOf(error, work)));
      thread.once('exit', () => reject(new SluiceError('EngineFailed', `${name} ended without a result.`)));
    });
  } catch (error) {
    context.signal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(alive);
    context.signal.removeEventListener('abort', stop);
    await thread.terminate();
  }
}

function failureOf(error: unknown, { name, tooLarge }: ThreadWork): SluiceError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return new SluiceError('EngineUnfit', tooLarge, { cause: error });
  return new SluiceError('EngineFailed', `${name} failed: ${sentenceOf(error).split('\n')[0]}.`, { cause: error });
}
