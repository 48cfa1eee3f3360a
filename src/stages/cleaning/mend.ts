import { createReadStream } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Store } from '../../connectors/object-store.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import { keys } from '../../definition/names.ts';
import type { ParsedObject } from '../../definition/refs.ts';
import { isStorable } from '../../definition/storable-text.ts';
import { textLines } from '../../formats/text-lines.ts';
import type { StageContext } from '../deps.ts';
import type { ParseReject } from '../importing/parse-raw.ts';
import { withDuckDb } from './duckdb/duckdb.ts';
import { partsHere, type Parts } from './engine.ts';
import { readPart, writeParts, type PartRow } from './part-rows.ts';
import { duckdbDialect as sql } from './sql/duckdb-dialect.ts';

const fixSchema = z.strictObject({
  file: z.string().regex(/^[0-9a-f]{64}(#\d+)?$/, 'must be the sha256 of the file, as the reject has it'),
  byteOffset: z.int().min(0),
  set: z
    .record(z.string(), z.string().refine(isStorable, 'is no text that can be stored'))
    .refine((set) => Object.keys(set).length > 0, 'names no column'),
});
/** One mended row: which one it is, and the text of some of its columns, by their names in the file. */
export type Fix = z.infer<typeof fixSchema>;

/**
 * Reads an overlay, a line of JSON for each row: `{"file": …, "byteOffset": …, "set": {"COLUMN": "text"}}`.
 * @param where For sentences.
 * @throws SluiceError `FixesInvalid`
 */
export function parseFixes(text: string, where: string): Fix[] {
  return text.split('\n').flatMap((line, at): Fix[] => {
    if (line.trim() === '') return [];
    const refused = (why: string): SluiceError => new SluiceError('FixesInvalid', `${where}, line ${at + 1}: ${why}.`);
    let data: unknown;
    try {
      data = JSON.parse(line);
    } catch {
      throw refused('this is no JSON');
    }
    const found = fixSchema.safeParse(data);
    if (found.success) return [found.data];
    const [issue] = found.error.issues;
    throw refused(`${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not right'}`.trim());
  });
}

/** @throws SluiceError `FixesInvalid` where a fix sets a column that the file has not */
export function requireColumns(fixes: readonly Fix[], header: readonly string[]): void {
  const other = fixes.flatMap(({ set }) => Object.keys(set)).find((name) => !header.includes(name));
  if (other === undefined) return;
  throw new SluiceError('FixesInvalid', `A fix sets "${other}", and the file has ${header.join(', ')}.`);
}

/** All overlays of an hour, the newest last. */
export async function findFixes(
  { store }: { readonly store: Pick<Store, 'list' | 'get'> },
  pipeline: string,
  hour: LogicalHour,
): Promise<Fix[]> {
  const fixes: Fix[] = [];
  for await (const { key } of store.list(keys.fixes(pipeline, hour))) {
    fixes.push(...parseFixes((await store.get(key)).toString(), key));
  }
  return fixes;
}

interface Mending {
  readonly parsed: Pick<ParsedObject, 'header' | 'rows' | 'rejectedBy' | 'names'>;
  readonly parts: Parts;
  readonly files: readonly string[];
  /** Lines of {@link ParseReject}; those that are mended are taken out. */
  readonly rejectsPath: string;
  readonly fixes: readonly Fix[];
  readonly folder: string;
  readonly context: StageContext;
}

/**
 * Applies overlays to a parsed object on this machine: mended rows are taken out of their parts and stand in parts of
 * their own, with the number they had; rows that were no records and now are join them.
 * @throws SluiceError `FixesInvalid` where a fix names a row or a column that is not there
 */
export async function mendParts(mending: Mending): Promise<Pick<Mending, 'parsed' | 'parts'> & { mended: number }> {
  const { parsed, parts, files, fixes } = mending;
  if (fixes.length === 0) return { parsed, parts, mended: 0 };
  const wanted = new Map<string, Record<string, string>>();
  // Overlays are kept with the hour. After it was fetched anew, those for other bytes have nothing to mend, whatever they set.
  const current = fixes.filter(({ file }) => files.includes(file));
  requireColumns(current, parsed.header);
  for (const { file, byteOffset, set } of current) {
    const place = `${files.indexOf(file)}:${byteOffset}`;
    wanted.set(place, { ...wanted.get(place), ...set });
  }
  if (wanted.size === 0) return { parsed, parts, mended: 0 };
  const joined = await mendRejects(mending, wanted);
  const { rows, parts: others } = await mendRows(mending, wanted);
  const found = new Set([...joined.rows, ...rows].map(placeOf));
  const lost = [...wanted.keys()].find((place) => !found.has(place));
  if (lost !== undefined) {
    const [file, offset] = lost.split(':');
    throw new SluiceError('FixesInvalid', `A fix names byte ${offset} of ${files[Number(file)]}, where no row begins.`);
  }
  const rejected = parsed.rows.rejected - joined.rows.length;
  return {
    parsed: {
      header: parsed.header,
      rows: { read: parsed.rows.read, parsed: parsed.rows.read - rejected, rejected },
      rejectedBy: joined.rejectedBy,
    },
    parts: partsHere([
      ...others,
      ...(await writeParts(parsed.header, [...joined.rows, ...rows], join(mending.folder, 'mended'))),
    ]),
    mended: wanted.size,
  };
}

const placeOf = ({ file, byteOffset }: Pick<PartRow, 'file' | 'byteOffset'>): string => `${file}:${byteOffset}`;

/** Rows that were no records: what an overlay sets is all that is known of their cells, but for the file's name. */
async function mendRejects(
  { parsed, files, rejectsPath, folder }: Mending,
  wanted: ReadonlyMap<string, Record<string, string>>,
): Promise<{ rows: PartRow[]; rejectedBy: Record<string, number> }> {
  const rows: PartRow[] = [];
  const rejectedBy = { ...parsed.rejectedBy };
  const left: string[] = [];
  for await (const line of textLines(createReadStream(rejectsPath))) {
    const { file, row, line: number, byteOffset, rule } = JSON.parse(line) as ParseReject;
    const set = wanted.get(`${files.indexOf(file)}:${byteOffset}`);
    if (!set) {
      left.push(`${line}\n`);
      continue;
    }
    const known = (column: number): string | undefined =>
      column === parsed.header.length - 1 ? parsed.names?.[files.indexOf(file)] : undefined;
    const cells = parsed.header.map((name, column) => set[name] ?? known(column) ?? '');
    rows.push({ file: files.indexOf(file), row, line: number, byteOffset, cells });
    rejectedBy[rule] = (rejectedBy[rule] ?? 1) - 1;
  }
  const path = join(folder, 'left-rejects.ndjson');
  await writeFile(path, left.join(''));
  await rename(path, rejectsPath);
  return { rows, rejectedBy };
}

async function mendRows(
  mending: Mending,
  wanted: ReadonlyMap<string, Record<string, string>>,
): Promise<{ rows: PartRow[]; parts: string[] }> {
  const { parsed, parts, folder } = mending;
  const hit = await partsWith(mending, [...wanted.keys()]);
  const rows: PartRow[] = [];
  const others: string[] = [];
  for (const [at, part] of (await parts.local()).entries()) {
    if (!hit.has(part)) {
      others.push(part);
      continue;
    }
    const left: PartRow[] = [];
    for (const row of readPart(await readFile(part), parsed.header.length)) {
      const set = wanted.get(placeOf(row));
      if (set) rows.push({ ...row, cells: parsed.header.map((name, n) => set[name] ?? row.cells[n] ?? '') });
      else left.push(row);
    }
    others.push(...(await writeParts(parsed.header, left, join(folder, `rest-${at}`))));
  }
  return { rows, parts: others };
}

/** The parts that hold a row at one of these places. */
async function partsWith({ parsed, parts, folder, context }: Mending, places: readonly string[]): Promise<Set<string>> {
  const names = [...parsed.header.map((_, at) => `c${at}`), '_file', '_row', '_line', '_offset'].join(', ');
  const listed = places.map((place) => `(${place.replace(':', ', ')})`).join(', ');
  return withDuckDb(folder, context, async (connection) => {
    const found = new Set<string>();
    for (const part of await parts.local()) {
      const source = `read_parquet(${sql.text(part)}) AS parsed(${names})`;
      const asked = `SELECT _row FROM ${source} WHERE (_file, _offset) IN (VALUES ${listed}) LIMIT 1`;
      if ((await connection.runAndReadAll(asked)).currentRowCount > 0) found.add(part);
    }
    return found;
  });
}

/** Reads an overlay from a file. @throws SluiceError `FixesInvalid` */
export async function readFixes(path: string): Promise<Fix[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new SluiceError('FixesInvalid', `${path} cannot be read.`, { cause: error });
  });
  const fixes = parseFixes(text, path);
  if (fixes.length === 0) throw new SluiceError('FixesInvalid', `${path} holds no fix.`);
  return fixes;
}
