import { access } from 'node:fs/promises';
import { SluiceError } from '../../definition/errors.ts';
import { loadDefinition } from '../../definition/load.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { SluiceClient } from '../sluice-client.ts';
import { withClient } from './with-client.ts';

/** A pipeline's name, and what no file of a definition is called. */
const plainName = /^[a-z][a-z0-9-]*$/;

/**
 * The definition that is meant: that of a file, or that of the schedule of this name.
 * @throws SluiceError `DefinitionInvalid` where the file is none; `PipelineUnknown` where there is neither
 */
export async function pipelineOf(given: string, client?: SluiceClient): Promise<Pipeline> {
  if (!(await isName(given))) return loadDefinition(given);
  return client ? scheduled(client, given) : withClient((own) => scheduled(own, given));
}

/**
 * Does something with a client and the definition that is meant. A file that is wrong is found before a server is looked for.
 * @throws SluiceError as {@link pipelineOf}
 */
export async function withDefinition<T>(
  given: string,
  work: (client: SluiceClient, pipeline: Pipeline) => Promise<T>,
): Promise<T> {
  const written = (await isName(given)) ? undefined : await loadDefinition(given);
  return withClient(async (client) => work(client, written ?? (await scheduled(client, given))));
}

/**
 * The name of the pipeline that is meant, by itself or by its definition's file. Where nothing is given: the only one that has a schedule.
 * @throws SluiceError `PipelineUnknown` where there are several, or none
 */
export async function pipelineNameOf(given: string | undefined, client: SluiceClient): Promise<string> {
  if (given !== undefined) return (await isName(given)) ? given : (await loadDefinition(given)).name;
  const all = await scheduledNames(client.schedules);
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

async function scheduled({ schedules }: SluiceClient, name: string): Promise<Pipeline> {
  try {
    return await schedules.definition(name);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'ScheduleUnknown') throw error;
    const all = await scheduledNames(schedules);
    const there =
      all.length === 0 ? 'there is no schedule' : `there ${all.length === 1 ? 'is' : 'are'} ${all.join(', ')}`;
    throw new SluiceError('PipelineUnknown', `"${name}" is no file, and no schedule has that name; ${there}.`);
  }
}

/** The pipelines that have a schedule. */
async function scheduledNames(schedules: SluiceClient['schedules']): Promise<string[]> {
  const all = await schedules.list();
  return all.filter(({ starts }) => starts === 'launch').map(({ scheduleId }) => scheduleId);
}
