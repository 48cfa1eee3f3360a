import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadDefinition } from '../../src/definition/load.ts';
import { SparkConnector } from '../../src/connectors/spark/spark.ts';
import type { SparkSession, SparkWatch } from '../../src/connectors/spark/session.ts';
import { compileRules } from '../../src/stages/cleaning/rules.ts';
import { sparkEngine } from '../../src/stages/cleaning/spark/spark-engine.ts';
import { unattended } from '../../src/stages/deps.ts';
import { stageDepsOf } from '../../src/workers/stage-deps.ts';
import { ownPeakMb } from '../common/process-memory.ts';
import type { Statement } from './statement.ts';

// Our engine over Spark Connect, from parts in the object store to clean.csv on this machine. What it asks of Spark is written down.

const [list = '', folder = '', written = ''] = process.argv.slice(2);
const { stored, header } = JSON.parse(readFileSync(list, 'utf8')) as { stored: string[]; header: string[] };
const { store, settings } = stageDepsOf(process.env);
if (!settings.spark) throw new Error('SLUICE_SPARK_URL is not set');
const statements: Statement[] = [];
let sessionId = '';
let answeredAt = 0;

/** Writes down what its sessions are asked, and when they had answered. */
class Noted extends SparkConnector {
  override session(id: string, watch: SparkWatch): SparkSession {
    const session = super.session(id, watch);
    sessionId = id;
    const noted = <A extends unknown[], R>(ask: (...args: A) => Promise<R>, as: (...args: A) => Statement) => {
      return async (...args: A): Promise<R> => {
        statements.push(as(...args));
        const answer = await ask.apply(session, args);
        answeredAt = performance.now();
        return answer;
      };
    };
    return Object.assign(session, {
      sql: noted(session.sql.bind(session), (text) => ({ kind: 'sql', text })),
      ask: noted(session.ask.bind(session), (text) => ({ kind: 'ask', text })),
      viewOfParquet: noted(session.viewOfParquet.bind(session), (name, paths) => ({ kind: 'view', name, paths })),
    });
  }
}

const pipeline = await loadDefinition(join(import.meta.dirname, '..', 'clean', 'definition.yaml'));
const rules = compileRules(pipeline, header);
const job = await mkdtemp(join(folder, 'job-'));
const parts = { local: async () => [], stored };
const spark = new Noted(settings.spark);
await spark.verify(unattended.signal);
statements.length = 0;
const startedAt = performance.now();
const outcome = await sparkEngine({ spark, store }).clean({
  ...{ rules, parts, files: ['f'], folder: job, context: unattended },
});
const endedAt = performance.now();
await writeFile(written, JSON.stringify({ sessionId, statements }));
await rm(job, { recursive: true });
console.log(
  JSON.stringify({
    seconds: (endedAt - startedAt) / 1_000,
    afterSpark: (endedAt - answeredAt) / 1_000,
    clean: outcome.rows.clean,
    rejected: outcome.rows.rejected,
    peakMb: ownPeakMb(),
  }),
);
// The channel to the server would keep the process.
process.exit();
