import { createWriteStream } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline as pipe } from 'node:stream/promises';
import { ObjectStore } from '../../connectors/object-store.ts';
import { readSettings } from '../../connectors/settings.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import { loadDefinition } from '../../definition/load.ts';
import {
  keepFixes,
  listQuarantine,
  quarantineOf,
  rejectedRows,
  type RejectedRow,
} from '../../inspecting/quarantine.ts';
import { run } from './run.ts';
import { boldOut, count } from './screen.ts';

export interface ShowFlags {
  readonly hour: LogicalHour;
  readonly column?: string;
  readonly rule?: string;
  readonly limit: number;
  readonly out?: string;
  readonly json?: boolean;
}

export interface ReplayFlags {
  readonly hour: LogicalHour;
  readonly fixes?: string;
  readonly detach?: boolean;
  readonly json?: boolean;
}

const opened = (): ObjectStore => new ObjectStore(readSettings(process.env).store);

/** `sluice quarantine list`. */
export async function list(pipeline: string, { limit, json }: { limit: number; json?: boolean }): Promise<number> {
  const { hours: entries } = await listQuarantine(opened(), pipeline, limit);
  if (json) {
    process.stdout.write(`${JSON.stringify({ pipeline, hours: entries })}\n`);
    return 0;
  }
  if (entries.length === 0) process.stdout.write(`No hour of ${pipeline} has rejected rows.\n`);
  for (const { hour, rows, rejectedBy } of entries) {
    const why = Object.entries(rejectedBy)
      .toSorted(([, a], [, b]) => b - a)
      .map(([what, n]) => `${what} ${count(n)}`);
    process.stdout.write(`${boldOut(hour)}  ${count(rows.rejected)} of ${count(rows.read)}  ${why.join(', ')}\n`);
  }
  return 0;
}

/** `sluice quarantine show`. */
export async function show(pipeline: string, flags: ShowFlags): Promise<number> {
  const store = opened();
  const entry = await quarantineOf(store, pipeline, flags.hour);
  const wanted = (row: RejectedRow): boolean =>
    (flags.column === undefined || row.column === flags.column) &&
    (flags.rule === undefined || row.rule === flags.rule);
  const chosen = async function* (): AsyncGenerator<RejectedRow> {
    for await (const row of rejectedRows(store, entry)) if (wanted(row)) yield row;
  };
  if (flags.out !== undefined) return written(chosen, resolve(flags.out), flags.json === true);
  const rows: RejectedRow[] = [];
  let all = 0;
  for await (const row of chosen()) {
    all += 1;
    if (rows.length < flags.limit) rows.push(row);
  }
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ pipeline, hour: flags.hour, rejected: all, rows })}\n`);
    return 0;
  }
  for (const row of rows) process.stdout.write(`${lines(row).join('\n')}\n`);
  if (all === 0) process.stdout.write('No such row.\n');
  else if (all > rows.length)
    process.stdout.write(`… and ${count(all - rows.length)} more (--limit, or --out FILE for all)\n`);
  return 0;
}

async function written(rows: () => AsyncGenerator<RejectedRow>, path: string, json: boolean): Promise<number> {
  const partial = `${path}.${process.pid}.partial`;
  let all = 0;
  try {
    const text = async function* (): AsyncGenerator<string> {
      for await (const row of rows()) {
        all += 1;
        yield `${JSON.stringify(row)}\n`;
      }
    };
    await pipe(Readable.from(text()), createWriteStream(partial));
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
  process.stdout.write(
    json ? `${JSON.stringify({ rejected: all, out: path })}\n` : `${count(all)} rows written to ${path}\n`,
  );
  return 0;
}

function lines({ file, line, byteOffset, column, rule, value, reason, raw }: RejectedRow): string[] {
  const what = column === undefined ? (reason ?? rule) : `${column} breaks "${rule}" with ${JSON.stringify(value)}`;
  return [
    `line ${count(line)}, byte ${byteOffset} of ${file.slice(0, 12)}…: ${what}`,
    `    ${raw.replaceAll('\n', '\\n').slice(0, 200)}`,
  ];
}

/** `sluice quarantine replay`: keeps the overlay with the hour, and runs the hour again from what was fetched. */
export async function replay(file: string, { hour, fixes, detach, json }: ReplayFlags): Promise<number> {
  const pipeline = await loadDefinition(file);
  if (fixes !== undefined) {
    const text = await readFile(fixes, 'utf8').catch((error: unknown) => {
      throw new SluiceError('FixesInvalid', `${fixes} cannot be read.`, { cause: error });
    });
    const kept = await keepFixes(opened(), pipeline.name, hour, text, fixes);
    if (!json) process.stderr.write(`${count(kept.length)} fixes are kept with ${pipeline.name} ${hour}\n`);
  }
  return run(file, { hour, force: true, afterOther: true, ...(detach ? { detach } : {}), ...(json ? { json } : {}) });
}
