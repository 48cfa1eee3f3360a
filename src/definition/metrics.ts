/**
 * Every metric of Sluice's own, as a worker tells it to Prometheus; docs/metrics.md, the rules and the dashboard in `deploy/` are held to it by a test.
 * Labels have few values: names that a definition gives, and the closed lists below. Never an hour, a run, or a text from outside.
 */

export const rowOutcomes = [
  ...['parsed', 'clean', 'duplicate', 'filtered', 'rejected', 'published'],
  ...['landed', 'resent', 'foreign', 'dead-letter', 'lost', 'indexed'],
] as const;

export const runOutcomes = ['completed', 'unchanged', 'failed', 'cancelled'] as const;

/** What a stage's attempt came to; `handed-over`: its worker was told to stop. */
export const attemptOutcomes = ['completed', 'failed', 'cancelled', 'handed-over'] as const;
export type AttemptOutcome = (typeof attemptOutcomes)[number];

/** A bulk request that was answered, wholly or in part; `failed`: not at all, or refused as a whole. */
export const bulkOutcomes = ['ok', 'partial', 'failed'] as const;
export type BulkRequestOutcome = (typeof bulkOutcomes)[number];

/** What became of a document in a bulk request; `again`: it is sent once more. */
export const documentOutcomes = ['written', 'newer', 'refused', 'again'] as const;

interface Declared {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** What Prometheus shows beside it. A sentence. */
  readonly help: string;
  readonly labels: readonly Label[];
  /** Of a histogram: upper ends, in the unit that its name ends in. */
  readonly buckets?: readonly number[];
}

/** What each label holds. */
export const labels = {
  pipeline: 'name of the pipeline',
  dataset: '`main`, or the name of an aggregate',
  stage:
    'stage of a run, or what else a worker does: `consume`, `compact`, `gc`, `retain`, `rebuild`, `deliver` (an alert)',
  outcome: 'what it came to',
  code: 'code of an error, from the closed list',
  shard: 'number of the consumer’s shard, from 0',
  schedule: '`hours`, or `maintenance`',
  rule: 'rule of an incident',
} as const;
export type Label = keyof typeof labels;

const seconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];
const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export const metrics = {
  sluice_rows_total: {
    kind: 'counter',
    help: 'Rows by stage and by what became of them there.',
    labels: ['pipeline', 'dataset', 'stage', 'outcome'],
  },
  sluice_bytes_total: {
    kind: 'counter',
    help: 'Bytes by stage: fetched, cleaned, landed as objects, sent to the index.',
    labels: ['pipeline', 'dataset', 'stage'],
  },
  sluice_runs_total: {
    kind: 'counter',
    help: 'Runs that are over, by what they came to.',
    labels: ['pipeline', 'outcome'],
  },
  sluice_run_failures_total: {
    kind: 'counter',
    help: 'Runs that failed, by the stage and the code that failed them.',
    labels: ['pipeline', 'stage', 'code'],
  },
  sluice_run_duration_seconds: {
    kind: 'histogram',
    help: 'How long runs took, from their start to their report.',
    labels: ['pipeline', 'outcome'],
    buckets: seconds,
  },
  sluice_stage_duration_seconds: {
    kind: 'histogram',
    help: 'How long the stages of runs took, waits and retries included.',
    labels: ['pipeline', 'stage'],
    buckets: seconds,
  },
  sluice_attempts_total: {
    kind: 'counter',
    help: 'Attempts at stages that are over, by what they came to.',
    labels: ['pipeline', 'stage', 'outcome'],
  },
  sluice_attempt_failures_total: {
    kind: 'counter',
    help: 'Attempts at stages that failed, by the code of the error.',
    labels: ['pipeline', 'stage', 'code'],
  },
  sluice_attempt_duration_seconds: {
    kind: 'histogram',
    help: 'How long attempts at stages took.',
    labels: ['pipeline', 'stage', 'outcome'],
    buckets: seconds,
  },
  sluice_attempt_queue_seconds: {
    kind: 'histogram',
    help: 'How long attempts waited for a worker to take them up.',
    labels: ['pipeline', 'stage'],
    buckets: requestSeconds,
  },
  sluice_retries_total: {
    kind: 'counter',
    help: 'Attempts that were begun after an earlier one had failed.',
    labels: ['pipeline', 'stage'],
  },
  sluice_equations_total: {
    kind: 'counter',
    help: 'Row equations of completed and failed runs, by whether they hold.',
    labels: ['pipeline', 'dataset', 'outcome'],
  },
  sluice_newest_done_hour_timestamp_seconds: {
    kind: 'gauge',
    help: 'Begin of the newest logical hour that this worker has seen done, in seconds since 1970.',
    labels: ['pipeline'],
  },
  sluice_consumer_lag_records: {
    kind: 'gauge',
    help: 'Records of the topic that have not landed, as the consumer sees it; NaN where it has left this worker.',
    labels: ['pipeline', 'dataset', 'shard'],
  },
  sluice_consumer_open_batches: {
    kind: 'gauge',
    help: 'Batches that have begun to land and not ended; NaN where the consumer has left this worker.',
    labels: ['pipeline', 'dataset', 'shard'],
  },
  sluice_chunk_rows: {
    kind: 'histogram',
    help: 'Rows of the chunks that were committed.',
    labels: ['pipeline', 'dataset'],
    buckets: [0, 10, 100, 1_000, 10_000, 50_000, 100_000, 500_000, 1_000_000],
  },
  sluice_chunk_size_bytes: {
    kind: 'histogram',
    help: 'Bytes of the objects of each chunk that was committed.',
    labels: ['pipeline', 'dataset'],
    buckets: [0, 1_024, 16_384, 131_072, 1_048_576, 4_194_304, 16_777_216, 67_108_864],
  },
  sluice_bulk_requests_total: {
    kind: 'counter',
    help: 'Bulk requests to Elasticsearch by their answer.',
    labels: ['pipeline', 'dataset', 'outcome'],
  },
  sluice_bulk_documents_total: {
    kind: 'counter',
    help: 'Documents of bulk requests by what became of them.',
    labels: ['pipeline', 'dataset', 'outcome'],
  },
  sluice_bulk_request_duration_seconds: {
    kind: 'histogram',
    help: 'How long bulk requests took.',
    labels: ['pipeline', 'dataset'],
    buckets: requestSeconds,
  },
  sluice_schedule_missed_runs: {
    kind: 'gauge',
    help: 'Runs that Temporal did not start since their time was over before it could, counted since the schedule was made.',
    labels: ['pipeline', 'schedule'],
  },
  sluice_schedule_skipped_runs: {
    kind: 'gauge',
    help: 'Runs that Temporal left out since another was on its way, counted since the schedule was made.',
    labels: ['pipeline', 'schedule'],
  },
  sluice_schedule_newest_hour_timestamp_seconds: {
    kind: 'gauge',
    help: 'Begin of the newest logical hour that the schedule has started, in seconds since 1970; NaN where it has started none.',
    labels: ['pipeline', 'schedule'],
  },
  sluice_schedule_paused: {
    kind: 'gauge',
    help: 'Whether a schedule is paused: 1 or 0.',
    labels: ['pipeline', 'schedule'],
  },
  sluice_incidents_open: {
    kind: 'gauge',
    help: 'Incidents that are open.',
    labels: ['pipeline', 'rule'],
  },
  sluice_temporal_sampled_timestamp_seconds: {
    kind: 'gauge',
    help: 'When this worker last asked Temporal for schedules and incidents and was answered, in seconds since 1970.',
    labels: [],
  },
} as const satisfies Record<string, Declared>;

export type MetricName = keyof typeof metrics;
export type MetricNameOf<Kind extends Declared['kind']> = {
  [Name in MetricName]: (typeof metrics)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];
/** The labels of a metric, each with its value. */
export type LabelsOf<Name extends MetricName> = Readonly<Record<(typeof metrics)[Name]['labels'][number], string>>;

/** What the SDK adds by itself to a name: `_total` to a counter's, the unit to a histogram's. */
export function bareName(name: MetricName): { readonly name: string; readonly unit: string } {
  const { kind } = metrics[name];
  if (kind === 'gauge') return { name, unit: '' };
  if (kind === 'counter') return { name: name.replace(/_total$/, ''), unit: '' };
  const [, bare = name, unit = ''] = /^(.+)_(seconds|bytes)$/.exec(name) ?? [];
  return { name: bare, unit };
}

/** Buckets by the name that the SDK knows histograms by. */
export function histogramBuckets(): Record<string, number[]> {
  const names = Object.keys(metrics) as MetricName[];
  return Object.fromEntries(
    names.flatMap((name) => {
      const { buckets }: Declared = metrics[name];
      return buckets ? [[bareName(name).name, [...buckets]]] : [];
    }),
  );
}
