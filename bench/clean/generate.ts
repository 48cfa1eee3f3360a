import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loadDefinition } from '../../src/definition/load.ts';
import { FolderStore, fileRef } from '../../src/inspecting/folder-store.ts';
import { unattended } from '../../src/stages/deps.ts';
import { parseFiles } from '../../src/stages/importing/parse-raw.ts';

const HEADER =
  'ST,COUNTY NAME,COUNTY ID,POSTAL CODE,BROADBAND USAGE,ERROR RANGE (MAE)(+/-),ERROR RANGE (95%)(+/-),MSD\r\n';
const states = ['AL', 'SC', 'TX', 'CA', 'NY'];
const counties = ['Abbeville', 'Jefferson', 'San Bernardino', 'St. Clair', '"Prince George\'s, East"'];

/**
 * Writes a table like the broadband file: 2 % duplicates somewhere behind their first, 3 % missing values, 0.5 % numbers
 * that are none, padded texts. Then imports it as a run would. @returns paths of the parsed parts, and the header
 */
export async function generateParts(
  folder: string,
  rows: number,
): Promise<{ parts: string[]; header: readonly string[] }> {
  const csv = join(folder, 'bench.csv');
  const out = createWriteStream(csv);
  let random = 42;
  const next = (n: number): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((random / 2 ** 32) * n);
  };
  let lines = [HEADER];
  for (let row = 0; row < rows; row++) {
    // Two numbers of five digits tell 10^10 rows apart; a repeated one is a duplicate.
    const id = row > 1_000 && next(50) === 0 ? row - 1 - next(1_000) : row;
    const number = (digits: number): string => {
      const dice = next(1_000);
      if (dice < 30) return '';
      if (dice < 35) return 'n/a';
      return dice < 135 ? ` 0.${next(10 ** digits)} ` : `0.${next(10 ** digits)}`;
    };
    const [county, zip] = [1_000 + (id % 50_000), 500 + Math.floor(id / 50_000)];
    lines.push(
      `${states[next(5)]},${counties[next(5)]},${county},${zip},${number(3)},${number(3)},${number(3)},${number(4)}\r\n`,
    );
    if (lines.length === 5_000) {
      if (!out.write(lines.join(''))) await once(out, 'drain');
      lines = [];
    }
  }
  out.end(lines.join(''));
  await once(out, 'close');
  const pipeline = await loadDefinition(join(import.meta.dirname, 'definition.yaml'));
  const scratch = join(folder, 'scratch');
  await mkdir(scratch);
  const raw = await fileRef(csv);
  const record = { pipeline: 'bench', hour: '2026-01-01T00:00:00Z', n: 1, source: csv, fetchedAt: '', raw };
  const parsed = await parseFiles(new FolderStore(folder), pipeline, record, '', scratch, unattended);
  await rm(csv);
  return { parts: parsed.parts.map(({ uri }) => uri), header: parsed.header };
}
