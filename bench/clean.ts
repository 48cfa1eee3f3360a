import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { generateParts } from './clean/generate.ts';
import { measured, median, python } from './common/measured.ts';

// `npm run bench:clean -- [ROWS …]`: our engines against DuckDB with SQL by hand, pandas and polars, all from the same
// parsed parts to a clean.csv and the rejected rows, each in a process of its own, in turns. The clock runs from the
// first line of each program, so without the start of its language, and with the load of its libraries in Python alone.

interface Measured {
  readonly seconds: number;
  readonly clean: number;
  readonly rejected: number;
  readonly path: string;
  readonly peakMb: number;
}

const given = process.argv.slice(2).map(Number);
const sizes = given.length > 0 ? given : [33_000, 1_000_000];
/** danfojs is not for more. */
const DANFOJS_MOST = 50_000;
const TURNS = 3;
const here = join(import.meta.dirname, 'clean');
const py = python();
if (py === undefined) console.log('pandas and polars cannot be had here, and are left out');
console.log(`${cpus().length} cores; medians of ${TURNS} turns`);
console.log('rows      what                  seconds  times by hand  peak MB   clean  rejected');
for (const size of sizes) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    const list = join(folder, 'parts.json');
    writeFileSync(list, JSON.stringify(await generateParts(folder, size)));
    const node = (script: string, ...args: string[]) =>
      measured<Measured>(process.execPath, [join(here, script), ...args, list, folder], process.env);
    const contestants: [string, () => Measured][] = [
      ['DuckDB, SQL by hand', () => node('sql.ts')],
      ['Sluice, DuckDB', () => node('sluice.ts', 'duckdb')],
      ...(size > DANFOJS_MOST
        ? []
        : [['Sluice, danfojs', () => node('sluice.ts', 'danfojs')] satisfies [string, () => Measured]]),
      ...(py === undefined
        ? []
        : (['pandas', 'polars'] as const).map((name): [string, () => Measured] => [
            name,
            () => measured<Measured>(py, [join(here, 'peers.py'), name, list, folder], process.env),
          ])),
    ];
    const found = new Map<string, Measured[]>(contestants.map(([name]) => [name, []]));
    for (let turn = 0; turn < TURNS; turn++) {
      for (const [name, run] of contestants) {
        const one = run();
        rmSync(dirname(one.path), { recursive: true });
        found.get(name)?.push(one);
      }
    }
    const seconds = (name: string): number => median((found.get(name) ?? []).map((one) => one.seconds));
    const counts = new Set([...found.values()].flat().map(({ clean, rejected }) => `${clean} ${rejected}`));
    if (counts.size !== 1) throw new Error(`they do not agree: ${[...counts].join(', ')}`);
    for (const [name, all] of found) {
      const [one] = all;
      const cells = [
        String(size).padEnd(9),
        name.padEnd(21),
        seconds(name).toFixed(2).padStart(7),
        (seconds(name) / seconds('DuckDB, SQL by hand')).toFixed(2).padStart(14),
        String(Math.max(...all.map(({ peakMb }) => peakMb))).padStart(8),
        String(one?.clean).padStart(8),
        String(one?.rejected).padStart(8),
      ];
      console.log(cells.join(' '));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
