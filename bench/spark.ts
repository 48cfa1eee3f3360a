import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { keys } from '../src/definition/names.ts';
import { removeScratch } from '../src/stages/scratch.ts';
import { sendParts } from './clean/contestants.ts';
import { generateParts } from './clean/generate.ts';
import { measured, median, python } from './common/measured.ts';
import { SparkStack } from './common/spark-stack.ts';
import { movedTo, type Statement } from './spark/statement.ts';
import { submitCommand } from './spark/submit.ts';

// `npm run bench:spark -- [ROWS [TURNS]]`: our engine over Spark Connect against spark-submit of the statements that it sends, word for word, in
// the same order: the same jars, memory, settings and object store. In turns; each begins in a JVM that has just been started and has
// answered one question. Ours also brings the rows back and joins them to clean.csv, which spark-submit leaves where Spark wrote them.

interface Ours {
  readonly seconds: number;
  /** From Spark's last answer, which comes after the join of what it wrote, to the end of the session. */
  readonly afterSpark: number;
  readonly clean: number;
  readonly rejected: number;
  readonly peakMb: number;
}
type Submitted = Pick<Ours, 'seconds' | 'clean' | 'rejected'>;

const [rows = 10_000_000, turns = 3] = process.argv.slice(2).map(Number);
const here = join(import.meta.dirname, 'spark');
const root = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const stack = new SparkStack(root);
let stopped = false;
// Ctrl-C ends the run that is on; the servers are stopped as always.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (stopped = true));

async function goOn(): Promise<void> {
  // A moment in which a signal is heard: the runs themselves block.
  await new Promise((resolve) => setImmediate(resolve));
  if (stopped) throw new Error('stopped');
}

async function ours(list: string, written: string): Promise<Ours> {
  await stack.restartSpark();
  await goOn();
  return measured<Ours>(process.execPath, [join(here, 'connect.ts'), list, root, written], stack.environment);
}

/** @param written What our engine has asked in the same turn. */
async function submitted(py: string, written: string): Promise<Submitted> {
  await stack.stopSpark();
  await goOn();
  const asked = JSON.parse(readFileSync(written, 'utf8')) as { sessionId: string; statements: Statement[] };
  const scratch = keys.sparkScratch('submitted');
  const statements = join(root, 'submitted.json');
  writeFileSync(statements, JSON.stringify(movedTo(asked.statements, keys.sparkScratch(asked.sessionId), scratch)));
  const work = join(root, 'submit');
  const { program, args, environment } = await submitCommand(stack.state, work, py, join(here, 'submitted.py'));
  const folderOf = (name: string): string => stack.store.uri(`${scratch}${name}`).replace(/^s3:/, 's3a:');
  try {
    return measured<Submitted>(program, [...args, statements, folderOf('clean'), folderOf('rejects')], environment);
  } finally {
    await removeScratch(stack.store, scratch);
    rmSync(work, { recursive: true });
  }
}

try {
  const py = python('pyspark');
  if (py === undefined) throw new Error('PySpark cannot be had here: it takes Python with venv, and PyPI');
  await stack.start();
  const list = join(root, 'parts.json');
  writeFileSync(list, JSON.stringify(await generateParts(root, rows)));
  await sendParts(stack, list);
  console.log(`${cpus().length} cores; ${rows} rows, ${turns} turns`);
  console.log('turn  Connect s  (after Spark s)  spark-submit s  ratio     clean  rejected  our peak MB');
  const ratios: number[] = [];
  for (let turn = 1; turn <= turns; turn++) {
    const written = join(root, 'statements.json');
    const connect = await ours(list, written);
    const submit = await submitted(py, written);
    if (connect.clean !== submit.clean || connect.rejected !== submit.rejected) {
      throw new Error(`they do not agree: ${JSON.stringify({ connect, submit })}`);
    }
    ratios.push(connect.seconds / submit.seconds);
    const cells = [
      String(turn).padEnd(5),
      connect.seconds.toFixed(2).padStart(9),
      `(${connect.afterSpark.toFixed(2)})`.padStart(15),
      submit.seconds.toFixed(2).padStart(15),
      (ratios.at(-1) ?? 0).toFixed(3).padStart(7),
      String(connect.clean).padStart(9),
      String(connect.rejected).padStart(9),
      String(connect.peakMb).padStart(12),
    ];
    console.log(cells.join(' '));
  }
  console.log(`median ratio ${median(ratios).toFixed(3)}`);
} finally {
  await stack.stop();
  rmSync(root, { recursive: true, force: true });
}
