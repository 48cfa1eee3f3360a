import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { CleanBatch, PreparedStream } from '../../src/definition/refs.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { keys } from '../../src/definition/names.ts';
import { measureCleanCsv, type CleanFacts } from '../../src/stages/cleaning/clean-csv.ts';
import { unattended, type StageDeps } from '../../src/stages/deps.ts';
import { batchIdOf } from '../../src/stages/hashing.ts';
import { prepareIndex } from '../../src/stages/indexing/prepare-index.ts';
import { findLanded } from '../../src/stages/landing/batch-record.ts';
import { commitHour } from '../../src/stages/landing/hour-record.ts';
import { storeSchema } from '../../src/stages/landing/schema.ts';
import { prepare } from '../../src/stages/preparing/prepare.ts';
import { stageDepsOf } from '../../src/workers/stage-deps.ts';
import { watched, type Used } from '../common/watched.ts';
import type { Command } from '../spark/submit.ts';
import { benchHour, broadband, writeCleanCsv } from './broadband.ts';
import type { Done, Job } from './job.ts';

export type Run = Done & Used;

/** The servers, the files and the jobs of one benchmark. */
export class StreamBench {
  readonly deps: StageDeps;
  readonly environment: NodeJS.ProcessEnv;
  readonly #folder: string;
  readonly #facts = new Map<number, CleanFacts>();
  #jobs = 0;

  /** @param environment Leads to the servers. */
  constructor(folder: string, environment: Readonly<Record<string, string>>) {
    this.#folder = folder;
    const own = { ...environment, SLUICE_S3_BUCKET: 'bench-stream', SLUICE_WORK_DIR: join(folder, 'work') };
    this.environment = { ...process.env, ...own };
    this.deps = stageDepsOf(this.environment);
  }

  get brokers(): string {
    return this.deps.kafka.brokers.join(',');
  }

  /** A topic, an index and a stream that nobody has used, and a clean.csv of so many rows as its batch. */
  async job(name: string, rows: number): Promise<Job> {
    const pipeline = await broadband(name);
    const [prepared] = await prepare(this.deps, { pipeline }, unattended);
    if (!prepared) throw new Error('prepare gave no stream');
    const csv = join(this.#folder, `clean-${rows}.csv`);
    let facts = this.#facts.get(rows);
    if (!facts) {
      await writeCleanCsv(csv, rows);
      facts = await measureCleanCsv(csv, streamOf(pipeline, 'main'), unattended);
      this.#facts.set(rows, facts);
    }
    const batch = await this.#batch(pipeline, prepared, csv, facts);
    return { pipeline, prepared, batch, csv, landAs: prepared.stream };
  }

  /** A clean.csv as cleaning hands it on. */
  async #batch(
    pipeline: Pipeline,
    { stream, schema }: PreparedStream,
    csv: string,
    facts: CleanFacts,
  ): Promise<CleanBatch> {
    const { rows, checksum, sha256 } = facts;
    const batchId = batchIdOf(streamOf(pipeline, 'main'), benchHour, sha256, schema);
    const clean = await this.deps.store.upload(csv, () => keys.batch(stream, benchHour, batchId, 'clean.csv'));
    const counts = { read: rows, clean: rows, duplicates: 0, filtered: 0, rejected: 0 };
    return { dataset: 'main', batchId, clean, rows: counts, checksum, rejects: clean, report: clean };
  }

  /** The same topic, to be landed under a stream of its own. */
  async landing(job: Job, landAs: string): Promise<Job> {
    const { output } = streamOf(job.pipeline, 'main');
    await storeSchema(this.deps.store, landAs, job.prepared.schema, output, job.pipeline.land);
    return { ...job, landAs };
  }

  /** What was landed, to be indexed into an index of its own. */
  async indexing(job: Job, alias: string): Promise<Job> {
    const { pipeline, landAs: stream, batch } = job;
    const landed = await findLanded(this.deps, { stream, batchId: batch.batchId });
    if (!landed) throw new Error(`nothing has landed in ${stream}`);
    const of = { stream, hour: benchHour, rawSha: 'r', definitionSha: 'd', content: { landed } };
    const hourRecord = await commitHour(this.deps, of);
    const { index } = await prepareIndex(this.deps, { ...streamOf(pipeline, 'main'), alias }, pipeline);
    return { ...job, prepared: { ...job.prepared, stream, index, alias }, landed, hourRecord };
  }

  /** Runs one of the works of `sluice.ts` or `bare.ts`. */
  async run(program: 'sluice' | 'bare', work: string, job: Job): Promise<Run> {
    const file = join(this.#folder, `job-${(this.#jobs += 1)}.json`);
    await writeFile(file, JSON.stringify(job));
    const script = join(import.meta.dirname, `${program}.ts`);
    // Ours as the launcher starts a worker.
    const flags = program === 'sluice' ? ['--max-semi-space-size=2'] : [];
    const { lastLine, used } = await watched(process.execPath, [...flags, script, work, file], this.environment);
    return { ...(JSON.parse(lastLine) as Done), ...used };
  }

  /** Runs a program that is none of ours. */
  async runOther(command: Command, said: (line: string) => Done): Promise<Run> {
    const environment = { ...this.environment, ...command.environment };
    const { lastLine, used } = await watched(command.program, command.args, environment);
    return { ...said(lastLine), ...used };
  }

  /** A folder that nobody has used. */
  async scratch(name: string): Promise<string> {
    const folder = join(this.#folder, name);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  /** What is not needed any more would fill the disk. */
  async drop(job: Job): Promise<void> {
    await this.deps.kafka.admin('topics', (admin) => admin.deleteTopics({ topics: [job.prepared.topic] }));
  }

  async dropIndex(job: Job): Promise<void> {
    await this.deps.search.client.indices.delete({ index: job.prepared.index });
  }

  /** Records in a topic. */
  async size(job: Job): Promise<number> {
    const watermarks = await this.deps.kafka.watermarks(job.prepared.topic);
    return [...watermarks.values()].reduce((sum, { high }) => sum + Number(high), 0);
  }
}
