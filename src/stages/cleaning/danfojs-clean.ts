import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline as pipe } from 'node:stream/promises';
import danfo from 'danfojs-node';
import { csvLine } from '../../formats/csv-writer.ts';
import { textReader } from '../../formats/arrow-columns.ts';
import { arrowBatches } from '../../formats/parquet.ts';
import { rejectLine, type CleanJob, type CleanOutcome } from './engine.ts';
import { judgeRow, preparedText, type Judgement } from './judge.ts';
import type { CleanRules } from './rules.ts';

export type DanfojsJob = Omit<CleanJob, 'context'>;

type Cell = string | null;

/** Where a row stood in the file. */
interface Origin {
  readonly file: string;
  readonly row: number;
  readonly line: number;
  readonly byteOffset: number;
}

interface Parsed {
  /** The definition's columns as they stand in the file. */
  readonly cells: Cell[][];
  readonly origins: Origin[];
}

const { DataFrame, Series } = danfo;
type Frame = InstanceType<typeof DataFrame>;

async function readParts({ rules, parts, files }: DanfojsJob): Promise<Parsed> {
  const cells: Cell[][] = [];
  const origins: Origin[] = [];
  for (const part of parts) {
    for (const batch of arrowBatches(await readFile(part))) {
      // By position, as in DuckDB: names may differ in case alone.
      const columns = rules.columns.map(({ position }) => {
        const column = batch.getChildAt(position);
        return column && textReader(column);
      });
      const [file, row, line, offset] = [0, 1, 2, 3].map((behind) => batch.getChildAt(rules.width + behind));
      for (let at = 0; at < batch.numRows; at += 1) {
        cells.push(columns.map((read) => read?.(at) ?? null));
        origins.push({
          file: files[Number(file?.get(at))] ?? '',
          row: Number(row?.get(at)),
          line: Number(line?.get(at)),
          byteOffset: Number(offset?.get(at)),
        });
      }
    }
  }
  return { cells, origins };
}

/** Texts only: danfojs would guess numbers, and lose leading zeros by it. */
function frameOf(rules: CleanRules, cells: Cell[][]): Frame {
  const columns = rules.columns.map(({ name }) => name);
  return new DataFrame(cells, { columns, dtypes: columns.map(() => 'string') });
}

/** Cleans with danfojs where it is called: it blocks until it is done. */
export async function cleanWithDanfojs(job: DanfojsJob): Promise<CleanOutcome> {
  const { rules, folder } = job;
  const { cells, origins } = await readParts(job);
  const prepared = cells.map((row) =>
    rules.columns.map((rule, at) => {
      const cell = row[at] ?? null;
      return cell === null ? null : preparedText(rule, cell);
    }),
  );
  const judged = prepared.map((row) => judgeRow(rules, row));
  const rejected = judged.filter(({ kind }) => kind === 'rejected').length;
  const kept = judged.filter(({ kind }) => kind === 'kept').length;
  const cleanPath = join(folder, 'clean.csv');
  const rejectsPath = join(folder, 'rejects.ndjson');
  const chosen = kept === 0 ? [] : chooseRows(rules, judged);
  await writeClean(rules, cleanPath, chosen, judged, origins);
  const rejectedBy = await writeRejects(rules, rejectsPath, judged, cells, origins);
  return {
    cleanPath,
    rejectsPath,
    rows: {
      clean: chosen.length,
      duplicates: kept - chosen.length,
      filtered: judged.length - kept - rejected,
      rejected,
    },
    rejectedBy,
    missing: countMissing(rules, prepared),
  };
}

function countMissing(rules: CleanRules, prepared: Cell[][]): Record<string, number> {
  if (prepared.length === 0) return Object.fromEntries(rules.columns.map(({ name }) => [name, 0]));
  const gaps = frameOf(rules, prepared).isNa();
  return Object.fromEntries(
    rules.columns.map(({ name }, at) => [name, gaps.values.filter((row) => (row as boolean[])[at] === true).length]),
  );
}

/** Row numbers, from 0, of those that stay: kept by the rules, and the first or last of its key. */
function chooseRows(rules: CleanRules, judged: readonly Judgement[]): number[] {
  const candidates = judged.flatMap((judgement, at) => (judgement.kind === 'kept' ? [{ at, ...judgement }] : []));
  if (rules.key.length === 0) return candidates.map(({ at }) => at);
  const keys = candidates.map(({ values }) => JSON.stringify(rules.key.map((at) => values[at])));
  const unique = new Series(keys, { dtypes: ['string'] }).dropDuplicates({ keep: rules.keep });
  return unique.index.map((nth) => candidates[Number(nth)]?.at ?? -1).toSorted((a, b) => a - b);
}

/** danfojs's own `toCSV` does not quote what has to be quoted. */
async function writeClean(
  rules: CleanRules,
  path: string,
  chosen: readonly number[],
  judged: readonly Judgement[],
  origins: readonly Origin[],
): Promise<void> {
  const lines = function* (): Generator<string> {
    yield `${csvLine(rules.header)}\n`;
    for (const at of chosen) {
      const judgement = judged[at];
      if (judgement?.kind !== 'kept') continue;
      const identity = rules.key.length === 0 ? [origins[at]?.file ?? '', String(origins[at]?.row)] : [];
      yield `${csvLine([...identity, ...judgement.values])}\n`;
    }
  };
  await pipe(lines, createWriteStream(path));
}

async function writeRejects(
  rules: CleanRules,
  path: string,
  judged: readonly Judgement[],
  cells: readonly Cell[][],
  origins: readonly Origin[],
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const lines: string[] = [];
  for (const [nth, judgement] of judged.entries()) {
    const origin = origins[nth];
    if (judgement.kind !== 'rejected' || !origin) continue;
    const column = rules.columns[judgement.at]?.name ?? '';
    const counted = `${column} ${judgement.rule}`;
    counts[counted] = (counts[counted] ?? 0) + 1;
    const value = cells[nth]?.[judgement.at] as string;
    lines.push(rejectLine({ ...origin, column, rule: judgement.rule, value }));
  }
  await writeFile(path, lines.join(''));
  return counts;
}
