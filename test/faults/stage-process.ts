import { setTimeout as wait } from 'node:timers/promises';
import { durationMs } from '../../src/definition/duration.ts';
import { errorCodes, SluiceError, sentenceOf } from '../../src/definition/errors.ts';
import { mainDataset } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { CleanBatch, PreparedStream } from '../../src/definition/refs.ts';
import { reconcile } from '../../src/stages/accounting/reconcile.ts';
import { clean } from '../../src/stages/cleaning/clean.ts';
import { unattended } from '../../src/stages/deps.ts';
import { importSource } from '../../src/stages/importing/import-source.ts';
import { indexBatch } from '../../src/stages/indexing/index-batch.ts';
import type { ConsumeInput } from '../../src/stages/io.ts';
import { findLanded } from '../../src/stages/landing/batch-record.ts';
import { consume } from '../../src/stages/landing/consume.ts';
import { commitHour } from '../../src/stages/landing/hour-record.ts';
import { prepare } from '../../src/stages/preparing/prepare.ts';
import { publish } from '../../src/stages/publishing/publish.ts';
import { stageDepsOf } from '../../src/workers/stage-deps.ts';

// An hour without Temporal, as a process that may be killed at any point and started again: the same stages in the same order, each
// tried again while its error is worth it. What a killed worker costs through Temporal is a heartbeat's time-out; here it is nothing.

/** What such a process is to do, as JSON in SLUICE_FAULTS_JOB. */
export interface Job {
  readonly pipeline: Pipeline;
  readonly hour: string;
  /** `hour`: all of it; `publish`: up to the end markers; `consume`: lands until the hour's batch is committed; `finish`: the rest. */
  readonly role: 'hour' | 'publish' | 'consume' | 'finish';
  /** Tries of a stage. */
  readonly attempts: number;
  /** Another limit than the definition's, as a consumer has it that was started under an older one. */
  readonly maxRecords?: number;
}

/** What it says on its way, a line of JSON each. */
export type Said =
  | { readonly said: 'stage'; readonly stage: string }
  | { readonly said: 'failed'; readonly stage: string; readonly code: string; readonly message: string }
  | { readonly said: 'done'; readonly holds?: boolean };

const say = (line: Said): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const job = JSON.parse(process.env['SLUICE_FAULTS_JOB'] ?? '') as Job;
const deps = stageDepsOf(process.env);
const { pipeline, hour } = job;

async function stage<T>(name: string, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    say({ said: 'stage', stage: name });
    try {
      return await work();
    } catch (error) {
      const code = error instanceof SluiceError ? error.code : 'Unexpected';
      say({ said: 'failed', stage: name, code, message: sentenceOf(error) });
      if (errorCodes[code] === 'final' || attempt >= job.attempts) throw error;
      await wait(500);
    }
  }
}

function consumeInput(stream: PreparedStream): ConsumeInput {
  const { maxRecords, maxBytes, abandonAfter } = pipeline.land;
  return {
    stream: stream.stream,
    topic: stream.topic,
    epoch: stream.epoch,
    life: stream.life,
    partitions: stream.partitions,
    shard: 0,
    maxRecords: job.maxRecords ?? maxRecords,
    maxBytes,
    abandonAfterMs: durationMs(abandonAfter),
  };
}

/** Lands until the batch of the hour is committed. */
async function land(stream: PreparedStream, batchId: string | undefined, stopped: AbortSignal): Promise<void> {
  const wanted = (record: { batch: string; hour: string }): boolean =>
    batchId === undefined ? record.hour === hour : record.batch === batchId;
  await stage('land', async () => {
    const stop = new AbortController();
    await consume(
      deps,
      consumeInput(stream),
      { ...unattended, signal: AbortSignal.any([stop.signal, stopped]) },
      {
        landed: async (record) => {
          if (wanted(record)) stop.abort();
        },
      },
    );
  });
}

async function cleaned(): Promise<{ imported: Awaited<ReturnType<typeof importSource>>; batch: CleanBatch }> {
  const input = { pipeline, hour, refetch: false, useCurrent: true, force: false };
  const imported = await stage('import', () => importSource(deps, input, unattended));
  const { batches } = await stage('clean', () => clean(deps, { pipeline, hour, imported }, unattended));
  const batch = batches[0];
  if (!batch) throw new Error('cleaning gave no batch');
  return { imported, batch };
}

async function run(): Promise<boolean | undefined> {
  const streams = await stage('prepare', () => prepare(deps, { pipeline }, unattended));
  const stream = streams.find(({ dataset }) => dataset === mainDataset);
  if (!stream) throw new Error('there is no main data set');
  if (job.role === 'consume') {
    await land(stream, undefined, unattended.signal);
    return undefined;
  }
  const { imported, batch } = await cleaned();
  const input = { pipeline, hour, prepared: stream, batch, workflowId: 'none' };
  const send = () => stage('publish', () => publish(deps, input, unattended));
  if (job.role === 'publish') {
    await send();
    return undefined;
  }
  const where = { stream: stream.stream, batchId: batch.batchId };
  // As a run does, it looks for the fact before it waits for the consumer.
  const before = await stage('landed', async () => findLanded(deps, where));
  const published = await (before || job.role === 'finish' ? send() : both(stream, batch.batchId, send));
  const landed = await stage('landed', async () => findLanded(deps, where));
  if (!landed) throw new Error(`batch ${batch.batchId} has not landed`);
  const content = { landed };
  const rawSha = imported.record.raw.sha256;
  const commit = { stream: stream.stream, hour, rawSha, definitionSha: imported.definitionSha, content };
  const hourRecord = await stage('commit', () => commitHour(deps, commit));
  const indexed = await stage('index', () =>
    indexBatch(deps, { pipeline, prepared: stream, hourRecord, landed }, unattended),
  );
  const sides = { prepared: stream, hourRecord, batch, published, landed, indexed };
  return (await stage('reconcile', () => reconcile(deps, sides, unattended))).holds;
}

/** Publishes and lands at once. Where one of the two fails for good, the other is stopped. */
async function both<T>(stream: PreparedStream, batchId: string, send: () => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const landing = land(stream, batchId, stop.signal);
  const sent = send().catch((error: unknown) => {
    stop.abort();
    throw error;
  });
  const [published] = await Promise.all([sent, landing]);
  return published;
}

try {
  const holds = await run();
  say({ said: 'done', ...(holds === undefined ? {} : { holds }) });
  process.exit(0);
} catch (error) {
  const code = error instanceof SluiceError ? error.code : 'Unexpected';
  say({ said: 'failed', stage: 'run', code, message: sentenceOf(error) });
  process.exit(1);
}
