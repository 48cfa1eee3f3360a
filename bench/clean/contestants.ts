import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findJdk } from '../../stack/tools.ts';
import { needs } from '../../stack/versions.ts';
import { sentenceOf } from '../../src/definition/errors.ts';
import { measured, python } from '../common/measured.ts';
import { forgetPeak, peakMbOf } from '../common/process-memory.ts';
import type { SparkStack } from '../common/spark-stack.ts';

/** What one run of a contestant tells. */
export interface Run {
  readonly seconds: number;
  readonly clean: number;
  readonly rejected: number;
  /** Its clean.csv, in a folder of its own. */
  readonly path: string;
  /** Of the process and of those that it started. */
  readonly peakMb: number;
  /** Before the clock: until PySpark's session is there. */
  readonly startSeconds?: number;
  /** Of the server that worked for it. */
  readonly serverMb?: number | undefined;
}

export interface Contestant {
  readonly name: string;
  /** Tables above this are not for it. */
  readonly mostRows?: number;
  run(list: string, folder: string): Run;
}

const DANFOJS_MOST = 50_000;

/** Everybody who can take part here; of those who cannot it is said why. */
export async function contestants(spark: SparkStack | undefined): Promise<Contestant[]> {
  const node = (script: string, ...args: string[]): Contestant['run'] => {
    const program = join(import.meta.dirname, script);
    return (list, folder) => measured<Run>(process.execPath, [program, ...args, list, folder], process.env);
  };
  const found: Contestant[] = [
    { name: BY_HAND, run: node('sql.ts') },
    { name: 'Sluice, DuckDB', run: node('sluice.ts', 'duckdb') },
    { name: 'Sluice, danfojs', mostRows: DANFOJS_MOST, run: node('sluice.ts', 'danfojs') },
  ];
  if (spark) found.push(await sluiceSpark(spark));
  const frames = python();
  if (frames === undefined) console.log('pandas and polars cannot be had here, and are left out');
  else {
    const peers = join(import.meta.dirname, 'peers.py');
    for (const name of ['pandas', 'polars']) {
      found.push({
        name,
        run: (list, folder) => measured<Run>(frames, ['-B', peers, name, list, folder], process.env),
      });
    }
  }
  const pyspark = await pysparkHere();
  if (pyspark) found.push(pyspark);
  return found;
}

export const BY_HAND = 'DuckDB, SQL by hand';

/** Parts are in the object store before its clock starts, as they are when a run cleans. */
async function sluiceSpark(spark: SparkStack): Promise<Contestant> {
  const pid = await spark.sparkPid();
  const program = join(import.meta.dirname, 'sluice.ts');
  return {
    name: 'Sluice, Spark',
    run: (list, folder) => {
      forgetPeak(pid);
      const run = measured<Run>(process.execPath, [program, 'spark', list, folder], spark.environment);
      return { ...run, serverMb: peakMbOf(pid) };
    },
  };
}

async function pysparkHere(): Promise<Contestant | undefined> {
  const jdk = await findJdk(needs.sparkJdk).catch((error: unknown) => console.log(sentenceOf(error)));
  const program = jdk && python('pyspark');
  if (!jdk || program === undefined) {
    console.log('PySpark cannot be had here, and is left out');
    return undefined;
  }
  const environment = { ...process.env, JAVA_HOME: jdk.home, SPARK_LOCAL_IP: '127.0.0.1' };
  const job = join(import.meta.dirname, 'pyspark_job.py');
  return {
    name: 'PySpark, local[2]',
    run: (list, folder) => measured<Run>(program, ['-B', job, list, folder], environment),
  };
}

/** Tells contestants that read the object store where the parts are there. */
export async function sendParts(spark: SparkStack, list: string): Promise<void> {
  const known = JSON.parse(readFileSync(list, 'utf8')) as { parts: string[] };
  writeFileSync(list, JSON.stringify({ ...known, stored: await spark.send(known.parts) }));
}
