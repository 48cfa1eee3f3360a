import { hourKey, type LogicalHour } from './hour.ts';

/**
 * Every name that two parts of Sluice must agree on: object keys, topics, indices, workflow ids. Pure.
 * A *stream* is one data set of one pipeline: the pipeline's own name for `main`, `<name>.<dataset>` for an aggregate.
 */
export const mainDataset = 'main';

/** The alias of what is indexed of runs. No pipeline's own alias is called like this: those begin with `sluice-`. */
export const operationsIndex = 'sluice_operations';

export function streamName(pipeline: string, dataset: string): string {
  return dataset === mainDataset ? pipeline : `${pipeline}.${dataset}`;
}

/** Whose data set a stream is: the opposite of {@link streamName}. No pipeline's name has a dot. */
export function datasetOf(stream: string): { readonly pipeline: string; readonly dataset: string } {
  const dot = stream.indexOf('.');
  if (dot < 0) return { pipeline: stream, dataset: mainDataset };
  return { pipeline: stream.slice(0, dot), dataset: stream.slice(dot + 1) };
}

const offset20 = (offset: bigint): string => offset.toString().padStart(20, '0');
const number6 = (n: number): string => String(n).padStart(6, '0');
const partition4 = (partition: number): string => String(partition).padStart(4, '0');

/** Escapes a value for a Hive path segment: everything but letters, digits, `.`, `_` and `-` as %XX of its UTF-8 bytes. */
export function hiveEscape(value: string): string {
  if (value === '') return '__empty__';
  return Array.from(new TextEncoder().encode(value), (byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9._-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

const below = (folder: string | undefined): string => (folder === undefined ? '' : `${folder}/`);

/** Object keys. `stream` is what {@link streamName} gives. */
export const keys = {
  rawAll: (pipeline: string) => `raw/${pipeline}/`,
  raw: (pipeline: string, sha256: string) => `${keys.rawAll(pipeline)}${sha256}`,
  /** What downloads of a pipeline, or of one run of it, store on their way. */
  fetching: (pipeline: string, runId?: string) => `tmp/fetching/${pipeline}/${below(runId)}`,
  /** Of all Spark sessions, or of those of one run. */
  sparkScratches: (runId?: string) => `tmp/spark/${below(runId)}`,
  /** What Spark reads and writes besides the parsed object, under a session's id. */
  sparkScratch: (session: string, runId?: string) => `${keys.sparkScratches(runId)}${session}/`,
  /** Where a cancelled run keeps what it removes, an attempt a folder, until it has looked once more whether anybody needs it. */
  discarded: (runId: string) => `tmp/discarded/${runId}/`,
  /** Where gc keeps for a day what it took away. */
  collected: () => 'tmp/collected/',
  parsedAll: () => 'parsed/',
  parsedPrefix: (rawSha: string, dialectSha: string) => `parsed/${rawSha}-${dialectSha.slice(0, 16)}/`,
  runsAll: () => 'runs/',
  /** All that the runs of a pipeline, or of one of its aggregates, keep: an hour a folder. */
  runs: (stream: string) => `runs/${stream}/`,
  imports: (pipeline: string, hour: LogicalHour) => `runs/${pipeline}/${hourKey(hour)}/imports/`,
  importRecord: (pipeline: string, hour: LogicalHour, n: number) => `${keys.imports(pipeline, hour)}${number6(n)}.json`,
  attempts: (pipeline: string, hour: LogicalHour) => `runs/${pipeline}/${hourKey(hour)}/attempts/`,
  attempt: (pipeline: string, hour: LogicalHour, runId: string, file: string) =>
    `${keys.attempts(pipeline, hour)}${runId}/${file}`,
  /** CPU profile of a stage, where it was asked for. */
  profile: (pipeline: string, hour: LogicalHour, runId: string, stage: string) =>
    keys.attempt(pipeline, hour, runId, `profiles/${stage}.cpuprofile`),
  /** Create-once: how far the consumers were behind when the attempt was over. */
  lag: (pipeline: string, hour: LogicalHour, runId: string) => keys.attempt(pipeline, hour, runId, 'lag.json'),
  /** The report of the newest run that took the hour to its end. */
  done: (pipeline: string, hour: LogicalHour) => `runs/${pipeline}/${hourKey(hour)}/done.json`,
  /** Says that the hour took out keys of earlier hours which have others now. */
  stale: (pipeline: string, hour: LogicalHour) => `runs/${pipeline}/${hourKey(hour)}/stale.json`,
  alert: (pipeline: string, hour: LogicalHour, subject: string) =>
    `runs/${pipeline}/${hourKey(hour)}/alerts/${subject}.json`,
  quarantines: (pipeline: string) => `quarantine/${pipeline}/`,
  /** What the newest cleaning of an hour rejected, and where the rows are. */
  quarantine: (pipeline: string, hour: LogicalHour) => `quarantine/${pipeline}/${hourKey(hour)}.json`,
  /** What whoever tells of Temporal's absences has to know while it is away: whom. */
  toldOfTemporal: (namespace: string) => `temporal/${encodeURIComponent(namespace)}/told.json`,
  temporalGoneAll: (namespace: string) => `temporal/${encodeURIComponent(namespace)}/gone/`,
  /** Create-once: the n-th time that Temporal was away has been told. */
  temporalGone: (namespace: string, n: number) => `${keys.temporalGoneAll(namespace)}${number6(n)}.json`,
  /** Create-once: that it is back has been told. */
  temporalBack: (namespace: string, n: number) => `temporal/${encodeURIComponent(namespace)}/back/${number6(n)}.json`,
  watched: (pipeline: string) => `watching/${pipeline}/`,
  /** What is kept of the newest run of an hour that was judged, for later ones to be judged by. */
  measures: (pipeline: string, hour: LogicalHour) => `${keys.watched(pipeline)}${hourKey(hour)}.json`,
  /** Overlays that mend rows of an hour; all of them are applied, the newest last. */
  fixes: (pipeline: string, hour: LogicalHour) => `runs/${pipeline}/${hourKey(hour)}/fixes/`,
  fix: (pipeline: string, hour: LogicalHour, n: number) => `${keys.fixes(pipeline, hour)}${number6(n)}.ndjson`,
  batchesOf: (stream: string, hour: LogicalHour) => `runs/${stream}/${hourKey(hour)}/batches/`,
  batch: (stream: string, hour: LogicalHour, batchId: string, file: string) =>
    `${keys.batchesOf(stream, hour)}${batchId}/${file}`,
  /** What cleaning came to, and what it depended on: for runs that begin behind it. `batch` is the main data set's. */
  cleaned: (pipeline: string, hour: LogicalHour, batch: string) => keys.batch(pipeline, hour, batch, 'cleaned.json'),
  /** Documents that the index refused, with the reasons. */
  indexRejects: (stream: string, hour: LogicalHour, batchId: string, generation: number) =>
    keys.batch(stream, hour, batchId, `index-rejects-${number6(generation)}.ndjson`),
  /** @param n 1, and one more for each time that what was published by the plan before was given up. */
  plan: (stream: string, hour: LogicalHour, batchId: string, epoch: string, n = 1) =>
    keys.batch(stream, hour, batchId, n === 1 ? `publish-e${epoch}.json` : `publish-e${epoch}-${number6(n)}.json`),

  topicOwner: (topic: string) => `topics/${topic}.json`,
  aliasOwner: (alias: string) => `indices/${alias}.json`,
  topics: (stream: string) => `landing/${stream}/_topics/`,
  topic: (stream: string, n: number) => `${keys.topics(stream)}${number6(n)}.json`,
  topicMade: (stream: string, n: number) => `landing/${stream}/_topics_made/${number6(n)}.json`,
  schemas: (stream: string) => `landing/${stream}/_schemas/`,
  schema: (stream: string, version: string) => `${keys.schemas(stream)}${version}.json`,
  data: (stream: string) => `landing/${stream}/date=`,
  dataPrefix: (stream: string, date: string, type: string) =>
    `landing/${stream}/date=${hiveEscape(date)}/type=${hiveEscape(type)}/`,
  dataFile: (batchId: string, epoch: string, partition: number, first: bigint, sha256: string, extension: string) =>
    `${batchId}-e${epoch}-p${partition4(partition)}-${offset20(first)}-${sha256.slice(0, 16)}.${extension}`,
  /** A data object of a compacted batch: it may be named by this version of the batch's record, or by later ones that took it over. */
  compactedFile: (batchId: string, version: number, sha256: string, extension: string) =>
    `${batchId}-v${number6(version)}-${sha256.slice(0, 16)}.${extension}`,
  chains: (stream: string) => `landing/${stream}/_manifests/`,
  chain: (stream: string, epoch: string, partition: number) =>
    `${keys.chains(stream)}e${epoch}/p${partition4(partition)}/`,
  manifest: (stream: string, epoch: string, partition: number, first: bigint) =>
    `${keys.chain(stream, epoch, partition)}${offset20(first)}.json`,
  losses: (stream: string, epoch: string) => `landing/${stream}/_losses/e${epoch}/`,
  /** A range of offsets that a person gave up. */
  loss: (stream: string, epoch: string, partition: number, first: bigint) =>
    `${keys.losses(stream, epoch)}p${partition4(partition)}-${offset20(first)}.json`,
  foreign: (stream: string) => `landing/${stream}/foreign/`,
  foreignPrefix: (stream: string, date: string, type: string) =>
    `${keys.foreign(stream)}date=${hiveEscape(date)}/type=${hiveEscape(type)}/`,
  foreignFile: (epoch: string, partition: number, first: bigint, sha256: string, extension: string) =>
    `e${epoch}-p${partition4(partition)}-${offset20(first)}-${sha256.slice(0, 16)}.${extension}`,
  /** The value of a dead letter that is too large for a record with headers. */
  deadLetterValue: (stream: string, epoch: string, partition: number, offset: bigint) =>
    `landing/${stream}/_dead_letters/e${epoch}/p${partition4(partition)}-${offset20(offset)}`,
  deadLettersReplayed: (stream: string) => `landing/${stream}/_dead_letters_replayed/`,
  deadLetterReplayed: (stream: string, epoch: string, partition: number, offset: bigint) =>
    `${keys.deadLettersReplayed(stream)}e${epoch}/p${partition4(partition)}-${offset20(offset)}.json`,
  partsAll: (stream: string, batchId: string) => `landing/${stream}/_parts/${batchId}/`,
  parts: (stream: string, batchId: string, epoch: string) => `${keys.partsAll(stream, batchId)}e${epoch}/`,
  part: (stream: string, batchId: string, epoch: string, partition: number) =>
    `${keys.parts(stream, batchId, epoch)}p${partition4(partition)}.json`,
  batchesAll: (stream: string) => `landing/${stream}/_batches/`,
  batches: (stream: string, batchId: string) => `${keys.batchesAll(stream)}${batchId}.`,
  batchRecord: (stream: string, batchId: string, version: number) =>
    `${keys.batches(stream, batchId)}${number6(version)}.json`,
  hoursAll: (stream: string) => `landing/${stream}/_hours/`,
  hours: (stream: string, hour: LogicalHour) => `${keys.hoursAll(stream)}${hourKey(hour)}/`,
  hourRecord: (stream: string, hour: LogicalHour, generation: number) =>
    `${keys.hours(stream, hour)}${number6(generation)}.json`,
} as const;

/** Where records go that cannot be landed. */
export const deadLetterTopic = (topic: string): string => `${topic}.dlq`;

/** A problem among those of its pipeline. A subject may be of any form. */
export const problemName = (rule: string, subject?: string): string =>
  `${rule}${subject === undefined ? '' : `/${encodeURIComponent(subject)}`}`;

/** Workflow, schedule, group and index names. */
export const ids = {
  launchPrefix: (pipeline: string) => `launch/${pipeline}`,
  launch: (pipeline: string, at: string) => `launch/${pipeline}-${at}`,
  /** A launch under an idempotency key. No pipeline's name has a `/`, so no other launch has this id. */
  keyedLaunch: (pipeline: string, key: string) => `launch/${pipeline}/${encodeURIComponent(key)}`,
  pipeline: (pipeline: string, hour: LogicalHour) => `pipeline/${pipeline}/${hour}`,
  /** A dry run is not the rebuild, so neither is taken for the other while both are asked for. */
  reindex: (pipeline: string, dryRun = false) => `reindex/${pipeline}${dryRun ? '/dry-run' : ''}`,
  consumer: (stream: string, shard: number) => `consumer/${stream}/${shard}`,
  /** One of the runs that may be in flight, counted from 0. */
  slot: (number: number) => `slot/${number}`,
  schedule: (pipeline: string) => pipeline,
  /** Also the id of its schedule: no pipeline's name has a `/`. */
  maintenance: (pipeline: string) => `maintenance/${pipeline}`,
  /** One for each range. */
  backfill: (pipeline: string, from: LogicalHour, to: LogicalHour) =>
    `${ids.backfills(pipeline)}${hourKey(from)}..${hourKey(to)}`,
  /** A dry run of one; each is somebody's own question. */
  backfillPreview: (pipeline: string, from: LogicalHour, to: LogicalHour, question: string) =>
    `${ids.backfill(pipeline, from, to)}/preview/${question}`,
  backfills: (pipeline: string) => `backfill/${pipeline}/`,
  group: (stream: string, shard: number) => `sluice-${stream}-${shard}`,
  /** One problem's. */
  incident: (pipeline: string, rule: string, subject?: string) => `incident/${pipeline}/${problemName(rule, subject)}`,
  notifier: (pipeline: string) => `notifier/${pipeline}`,
  /** One in a namespace. */
  watchdog: 'watchdog',
} as const;

/** Whose run a workflow is, by its id; undefined where it is no run of an hour. */
export function hourOfRun(workflowId: string): { pipeline: string; hour: LogicalHour } | undefined {
  const [, pipeline, hour] = /^pipeline\/([^/]+)\/([^/]+)$/.exec(workflowId) ?? [];
  return pipeline === undefined || hour === undefined ? undefined : { pipeline, hour };
}

/** Which slot a workflow is, by its id; undefined where it is none. */
export function slotOf(workflowId: string): number | undefined {
  const [, number] = /^slot\/(\d+)$/.exec(workflowId) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** The stages of a run before it has had its turn. In every other one it works on what later hours compare themselves with. */
export const stagesBeforeTurn: readonly string[] = ['reuse', 'prepare', 'import', 'turn'];

/** The stages that work, in order: each may have retries and a deadline of its own. */
export const workStages = [
  'reuse',
  'prepare',
  'import',
  'clean',
  'evolve',
  'save',
  'publish',
  'land',
  'commit',
  'index',
  'reconcile',
] as const;
export type WorkStage = (typeof workStages)[number];

/** The stages at which a run may begin, with what its hour has stored of those before. */
export const startStages = ['import', 'clean', 'publish', 'index'] as const;
/** Stages that can be profiled: those that compute something, or ask much of servers. */
export const profiledStages = ['prepare', 'import', 'clean', 'publish', 'index', 'reconcile'] as const;

export type ProfiledStage = (typeof profiledStages)[number];

export type StartStage = (typeof startStages)[number];

/** Task queues by resource class. */
export const taskQueues = {
  /** Workflow tasks and activities that mostly wait on the network. */
  light: 'sluice-light',
  /** Cleaning and parsing: few at a time. */
  compute: 'sluice-compute',
  /** Long consumers: each holds a slot for hours. */
  streaming: 'sluice-streaming',
  /** Whatever tells people of problems, and what looks for them from outside; `sluice serve` serves it too, so that it lives while no worker does. */
  watch: 'sluice-watch',
} as const;

/** What a run says of itself in the Web UI's list, by Temporal's own type names. A namespace must have these registered. */
export const searchAttributes = {
  PipelineName: 'Keyword',
  PipelineHour: 'Datetime',
  PipelineStage: 'Keyword',
  PipelineOutcome: 'Keyword',
  PipelineRows: 'Int',
} as const;
