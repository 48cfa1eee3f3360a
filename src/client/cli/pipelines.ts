import { access } from 'node:fs/promises';
import { ScheduleNotFoundError, type Client } from '@temporalio/client';
import { SluiceError } from '../../definition/errors.ts';
import { loadDefinition } from '../../definition/load.ts';
import { ids } from '../../definition/names.ts';
import { pipelineSchema, type Pipeline } from '../../definition/pipeline.ts';
import type { LaunchInput } from '../../workflows/messages.ts';
import { SluiceClient } from '../sluice-client.ts';

/** A pipeline's name, and what no file of a definition is called. */
const plainName = /^[a-z][a-z0-9-]*$/;

/**
 * The definition that is meant: that of a file, or that of the schedule of this name.
 * @throws SluiceError `DefinitionInvalid` where the file is none; `PipelineUnknown` where there is neither
 */
export async function pipelineOf(given: string, client?: SluiceClient): Promise<Pipeline> {
  if (!(await isName(given))) return loadDefinition(given);
  if (client) return scheduled(client.temporal, given);
  const own = await SluiceClient.connect();
  try {
    return await scheduled(own.temporal, given);
  } finally {
    await own.close();
  }
}

/**
 * The name of the pipeline that is meant, by itself or by its definition's file. Where nothing is given: the only one that has a schedule.
 * @throws SluiceError `PipelineUnknown` where there are several, or none
 */
export async function pipelineNameOf(given: string | undefined, client: SluiceClient): Promise<string> {
  if (given !== undefined) return (await isName(given)) ? given : (await loadDefinition(given)).name;
  const all = await scheduledNames(client.temporal);
  const [only] = all;
  if (only !== undefined && all.length === 1) return only;
  throw new SluiceError(
    'PipelineUnknown',
    all.length === 0
      ? 'No pipeline has a schedule: say which one is meant, with --pipeline <name or definition>.'
      : `Several pipelines have a schedule: say which one is meant, with --pipeline ${all.join(' or ')}.`,
  );
}

async function isName(given: string): Promise<boolean> {
  if (!plainName.test(given)) return false;
  return access(given).then(
    () => false,
    () => true,
  );
}

async function scheduled(client: Client, name: string): Promise<Pipeline> {
  try {
    const { action } = await client.schedule.getHandle(ids.schedule(name)).describe();
    const [input] = (action.args ?? []) as LaunchInput[];
    return pipelineSchema.parse(input?.pipeline);
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    const all = await scheduledNames(client);
    throw new SluiceError(
      'PipelineUnknown',
      `"${name}" is no file, and no schedule has that name; ${all.length === 0 ? 'there is no schedule' : `there are ${all.join(', ')}`}.`,
    );
  }
}

/** The pipelines that have a schedule. */
export async function scheduledNames(client: Client): Promise<string[]> {
  const found: string[] = [];
  for await (const { scheduleId, action } of client.schedule.list())
    if (action?.workflowType === 'launch') found.push(scheduleId);
  return found.toSorted();
}
