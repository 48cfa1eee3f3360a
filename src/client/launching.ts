import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import { TerminatedFailure } from '@temporalio/common';
import { canonicalJson } from '../definition/canonical-json.ts';
import { SluiceError } from '../definition/errors.ts';
import { hourOfRun, ids, taskQueues } from '../definition/names.ts';
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
   * six times; then it is left to itself, and its run may still start. @default for ever
   */
  readonly patienceMs?: number;
}

/** One launch as Temporal has it. */
interface Launched {
  readonly workflowId: string;
  readonly runId: string;
}

/** What a keyed launch says it was asked for, in its memo. */
const ASKED = 'asked';

/** An event for its start, and one for the task that waits for a worker. */
const UNTAKEN = 2;

/** Why a launch was terminated that no worker had taken up. */
const TAKEN_BACK = 'No worker took it up, and who asked for it waits no longer.';

/** A run that its launch has asked for is there a moment later. */
const [RUN_LOOKS, RUN_LOOK_MS] = [20, 250];

/**
 * @throws SluiceError the launch's own; `KeyReused` where the key is another launch's, `SettingsInvalid` where it is none; where patience
 * was given and has come to its end, `NoWorker` if nothing is started any more, `LaunchPending` if it may be
 */
export async function launchHour(
  client: Client,
  input: LaunchInput,
  { key, patienceMs }: LaunchOptions,
): Promise<LaunchResult> {
  try {
    const launched = await (key === undefined ? launchAnew(client, input) : launchOnce(client, input, key));
    try {
      return await (patienceMs === undefined ? resultOf(client, launched) : resultWithin(client, launched, patienceMs));
    } catch (error) {
      if (!wasTakenBack(error)) throw error;
      return await startedAllTheSame(client, launched);
    }
  } catch (error) {
    throw failureOf(error);
  }
}

async function launchAnew(client: Client, input: LaunchInput): Promise<Launched> {
  const { workflowId, firstExecutionRunId } = await client.workflow.start<typeof launch>('launch', {
    // Two that start within one millisecond are two launches all the same; the second joins.
    workflowId: ids.launch(input.pipeline.name, `${new Date().toISOString()}-${randomUUID().slice(0, 8)}`),
    taskQueue: taskQueues.light,
    args: [input],
  });
  return { workflowId, runId: firstExecutionRunId };
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
  const { memo, runId } = await client.workflow.getHandle(workflowId).describe();
  if (memo?.[ASKED] !== asked) {
    throw new SluiceError('KeyReused', `The key "${key}" is that of another launch: take a new one for this.`);
  }
  return { workflowId, runId };
}

async function resultWithin(client: Client, launched: Launched, patienceMs: number): Promise<LaunchResult> {
  const left = new AbortController();
  const result = resultOf<LaunchResult>(client, launched, left.signal);
  const within = (ms: number): Promise<LaunchResult | undefined> =>
    Promise.race([result, wait(ms, undefined, { signal: left.signal })]);
  try {
    const soon = await within(patienceMs);
    if (soon) return soon;
    const handle = client.workflow.getHandle(launched.workflowId, launched.runId);
    const { historyLength, status } = await handle.describe();
    if (status.name === 'RUNNING' && historyLength <= UNTAKEN) await handle.terminate(TAKEN_BACK).catch(endedItself);
    const late = await within(6 * patienceMs);
    if (late) return late;
    throw pending(launched);
  } finally {
    left.abort();
    // Whoever threw first is told; what is given up here is not.
    result.catch(() => {});
  }
}

function endedItself(error: unknown): void {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
}

function wasTakenBack(error: unknown): boolean {
  if (!(error instanceof WorkflowFailedError)) return false;
  return error.cause instanceof TerminatedFailure && error.cause.message === TAKEN_BACK;
}

/**
 * A worker may take a launch up between the look that found it waiting and its termination. What the launch had asked for by then goes on
 * without it.
 * @throws SluiceError `NoWorker` where it had not come to that; `LaunchPending` where its run is not there yet
 */
async function startedAllTheSame(client: Client, launched: Launched): Promise<LaunchResult> {
  const { events } = await client.workflow.getHandle(launched.workflowId, launched.runId).fetchHistory();
  const asked = events?.map((event) => event.startChildWorkflowExecutionInitiatedEventAttributes).find(Boolean);
  const workflowId = asked?.workflowId ?? '';
  const run = hourOfRun(workflowId);
  if (!run) {
    const message = 'No worker has taken the launch up, so it was taken back: start one with "npx sluice worker".';
    throw new SluiceError('NoWorker', message);
  }
  for (let look = 0; look < RUN_LOOKS; look += 1) {
    const found = await client.workflow.getHandle(workflowId).describe().catch(endedItself);
    const ours = found?.parentExecution?.runId === launched.runId;
    if (ours || found?.status.name === 'RUNNING')
      return { outcome: ours ? 'started' : 'joined', hour: run.hour, workflowId };
    await wait(RUN_LOOK_MS);
  }
  throw pending(launched);
}

function pending({ workflowId }: Launched): SluiceError {
  const message = `A worker has taken the launch ${workflowId} up, and is not through with it: its run may still start, "sluice status" shows it then.`;
  return new SluiceError('LaunchPending', message);
}
