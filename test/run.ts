import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { down, up } from '../stack/index.ts';
import { sentenceOf } from '../src/definition/errors.ts';

// `npm test`: a stack of its own on free ports, every ring of tests, the stack stopped, and the totals as the last line.

interface Totals {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly success: boolean;
}

const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
const state = join(folder, 'stack');
const zooKeeperState = join(folder, 'zookeeper');
// What tests leave behind goes with the run. Elasticsearch, which has a user of its own, must get through to what lies in it.
const scratch = await mkdtemp(join(tmpdir(), 'sluice-scratch-'));
await chmod(scratch, 0o755);
const environment: Record<string, string> = { TMPDIR: scratch };
let running = false;
try {
  await up({ state, freePorts: true });
  running = true;
  environment['SLUICE_TEST_STACK'] = state;
  await up({ state, freePorts: true, only: ['spark'] }).catch((error: unknown) => {
    environment['SLUICE_TEST_NO_SPARK'] = sentenceOf(error);
    console.error(`Tests on Spark are skipped: ${sentenceOf(error)}`);
  });
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
} catch (error) {
  environment['SLUICE_TEST_NO_STACK'] = sentenceOf(error);
  console.error(`Tests on the real servers are skipped: ${sentenceOf(error)}`);
}
try {
  const output = join(folder, 'totals.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${output}`];
  const code = await run('vitest', ['run', ...reporters, ...process.argv.slice(2)]);
  const text = await readFile(output, 'utf8').catch(() => undefined);
  if (running) await stop();
  if (text === undefined) {
    process.exitCode = 1;
    console.error('The tests were stopped before they had ended: there are no totals.');
  } else {
    const totals = JSON.parse(text) as Totals;
    const skipped = totals.numPendingTests + totals.numTodoTests;
    process.exitCode = code !== 0 || !totals.success ? 1 : 0;
    if (process.env['SLUICE_FAIL_ON_SKIP'] === '1' && skipped > 0) process.exitCode = 1;
    console.log(`${totals.numPassedTests} passed, ${totals.numFailedTests} failed, ${skipped} skipped`);
  }
} finally {
  if (running) await stop();
  for (const one of [folder, scratch]) await rm(one, { recursive: true, force: true });
}

async function stop(): Promise<void> {
  running = false;
  await Promise.all([state, zooKeeperState].map((one) => down({ state: one, remove: true })));
}

function run(command: string, args: readonly string[]): Promise<number> {
  const ended = Promise.withResolvers<number>();
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...environment } });
  child.on('error', ended.reject);
  child.on('exit', (code) => ended.resolve(code ?? 1));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return ended.promise;
}
