import { createHash, randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { canonicalJson } from '../definition/canonical-json.ts';
import { SluiceError } from '../definition/errors.ts';
import { ids, taskQueues } from '../definition/names.ts';
import type { launch } from '../workflows/index.ts';
import type { LaunchInput, LaunchResult } from '../workflows/messages.ts';
import { failureOf } from './failure-of.ts';

export interface LaunchOptions {
  /**
   * Launches under one key are one launch, and all are answered as the first was: a call whose answer was lost may be made again.
   * 1 to 128 printable ASCII characters. Temporal knows it for as long as it keeps the launch (its retention, some days).
   */
  readonly key?: string;
}

/** What a keyed launch says it was asked for, in its memo. */
const ASKED = 'asked';

/** @throws SluiceError the launch's own; `KeyReused` where the key is another launch's, `SettingsInvalid` where it is none */
export async function launchHour(client: Client, input: LaunchInput, { key }: LaunchOptions): Promise<LaunchResult> {
  try {
    return key === undefined ? await launchAnew(client, input) : await launchOnce(client, input, key);
  } catch (error) {
    throw failureOf(error);
  }
}

function launchAnew(client: Client, input: LaunchInput): Promise<LaunchResult> {
  return client.workflow.execute<typeof launch>('launch', {
    // Two that start within one millisecond are two launches all the same; the second joins.
    workflowId: ids.launch(input.pipeline.name, `${new Date().toISOString()}-${randomUUID().slice(0, 8)}`),
    taskQueue: taskQueues.light,
    args: [input],
  });
}

async function launchOnce(client: Client, input: LaunchInput, key: string): Promise<LaunchResult> {
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
  return handle.result();
}
