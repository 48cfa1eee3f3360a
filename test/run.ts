import { chmod, glob, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { down, up } from '../stack/index.ts';
import { sentenceOf } from '../src/definition/errors.ts';
import { writeBundle } from '../src/workers/bundle.ts';
import { inLanes, jobs, lanesOf, namesProjects, type Job } from './running/jobs.ts';
import { readTotals, sumOf, type Totals } from './running/totals.ts';
import { runVitest } from './running/vitest-process.ts';

// `npm test`: a stack of its own on free ports, every ring of tests, the stack stopped, and the totals as the last line. Two jobs run at
// once where the machine has enough for that; most of them wait for something for half of their time. Arguments go to vitest.

const args = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
const state = join(folder, 'stack');
const zooKeeperState = join(folder, 'zookeeper');
// What tests leave behind goes with the run. Elasticsearch, which has a user of its own, must get through to what lies in it.
const scratch = await mkdtemp(join(tmpdir(), 'sluice-scratch-'));
await chmod(scratch, 0o755);
// Hundreds of times a command, a worker or a stage is started as a process: with what Node made of the sources kept, in half the time.
const compiled = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
const environment: Record<string, string | undefined> = { ...process.env, ...compiled, TMPDIR: scratch };
const stopping = new AbortController();
// Our servers and tests are in groups of their own: a terminal's Ctrl-C comes to us alone, and we end them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());

try {
  const [, bundled] = await Promise.allSettled([startStack(), bundle()]);
  if (bundled.status === 'rejected') throw bundled.reason;
  const others = stopping.signal.aborted ? Promise.resolve() : startOthers();
  const one: Job = { name: 'tests', projects: [], onServers: true };
  const all = namesProjects(args) ? [one] : jobs;
  const { lanes, why } = lanesOf(process.env);
  if (why !== undefined && all.length > 1) console.error(`One job after the other: ${why}.`);
  const work = all.map((job) => () => run(job, others, lanes > 1 && all.length > 1));
  const ended = await inLanes(lanes, work, stopping.signal);
  await others;
  await stop();
  tell(all, ended);
} finally {
  await stop();
  for (const one of [folder, scratch]) await rm(one, { recursive: true, force: true });
}

async function startStack(): Promise<void> {
  try {
    await up({ state, freePorts: true });
    environment['SLUICE_TEST_STACK'] = state;
  } catch (error) {
    environment['SLUICE_TEST_NO_STACK'] = sentenceOf(error);
    console.error(`Tests on the real servers are skipped: ${sentenceOf(error)}`);
  }
}

/** The workflows, for the workers of all tests: each would take seconds to bundle them by itself. */
async function bundle(): Promise<void> {
  const file = join(folder, 'workflow-bundle.js');
  await writeBundle(file);
  environment['SLUICE_TEST_BUNDLE'] = file;
}

/** What only some tests on the stack need. */
async function startOthers(): Promise<void> {
  if (environment['SLUICE_TEST_NO_STACK'] !== undefined) return;
  await up({ state, freePorts: true, only: ['spark'] }).catch((error: unknown) => {
    environment['SLUICE_TEST_NO_SPARK'] = sentenceOf(error);
    console.error(`Tests on Spark are skipped: ${sentenceOf(error)}`);
  });
  if (stopping.signal.aborted) return;
  // With a Temporal of its own: the consumers that other tests leave behind must not be led to this Kafka.
  environment['SLUICE_TEST_ZOOKEEPER'] = zooKeeperState;
  const withZooKeeper = {
    state: zooKeeperState,
    freePorts: true,
    kafka: 'zookeeper',
    only: ['temporal', 'kafka'],
  } as const;
  await up(withZooKeeper).catch((error: unknown) => {
    environment['SLUICE_TEST_NO_ZOOKEEPER'] = sentenceOf(error);
    console.error(`Tests on Kafka with ZooKeeper are skipped: ${sentenceOf(error)}`);
  });
}

/** Runs one job. @returns undefined where it did not come to its end */
async function run(job: Job, others: Promise<void>, beside: boolean): Promise<Totals | undefined> {
  if (job.onServers) await others;
  if (stopping.signal.aborted) return undefined;
  const output = join(folder, `${job.name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${output}`];
  // Files that are named belong to one job; the others then have none.
  const named = args.length > 0 ? ['--passWithNoTests'] : [];
  const projects = job.projects.map((project) => `--project=${project}`);
  const started = performance.now();
  const code = await runVitest(['run', ...reporters, ...projects, ...named, ...args], {
    environment,
    stopped: stopping.signal,
    ...(beside ? { prefix: `[${job.name}] ` } : {}),
  });
  console.log(`Job ${job.name} ended after ${((performance.now() - started) / 1000).toFixed(0)} s.`);
  const totals = await readTotals(output);
  return totals && { ...totals, success: totals.success && code === 0 };
}

function tell(all: readonly Job[], ended: readonly (Totals | undefined)[]): void {
  const cut = all.filter((_, at) => ended[at] === undefined).map(({ name }) => name);
  const totals = sumOf(ended.filter((one) => one !== undefined));
  const strict = process.env['SLUICE_FAIL_ON_SKIP'] === '1' && totals.skipped > 0;
  const failed = cut.length > 0 || !totals.success || strict;
  process.exitCode = failed ? 1 : 0;
  for (const failure of totals.failures) console.log(`failed: ${failure}`);
  if (strict) for (const skip of totals.skips) console.log(`skipped: ${skip}`);
  if (cut.length > 0) {
    console.error(`The tests were stopped before they had ended: there are no totals of ${cut.join(', ')}.`);
    return;
  }
  if (totals.passed + totals.failed + totals.skipped === 0) {
    process.exitCode = 1;
    console.error('There is no test by these arguments.');
  }
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
}

/** Ends every server by its pid: ours, and those of stacks that a test was killed over. */
async function stop(): Promise<void> {
  const states = [state, zooKeeperState];
  for await (const file of glob(join(scratch, '{*/,*/*/}state.json'))) states.push(dirname(file));
  await Promise.all(states.map((one) => down({ state: one, remove: true })));
}
