import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { countText } from '../../definition/amounts.ts';
import { canonicalJson } from '../../definition/canonical-json.ts';
import { SluiceError } from '../../definition/errors.ts';
import { keys } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import {
  rawFiles,
  type FileAccount,
  type ImportRecord,
  type ObjectRef,
  type ParsedObject,
  type RawFile,
} from '../../definition/refs.ts';
import type { CsvFault } from '../../formats/csv-dialect.ts';
import { encodeTextParquet, type TextColumn } from '../../formats/parquet.ts';
import type { TextColumns } from '../../formats/text-columns.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { sha256Hex } from '../hashing.ts';
import { fileNameOf } from './file-name.ts';
import { LineFile } from './line-file.ts';
import { RawContent } from './raw-content.ts';
import { openTable, type Table } from './table.ts';

/** Raised whenever the reader would read the same bytes otherwise. */
const READER_VERSION = 3;
/** A part of the parsed object. Small, since each is in memory several times: as text, as Arrow, and in WebAssembly. */
const PART_ROWS = 250_000;
const PART_BYTES = 3 * 1024 * 1024;
/** So much of a part may be the name of its file, in each of its rows. */
const PART_NAME_BYTES = 8 * 1024 * 1024;
/** From so many parts on they are larger, or their list would outgrow what a workflow's history takes. */
const MANY_PARTS = 1_024;

/** A row that is no record, as `rejects.ndjson` holds it. */
export interface ParseReject {
  /** sha256 of the file's bytes; with `#n` behind it for the nth time of the same bytes. */
  readonly file: string;
  readonly row: number;
  readonly line: number;
  readonly byteOffset: number;
  /** What is wrong: `width`, `quotes`, `length`, `bytes`, `nul`, `shape`. */
  readonly rule: string;
  readonly reason: string;
  readonly raw: string;
}

/** Where raw bytes are taken from and parts go to: the object store, or a folder. */
export type PartStore = Pick<StageDeps['store'], 'keyOf' | 'stream' | 'download' | 'put' | 'upload'>;

/**
 * Reads raw objects into the parsed object that every engine starts from. The same bytes and format give the same
 * object, which is then found instead of made.
 *
 * `_file` is the number of the file; `_row` counts data rows from 1 over all files, those that are rejected too.
 * Memory: one part (3 MiB of text, 6 in a file of more than 3 GiB) as text, Arrow and Parquet; the one before on its way.
 * @throws SluiceError `SourceMalformed`, `SourceEmpty`, `SourceTooLarge`, `SourceBytesInvalid`, `ObjectCorrupt`
 */
export async function parseRaw(
  deps: StageDeps,
  pipeline: Pipeline,
  record: ImportRecord,
  context: StageContext,
): Promise<ParsedObject> {
  const { limits } = pipeline.source;
  const prefix = keys.parsedPrefix(record.raw.sha256, formatSha(pipeline, record));
  const known = await deps.store.findJson<ParsedObject>(`${prefix}parsed.json`);
  // gc may have been stopped half-way through it, when nothing named its file.
  if (known && (await isWhole(deps, prefix, known))) {
    if (known.rows.read > limits.rows) throw tooManyRows(record.source, limits.rows);
    return known;
  }
  await mkdir(deps.settings.workDir, { recursive: true });
  const scratch = await mkdtemp(join(deps.settings.workDir, 'import-'));
  try {
    const made = await parseFiles(deps.store, pipeline, record, prefix, scratch, context);
    return (await deps.store.createJson(`${prefix}parsed.json`, made)).value;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function isWhole({ store }: StageDeps, prefix: string, parsed: ParsedObject): Promise<boolean> {
  const there = new Set<string>();
  for await (const { key } of store.list(prefix)) there.add(store.uri(key));
  return [...parsed.parts, ...(parsed.rejects ? [parsed.rejects] : [])].every(({ uri }) => there.has(uri));
}

/**
 * Reads the files of an import and stores their rows as parts; {@link parseRaw} without looking for what is there.
 * @param scratch A folder of the call's own.
 */
export async function parseFiles(
  store: PartStore,
  pipeline: Pipeline,
  record: ImportRecord,
  prefix: string,
  scratch: string,
  context: StageContext,
): Promise<ParsedObject> {
  return new Parsing(store, pipeline, record, prefix, scratch, context).run();
}

/** Digest of all that decides how bytes are read. How numbers and missing values are written is decided later. */
function formatSha({ source, columns }: Pipeline, record: ImportRecord): string {
  const { decimal: _decimal, thousands: _thousands, missing: _missing, ...format } = source.format;
  const { fieldLength, columns: most } = source.limits;
  const wanted = Object.keys(columns).toSorted();
  const { answer, nameColumn } = source;
  const named = nameColumn === undefined ? undefined : { nameColumn, names: namesOf(record) };
  return sha256Hex(canonicalJson({ reader: READER_VERSION, format, answer, fieldLength, most, wanted, named }));
}

const namesOf = (record: ImportRecord): string[] => rawFiles(record).map(({ name }) => fileNameOf(name));

/** One reading of the files of an import. */
class Parsing {
  readonly #store: PartStore;
  readonly #pipeline: Pipeline;
  readonly #record: ImportRecord;
  readonly #prefix: string;
  readonly #scratch: string;
  readonly #context: StageContext;
  readonly #parts: ObjectRef[] = [];
  readonly #rejectedBy: Record<string, number> = {};
  readonly #notes: string[] = [];
  readonly #rejects: LineFile;
  #sending: Promise<void> = Promise.resolve();
  #partNumber = 0;
  #rows = 0;
  #rejected = 0;
  #bytes = 0;

  constructor(
    store: PartStore,
    pipeline: Pipeline,
    record: ImportRecord,
    prefix: string,
    scratch: string,
    context: StageContext,
  ) {
    this.#store = store;
    this.#pipeline = pipeline;
    this.#record = record;
    this.#prefix = prefix;
    this.#scratch = scratch;
    this.#context = context;
    this.#rejects = new LineFile(join(scratch, 'rejects.ndjson'));
  }

  async run(): Promise<ParsedObject> {
    const files = rawFiles(this.#record);
    const tables: Table[] = [];
    for (const file of files) tables.push(await this.#open(file));
    // Names of the first file in its order, then what the others have besides.
    const own = [...new Set(tables.flatMap((table) => table.header))];
    const { nameColumn } = this.#pipeline.source;
    const header = nameColumn === undefined ? own : [...own, nameColumn];
    const names = nameColumn === undefined ? undefined : namesOf(this.#record);
    const seen = new Map<string, number>();
    const accounts: FileAccount[] = [];
    try {
      for (const [at, table] of tables.entries()) {
        const sha256 = files[at]?.raw.sha256 ?? '';
        const times = (seen.get(sha256) ?? 0) + 1;
        seen.set(sha256, times);
        const columns = own.map((name): TextColumn => ({ name, position: table.header.indexOf(name) }));
        if (nameColumn !== undefined) columns.push({ name: nameColumn, position: -1, text: names?.[at] ?? '' });
        accounts.push(await this.#readFile(at, times === 1 ? sha256 : `${sha256}#${times}`, table, columns));
      }
    } finally {
      this.#rejects.close();
      await this.#sending.catch(() => {});
    }
    await this.#sending;
    return {
      parts: this.#parts,
      header,
      rows: { read: this.#rows, parsed: this.#rows - this.#rejected, rejected: this.#rejected },
      rejectedBy: this.#rejectedBy,
      ...(this.#rejected === 0 ? {} : { rejects: await this.#storeRejects() }),
      files: accounts,
      ...(names === undefined ? {} : { names }),
      notes: this.#notes,
    };
  }

  async #storeRejects(): Promise<ObjectRef> {
    const { signal } = this.#context;
    const stored = await this.#store.upload(this.#rejects.path, () => `${this.#prefix}rejects.ndjson`, signal);
    return { ...stored, rows: this.#rejected };
  }

  async #open(file: RawFile): Promise<Table> {
    const store = this.#store;
    const { source, columns } = this.#pipeline;
    const key = store.keyOf(file.raw.uri);
    const content = await RawContent.open(
      {
        stream: () => store.stream(key) as Promise<AsyncIterable<Buffer>>,
        copyTo: (path) => store.download(file.raw, path, this.#context.signal),
        where: file.name,
        sha256: file.raw.sha256,
      },
      source.limits,
      source.format.compression,
      this.#scratch,
    );
    const table = await openTable(content, source, {
      wanted: Object.keys(columns).filter((name) => name.trim() !== source.nameColumn),
      guessEncoding: false,
      where: file.name,
      url: URL.canParse(file.name) ? new URL(file.name) : undefined,
      ...(file.pages === undefined ? {} : { pages: file.pages }),
    });
    content.release();
    if (source.nameColumn !== undefined && table.header.includes(source.nameColumn)) {
      throw new SluiceError(
        'SourceMalformed',
        `${file.name} has a column "${source.nameColumn}" of its own: choose another name for source.nameColumn.`,
      );
    }
    this.#notes.push(...table.notes);
    return table;
  }

  async #readFile(at: number, file: string, table: Table, columns: readonly TextColumn[]): Promise<FileAccount> {
    const { limits } = this.#pipeline.source;
    const nameBytes = Buffer.byteLength(columns.at(-1)?.text ?? '') || 1;
    const [rowsBefore, rejectedBefore, bytesBefore] = [this.#rows, this.#rejected, this.#bytes];
    const batches = table.rows({
      rowsBefore,
      batchRows: Math.min(PART_ROWS, Math.ceil(PART_NAME_BYTES / nameBytes)),
      batchBytes: () => (this.#parts.length < MANY_PARTS ? PART_BYTES : PART_BYTES * 2),
      onFault: (fault) => {
        this.#rows = fault.row;
        if (this.#rows > limits.rows) throw tooManyRows(this.#record.source, limits.rows);
        this.#reject(file, fault);
      },
      progress: (bytes) => {
        this.#bytes = bytesBefore + bytes;
        this.#context.signal.throwIfAborted();
        this.#context.progress({ rows: this.#rows, bytes: this.#bytes, note: `read ${countText(this.#rows)} rows` });
      },
    });
    for await (const cells of batches) {
      this.#rows = Math.max(this.#rows, cells.rowNumber(cells.rows - 1));
      if (this.#rows > limits.rows) throw tooManyRows(this.#record.source, limits.rows);
      await this.#storePart(columns, cells, at);
    }
    if (this.#rows > limits.rows) throw tooManyRows(this.#record.source, limits.rows);
    const [read, rejected] = [this.#rows - rowsBefore, this.#rejected - rejectedBefore];
    const { replacedBytes, ...skipped } = table.skipped();
    return { file, rows: { read, parsed: read - rejected, rejected }, format: table.format, skipped, replacedBytes };
  }

  #reject(file: string, { row, line, offset, reason, raw, kind }: CsvFault): void {
    this.#rejected++;
    this.#rejectedBy[kind] = (this.#rejectedBy[kind] ?? 0) + 1;
    const reject: ParseReject = { file, row, line, byteOffset: offset, rule: kind, reason, raw };
    this.#rejects.write(JSON.stringify(reject));
  }

  async #storePart(columns: readonly TextColumn[], cells: TextColumns, file: number): Promise<void> {
    const key = `${this.#prefix}part-${String(this.#partNumber++).padStart(5, '0')}.parquet`;
    const { rows } = cells;
    const bytes = encodeTextParquet(columns, cells, file);
    // One part is on its way while the next is read.
    await this.#sending;
    this.#sending = this.#store.put(key, bytes).then((stored) => void this.#parts.push({ ...stored, rows }));
    this.#sending.catch(() => {});
  }
}

function tooManyRows(where: string, limit: number): SluiceError {
  return new SluiceError(
    'SourceTooLarge',
    `${where} has more than ${limit} rows (source.limits.rows): raise the limit if that is right.`,
  );
}
