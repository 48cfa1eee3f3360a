import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { format } from 'prettier';
import { tally, type Score } from './anomalies/score.ts';

// `npm run bench:anomalies [-- --write-docs] [--seeds 11,12]`: how well the monitors tell problems from noise, on made-up histories of 90 days. Some minutes a
// seed. With --write-docs the table goes into docs/monitors.md, which says what is known of the seeds below.

const DAYS = 90;
const EACH = 4;
const GOAL = { precision: 0.95, recall: 0.9 };
const BEGIN = '<!-- bench:anomalies begin -->';
const END = '<!-- bench:anomalies end -->';

const args = process.argv.slice(2);
const given = args[args.indexOf('--seeds') + 1];
const seeds =
  args.includes('--seeds') && given !== undefined ? given.split(',').map(Number) : [9_101, 9_104, 9_105, 9_106];

const odd: Score[] = [];
const clean: Score[] = [];
const misses: string[] = [];
for (const seed of seeds) {
  const [one, other] = await Promise.all([scored(seed, EACH), scored(seed + 500, 0)]);
  odd.push(one);
  clean.push(other);
  const { found, planted, falseAlerts, missed } = tally([one]);
  console.error(
    `seed ${seed}: ${found} of ${planted}, ${falseAlerts.length} false alarms; without a problem ${other.alerts.length}`,
  );
  for (const { kind, subject, from, to, size } of missed) {
    const what = subject === undefined ? kind : `${kind} of ${subject}`;
    misses.push(`${what} (size ${size.toFixed(2)}) in hours ${from} to ${to - 1} of seed ${seed}`);
    console.error(`  missed: ${misses.at(-1)}`);
  }
}

const { kinds, planted, found, falseAlerts } = tally(odd);
const quiet = clean.flatMap(({ alerts }) => alerts);
const precision = found / Math.max(1, found + falseAlerts.length);
const recall = found / planted;
const lines = [
  '| Kind | Planted | Told of, rightly named | Recall | False alarms of its rule | Precision |',
  '| ---- | ------: | ---------------------: | -----: | -----------------------: | --------: |',
  ...kinds.map((one) => {
    const right = one.found / Math.max(1, one.found + one.falseOnes);
    return `| ${one.kind} | ${one.planted} | ${one.found} | ${(one.found / one.planted).toFixed(2)} | ${one.falseOnes} | ${right.toFixed(2)} |`;
  }),
  `| **all** | ${planted} | ${found} | **${recall.toFixed(2)}** | ${falseAlerts.length} | **${precision.toFixed(2)}** |`,
];
const runs = clean.reduce((sum, score) => sum + score.runs, 0);
const text = [
  `Seeds ${seeds.join(', ')}: ${seeds.length} histories of ${DAYS} days with ${planted} problems. Goal: precision ${GOAL.precision}, recall ${GOAL.recall}.`,
  '',
  ...lines,
  '',
  ...(misses.length > 0 ? [`Missed: ${misses.join('; ')}.`, ''] : []),
  `In ${clean.length} × ${DAYS} days without a problem (${runs.toLocaleString('en')} runs) there ${quiet.length === 1 ? 'was 1 alert' : `were ${quiet.length} alerts`}: ${(quiet.length / clean.length).toFixed(2)} in ${DAYS} days.`,
].join('\n');

console.log(text);
for (const [what, alerts] of [
  ['false', falseAlerts],
  ['on a clean day', quiet],
] as const) {
  for (const { hour, rule, subject = '', sentence } of alerts)
    console.log(`${what}: hour ${hour} ${rule} ${subject}: ${sentence}`);
}

if (args.includes('--write-docs')) {
  const path = join(import.meta.dirname, '..', 'docs', 'monitors.md');
  const page = await readFile(path, 'utf8');
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`${path} lacks ${BEGIN} and ${END}`);
  const written = `${page.slice(0, before + BEGIN.length)}\n\n${text}\n\n${page.slice(after)}`;
  await writeFile(path, await format(written, { parser: 'markdown', printWidth: 120 }));
}
if (precision < GOAL.precision || recall < GOAL.recall || quiet.length > 0) process.exitCode = 1;

function scored(seed: number, each: number): Promise<Score> {
  const thread = new Worker(join(import.meta.dirname, 'anomalies', 'history-thread.ts'), {
    workerData: { seed, hours: DAYS * 24, each },
  });
  return new Promise((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
  });
}
