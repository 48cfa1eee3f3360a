import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { down, up } from '../stack/index.ts';
import { measured, median, python } from './common/measured.ts';

// `npm run bench:import -- [MB …]`: import and parse of a file from a web server into a real object store, against what
// DuckDB, pandas and polars take to read the same file from disk, each in a process of its own, in turns.
// Python's two come from PyPI into a folder beside the stack's cache; they are left out where that cannot be had.

const sizes = process.argv.slice(2).map(Number);
if (sizes.length === 0) sizes.push(60, 600);
const turns = 3;
const here = join(import.meta.dirname, 'import');
const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const state = join(folder, 'stack');

interface Measured {
  readonly seconds: number;
  readonly peakMb: number;
  readonly rows: number;
}

async function generate(path: string, mb: number): Promise<void> {
  const out = createWriteStream(path);
  const states = ['AL', 'SC', 'TX', 'CA', 'NY'];
  const counties = ['Abbeville', 'Jefferson', 'San Bernardino', 'St. Clair', '"Prince George\'s, East"'];
  let random = 42;
  const next = (n: number): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return random % n;
  };
  let written = 0;
  let lines = [
    'ST,COUNTY NAME,COUNTY ID,POSTAL CODE,BROADBAND USAGE,ERROR RANGE (MAE)(+/-),ERROR RANGE (95%)(+/-),MSD\r\n',
  ];
  while (written < mb * 1_000_000) {
    for (let n = 0; n < 5_000; n++) {
      lines.push(
        `${states[next(5)]},${counties[next(5)]},${1_000 + next(55_000)},${500 + next(99_000)},0.${next(1_000)},0.${next(1_000)},0.${next(1_000)},0.00${next(10)}\r\n`,
      );
    }
    const text = lines.join('');
    written += text.length;
    lines = [];
    if (!out.write(text)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
}

let server: ChildProcess | undefined;
let stopped = false;
// Ctrl-C ends the turn that runs; the servers are stopped as always.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (stopped = true));
try {
  const stack = await up({ state, freePorts: true, only: ['minio'] });
  const py = python();
  if (py === undefined) console.log('pandas and polars cannot be had here, and are left out');
  console.log(`${cpus().length} cores; medians of ${turns} turns; MB/s of the file as it is on disk`);
  console.log('MB     what                     rows        MB/s  times DuckDB  peak MB');
  for (const mb of sizes) {
    if (stopped) break;
    const file = join(folder, `${mb}.csv`);
    await generate(file, mb);
    const bytes = statSync(file).size;
    server = spawn(process.execPath, [join(here, 'serve.ts'), file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [port] = (await once(server.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    const host = `127.0.0.1:${port.toString().trim()}`;
    const work = join(folder, 'work');
    mkdirSync(work, { recursive: true });
    const environment = {
      ...process.env,
      ...stack.environment,
      SLUICE_SOURCE_ALLOW: host,
      SLUICE_WORK_DIR: work,
    } as NodeJS.ProcessEnv;
    const node = (script: string, ...args: string[]) =>
      measured<Measured>(process.execPath, ['--max-semi-space-size=2', join(here, script), ...args], environment);
    const contestants: [string, () => Measured][] = [
      ['DuckDB read_csv alone', () => node('duckdb.ts', file)],
      ['Sluice import and parse', () => node('sluice.ts', `http://${host}/x.csv`)],
      ...(py === undefined
        ? []
        : (['pandas', 'polars'] as const).map((name): [string, () => Measured] => [
            `${name} read_csv`,
            () => measured<Measured>(py, [join(here, 'readers.py'), name, file], process.env),
          ])),
    ];
    const found = new Map<string, Measured[]>(contestants.map(([name]) => [name, []]));
    for (let turn = 0; turn < turns && !stopped; turn++) {
      for (const [name, run] of contestants) {
        // A moment in which a signal is heard: the runs themselves block.
        await new Promise((resolve) => setImmediate(resolve));
        if (!stopped) found.get(name)?.push(run());
      }
    }
    if (stopped) break;
    const rate = (name: string): number => bytes / 1e6 / median((found.get(name) ?? []).map(({ seconds }) => seconds));
    const duckdb = rate('DuckDB read_csv alone');
    const rows = new Set([...found.values()].flat().map((one) => one.rows));
    if (rows.size !== 1) throw new Error(`they do not agree on the rows: ${[...rows].join(', ')}`);
    for (const [name] of contestants) {
      const peak = Math.max(...(found.get(name) ?? []).map(({ peakMb }) => peakMb));
      const cells = [
        String(mb).padEnd(6),
        name.padEnd(24),
        String([...rows][0]).padStart(10),
        rate(name).toFixed(1).padStart(7),
        (rate(name) / duckdb).toFixed(2).padStart(13),
        String(peak).padStart(8),
      ];
      console.log(cells.join(' '));
    }
    server.kill();
    rmSync(file);
  }
} finally {
  server?.kill();
  await down({ state, remove: true });
  rmSync(folder, { recursive: true, force: true });
}
