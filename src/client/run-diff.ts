import { canonicalJson, type Json } from '../definition/canonical-json.ts';
import type { OutputColumn } from '../definition/columns.ts';
import type { QualityVerdict, RowCounts } from '../definition/refs.ts';
import type { RunReport } from '../workflows/messages.ts';
import type { ReportSoFar } from './runs.ts';
import { columnsDiff, type ColumnsDiff } from './columns-diff.ts';
import { differencesOf, type Difference } from './schedules/differences.ts';

/** A run with what is stored beside its report. What is not there was not stored. */
export interface ComparedRun {
  readonly report: ReportSoFar;
  readonly definition?: Json;
  /** The columns as they are landed, by data set. */
  readonly columns?: Readonly<Record<string, readonly OutputColumn[]>>;
}

/** Which run it is, and what it came to. Times in ISO 8601, UTC. */
export type DiffedRun = Pick<RunReport, 'hour' | 'runId' | 'startedAt'> &
  Partial<Pick<RunReport, 'endedAt' | 'startFrom' | 'sameAs' | 'error'>> & { readonly outcome: string };

/** A value on both sides; absent where that run has none. */
export interface Change<T> {
  readonly old?: T;
  readonly new?: T;
}

/** Rows of one data set, as far as a run got. */
export type DiffedRows = RowCounts & Partial<Record<'published' | 'landed' | 'indexed', number>>;

/** What two runs wrote of one data set. `undefined` is what no report says. */
export interface BatchDiff {
  readonly dataset: string;
  readonly batch: Change<string>;
  readonly generation: Change<number>;
  /** The same rows, to the byte. */
  readonly sameContent?: boolean;
  /** The same records by their key, whatever else they hold. */
  readonly sameKeys?: boolean;
}

/** How long a stage took, and how many times as long in the new run. */
export type StageDiff = { readonly stage: string; readonly ratio?: number } & Change<number>;

/** What two runs may differ in. How long they took is no part of it: that is never the same. */
export const diffSections = ['outcome', 'definition', 'source', 'rows', 'schema', 'quality', 'batches'] as const;
export type DiffSection = (typeof diffSections)[number];

/** What could not be compared, and why. */
export interface NotCompared {
  readonly section: DiffSection;
  /** Nothing of the section was compared. */
  readonly whole: boolean;
  readonly sentence: string;
}

type Verdict = Omit<QualityVerdict, 'gate'>;

/** What is otherwise in a run than in another. JSON as it stands is what `sluice run diff --json` prints. */
export interface RunDiff {
  readonly pipeline: string;
  readonly old: DiffedRun;
  readonly new: DiffedRun;
  /** In which of its sections there is a difference. */
  readonly differs: readonly DiffSection[];
  readonly notCompared: readonly NotCompared[];
  readonly rows: readonly ({ readonly dataset: string } & Change<DiffedRows>)[];
  /** Rejected rows by `column rule`, where the numbers are not the same. */
  readonly rejectedBy: readonly ({ readonly rule: string } & Change<number>)[];
  /** Data sets whose columns are not the same. */
  readonly schema: readonly ColumnsDiff[];
  /** Every gate that judged one of the runs. */
  readonly quality: readonly ({ readonly gate: string } & Change<Verdict>)[];
  /** Field by field. */
  readonly definition: readonly Difference[];
  /** Address, hash, bytes and validators of what was imported, field by field. */
  readonly source: readonly Difference[];
  readonly batches: readonly BatchDiff[];
  /** Milliseconds by stage, in the order of the new run. */
  readonly stages: readonly StageDiff[];
  /** Milliseconds from begin to end; absent where a run is on its way. */
  readonly total: Omit<StageDiff, 'stage'>;
}

/** Compares two runs by what is stored of them. Pure: nothing is looked up, and nothing that is missing is guessed. */
export function diffRuns(one: ComparedRun, other: ComparedRun): RunDiff {
  const [a, b] = [one.report, other.report];
  const notCompared: NotCompared[] = [];
  const both = <T>(
    section: DiffSection,
    get: (run: ComparedRun) => T | undefined,
    part?: string,
  ): Required<Change<T>> | undefined => {
    const [old, now] = [get(one), get(other)];
    if (old !== undefined && now !== undefined) return { old, new: now };
    const missing = (side: string, run: ComparedRun): void => {
      const sentence = `The ${side} run ${whyMissing(section, part ?? parts[section], run)}.`;
      notCompared.push({ section, whole: part === undefined, sentence });
    };
    if (old === undefined) missing('old', one);
    if (now === undefined) missing('new', other);
    return undefined;
  };
  const differences = (fields: Required<Change<Json>> | undefined): Difference[] =>
    fields ? differencesOf(fields.old, fields.new) : [];

  const definition = differences(both('definition', (run) => run.definition));
  const sources = both('source', ({ report }) => report.source && sourceFields(report.source));
  const validators = sources && both('source', ({ report }) => validatorsOf(report), 'source’s validators');
  const source = [...differences(sources), ...differences(validators)];
  const counts = both('rows', ({ report }) => rowsOf(report));
  const rows = counts ? namesOf(counts.old, counts.new).map((dataset) => ({ dataset, ...at(counts, dataset) })) : [];
  const rules = counts && both('rows', ({ report }) => report.clean?.rejectedBy, 'rejected rows by rule');
  const rejectedBy = rules ? changed(rules).map(({ name, ...count }) => ({ rule: name, ...count })) : [];
  const columns = both('schema', (run) => run.columns);
  const schema = columns ? columnsDiff(columns.old, columns.new) : [];
  const verdicts = both('quality', ({ report }) => verdictsOf(report));
  const quality = verdicts ? namesOf(verdicts.old, verdicts.new).map((gate) => ({ gate, ...at(verdicts, gate) })) : [];
  both('batches', ({ report }) => (Object.keys(report.batches).length > 0 ? report.batches : undefined));
  const batches = batchesOf(a, b);
  const differ: Readonly<Record<DiffSection, boolean>> = {
    outcome: outcomeOf(a) !== outcomeOf(b) || a.error?.code !== b.error?.code,
    definition: definition.length > 0,
    source: source.some(({ path }) => !circumstances.has(path)),
    rows: rejectedBy.length > 0 || rows.some(otherCounts),
    schema: schema.length > 0,
    quality: quality.some(({ old, new: now }) => !equal(old, now)),
    batches: batches.some((batch) => otherBatch(batch, a.hour === b.hour)),
  };
  return {
    pipeline: b.pipeline,
    old: diffed(a),
    new: diffed(b),
    differs: diffSections.filter((section) => differ[section]),
    notCompared,
    ...{ definition, source, rows, rejectedBy, schema, quality, batches },
    stages: stagesOf(a, b),
    total: timed(totalMs(a), totalMs(b)),
  };
}

/** What an hour that repeats another does not have. */
const ofRows: ReadonlySet<DiffSection> = new Set(['rows', 'quality', 'batches']);

/** What a section is about, as sentences have it. */
const parts: Readonly<Record<DiffSection, string>> = {
  ...{ outcome: 'outcome', definition: 'definition', source: 'source', rows: 'rows', schema: 'columns' },
  ...{ quality: 'quality gates', batches: 'batches' },
};

function whyMissing(section: DiffSection, what: string, { report }: ComparedRun): string {
  const { sameAs, schemas } = report;
  const went = (name: string): boolean =>
    report.stages.some(({ stage }) => stage === name) && report.error?.stage !== name;
  if (section === 'definition' && report.outcome === undefined)
    return 'is on its way, and stores its definition at its end';
  if (sameAs !== undefined && ofRows.has(section)) return `repeats ${sameAs}, so it has no ${what} of its own`;
  if (section === 'schema' && schemas !== undefined) return 'names columns that are not stored any more';
  const notReached =
    (section === 'source' && report.source === undefined) ||
    (section === 'schema' && !went('prepare')) ||
    (ofRows.has(section) && report.clean === undefined) ||
    section === 'batches';
  return notReached
    ? `did not get as far as its ${what}`
    : `was made by a version of Sluice that did not store its ${what}`;
}

/** Of a source, what is another at every fetch and makes no other data. */
const circumstances: ReadonlySet<string> = new Set(['fetchedAt', 'replayed', 'notModifiedSince']);

const diffed = (report: ReportSoFar): DiffedRun => {
  const { hour, runId, startedAt, endedAt, startFrom, sameAs, error } = report;
  return {
    ...{ hour, runId, outcome: outcomeOf(report), startedAt },
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(startFrom === undefined ? {} : { startFrom }),
    ...(sameAs === undefined ? {} : { sameAs }),
    ...(error ? { error } : {}),
  };
};

const outcomeOf = ({ outcome }: ReportSoFar): string => outcome ?? 'running';
const equal = (a: unknown, b: unknown): boolean => canonicalJson(a ?? null) === canonicalJson(b ?? null);

type Named<T> = Readonly<Record<string, T>>;

function change<T>(old: T | undefined, now: T | undefined): Change<T> {
  return { ...(old === undefined ? {} : { old }), ...(now === undefined ? {} : { new: now }) };
}

/** Names of both, in the order of the new one. */
function namesOf(old: object, now: object): string[] {
  return [...new Set([...Object.keys(now), ...Object.keys(old)])];
}

/** A data set or a rule may be called `constructor`. */
function at<T>({ old, new: now }: Required<Change<Named<T>>>, name: string): Change<T> {
  return change(Object.hasOwn(old, name) ? old[name] : undefined, Object.hasOwn(now, name) ? now[name] : undefined);
}

function changed<T>(both: Required<Change<Named<T>>>): ({ readonly name: string } & Change<T>)[] {
  return namesOf(both.old, both.new)
    .map((name) => ({ name, ...at(both, name) }))
    .filter(({ old, new: now }) => !equal(old, now));
}

function sourceFields(source: NonNullable<RunReport['source']>): Named<Json | undefined> {
  const { address, raw, fetchedAt, replayed, unknownColumns, fileCount, notModifiedSince } = source;
  return {
    ...{ address, sha256: raw.sha256, bytes: raw.bytes, files: fileCount, unknownColumns },
    ...{ fetchedAt, replayed, notModifiedSince },
  };
}

function validatorsOf({ source }: ReportSoFar): Named<Json | undefined> | undefined {
  return source?.validators && { etag: source.validators.etag, lastModified: source.validators.lastModified };
}

/** By data set; of a run that did not get to its end what cleaning made of them. Undefined where the report says nothing of rows. */
function rowsOf({ clean, equations }: ReportSoFar): Named<DiffedRows> | undefined {
  if (clean?.datasets === undefined && equations.length === 0) return undefined;
  const cleaned = Object.entries(clean?.datasets ?? {}).map(([dataset, { rows }]) => [dataset, rows] as const);
  return Object.fromEntries([...cleaned, ...equations.map(({ dataset, rows }) => [dataset, rows] as const)]);
}

/** By as many counts as both have: one of the runs may not have got to its end. */
function otherCounts({ old, new: now }: Change<DiffedRows>): boolean {
  if (!old || !now) return true;
  return Object.entries(old).some(([name, rows]) => (now[name as keyof DiffedRows] ?? rows) !== rows);
}

function verdictsOf({ clean }: ReportSoFar): Named<Verdict> | undefined {
  return clean && Object.fromEntries(clean.quality.map(({ gate, ...verdict }) => [gate, verdict]));
}

function batchesOf(a: ReportSoFar, b: ReportSoFar): BatchDiff[] {
  const [batches, generations] = [
    { old: a.batches, new: b.batches },
    { old: a.generations, new: b.generations },
  ];
  const cleaned = { old: a.clean?.datasets ?? {}, new: b.clean?.datasets ?? {} };
  return namesOf(a.batches, b.batches).map((dataset) => {
    const { old, new: now } = at(cleaned, dataset);
    return {
      dataset,
      batch: at(batches, dataset),
      generation: at(generations, dataset),
      ...(old && now ? { sameContent: old.sha256 === now.sha256 } : {}),
      ...(old?.checksum && now?.checksum
        ? { sameKeys: equal(old.checksum, now.checksum) && old.rows.clean === now.rows.clean }
        : {}),
    };
  });
}

/** Batches of two hours have other names whatever they hold. */
function otherBatch({ batch, generation, sameContent }: BatchDiff, sameHour: boolean): boolean {
  if (batch.old === undefined || batch.new === undefined) return false;
  const replaced = generation.old !== undefined && generation.new !== undefined && generation.old !== generation.new;
  return sameContent === false || (sameHour && (batch.old !== batch.new || replaced));
}

/** A stage that ran several times counts with all its times. */
function stagesOf(a: ReportSoFar, b: ReportSoFar): StageDiff[] {
  const times = ({ stages }: ReportSoFar): Map<string, number> => {
    const found = new Map<string, number>();
    for (const { stage, ms } of stages) found.set(stage, (found.get(stage) ?? 0) + ms);
    return found;
  };
  const [old, now] = [times(a), times(b)];
  return [...new Set([...now.keys(), ...old.keys()])].map((stage) => ({
    stage,
    ...timed(old.get(stage), now.get(stage)),
  }));
}

/** To a stage that took no time there is no ratio. */
function timed(old: number | undefined, now: number | undefined): Omit<StageDiff, 'stage'> {
  return { ...change(old, now), ...(old && now !== undefined ? { ratio: now / old } : {}) };
}

const totalMs = ({ startedAt, endedAt }: ReportSoFar): number | undefined =>
  endedAt === undefined ? undefined : Date.parse(endedAt) - Date.parse(startedAt);
