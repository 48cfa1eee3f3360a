import { streamOf } from '../../src/definition/streams.ts';
import { reconcile } from '../../src/stages/accounting/reconcile.ts';
import { unattended, type StageDeps } from '../../src/stages/deps.ts';
import { indexBatch } from '../../src/stages/indexing/index-batch.ts';
import type { ConsumeInput, Landed } from '../../src/stages/io.ts';
import { findLanded } from '../../src/stages/landing/batch-record.ts';
import { consume } from '../../src/stages/landing/consume.ts';
import { commitHour } from '../../src/stages/landing/hour-record.ts';
import { publish } from '../../src/stages/publishing/publish.ts';
import { benchHour } from './broadband.ts';
import { contestant, type Job } from './job.ts';

// Our stages, each by itself or one after the other, as the activities call them.

function publishing(deps: StageDeps, { pipeline, prepared, batch }: Job) {
  return publish(deps, { pipeline, hour: benchHour, prepared, batch, workflowId: 'bench' }, unattended);
}

/** Consumes until the batch's record stands. */
async function landing(deps: StageDeps, { pipeline, prepared, landAs }: Job): Promise<Landed> {
  const { topic, epoch, life, partitions } = prepared;
  const { maxRecords, maxBytes } = pipeline.land;
  const input: ConsumeInput = {
    ...{ stream: landAs, topic, epoch, life, partitions, shard: 0, maxRecords, maxBytes },
    abandonAfterMs: 86_400_000,
  };
  const stop = new AbortController();
  let batchId = '';
  await consume(
    deps,
    input,
    { signal: stop.signal, progress: () => {} },
    {
      landed: async (record) => {
        batchId = record.batch;
        stop.abort();
      },
    },
  );
  const landed = await findLanded(deps, { stream: landAs, batchId });
  if (!landed) throw new Error(`batch ${batchId} has not landed`);
  return landed;
}

await contestant({
  publish: async (deps, job) => (await publishing(deps, job)).rows,
  land: async (deps, job) => (await landing(deps, job)).rows,
  index: async (deps, { pipeline, prepared, hourRecord, landed }) => {
    if (!hourRecord || !landed) throw new Error('nothing has landed');
    return (await indexBatch(deps, { pipeline, prepared, hourRecord, landed }, unattended)).indexed;
  },
  /** From clean.csv to the proven equation; the consumer runs beside the publisher, as in a worker. */
  whole: async (deps, job) => {
    const { pipeline, prepared, batch } = job;
    const [published, landed] = await Promise.all([publishing(deps, job), landing(deps, job)]);
    const { name: stream } = streamOf(pipeline, 'main');
    const content = { landed };
    const hourRecord = await commitHour(deps, { stream, hour: benchHour, rawSha: 'r', definitionSha: 'd', content });
    const indexed = await indexBatch(deps, { pipeline, prepared, hourRecord, landed }, unattended);
    const given = { prepared, hourRecord, batch, published, landed, indexed };
    const equation = await reconcile(deps, given, unattended);
    if (!equation.holds) throw new Error(`the equation does not hold: ${JSON.stringify(equation)}`);
    return indexed.indexed;
  },
});
