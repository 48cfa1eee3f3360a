import { Worker } from 'node:worker_threads';
import { waitingOn } from '../../connectors/meter.ts';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import type { Progress, StageContext } from '../deps.ts';

/** What a thread says: how far it is, and at its end what came of it. */
export type ThreadMessage<T> = { readonly progress: Progress } | { readonly result: T };

export interface ThreadWork {
  /** The module that works: it reads `workerData`, or takes messages where it is kept, and posts {@link ThreadMessage}s. */
  readonly script: URL;
  /** It takes one job after the other, and its thread waits a minute for the next: it takes longer to be loaded than to work. */
  readonly kept?: boolean;
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
const KEPT_MS = 60_000;
/** A kept thread ends behind so many jobs, whatever its libraries have gathered by then. */
const JOBS = 100;

/** A thread that has nothing to do. */
interface Idle {
  readonly thread: Worker;
  readonly jobs: number;
  readonly forget: NodeJS.Timeout;
  readonly unwatch: () => void;
}

const idle = new Map<string, Idle[]>();

/**
 * Works in a thread that can be stopped at any moment: what blocks it keeps neither the worker from heartbeating nor a person from
 * stopping it.
 * @throws SluiceError `EngineUnfit` where it has no room or is silent for too long, `EngineFailed` for whatever else it throws
 */
export async function inThread<T>(work: ThreadWork): Promise<T> {
  const { name, context, silence } = work;
  context.signal.throwIfAborted();
  const { thread, jobs } = threadFor(work);
  const heard: (() => void)[] = [];
  const listen = <Event>(event: 'message' | 'error' | 'exit', listener: (of: Event) => void): void => {
    thread.on(event, listener);
    // One by one: without its own listeners a thread of Node's delivers nothing any more.
    heard.push(() => thread.off(event, listener));
  };
  let heardAt = Date.now();
  let latest: Progress = { note: `${name} is at work` };
  const stop = (): void => void thread.terminate();
  context.signal.addEventListener('abort', stop, { once: true });
  let alive: NodeJS.Timeout | undefined;
  let sound = false;
  try {
    const working = new Promise<T>((resolve, reject) => {
      alive = setInterval(() => {
        context.progress(latest);
        if (silence && Date.now() - heardAt > silence.ms) reject(new SluiceError('EngineUnfit', silence.sentence));
      }, ALIVE_MS);
      listen('message', (message: ThreadMessage<T>) => {
        heardAt = Date.now();
        if ('result' in message) resolve(message.result);
        else context.progress((latest = message.progress));
      });
      listen('error', (error: unknown) => reject(failureOf(error, work)));
      listen('exit', () => reject(new SluiceError('EngineFailed', `${name} ended without a result.`)));
    });
    const result = await waitingOn('engine', () => working);
    sound = true;
    return result;
  } catch (error) {
    context.signal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(alive);
    context.signal.removeEventListener('abort', stop);
    if (sound && work.kept && jobs < JOBS && !context.signal.aborted) {
      keep(work.script, thread, jobs);
      for (const leave of heard) leave();
    } else await thread.terminate();
  }
}

/** A thread that waits for work, or a new one. @returns how many jobs it has had with this one */
function threadFor({ script, data, memoryMb, kept }: ThreadWork): { thread: Worker; jobs: number } {
  const waiting = kept ? idle.get(script.href)?.pop() : undefined;
  if (waiting) {
    clearTimeout(waiting.forget);
    waiting.unwatch();
    waiting.thread.ref();
  }
  const thread =
    waiting?.thread ??
    new Worker(script, {
      ...(kept ? {} : { workerData: data }),
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
      stdout: true,
    });
  if (kept) thread.postMessage(data);
  return { thread, jobs: (waiting?.jobs ?? 0) + 1 };
}

/** Lets a thread wait for the next job. It keeps no process from ending. */
function keep(script: URL, thread: Worker, jobs: number): void {
  const waiting = idle.get(script.href) ?? [];
  idle.set(script.href, waiting);
  const leave = (): void => {
    const at = waiting.findIndex((one) => one.thread === thread);
    if (at >= 0) waiting.splice(at, 1);
  };
  const forget = setTimeout(() => {
    leave();
    void thread.terminate();
  }, KEPT_MS).unref();
  thread.on('exit', leave).on('error', leave);
  thread.unref();
  const unwatch = (): void => void thread.off('exit', leave).off('error', leave);
  waiting.push({ thread, jobs, forget, unwatch });
}

function failureOf(error: unknown, { name, tooLarge }: ThreadWork): SluiceError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return new SluiceError('EngineUnfit', tooLarge, { cause: error });
  return new SluiceError('EngineFailed', `${name} failed: ${sentenceOf(error).split('\n')[0]}.`, { cause: error });
}
