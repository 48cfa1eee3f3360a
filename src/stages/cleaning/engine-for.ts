import { SluiceError } from '../../definition/errors.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { StageDeps } from '../deps.ts';
import { DANFOJS_ROWS, danfojsEngine } from './danfojs/danfojs-engine.ts';
import { duckdbEngine } from './duckdb/duckdb-engine.ts';
import type { CleanEngine } from './engine.ts';
import { sparkEngine } from './spark/spark-engine.ts';

/** What an engine that is a server is reached by. */
export type EngineServers = Partial<Pick<StageDeps, 'spark' | 'store'>>;

/**
 * All give the same bytes, so which one cleaned shows in nothing but the time.
 * @param rows Rows of the parsed object.
 * @throws SluiceError `SettingsInvalid` where Spark is asked for and there is none
 */
export function engineFor(asked: Pipeline['engine'], rows: number, servers: EngineServers): CleanEngine {
  if (asked === 'spark') return sparkOf(servers);
  if (asked === 'danfojs') return danfojsEngine;
  if (asked === 'duckdb') return duckdbEngine;
  if (rows <= DANFOJS_ROWS) return danfojsEngine;
  return servers.spark && rows >= servers.spark.fromRows ? sparkOf(servers) : duckdbEngine;
}

function sparkOf({ spark, store }: EngineServers): CleanEngine {
  if (spark && store) return sparkEngine({ spark, store });
  throw noSpark();
}

/** The sentence for whoever asks for Spark where there is none. */
export const noSpark = (): SluiceError =>
  new SluiceError(
    'SettingsInvalid',
    'The definition asks for engine: spark, and no Spark is configured here: set SLUICE_SPARK_URL (sc://host:15002), ' +
      'start one with "npm run stack -- up --with spark", or choose engine: duckdb.',
  );
