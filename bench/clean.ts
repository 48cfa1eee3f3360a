import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sentenceOf } from '../src/definition/errors.ts';
import { BY_HAND, contestants, sendParts, type Contestant, type Run } from './clean/contestants.ts';
import { generateParts } from './clean/generate.ts';
import { median } from './common/measured.ts';
import { SparkStack } from './common/spark-stack.ts';

// `npm run bench:clean -- [--turns N] [--without-spark] [ROWS …]`: our engines against DuckDB with SQL by hand, pandas, polars and PySpark,
// all from the same parsed parts to a clean.csv and the rejected rows, each in a process of its own, in turns.

const LEGEND = `The clock runs from the first line of each program, so without the start of its language, and with the load of its libraries
in Python alone; ours runs from when the definition has been read. Sluice, Spark asks a Spark Connect server that runs already
and has the parts in its object store, and brings clean.csv back; its peak is that of our process, with the server's behind it.
PySpark's clock runs from when its session is there (what that took stands behind it), its peak is that of Python and its JVM.`;
const SIZES = [33_000, 1_000_000, 10_000_000];
const TURNS = 3;
/** From so many rows on one turn has to do, where nothing else is asked for. */
const ONE_TURN = 5_000_000;

const args = process.argv.slice(2);
const turnsAsked = args.includes('--turns') ? Number(args.splice(args.indexOf('--turns'), 2)[1]) : undefined;
const withSpark = !args.includes('--without-spark');
const given = args.filter((arg) => !arg.startsWith('--')).map(Number);
const root = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const stack = new SparkStack(root);
let stopped = false;
// Ctrl-C ends the run that is on; the servers are stopped as always.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (stopped = true));

/** All turns of all contestants at one size. */
async function compete(size: number, all: readonly Contestant[], turns: number, spark: SparkStack | undefined) {
  const folder = join(root, String(size));
  mkdirSync(folder);
  const list = join(folder, 'parts.json');
  writeFileSync(list, JSON.stringify(await generateParts(folder, size)));
  if (spark) await sendParts(spark, list);
  const taking = all.filter(({ mostRows = Infinity }) => size <= mostRows);
  const runs = new Map<string, Run[]>(taking.map(({ name }) => [name, []]));
  for (let turn = 0; turn < turns; turn++) {
    for (const { name, run } of taking) {
      // A moment in which a signal is heard: the runs themselves block.
      await new Promise((resolve) => setImmediate(resolve));
      if (stopped) throw new Error('stopped');
      const one = run(list, folder);
      rmSync(dirname(one.path), { recursive: true });
      runs.get(name)?.push(one);
    }
  }
  if (spark) await spark.removeParts();
  rmSync(folder, { recursive: true });
  return runs;
}

function print(size: number, runs: ReadonlyMap<string, readonly Run[]>): void {
  const counts = new Set([...runs.values()].flat().map(({ clean, rejected }) => `${clean} ${rejected}`));
  if (counts.size !== 1) throw new Error(`they do not agree: ${[...counts].join(', ')}`);
  const seconds = (name: string): number => median((runs.get(name) ?? []).map((one) => one.seconds));
  for (const [name, all] of runs) {
    const starts = all.flatMap(({ startSeconds }) => startSeconds ?? []);
    const serverMb = all.flatMap((one) => one.serverMb ?? []);
    const cells = [
      String(size).padEnd(9),
      name.padEnd(20),
      seconds(name).toFixed(2).padStart(8),
      (seconds(name) / seconds(BY_HAND)).toFixed(2).padStart(14),
      String(Math.max(...all.map(({ peakMb }) => peakMb))).padStart(8),
      String(all[0]?.clean).padStart(8),
      String(all[0]?.rejected).padStart(9),
      starts.length > 0 ? ` + ${median(starts).toFixed(1)} s to start` : '',
      serverMb.length > 0 ? ` server ${Math.max(...serverMb)} MB` : '',
    ];
    console.log(cells.join(' ').trimEnd());
  }
}

try {
  let spark: SparkStack | undefined;
  if (withSpark) {
    spark = await stack.start().then(
      () => stack,
      (error: unknown) => {
        console.log(`Our Spark engine is left out: ${sentenceOf(error)}`);
        return undefined;
      },
    );
  }
  const all = await contestants(spark);
  console.log(`${cpus().length} cores; medians of ${turnsAsked ?? `${TURNS} turns, of one from ${ONE_TURN} rows on`}`);
  console.log(LEGEND);
  console.log('rows      what                  seconds  times by hand  peak MB    clean  rejected');
  for (const size of given.length > 0 ? given : SIZES) {
    print(size, await compete(size, all, turnsAsked ?? (size < ONE_TURN ? TURNS : 1), spark));
  }
} finally {
  await stack.stop();
  rmSync(root, { recursive: true, force: true });
}
