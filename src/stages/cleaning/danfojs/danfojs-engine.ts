import { Worker } from 'node:worker_threads';
import { SluiceError, sentenceOf } from '../../../definition/errors.ts';
import type { CleanEngine, CleanOutcome } from '../engine.ts';
import type { DanfojsJob } from './danfojs-clean.ts';

/**
 * Up to so many rows `engine: auto` takes danfojs. It is slower than DuckDB at any size (`npm run bench:engines`), most of it for being
 * loaded, and holds a file as JavaScript values several times over; up to here neither matters to an hourly run.
 */
export const DANFOJS_ROWS = 5_000;

const ALIVE_MS = 1_000;
const MEMORY_MB = 1_500;

/**
 * Cleans with danfojs, in a thread of its own: it blocks for as long as it works, and a worker that does not heartbeat is given up.
 * @throws SluiceError `EngineUnfit` where the file is too large for it, `EngineFailed` for whatever else it throws
 */
export const danfojsEngine: CleanEngine = {
  name: 'danfojs',
  async clean({ context, parts, ...job }) {
    const input: DanfojsJob = { ...job, parts: await parts.local() };
    context.signal.throwIfAborted();
    const thread = new Worker(new URL('./danfojs-thread.ts', import.meta.url), {
      workerData: input,
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
      stdout: true,
    });
    const alive = setInterval(() => context.progress({ note: 'danfojs is at work' }), ALIVE_MS);
    const stop = (): void => void thread.terminate();
    context.signal.addEventListener('abort', stop, { once: true });
    try {
      return await new Promise<CleanOutcome>((resolve, reject) => {
        thread.once('message', resolve);
        thread.once('error', (error) => reject(failureOf(error)));
        thread.once('exit', () => reject(new SluiceError('EngineFailed', 'danfojs ended without a result.')));
      });
    } catch (error) {
      context.signal.throwIfAborted();
      throw error;
    } finally {
      clearInterval(alive);
      context.signal.removeEventListener('abort', stop);
      await thread.terminate();
    }
  },
};

function failureOf(error: unknown): SluiceError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    const message = `The file is too large for danfojs, which may take ${MEMORY_MB} MB: set "engine: duckdb", or "auto".`;
    return new SluiceError('EngineUnfit', message, { cause: error });
  }
  return new SluiceError('EngineFailed', `danfojs failed: ${sentenceOf(error).split('\n')[0]}.`, { cause: error });
}
