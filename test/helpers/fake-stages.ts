import { Context } from '@temporalio/activity';
import { randomBytes } from 'node:crypto';
import { pipelineSchema, type Pipeline, type PipelineInput } from '../../src/definition/pipeline.ts';
import type { LookedNow } from '../../src/activities/watching/look.ts';
import type { CommittedDataset } from '../../src/stages/resuming/find-stored.ts';
import type {
  CleanResult,
  Equation,
  HourRecord,
  ImportResult,
  ObjectRef,
  PreparedStream,
} from '../../src/definition/refs.ts';
import type { Told } from '../../src/activities/telling.ts';
import type { Activities } from '../../src/activities/index.ts';
import { planDeliveries } from '../../src/definition/deliveries.ts';
import { runActivities } from '../../src/activities/runs.ts';
import { acceptDefinition } from '../../src/definition/check-definition.ts';
import type { RunReport } from '../../src/workflows/messages.ts';
import type { FakeActivities } from './temporal.ts';

export const hour = '2026-11-24T03:00:00Z';

const ref: ObjectRef = { uri: 's3://b/k', sha256: 'ab'.repeat(32), bytes: 10, rows: 3 };
const rows = { read: 3, clean: 3, duplicates: 0, filtered: 0, rejected: 0 };
const checksum = [1, 2, 3, 4] as const;

/** A definition with quick retries. */
export function definition(input: Partial<PipelineInput> = {}): Pipeline {
  return pipelineSchema.parse({
    name: `w-${randomBytes(4).toString('hex')}`,
    source: { url: 'https://example.org/a.csv' },
    columns: { id: { name: 'id' } },
    retries: { attempts: 4, initialInterval: '10ms', maximumInterval: '20ms' },
    ...input,
  });
}

/** What fake stages were asked for, and what they keep. */
export interface Record {
  readonly calls: string[];
  readonly reports: RunReport[];
  /** Stored beside the reports. */
  readonly definitions: Pipeline[];
  /** What incidents were told of. */
  readonly told: Told[];
}

const landed = { batch: 'b1', version: 1, record: ref, rows: 3, checksum, objects: 1 };
const published = { batchId: 'b1', rows: 3, checksum, resumedAfter: 0, committedBefore: false };
const hourRecordOf = ({ name: stream }: Pipeline): HourRecord => ({
  ...{ stream, hour, generation: 1, batch: 'b1', rawSha: ref.sha256, definitionSha: 'd1', rows: 3 },
});

/** The one data set of {@link goodStages}, as a run that begins behind its commit finds it. */
export const committed = (pipeline: Pipeline): CommittedDataset => ({
  ...{ dataset: 'main', published, landed, hourRecord: hourRecordOf(pipeline) },
});

/** Stages that all go well, for one data set of three rows; each call is noted by name. */
export function goodStages(pipeline: Pipeline): { stages: Required<FakeActivities>; record: Record } {
  const record: Record = { calls: [], reports: [], definitions: [], told: [] };
  const prepared: PreparedStream = {
    ...{ dataset: 'main', stream: pipeline.name, topic: pipeline.name, partitions: 1, epoch: 'e1', life: 1 },
    ...{ index: `${pipeline.name}-1`, alias: pipeline.name, schema: 's1', changes: [] },
  };
  const imported: ImportResult = {
    record: { pipeline: pipeline.name, hour, n: 1, source: 'https://example.org/a.csv', fetchedAt: hour, raw: ref },
    definitionSha: 'd1',
    parsed: {
      ...{ parts: [ref], header: ['id'], rows: { read: 3, parsed: 3, rejected: 0 }, rejectedBy: {}, notes: [] },
      files: [],
    },
    replayed: false,
    unknownColumns: [],
  };
  const cleaned: CleanResult = {
    engine: 'duckdb',
    batches: [{ dataset: 'main', batchId: 'b1', clean: ref, rows, checksum, rejects: ref, report: ref }],
    quality: [],
    rejectedBy: {},
  };
  const equation: Equation = {
    dataset: 'main',
    rows: { ...rows, published: 3, landed: 3, indexed: 3 },
    holds: true,
  };
  const note =
    <T>(name: string, result: T) =>
    async (): Promise<T> => {
      record.calls.push(name);
      return result;
    };
  const stages: Required<FakeActivities> = {
    acceptDefinition: async ({ pipeline: given }: { pipeline: unknown }) => acceptDefinition(given),
    prepare: note('prepare', [prepared]),
    importSource: note('importSource', imported),
    clean: note('clean', cleaned),
    look: note('look', lookedAt(hour)),
    findStored: note('findStored', { imported: { ...imported, replayed: true }, cleaned }),
    saveLocalCopy: note('saveLocalCopy', undefined),
    publish: note('publish', published),
    findLanded: note('findLanded', landed),
    commitHour: note('commitHour', hourRecordOf(pipeline)),
    indexBatch: note('indexBatch', { dataset: 'main', index: prepared.index, indexed: 3, checksum, deleted: 0 }),
    planRebuild: note('planRebuild', {
      ...{ dataset: 'main', alias: pipeline.name, from: 'a-000001', to: 'a-000002', resumed: false },
      ...{ hours: 2, rows: 6, bytes: 600 },
    }),
    rebuildIndex: note('rebuildIndex', {
      ...{ dataset: 'main', alias: pipeline.name, index: 'a-000002', hours: 2, rows: 6, whole: 0, misfits: {} },
      deleted: 'a-000001',
    }),
    reconcile: note('reconcile', equation),
    writeReport: async (report: RunReport, definition: Pipeline) => {
      record.calls.push('writeReport');
      record.reports.push(report);
      record.definitions.push(definition);
      return ref;
    },
    // No stage, and nothing is odd.
    judgeRun: async () => ({ anomalies: [], observations: [], clearings: [] }),
    discardPartial: note('discardPartial', { tallies: [] }),
    findDone: note('findDone', undefined),
    sendFailureAlert: note('sendFailureAlert', { sent: true }),
    planDeliveries: async ({ pipeline: { alerts }, notice }) =>
      planDeliveries(alerts, notice, new Date().toISOString()),
    // What is over is told after every run that goes through: no call of its own.
    tellOf: async (told: Told) => {
      if (told.observations.length > 0) record.calls.push('tellOf');
      record.told.push(told);
    },
    passOn: note('passOn', undefined),
    deliver: note('deliver', { accepted: true }),
    // Reads until it is told to stop, and is no stage of a run.
    consume: async () => {
      await Context.current().cancelled.catch(() => {});
      return {};
    },
    consumerState: note('consumerState', undefined),
    acceptLoss: note('acceptLoss', {
      ...{ epoch: 'e1', partition: 0, first: '0', last: '0', reason: 'test', acceptedAt: 0 },
    }),
    compactStream: note('compactStream', { stream: pipeline.name, batches: 0, lost: 0, rows: 0, tallies: [] }),
    collectGarbage: note('collectGarbage', { tallies: [] }),
    retain: note('retain', {
      before: hour,
      hours: 0,
      first: [],
      rows: 0,
      documents: 0,
      heldBack: [],
      heldBackCount: 0,
      tallies: [],
    }),
    planBackfill: note('planBackfill', {
      ...{ found: {}, stretches: [], hours: [], failed: [], warnings: [] },
    }),
    awaitRun: note('awaitRun', undefined),
    lookAtRun: async (run: Parameters<Activities['lookAtRun']>[0]) => runActivities().lookAtRun(run),
    // Nothing else makes Temporal take a run for cancelled.
    cancelRun: async (run: Parameters<Activities['cancelRun']>[0]) => {
      record.calls.push('cancelRun');
      return runActivities().cancelRun(run);
    },
    findSlots: note('findSlots', { free: [], ahead: 0 }),
    findRunsAhead: note('findRunsAhead', { count: 0, first: [] }),
    markStale: note('markStale', { hours: [], count: 0, itself: false }),
  };
  return { stages, record };
}

/** A look that found nothing wrong. @param at ISO 8601 */
export const lookedAt = (at: string): LookedNow => ({
  ...{ memory: { lookedAt: at }, told: [], everyMs: 60_000 },
  watching: { lookedAt: at, pipelines: [], consumers: 0, queues: {}, open: [], problems: [] },
});
