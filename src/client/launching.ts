import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { canonicalJson } from '../definition/canonical-json.ts';
import { SluiceError } from '../definition/errors.ts';
import { ids, taskQueues } from '../definition/names.ts';
import type { launch } from '../workflows/index.ts';
import type { LaunchInput, LaunchResult } from '../workflows/messages.ts';
import { failureOf } from './failure-of.ts';
import { resultOf } from './result-of.ts';

export interface LaunchOptions {
  /**
   * Launches under one key are one launch, and all are answered as the first was: a call whose answer was lost may be made again.
   * 1 to 128 printable ASCII characters. Temporal knows it for as long as it keeps the launch (its retention, some days).
   */
  readonly key?: string;
  /**
   * Takes the launch back where no worker has taken it up after so long: nothing starts later. One that was taken up has so long again,
   * six times; then it is left to itself. @default for ever
   */
  readonly patienceMs?: number;
}

type Launched = WorkflowHandle<typeof launch>;

/** What a keyed launch says it was asked for, in its memo. */
const ASKED = 'asked';

/** An event for its start, and one for the task that waits for a worker. */
const UNTAKEN = 2;

/**
 * @throws SluiceError the launch's own; `KeyReused` where the key is another launch's, `SettingsInvalid` where it is none; `NoWorker` where
 * patience was given and has come to its end
 */
export async function launchHour(
  client: Client,
  input: LaunchInput,
  { key, patienceMs }: LaunchOptions,
): Promise<LaunchResult> {
  try {
    const launched = await (key === undefined ? launchAnew(client, input) : launchOnce(client, input, key));
    return await (patienceMs === undefined
      ? resultOf<LaunchResult>(client, launched)
      : resultWithin(client, launched, patienceMs));
  } catch (error) {
    throw failureOf(error);
  }
}

function launchAnew(client: Client, input: LaunchInput): Promise<Launched> {
  return client.workflow.start<typeof launch>('launch', {
    // Two that start within one millisecond are two launches all the same; the second joins.
    workflowId: ids.launch(input.pipeline.name, `${new Date().toISOString()}-${randomUUID().slice(0, 8)}`),
    taskQueue: taskQueues.light,
    args: [input],
  });
}

async function launchOnce(client: Client, input: LaunchInput, key: string): Promise<Launched> {
  if (!/^[\x20-\x7e]{1,128}$/.test(key)) {
    throw new SluiceError('SettingsInvalid', 'An idempotency key has 1 to 128 printable ASCII characters.');
  }
  const workflowId = ids.keyedLaunch(input.pipeline.name, key);
  const asked = createHash('sha256').update(canonicalJson(input)).digest('hex');
  try {
    await client.workflow.start<typeof launch>('launch', {
      workflowId,
      taskQueue: taskQueues.light,
      args: [input],
      memo: { [ASKED]: asked },
      // A launch that failed started nothing, so that its key may be tried again. One that waits fails as its run does, which is an answer.
      workflowIdReusePolicy: input.wait ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE_FAILED_ONLY',
      workflowIdConflictPolicy: 'FAIL',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  const handle = client.workflow.getHandle<typeof launch>(workflowId);
  const { memo } = await handle.describe();
  if (memo?.[ASKED] !== asked) {
    throw new SluiceError('KeyReused', `The key "${key}" is that of another launch: take a new one for this.`);
  }
  return handle;
}

async function resultWithin(client: Client, launched: Launched, patienceMs: number): Promise<LaunchResult> {
  const left = new AbortController();
  const result = resultOf<LaunchResult>(client, launched, left.signal);
  const within = (ms: number): Promise<LaunchResult | undefined> =>
    Promise.race([result, wait(ms, undefined, { signal: left.signal })]);
  try {
    const soon = await within(patienceMs);
    if (soon) return soon;
    const { historyLength, status } = await launched.describe();
    if (status.name === 'RUNNING' && historyLength <= UNTAKEN) {
      await launched.terminate('No worker took it up, and who asked for it waits no longer.');
      const message = 'No worker has taken the launch up, so it was taken back: start one with "npx sluice worker".';
      throw new SluiceError('NoWorker', message);
    }
    const late = await within(6 * patienceMs);
    if (late) return late;
    throw new SluiceError('NoWorker', `The launch ${launched.workflowId} takes long, and goes on: look at it later.`);
  } finally {
    left.abort();
    // Whoever threw first is told; what is given up here is not.
    result.catch(() => {});
  }
}
