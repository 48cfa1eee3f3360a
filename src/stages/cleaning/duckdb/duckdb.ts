import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { waitingOn } from '../../../connectors/meter.ts';
import { SluiceError, sentenceOf } from '../../../definition/errors.ts';
import type { StageContext } from '../../deps.ts';

/** What DuckDB may hold before it spills to the scratch folder. Its own process overhead comes on top. */
const MEMORY_LIMIT = '800MB';
const THREADS = '2';
const ALIVE_MS = 1_000;

/**
 * Runs work on a DuckDB database in memory that spills to `folder`. While it works, progress is reported every second;
 * when the context's signal fires, the running statement is interrupted.
 * @throws SluiceError `EngineFailed` for whatever DuckDB throws.
 */
export async function withDuckDb<T>(
  folder: string,
  context: StageContext,
  work: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  context.signal.throwIfAborted();
  const temporary = join(folder, 'spill');
  await mkdir(temporary, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: MEMORY_LIMIT,
    threads: THREADS,
    temp_directory: temporary,
  });
  const connection = await instance.connect();
  const interrupt = () => connection.interrupt();
  const alive = setInterval(() => context.progress({ note: 'DuckDB is at work' }), ALIVE_MS);
  context.signal.addEventListener('abort', interrupt);
  try {
    return await waitingOn('engine', () => work(connection));
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('EngineFailed', `DuckDB failed: ${sentenceOf(error).split('\n')[0]}.`, { cause: error });
  } finally {
    clearInterval(alive);
    context.signal.removeEventListener('abort', interrupt);
    connection.closeSync();
    instance.closeSync();
  }
}
