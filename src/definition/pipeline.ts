import { z } from 'zod';
import { alertsSchema } from './alerts.ts';
import { aggregateSchema, contractSchema, derivedSchema, duplicatesSchema, qualitySchema } from './cleaning.ts';
import { columnSchema, identifier } from './columns.ts';
import { conditionSchema } from './condition.ts';
import { dashboardsSchema } from './dashboards.ts';
import { duration } from './duration-schema.ts';
import { generateSchema } from './generated.ts';
import { deadlinesSchema, retriesSchema } from './limits.ts';
import { monitorsSchema } from './monitors.ts';
import { scheduleSchema } from './schedule.ts';
import { sourceSchema } from './source.ts';
import { watchSchema } from './watch.ts';

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'must be lower case letters, digits and -, beginning with a letter (40 at most)');
const topicName = z
  .string()
  .regex(/^[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,200}$/, 'must be a Kafka topic name: letters, digits, ".", "_" and "-"');
const indexName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,200}$/, 'must be an index name: lower case letters, digits, ".", "_" and "-"');

const publish = z.strictObject({
  topic: topicName.optional().describe('The pipeline’s name where left out.'),
  partitions: z.int().min(1).max(256).default(3),
  replication: z.int().min(1).max(9).default(1),
  compression: z.enum(['none', 'gzip']).default('gzip'),
  batchRows: z.int().min(1).max(50_000).default(2_000).describe('Records a send, per partition.'),
  rowsPerSecond: z.int().min(1).optional().describe('Publish no faster than this.'),
  retention: duration.default('30d').describe('How long the topic keeps a row, landed or not.'),
  minInsyncReplicas: z
    .int()
    .min(1)
    .max(9)
    .optional()
    .describe('Brokers that must have a row before it counts as sent; 2 where left out, 1 without replication.'),
  onTopicDifference: z
    .enum(['apply', 'warn', 'refuse'])
    .default('apply')
    .describe('Where the topic is set otherwise. What could lose rows is never merely warned of.'),
});

const land = z.strictObject({
  format: z.enum(['parquet', 'jsonl']).default('parquet'),
  date: identifier
    .optional()
    .describe('A date or timestamp column for `date=`; the logical hour’s date where left out.'),
  type: identifier.optional().describe('A column for `type=`; `record` where left out.'),
  maxRecords: z
    .int()
    .min(10)
    .max(1_000_000)
    .default(50_000)
    .describe('A chunk ends at every multiple of so many offsets.'),
  maxBytes: z.int().min(1_024).max(60_000_000).default(33_554_432),
  abandonAfter: duration.default('24h'),
  shards: z
    .int()
    .min(1)
    .max(32)
    .default(1)
    .describe('Consumers that share the partitions. May be changed at any time: the next run tells them.'),
  foreign: z
    .enum(['deadLetter', 'land'])
    .default('deadLetter')
    .describe(
      'What becomes of records that others write to the topic: dead letters all, or landed where they fit the columns.',
    ),
  foreignFlush: duration
    .default('1m')
    .describe('Such records end no chunk by themselves; after so long it is committed all the same.'),
});

const index = z.strictObject({
  name: indexName.optional().describe('The alias that readers use; `sluice-<name>` where left out.'),
  mode: z
    .enum(['history', 'latest'])
    .default('history')
    .describe(
      '`history`: a document per record and hour. `latest`: one per record, as the newest hour that has it says; `present` tells whether the newest hour of all has it.',
    ),
  shards: z.int().min(1).max(32).default(1),
  replicas: z.int().min(0).max(5).default(0),
});

const keep = z.strictObject({
  hours: duration
    .optional()
    .describe(
      'How old an hour may become before it is removed, whole and for good: 90d. Every hour is kept where left out.',
    ),
});

const maintenance = z.strictObject({
  offset: duration.default('3h').describe('How long after midnight UTC, every day.'),
  compact: z.boolean().default(true).describe('Write the small data objects of past days as fewer.'),
  gc: z.boolean().default(true).describe('Remove what no record reaches, a day after.'),
  paused: z.boolean().default(false),
});

/** One pipeline. It travels inside the schedule's arguments, so a run's input says everything that shaped it. */
export const pipelineSchema = z.strictObject({
  name,
  description: z.string().optional(),
  schedule: scheduleSchema.prefault({}).describe('When its hours run.'),
  source: sourceSchema,
  columns: z
    .record(z.string().min(1), columnSchema)
    .refine((columns) => Object.keys(columns).length > 0, 'needs at least one column')
    .describe('Source column → clean column.'),
  key: z
    .array(identifier)
    .default([])
    .describe('Clean columns that identify a record; file and row number where empty.'),
  duplicates: duplicatesSchema.prefault({}).describe('Which row of those with the same key stays.'),
  filter: conditionSchema.optional().describe('Rows for which this does not hold are counted as filtered.'),
  derive: z
    .record(identifier, derivedSchema)
    .optional()
    .describe('Columns computed from the others, once, after the engine; behind the columns of the file.'),
  aggregate: z.array(aggregateSchema).default([]),
  contract: contractSchema.prefault({}),
  quality: qualitySchema.prefault({}).describe('Gates between clean and publish. `block` publishes nothing.'),
  engine: z
    .enum(['auto', 'duckdb', 'danfojs', 'spark'])
    .default('auto')
    .describe(
      'Who cleans; all give the same bytes. auto: danfojs for small files, DuckDB above, Spark from the size on that the worker’s configuration names.',
    ),
  save: z
    .strictObject({ localCopy: z.boolean().default(false) })
    .prefault({})
    .describe('Also keep clean.csv in the folder that the worker’s configuration names.'),
  generate: generateSchema.prefault({}),
  publish: publish.prefault({}),
  land: land.prefault({}),
  index: index.prefault({}),
  dashboards: dashboardsSchema.prefault({}),
  alerts: alertsSchema.prefault({}).describe('Who is told of problems, by what, and how often: docs/alerts.md.'),
  monitors: monitorsSchema
    .prefault({})
    .describe('What is watched from run to run, and what is odd; docs/monitors.md. Nothing needs to be said.'),
  watch: watchSchema
    .prefault({})
    .describe(
      'What is watched from outside of its runs, and for how long it may be so; docs/watchdog.md. Nothing needs to be said.',
    ),
  retries: retriesSchema.prefault({}).describe('How often a stage is tried.'),
  deadlines: deadlinesSchema
    .prefault({})
    .describe('When a run is late, and when it is too late. Never, where nothing is said.'),
  keep: keep.prefault({}).describe('What is kept for how long. Everything, where nothing is said.'),
  maintenance: maintenance
    .prefault({})
    .describe('The daily work on what is stored; docs/maintenance.md says what it does.'),
});

/** A parsed pipeline, every default filled in. Plain JSON. */
export type Pipeline = z.infer<typeof pipelineSchema>;
/** A pipeline as people write it. */
export type PipelineInput = z.input<typeof pipelineSchema>;
