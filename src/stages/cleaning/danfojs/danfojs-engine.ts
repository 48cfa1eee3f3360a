import type { CleanEngine, CleanOutcome } from '../engine.ts';
import { inThread } from '../thread.ts';
import type { DanfojsJob } from './danfojs-clean.ts';

/**
 * Up to so many rows `engine: auto` takes danfojs. It is slower than DuckDB at any size (`npm run bench:engines`), most of it for being
 * loaded (once a minute at most), and holds a file as JavaScript values several times over; up to here neither matters to an hourly run.
 */
export const DANFOJS_ROWS = 5_000;

const MEMORY_MB = 1_500;

/**
 * Cleans with danfojs, in a thread of its own: it blocks for as long as it works, and a worker that does not heartbeat is given up.
 * @throws SluiceError `EngineUnfit` where the file is too large for it, `EngineFailed` for whatever else it throws
 */
export const danfojsEngine: CleanEngine = {
  name: 'danfojs',
  async clean({ context, parts, ...job }) {
    const data: DanfojsJob = { ...job, parts: await parts.local() };
    return inThread<CleanOutcome>({
      script: new URL('danfojs-thread.ts', import.meta.url),
      data,
      kept: true,
      name: 'danfojs',
      context,
      memoryMb: MEMORY_MB,
      tooLarge: `The file is too large for danfojs, which may take ${MEMORY_MB} MB: set "engine: duckdb", or "auto".`,
    });
  },
};
