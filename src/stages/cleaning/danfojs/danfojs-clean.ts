import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline as pipe } from 'node:stream/promises';
import danfo from 'danfojs-node';
import { csvLine } from '../../../formats/csv-writer.ts';
import { holds } from '../condition.ts';
import { chooseRows } from './danfojs-duplicates.ts';
import { fillRows } from './danfojs-fill.ts';
import type { CleanJob, CleanOutcome, FoundReject } from '../engine.ts';
import type { SoundRow } from './sound-row.ts';
import { judgeRow, prepare, type Prepared } from './judge.ts';
import { readPart } from '../part-rows.ts';
import type { CleanRules } from '../rules.ts';

/** A job as it goes to a thread: the paths of its parts. */
export type DanfojsJob = Omit<CleanJob, 'context' | 'parts'> & { readonly parts: readonly string[] };

interface Judged {
  readonly sound: SoundRow[];
  readonly rejects: FoundReject[];
  /** Of rows that are not rejected. */
  readonly prepared: Prepared[][];
  readonly dropped: number;
}

const { DataFrame } = danfo;

/** Cleans with danfojs where it is called: it blocks until it is done. */
export async function cleanWithDanfojs(job: DanfojsJob): Promise<CleanOutcome> {
  const { rules, folder, files } = job;
  const { sound, rejects, prepared, dropped } = await judgeParts(job);
  const { rows, texts } = fillRows(rules, sound);
  const kept =
    rules.filter === undefined ? rows : rows.filter(({ values }) => rules.filter && holds(rules.filter, values));
  const { chosen, conflicting } = chooseRows(rules, kept);
  for (const { row } of conflicting) rejects.push({ row, at: rules.key[0] ?? 0, rule: 'duplicate' });
  const cleanPath = join(folder, 'clean.csv');
  const rejectsPath = join(folder, 'found-rejects.csv');
  await pipe(cleanLines(rules, chosen, files), createWriteStream(cleanPath));
  const lines = rejects.toSorted((a, b) => a.row - b.row).map(({ row, at, rule }) => `${row},${at},${rule}\n`);
  await writeFile(rejectsPath, lines.join(''));
  return {
    cleanPath,
    rejectsPath,
    rows: {
      clean: chosen.length,
      duplicates: kept.length - chosen.length - conflicting.length,
      filtered: dropped + rows.length - kept.length,
      rejected: rejects.length,
    },
    sound: prepared.length,
    missing: countMissing(rules, prepared),
    fills: texts,
  };
}

async function judgeParts({ rules, parts }: DanfojsJob): Promise<Judged> {
  const judged: Judged & { dropped: number } = { sound: [], rejects: [], prepared: [], dropped: 0 };
  for (const part of parts) {
    // By position, as in SQL: names may differ in case alone.
    for (const { file, row, cells } of readPart(await readFile(part), rules.width)) {
      const prepared = rules.columns.map((rule) => prepare(rule, cells[rule.position] ?? ''));
      const found = judgeRow(rules, prepared, cells);
      if (found.kind === 'rejected') {
        judged.rejects.push({ row, at: found.at, rule: found.rule });
        continue;
      }
      judged.prepared.push(prepared);
      if (found.kind === 'dropped') judged.dropped += 1;
      else judged.sound.push({ file, row, values: found.values });
    }
  }
  // A part with mended rows comes behind the others.
  judged.sound.sort((a, b) => a.row - b.row);
  return judged;
}

function countMissing(rules: CleanRules, prepared: Prepared[][]): Record<string, number> {
  if (prepared.length === 0) return Object.fromEntries(rules.columns.map(({ name }) => [name, 0]));
  const columns = rules.columns.map(({ name }) => name);
  // Texts only: danfojs would guess numbers, and lose leading zeros by it.
  const texts = prepared.map((row) => row.map(({ text }) => text));
  const gaps = new DataFrame(texts, { columns, dtypes: columns.map(() => 'string') }).isNa().values as boolean[][];
  return Object.fromEntries(columns.map((name, at) => [name, gaps.filter((row) => row[at] === true).length]));
}

/** danfojs's own `toCSV` does not quote what has to be quoted. */
function* cleanLines(rules: CleanRules, chosen: readonly SoundRow[], files: readonly string[]): Generator<string> {
  yield `${csvLine(rules.header)}\n`;
  for (const { file, row, values } of chosen) {
    const prefix = rules.prefix.map((name) => (name === '_file' ? (files[file] ?? '') : String(row)));
    yield `${csvLine([...prefix, ...values])}\n`;
  }
}
