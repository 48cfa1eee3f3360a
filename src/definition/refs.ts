import type { LogicalHour } from './hour.ts';
import type { SparkWork } from './spark-work.ts';

/** A reference to an object, never its rows: this is all that stages hand each other. */
export interface ObjectRef {
  /** `s3://bucket/key` */
  readonly uri: string;
  /** Hex digest of the object's bytes. */
  readonly sha256: string;
  readonly bytes: number;
  readonly rows?: number;
}

/**
 * Order-free checksum of a set of record identities: four sums, each of a 24-bit lane of sha256(recordId).
 * Sums of integers below 2^53 are exact in doubles, so Elasticsearch's `sum` and JavaScript agree up to 2^29 rows.
 */
export type IdentityChecksum = readonly [number, number, number, number];

export interface RowCounts {
  readonly read: number;
  readonly clean: number;
  readonly duplicates: number;
  readonly filtered: number;
  readonly rejected: number;
}

/** What `prepare` found or made for one data set. */
export interface PreparedStream {
  readonly dataset: string;
  readonly stream: string;
  readonly topic: string;
  readonly partitions: number;
  readonly epoch: string;
  /** Which life of the topic this is, counted from 1: of two epochs, the one with the larger number is the newer. */
  readonly life: number;
  readonly index: string;
  readonly alias: string;
  /** Version of the columns as they are published and landed. */
  readonly schema: string;
  /** What was made or changed, for the report: `created topic broadband (3 partitions)`. */
  readonly changes: readonly string[];
  /** What stands otherwise than the definition says and was left so. Absent in runs of an older version. */
  readonly warnings?: readonly string[];
}

/** One file as it was fetched. */
export interface RawFile {
  /** The address asked for, without query string or user info. */
  readonly name: string;
  readonly raw: ObjectRef;
  readonly etag?: string;
  readonly lastModified?: string;
  /** Bytes of each page of an answer that came in pages; the object holds them end to end. */
  readonly pages?: readonly number[];
}

/** What was fetched for an hour, and when. Stored create-once; replays use the newest. */
export interface ImportRecord {
  readonly pipeline: string;
  readonly hour: LogicalHour;
  readonly n: number;
  /** The address asked for, without query string or user info. */
  readonly source: string;
  /** Digest of all that the request was made of: only a record of the same request can say that nothing changed. */
  readonly requestSha?: string;
  readonly fetchedAt: string;
  readonly etag?: string;
  readonly lastModified?: string;
  /** The file; the list of them where there are several, or pages, or where names are a column. Its hash is that of the content. */
  readonly raw: ObjectRef;
  /** Each file by name, where `raw` is a list, or where the file is called otherwise than `source`. */
  readonly files?: readonly RawFile[];
  /** The source said that nothing had changed since the import of this hour, and its bytes were taken. */
  readonly notModifiedSince?: LogicalHour;
  /** What a reader should know of the fetch: `fetched the file itself from … instead`. */
  readonly notes?: readonly string[];
}

/** The files of an import, in order. */
export function rawFiles(record: ImportRecord): readonly RawFile[] {
  const { source, raw, etag, lastModified } = record;
  return record.files ?? [{ name: source, raw, ...(etag ? { etag } : {}), ...(lastModified ? { lastModified } : {}) }];
}

/** What became of one file when it was read. */
export interface FileAccount {
  /** Its name in rejects and row identities: its sha256, with `#n` behind it for the nth time of the same bytes. */
  readonly file: string;
  readonly rows: { readonly read: number; readonly parsed: number; readonly rejected: number };
  /** How it was read: `gzip, UTF-8, delimiter ";", header on line 19`. */
  readonly format: string;
  readonly skipped: { readonly preamble: number; readonly comments: number; readonly blank: number };
  /** Bytes for which U+FFFD stands in rows that were kept. */
  readonly replacedBytes: number;
}

/** All-text table with `_file`, `_row`, `_line`, `_offset` beside the source's own columns; Parquet parts. */
export interface ParsedObject {
  readonly parts: readonly ObjectRef[];
  /** Header names as in the file, made unique; the parts' own column names. */
  readonly header: readonly string[];
  readonly rows: { readonly read: number; readonly parsed: number; readonly rejected: number };
  /** Rejected rows by what is wrong with them. */
  readonly rejectedBy: Readonly<Record<string, number>>;
  /** Rows that do not fit the header, as ndjson; absent when there are none. */
  readonly rejects?: ObjectRef;
  /** By the number that `_file` holds. */
  readonly files: readonly FileAccount[];
  /** What the last column of the header holds, by the same number, where `source.nameColumn` asks for names. */
  readonly names?: readonly string[];
  readonly notes: readonly string[];
}

export interface ImportResult {
  readonly record: ImportRecord;
  /** Digest of the definition's sections that shape the rows: columns, key, filter, generate … */
  readonly definitionSha: string;
  readonly parsed: ParsedObject;
  /** The import was read from an earlier record of this hour instead of the source. */
  readonly replayed: boolean;
  /** Columns in the file that the definition does not name. */
  readonly unknownColumns: readonly string[];
  /** The hour below this one with the same content and definition, if there is one. */
  readonly sameAs?: LogicalHour;
  /** The worker limits the runs in flight: what follows waits for a slot. */
  readonly takesSlot?: true;
}

/** One data set of a cleaned hour, ready to be published. */
export interface CleanBatch {
  readonly dataset: string;
  readonly batchId: string;
  readonly clean: ObjectRef;
  readonly rows: RowCounts;
  readonly checksum: IdentityChecksum;
  readonly rejects: ObjectRef;
  readonly report: ObjectRef;
}

export interface QualityVerdict {
  readonly gate: string;
  readonly level: 'ok' | 'warn' | 'block';
  readonly sentence: string;
}

/** What the newest cleaning of an hour rejected. */
export interface QuarantineEntry {
  readonly pipeline: string;
  readonly hour: LogicalHour;
  readonly cleanedAt: string;
  readonly batchId: string;
  readonly rows: RowCounts;
  /** Rows by `column rule`; `row …` for those that are no record. */
  readonly rejectedBy: Readonly<Record<string, number>>;
  /** A line of JSON for each row. */
  readonly rejects: ObjectRef;
  readonly report: ObjectRef;
}

/** The hours whose keys a run took out of its own: how many, and a digest of which ones with which batch. */
export interface SeenHours {
  readonly hours: number;
  readonly sha256: string;
}

/** A column of the file that the definition did not name and that is carried along as text. */
export interface EvolvedColumn {
  readonly source: string;
  readonly name: string;
}

export interface CleanResult {
  readonly engine: 'duckdb' | 'danfojs' | 'spark';
  readonly seen?: SeenHours;
  readonly evolved?: readonly EvolvedColumn[];
  readonly batches: readonly CleanBatch[];
  readonly quality: readonly QualityVerdict[];
  /** Rejected rows counted by `column rule`. */
  readonly rejectedBy: Readonly<Record<string, number>>;
  /** What Spark did for this run, where it cleaned and its interface is known. */
  readonly spark?: SparkWork;
}

export interface PublishResult {
  readonly batchId: string;
  readonly rows: number;
  readonly checksum: IdentityChecksum;
  /** Rows already in the topic when this attempt began. */
  readonly resumedAfter: number;
  /** The batch had been committed before: nothing was sent. */
  readonly committedBefore: boolean;
  /** First and last offset of the batch by partition, its end marker included; absent where nothing was sent. */
  readonly spans?: readonly Span[];
}

/** Offsets of one partition, both inclusive, as text. */
export interface Span {
  readonly first: string;
  readonly last: string;
}

/** One data object of a batch. */
export interface DataObject {
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly rows: number;
  readonly checksum: IdentityChecksum;
  readonly date: string;
  readonly type: string;
}

/** The commit of a batch. */
export interface BatchRecord {
  readonly batch: string;
  readonly version: number;
  readonly stream: string;
  readonly hour: LogicalHour;
  readonly epoch: string;
  readonly schema: string;
  readonly format: 'parquet' | 'jsonl';
  readonly rows: number;
  readonly checksum: IdentityChecksum;
  readonly objects: readonly DataObject[];
}

/** The commit of an hour: the highest generation is what the hour consists of. */
export interface HourRecord {
  readonly stream: string;
  readonly hour: LogicalHour;
  readonly generation: number;
  /** The batch that the hour consists of; absent where `sameAs` says that nothing had changed. */
  readonly batch?: string;
  readonly sameAs?: LogicalHour;
  readonly rawSha: string;
  readonly definitionSha: string;
  readonly rows: number;
  /** Under `duplicates.acrossRuns`: what it was compared with. */
  readonly seen?: SeenHours;
  /** The hour is older than what is kept: this is its last generation, nothing of it can be committed or read any more. */
  readonly removed?: { readonly at: string; readonly reason: string };
}

/**
 * Says that an hour would find other keys in earlier hours than those that it took out. Obsolete once the hour is done in a later
 * generation than the one it speaks of.
 */
export interface StaleMark {
  readonly hour: LogicalHour;
  /** Of the stale hour. */
  readonly generation: number;
  /** The commit that found it. An hour that was cleaned beside an earlier one finds itself. */
  readonly since: { readonly hour: LogicalHour; readonly generation: number };
  readonly at: string;
}

export interface IndexResult {
  readonly dataset: string;
  readonly index: string;
  readonly indexed: number;
  readonly checksum: IdentityChecksum;
  /** Documents of older generations of this hour that were deleted. */
  readonly deleted: number;
  /** Keys that the hour no longer has, in `latest`. */
  readonly vanished?: number;
  /** Values that the index's fields could not hold, by column: it was made for other columns. */
  readonly misfits?: Readonly<Record<string, number>>;
}

/** The row equation of one data set: every count and checksum of the way, and the first hop that does not hold. */
export interface Equation {
  readonly dataset: string;
  readonly rows: RowCounts & { readonly published: number; readonly landed: number; readonly indexed: number };
  readonly holds: boolean;
  readonly broken?: string;
  /** Where the published rows were counted: in the topic itself, or by whoever sent them. */
  readonly publishedCountedIn?: 'topic' | 'publisher';
}
