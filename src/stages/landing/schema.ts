import type { Store } from '../../connectors/object-store.ts';
import type { OutputColumn } from '../../definition/columns.ts';
import { SluiceError } from '../../definition/errors.ts';
import { keys } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { Value } from '../../formats/arrow-columns.ts';
import { decodeJsonLines, encodeJsonLines, JsonLinesRows } from '../../formats/json-lines.ts';
import { decodeParquet, encodeParquet, ParquetRows, type Row } from '../../formats/parquet.ts';
import { decodeValues, plainText } from '../record-value.ts';

/** The column of every data object that holds the record's id. */
export const RECORD_COLUMN = '_record';

/** How records of one schema version are landed, as stored create-once in the bucket. */
export interface StoredSchema {
  readonly version: string;
  readonly output: readonly OutputColumn[];
  readonly land: { readonly format: 'parquet' | 'jsonl'; readonly date?: string; readonly type?: string };
}

/** Rows on their way into one data object. */
export interface RowCollector {
  readonly count: number;
  /** @param values One for each of the schema's columns. @throws SluiceError `ObjectCorrupt` where one is none of its column's type */
  add(values: readonly Value[]): void;
  encode(): Promise<Buffer>;
}

/** A {@link StoredSchema} at work. A consumer takes it from the store, so it outlives changes of the definition. */
export class LandSchema {
  readonly version: string;
  readonly format: 'parquet' | 'jsonl';
  readonly date: string | undefined;
  readonly type: string | undefined;
  readonly output: readonly OutputColumn[];
  /** Columns of a data object. */
  readonly columns: readonly OutputColumn[];
  readonly #positions: ReadonlyMap<string, number>;

  constructor(stored: StoredSchema) {
    this.version = stored.version;
    this.format = stored.land.format;
    this.date = stored.land.date;
    this.type = stored.land.type;
    this.output = stored.output;
    this.columns = [{ name: RECORD_COLUMN, type: 'string' }, ...stored.output];
    this.#positions = new Map(this.columns.map(({ name }, at) => [name, at]));
  }

  /** A record as values, one for each of the schema's columns; undefined where its value is no JSON object. */
  valuesOf(id: string, value: Buffer): Value[] | undefined {
    const values = decodeValues(this.output, value, this.format === 'parquet' ? 'exact' : 'text');
    values?.unshift(id);
    return values;
  }

  /** The canonical text of a column in the values of a record; undefined where it has no value. */
  textOf(name: string, values: readonly Value[]): string | undefined {
    const at = this.#positions.get(name) ?? -1;
    const value = values[at] ?? null;
    if (value === null) return undefined;
    return typeof value === 'number' ? plainText(value, this.columns[at]?.scale) : String(value);
  }

  /** An empty data object. */
  collector(): RowCollector {
    return this.format === 'parquet' ? new ParquetRows(this.columns) : new JsonLinesRows(this.columns);
  }

  async encode(rows: readonly Row[]): Promise<Buffer> {
    return this.format === 'parquet'
      ? encodeParquet([...this.columns], rows)
      : encodeJsonLines([...this.columns], rows);
  }

  /** The rows of a data object, in batches. @throws SluiceError `ObjectCorrupt` */
  decode(bytes: Buffer): Iterable<Row[]> {
    return this.format === 'parquet' ? decodeParquet(this.columns, bytes) : decodeJsonLines(this.columns, bytes);
  }
}

/** Stores a schema before the first record that names it. */
export async function storeSchema(
  store: Store,
  stream: string,
  version: string,
  output: readonly OutputColumn[],
  land: Pipeline['land'],
): Promise<void> {
  const { format, date, type } = land;
  const stored: StoredSchema = {
    version,
    output,
    land: { format, ...(date === undefined ? {} : { date }), ...(type === undefined ? {} : { type }) },
  };
  await store.createJson(keys.schema(stream, version), stored);
}

/** Every column that rows of a stream have ever had, as the newest schema with it says. */
export async function olderColumns(store: Store, stream: string): Promise<OutputColumn[]> {
  const found: { key: string; at: number }[] = [];
  for await (const { key, lastModified } of store.list(keys.schemas(stream))) {
    found.push({ key, at: lastModified.getTime() });
  }
  const columns = new Map<string, OutputColumn>();
  for (const { key } of found.toSorted((a, b) => a.at - b.at)) {
    const stored = await store.findJson<StoredSchema>(key);
    for (const column of stored?.output ?? []) columns.set(column.name, column);
  }
  return [...columns.values()];
}

/** Schemas by version, each read once. */
export class SchemaRegistry {
  readonly #store: Store;
  readonly #stream: string;
  readonly #known = new Map<string, LandSchema>();

  constructor(store: Store, stream: string) {
    this.#store = store;
    this.#stream = stream;
  }

  /** The schema of a version; undefined where none was ever stored: then whoever names it is none of ours. */
  async find(version: string): Promise<LandSchema | undefined> {
    const known = this.#known.get(version);
    if (known) return known;
    const stored = await this.#store.findJson<StoredSchema>(keys.schema(this.#stream, version));
    if (!stored) return undefined;
    const schema = new LandSchema(stored);
    this.#known.set(version, schema);
    return schema;
  }

  /** @throws SluiceError `ObjectCorrupt` where a record of a batch names a schema that is gone */
  async get(version: string): Promise<LandSchema> {
    const schema = await this.find(version);
    const key = keys.schema(this.#stream, version);
    if (!schema) {
      throw new SluiceError(
        'ObjectCorrupt',
        `A record names the schema ${version}, but ${this.#store.uri(key)} is not there.`,
      );
    }
    return schema;
  }
}
