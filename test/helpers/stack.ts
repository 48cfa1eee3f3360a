import { runningStack, type RunningStack } from '../../stack/index.ts';

/** Why there is no stack here, as the test runner said; undefined where there is one. */
const reason = process.env['SLUICE_TEST_NO_STACK'];
const state = process.env['SLUICE_TEST_STACK'];

/** Tests on real servers are skipped where the runner could start none; it prints why. */
export const noStack = state === undefined || state === '' || reason !== undefined;

/** The same for Spark, which the stack has only where it was asked for. */
export const noSpark = noStack || process.env['SLUICE_TEST_NO_SPARK'] !== undefined;

/** The stack that `npm test` started for this run. */
export async function testStack(): Promise<RunningStack> {
  const running = state === undefined ? undefined : await runningStack({ state });
  if (!running) throw new Error('no test stack runs: use "npm test", or set SLUICE_TEST_STACK to the folder of one');
  return running;
}

const zooKeeperState = process.env['SLUICE_TEST_ZOOKEEPER'];

/** The same for Kafka with ZooKeeper, which is a stack of its own beside the other one. */
export const noZooKeeper =
  noStack || (zooKeeperState ?? '') === '' || process.env['SLUICE_TEST_NO_ZOOKEEPER'] !== undefined;

/** The folder of a stack that has Temporal and Kafka with ZooKeeper, and nothing else. */
export function zooKeeperStack(): string {
  if (noZooKeeper || zooKeeperState === undefined)
    throw new Error(
      'no Kafka with ZooKeeper runs: use "npm test", or set SLUICE_TEST_ZOOKEEPER to the folder of a stack',
    );
  return zooKeeperState;
}
