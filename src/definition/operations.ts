/**
 * What is indexed of runs, field by field, as the index maps it. All documents of a run are flat and say whose they are:
 *
 * - `run`: one for each run, `doneHour` where it took its hour to the end
 * - `stage`: one for each stage of a run, in the order of `position`
 * - `rejection`: rejected rows of a run by reason
 * - `dataset`: the numbers of the row equation for each data set of a run that has cleaned
 * - `anomaly`: one for each thing that the monitors found odd in a run
 *
 * And of incidents, which are no run's:
 *
 * - `incident`: one for each incident, from when it opens; `at` and `startedAt` are when it opened, `endedAt` once it is over
 */
export const operationsFields = {
  kind: 'keyword',
  pipeline: 'keyword',
  hour: 'date',
  runId: 'keyword',
  workflowId: 'keyword',
  /** Of the run, for people: `broadband 2026-11-24T03`. */
  run: 'keyword',
  /** When the run was over. All its documents have the same, so that a time range has runs as a whole. Of an incident, when it opened. */
  at: 'date',

  outcome: 'keyword',
  startedAt: 'date',
  endedAt: 'date',
  ms: 'long',
  startFrom: 'keyword',
  /** The hour, where the run took it to its end. */
  doneHour: 'date',
  errorCode: 'keyword',
  errorStage: 'keyword',
  errorMessage: 'keyword',
  warnings: 'integer',
  /** Records in the topics behind what had landed, over all data sets, when the run was over. */
  lag: 'long',

  /** Of a run: what took most of its time, the stage where most of that was, and how long (docs/performance.md). */
  bottleneck: 'keyword',
  bottleneckStage: 'keyword',
  bottleneckMs: 'long',

  stage: 'keyword',
  position: 'integer',
  /** Of a stage, milliseconds: waited for a worker's place, ran, was tried again, waited on purpose. */
  queueMs: 'long',
  runMs: 'long',
  retryMs: 'long',
  waitMs: 'long',

  /** Of a run: read of its main data set. Of a stage: what it took in or gave out. Of a rejection: rejected for this reason. */
  rows: 'long',
  reason: 'keyword',

  dataset: 'keyword',
  read: 'long',
  clean: 'long',
  duplicates: 'long',
  filtered: 'long',
  rejected: 'long',
  published: 'long',
  landed: 'long',
  indexed: 'long',
  /** Whether the row equation holds; absent where the run did not get so far. */
  holds: 'boolean',
  /** The hop that does not hold. */
  broken: 'keyword',

  /** Of an anomaly and of an incident (docs/monitors.md, docs/incidents.md). */
  rule: 'keyword',
  subject: 'keyword',
  severity: 'keyword',
  sentence: 'keyword',

  /** Of a run: how many anomalies it has. */
  anomalies: 'integer',
  /** Of an anomaly, in the unit of what is watched: rows, parts of 1, seconds, hours. */
  found: 'double',
  expected: 'double',
  /** How often what is usual lies between the two. */
  deviations: 'double',
  /** Earlier runs that it was compared with. */
  compared: 'integer',
  /** Nobody was told of it. */
  muted: 'boolean',

  /** Of an incident: its id, which is that of its problem. */
  incident: 'keyword',
  state: 'keyword',
  /** How often it was seen. */
  seen: 'integer',
  /** From when to when; without an end while it lasts. A time range that it reaches into has it. */
  lasted: 'date_range',
} as const;

export type OperationsField = keyof typeof operationsFields;
