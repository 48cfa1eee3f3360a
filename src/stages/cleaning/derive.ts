import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { countText } from '../../definition/amounts.ts';
import type { Derived } from '../../definition/cleaning.ts';
import type { OutputColumn } from '../../definition/columns.ts';
import { compileExpression, type CelValue, type Expression } from '../../definition/derived.ts';
import { canonicalText } from '../../definition/lexical.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { csvLine } from '../../formats/csv-writer.ts';
import { plainDigits, roundedText } from '../../formats/decimal.ts';
import type { StageContext } from '../deps.ts';
import { readCleanTexts } from './clean-csv.ts';
import type { CleanJob, FoundReject } from './engine.ts';
import { inThread } from './thread.ts';

interface Computed {
  readonly name: string;
  readonly column: Derived;
  readonly compute: Expression;
}

/** An engine's clean.csv, and what is to be computed for its rows. */
export interface DeriveJob extends Pick<CleanJob, 'rules' | 'folder'> {
  readonly pipeline: Pipeline;
  /** Clean columns of the stream, derived ones included. */
  readonly clean: readonly OutputColumn[];
  readonly cleanPath: string;
  /** Rows that are rejected here are appended to it. */
  readonly rejectsPath: string;
}

/** The path of the clean.csv with the computed columns, as the stream has it, and how many rows were rejected. */
export interface Derivation {
  readonly path: string;
  readonly rejected: number;
}

const MEMORY_MB = 512;
const SILENT_MS = 60_000;

/**
 * {@link deriveColumns} in a thread of its own, since an expression may take as long as it likes: CEL's `matches` goes by
 * JavaScript's regular expressions, and lists may be made of lists.
 * @throws SluiceError `EngineUnfit` where a thousand rows take more than a minute, `EngineFailed`
 */
export async function deriveInThread(job: DeriveJob, context: StageContext): Promise<Derivation> {
  const names = Object.keys(job.pipeline.derive ?? {}).join(', ');
  return inThread<Derivation>({
    script: new URL('derive-thread.ts', import.meta.url),
    data: job,
    name: 'Computing columns',
    context,
    memoryMb: MEMORY_MB,
    tooLarge: `The computed columns (${names}) need more than ${MEMORY_MB} MB: simplify their expressions.`,
    silence: {
      ms: SILENT_MS,
      sentence: `The computed columns (${names}) take more than ${SILENT_MS / 1_000} s for a thousand rows: simplify their expressions.`,
    },
  });
}

/**
 * Computes the derived columns of an engine's clean.csv, once, whichever engine it was. Where an expression fails, a row
 * in which one of its columns has no value gets none here either; any other row is rejected. Blocks while it computes.
 */
export async function deriveColumns(
  { rules, folder, pipeline, clean, cleanPath, rejectsPath }: DeriveJob,
  progress: StageContext['progress'],
): Promise<Derivation> {
  const computed = compiled(pipeline, clean);
  const path = join(folder, 'derived.csv');
  const own = pipeline.key.length === 0 ? rules.prefix.length : 0;
  const types = new Map(clean.map((column) => [column.name, column]));
  const rowAt = rules.prefix.indexOf('_row');
  const output = createWriteStream(path);
  const done = finished(output);
  output.write(`${csvLine([...rules.prefix.slice(0, own), ...clean.map(({ name }) => name)])}\n`);
  let [rows, rejected] = [0, 0];
  for await (const batch of readCleanTexts(createReadStream(cleanPath), pipeline.name, rules.header)) {
    const found: FoundReject[] = [];
    let lines = '';
    for (const texts of batch) {
      const values: Record<string, CelValue> = {};
      for (const [at, name] of rules.header.entries()) values[name] = celValue(types.get(name), texts[at] ?? null);
      const added = computeRow(computed, values);
      if (typeof added === 'number') {
        const at = rules.columns.length + rules.strangers.length + added;
        found.push({ row: Number(texts[rowAt]), at, rule: 'derive' });
      } else lines += `${csvLine([...texts.slice(0, own), ...texts.slice(rules.prefix.length), ...added])}\n`;
    }
    rows += batch.length;
    rejected += found.length;
    progress({ rows, note: `computed columns of ${countText(rows)} rows` });
    if (found.length > 0)
      await appendFile(rejectsPath, found.map(({ row, at, rule }) => `${row},${at},${rule}\n`).join(''));
    if (!output.write(lines)) await once(output, 'drain');
  }
  output.end();
  await done;
  return { path, rejected };
}

function compiled({ derive }: Pipeline, clean: readonly OutputColumn[]): Computed[] {
  return Object.entries(derive ?? {}).map(([name, column]) => {
    const before = clean.slice(
      0,
      clean.findIndex((one) => one.name === name),
    );
    return { name, column, compute: compileExpression(name, column.expression, before) };
  });
}

/** Canonical texts, or which column failed. */
function computeRow(computed: readonly Computed[], values: Record<string, CelValue>): (string | null)[] | number {
  const texts: (string | null)[] = [];
  for (const [at, { name, column, compute }] of computed.entries()) {
    const text = computeText(column, compute, values);
    if (text === undefined) return at;
    texts.push(text);
    values[name] = celValue({ ...column, name }, text);
  }
  return texts;
}

function computeText(
  column: Derived,
  compute: Expression,
  values: Readonly<Record<string, CelValue>>,
): string | null | undefined {
  try {
    return derivedText(column, compute(values));
  } catch {
    const missing = Object.entries(values).some(([name, value]) => value === null && names(column.expression, name));
    return missing ? null : undefined;
  }
}

/** Whether an expression says a column's name, texts within it left out. */
function names(expression: string, column: string): boolean {
  const bare = expression.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/gs, '""');
  return new RegExp(`\\b${column}\\b`).test(bare);
}

function celValue(column: Pick<OutputColumn, 'name' | 'type'> | undefined, text: string | null): CelValue {
  if (text === null) return null;
  switch (column?.type) {
    case 'integer':
      return BigInt(text);
    case 'decimal':
      return Number(text);
    case 'boolean':
      return text === 'true';
    case 'timestamp':
      return new Date(text);
    default:
      return text;
  }
}

/** The canonical text of what an expression gave; undefined where it is no value of the column's type. */
function derivedText({ type, precision, scale }: Derived, value: unknown): string | null | undefined {
  if (value === null || value === undefined) return null;
  const text = plainText(value, type === 'decimal' ? scale : undefined);
  if (text === undefined) return undefined;
  // A text may be of any type that its grammar allows; the rest has to fit as it is.
  const fits: Readonly<Record<string, readonly string[]>> = {
    boolean: ['boolean', 'string'],
    bigint: ['integer', 'decimal', 'string'],
    number: ['decimal', 'string'],
    object: ['timestamp', 'string'],
  };
  if (typeof value !== 'string' && fits[typeof value]?.includes(type) !== true) return undefined;
  const found = canonicalText({ type, precision, scale }, text);
  return typeof found === 'string' ? undefined : found.value;
}

function plainText(value: unknown, scale: number | undefined): string | undefined {
  if (typeof value === 'string') return value.includes('\0') ? undefined : value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return undefined;
    return scale === undefined ? plainDigits(value) : roundedText(plainDigits(value), scale);
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  return undefined;
}
