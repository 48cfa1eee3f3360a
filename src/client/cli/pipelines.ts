import { access } from 'node:fs/promises';
import { loadDefinition } from '../../definition/load.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { onlyScheduled, scheduledPipeline } from '../schedules/scheduled.ts';
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
  if (given !== undefined) return writtenName(given);
  return onlyScheduled(client.schedules, (all) => `with --pipeline ${all.join(' or ') || '<name or definition>'}`);
}

/** The name of a pipeline that was given by itself or by its definition's file. @throws SluiceError `DefinitionInvalid` */
export async function writtenName(given: string): Promise<string> {
  return (await isName(given)) ? given : (await loadDefinition(given)).name;
}

async function isName(given: string): Promise<boolean> {
  if (!plainName.test(given)) return false;
  return access(given).then(
    () => false,
    () => true,
  );
}

const scheduled = ({ schedules }: SluiceClient, name: string): Promise<Pipeline> =>
  scheduledPipeline(schedules, name, `"${name}" is no file, and no schedule has that name`);
