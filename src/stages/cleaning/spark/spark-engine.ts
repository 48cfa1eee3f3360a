import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { SparkSessionLost, SparkSessionTaken } from '../../../connectors/spark/failure.ts';
import type { SparkSession } from '../../../connectors/spark/session.ts';
import { SluiceError } from '../../../definition/errors.ts';
import { keys } from '../../../definition/names.ts';
import { textRows } from '../../../formats/arrow-columns.ts';
import { csvLine } from '../../../formats/csv-writer.ts';
import type { StageDeps } from '../../deps.ts';
import { collectLeftOvers, removeScratch } from '../../scratch.ts';
import { factsOf, rowsOf, type CleanEngine, type CleanJob, type CleanOutcome } from '../engine.ts';
import { fillTexts } from '../sql/fill-sql.ts';
import { judgedSql, keptSql, missingSql, preparedSql, rankedSql } from '../sql/plan.ts';
import { noRowsSql, tallySql } from '../sql/results.ts';
import { sparkDialect as sql } from '../sql/spark-dialect.ts';
import { joinParts } from './joined-parts.ts';
import { cleanLinesSql, rejectLinesSql, sessionSettings, writeSql } from './spark-sql.ts';

type Servers = Required<Pick<StageDeps, 'spark' | 'store'>>;

/**
 * Cleans with Spark, over Spark Connect. Spark reads the parts from the object store and writes finished lines there, sorted; this
 * side asks, watches, and joins them. Another attempt at the same work, by this process or another, goes on in the session that the
 * first one left behind.
 */
export function sparkEngine(servers: Servers): CleanEngine {
  return {
    name: 'spark',
    async clean(job) {
      const left = sessionLeft(job.context.previous);
      try {
        return await cleanIn(servers, job, left ?? randomUUID());
      } catch (error) {
        if (!(error instanceof SparkSessionLost)) throw error;
      }
      try {
        return await cleanIn(servers, job, randomUUID());
      } catch (error) {
        if (!(error instanceof SparkSessionLost)) throw error;
        const sentence = `The Spark server at ${servers.spark.where} lost our session: ${error.message}.`;
        throw new SluiceError('SparkUnavailable', sentence, { cause: error });
      }
    },
  };
}

/** What progress says of a session, for the attempt that comes after this one. */
const resumeSchema = z.object({ resume: z.object({ sparkSession: z.uuid() }) });

function sessionLeft(previous: unknown): string | undefined {
  const found = resumeSchema.safeParse(previous);
  return found.success ? found.data.resume.sparkSession : undefined;
}

async function cleanIn({ spark, store }: Servers, job: CleanJob, id: string): Promise<CleanOutcome> {
  const { context } = job;
  const { signal } = context;
  const resume = { sparkSession: id };
  let doing = 'begins';
  const tell = (how = ''): void => context.progress({ note: `Spark ${doing}${how}`, resume });
  const watched: CleanJob = {
    ...job,
    context: { ...context, progress: (progress) => context.progress({ ...progress, resume }) },
  };
  const step = (what: string): void => {
    doing = what;
    session.step = what;
    tell();
  };
  const watch = {
    signal,
    progress: ({ done, tasks }: { done: number; tasks: number }) => tell(`: ${done} of ${tasks} tasks`),
  };
  tell();
  const session = spark.session(id, watch);
  let taken = false;
  try {
    const outcome = await askAll({ spark, store }, session, watched, step);
    const work = await spark.workOf(session, signal);
    return work ? { ...outcome, spark: work } : outcome;
  } catch (error) {
    taken = error instanceof SparkSessionTaken;
    if (!taken) throw error;
    const sentence = `Another attempt at this work goes on with its session at the Spark server ${spark.where}.`;
    throw new SluiceError('SparkUnavailable', sentence, { cause: error });
  } finally {
    if (signal.aborted) await session.interrupt();
    // A session that lives on may be gone on with, and then finds what it has written.
    if (!taken && (await session.release()))
      await removeScratch(store, keys.sparkScratch(id, context.runId)).catch(() => {});
    await collectLeftOvers(store, keys.sparkScratches(), Date.now()).catch(() => {});
  }
}

/** The same questions in the same order for the same job, or a session could not be gone on with. */
async function askAll(
  { store }: Servers,
  session: SparkSession,
  job: CleanJob,
  step: (what: string) => void,
): Promise<CleanOutcome> {
  const { rules, files, folder, context } = job;
  const scratch = (name: string): string => `${keys.sparkScratch(session.id, context.runId)}${name}`;
  const folderOf = (name: string): string => sparkUri(store.uri(scratch(name)));
  const ask = async (query: string): Promise<(string | null)[][]> => (await session.ask(query)).flatMap(textRows);

  step('is asked for a session');
  for (const [name, value] of Object.entries(sessionSettings)) await session.sql(`SET ${name}=${value}`);
  const parts = job.parts.stored ?? (await sendParts({ store }, job, scratch('parts/')));
  step('reads parts');
  if (parts.length > 0) await session.viewOfParquet('parts', parts.map(sparkUri));
  const source = parts.length > 0 ? 'parts' : noRowsSql(rules.width, sql);
  step('judges rows');
  const write = (name: string, format: 'text' | 'parquet', query: string) =>
    session.sql(writeSql(folderOf(name), format, query, sql));
  await write('judged', 'parquet', judgedSql(rules, preparedSql(rules, source, sql), sql));
  await session.viewOfParquet('judged', [folderOf('judged')]);
  step('counts');
  const [counted = []] = await ask(textColumns(missingSql(rules, 'judged'), rules.columns.length + 1));
  const fills = await fillTexts(rules, 'judged', sql, ask);
  const kept = keptSql(rules, 'judged', fills, sql);
  const ranked = rankedSql(rules, kept, sql);
  const [tally = []] = await ask(textColumns(tallySql('judged', kept), 3));
  step('writes clean rows');
  await write('clean', 'text', cleanLinesSql(rules, ranked, files, sql));
  step('writes rejected rows');
  await write('rejects', 'text', rejectLinesSql(rules, ranked, sql));
  const [cleanPath, rejectsPath] = [join(folder, 'clean.csv'), join(folder, 'found-rejects.csv')];
  const clean = await joinParts({ store }, scratch('clean/'), cleanPath, `${csvLine(rules.header)}\n`, context);
  const rejected = await joinParts({ store }, scratch('rejects/'), rejectsPath, '', context);
  // Whoever removes objects has released the session before. If it is there, all of them were.
  await session.ask('SELECT 1');
  return {
    cleanPath,
    rejectsPath,
    rows: rowsOf(rules, tally.map(Number), clean, rejected),
    ...factsOf(rules, counted.map(Number), fills),
  };
}

/** Hadoop's name for the same object store. */
const sparkUri = (uri: string): string => uri.replace(/^s3:/, 's3a:');

/** Parts that are on this machine alone go to where Spark reads them. */
async function sendParts(
  { store }: Pick<Servers, 'store'>,
  { parts, context }: CleanJob,
  prefix: string,
): Promise<string[]> {
  const uris: string[] = [];
  for (const path of await parts.local()) {
    const name = `part-${String(uris.length).padStart(5, '0')}`;
    // Named by content, so that a query over other content is another query.
    uris.push((await store.upload(path, (sha256) => `${prefix}${name}-${sha256}.parquet`, context.signal)).uri);
    context.progress({ note: `sent part ${uris.length}` });
  }
  return uris;
}

/** The query with every column as text. @param width How many it has. */
function textColumns(query: string, width: number): string {
  const names = Array.from({ length: width }, (_, at) => `c${at}`);
  return `SELECT ${names.map((name) => `CAST(${name} AS ${sql.textType})`).join(', ')} FROM (${query}) AS q(${names.join(', ')})`;
}
