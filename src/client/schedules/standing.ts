import { randomUUID } from 'node:crypto';
import {
  isGrpcServiceError,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type Client,
  type ScheduleDescription,
} from '@temporalio/client';
import {
  encodeScheduleAction,
  encodeSchedulePolicies,
  encodeScheduleSpec,
} from '@temporalio/client/lib/schedule-helpers.js';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import { grpcCode, INVALID_ARGUMENT, NOT_FOUND } from '../grpc-code.ts';
import type { DesiredSchedule } from './desired.ts';
import { differencesOf, type Difference } from './differences.ts';
import { desiredForm, formOf } from './form.ts';

/** What became of a schedule, or is to. */
export interface SchedulePlan {
  readonly scheduleId: string;
  readonly change: 'create' | 'update' | 'delete' | 'none';
  /** Of an update, field by field; of a new schedule all that it is to be, but for its input. */
  readonly differences: readonly Difference[];
  /** What stays as it is although the definition says otherwise. */
  readonly notes: readonly string[];
}

/** So often a change is tried that others change at the same time. */
const TRIES = 10;

/** The schedule as it stands; undefined where there is none. */
export async function standing(client: Client, scheduleId: string): Promise<ScheduleDescription | undefined> {
  try {
    return await client.schedule.getHandle(scheduleId).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

/** What would have to change for a schedule to be as it is wanted. @param wanted undefined where there is to be none */
export async function planOf(
  client: Client,
  scheduleId: string,
  wanted: DesiredSchedule | undefined,
): Promise<SchedulePlan> {
  return compare(scheduleId, await standing(client, scheduleId), wanted);
}

/**
 * Brings a schedule up to what is wanted, and tells what it did.
 * A change counts once it is seen to stand: the server drops one that another has overtaken, without a word.
 * @throws SluiceError `DefinitionInvalid` where the server refuses it, `ScheduleContended`
 */
export async function bringUp(
  client: Client,
  scheduleId: string,
  wanted: DesiredSchedule | undefined,
): Promise<SchedulePlan> {
  let did: SchedulePlan | undefined;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const stands = await standing(client, scheduleId);
    const plan = compare(scheduleId, stands, wanted);
    if (plan.change === 'none') return did ? { ...did, notes: plan.notes } : plan;
    const done = await carryOut(client, plan, stands, wanted);
    if (done === 'stands') return plan;
    if (done === 'sent') did = plan;
  }
  const message = `The schedule ${scheduleId} is being changed by others all the time: try again.`;
  throw new SluiceError('ScheduleContended', message);
}

function compare(
  scheduleId: string,
  stands: ScheduleDescription | undefined,
  wanted: DesiredSchedule | undefined,
): SchedulePlan {
  const plan = { scheduleId, differences: [], notes: [] };
  if (!wanted) return { ...plan, change: stands ? 'delete' : 'none' };
  if (!stands) {
    const { input: _, ...form } = desiredForm(wanted);
    return { ...plan, change: 'create', differences: differencesOf({}, form) };
  }
  const differences = differencesOf(formOf(stands), desiredForm(wanted));
  return {
    scheduleId,
    change: differences.length > 0 ? 'update' : 'none',
    differences,
    notes:
      wanted.paused && !stands.state.paused
        ? [`The definition says paused: true, but ${scheduleId} was resumed, and stays so: pause it yourself.`]
        : [],
  };
}

/** @returns `sent` for a change that is yet to be seen, `overtaken` where another created or deleted the schedule first */
async function carryOut(
  client: Client,
  { change, scheduleId }: SchedulePlan,
  stands: ScheduleDescription | undefined,
  wanted: DesiredSchedule | undefined,
): Promise<'stands' | 'sent' | 'overtaken'> {
  try {
    if (change === 'delete') await client.schedule.getHandle(scheduleId).delete();
    else if (wanted && stands) await update(client, stands, wanted);
    else if (wanted) {
      const { spec, action, policies, paused } = wanted;
      await client.schedule.create({ scheduleId, spec, action, policies, state: { paused } });
    }
    return change === 'update' ? 'sent' : 'stands';
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return 'overtaken';
    if (error instanceof ScheduleNotFoundError || grpcCode(error) === NOT_FOUND)
      return change === 'delete' ? 'stands' : 'overtaken';
    const refused = error instanceof TypeError || grpcCode(error) === INVALID_ARGUMENT;
    if (!refused) throw error;
    const message = `Temporal refuses the schedule ${scheduleId}: ${detailsOf(error)}.`;
    throw new SluiceError('DefinitionInvalid', message, { cause: error });
  }
}

/**
 * The SDK's own update knows no conflict token: whoever paused the schedule between its reading and its writing would see that undone.
 * The state goes back as it was read, to the last field.
 */
async function update(
  client: Client,
  { raw, scheduleId }: ScheduleDescription,
  wanted: DesiredSchedule,
): Promise<void> {
  const { namespace, identity, loadedDataConverter } = client.options;
  const headers = raw.schedule?.action?.startWorkflow?.header?.fields ?? {};
  const action = { ...wanted.action, args: [...(wanted.action.args ?? [])] };
  await client.workflowService.updateSchedule({
    namespace,
    scheduleId,
    identity,
    requestId: randomUUID(),
    conflictToken: raw.conflictToken ?? null,
    schedule: {
      spec: encodeScheduleSpec(wanted.spec),
      action: await encodeScheduleAction(loadedDataConverter, namespace, action, headers),
      policies: encodeSchedulePolicies(wanted.policies),
      state: raw.schedule?.state ?? null,
    },
  });
}

function detailsOf(error: unknown): string {
  if (isGrpcServiceError(error)) return error.details;
  return error instanceof Error && error.cause instanceof Error ? detailsOf(error.cause) : sentenceOf(error);
}
