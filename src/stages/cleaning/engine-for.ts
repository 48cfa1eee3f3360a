import type { Pipeline } from '../../definition/pipeline.ts';
import { DANFOJS_ROWS, danfojsEngine } from './danfojs-engine.ts';
import { duckdbEngine } from './duckdb-engine.ts';
import type { CleanEngine } from './engine.ts';

/** All give the same bytes, so which one cleaned shows in nothing but the time. @param rows Rows of the parsed object. */
export function engineFor(asked: Pipeline['engine'], rows: number): CleanEngine {
  if (asked === 'auto') return rows <= DANFOJS_ROWS ? danfojsEngine : duckdbEngine;
  return asked === 'danfojs' ? danfojsEngine : duckdbEngine;
}
