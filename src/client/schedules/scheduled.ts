import { SluiceError } from '../../definition/errors.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { Schedules } from './schedules.ts';

/** The pipelines that have a schedule. */
export async function scheduledNames(schedules: Schedules): Promise<string[]> {
  const all = await schedules.list();
  return all.filter(({ starts }) => starts === 'launch').map(({ scheduleId }) => scheduleId);
}

/** Its schedule holds no sound definition, or has been removed meanwhile. */
const withoutDefinition: readonly string[] = ['DefinitionInvalid', 'ScheduleUnknown'];

/**
 * The definition of the schedule of this name; undefined where it holds no sound one, or is not there.
 * @throws where Temporal does not say
 */
export async function soundDefinition(
  schedules: Pick<Schedules, 'definition'>,
  name: string,
): Promise<Pipeline | undefined> {
  try {
    return await schedules.definition(name);
  } catch (error) {
    if (error instanceof SluiceError && withoutDefinition.includes(error.code)) return undefined;
    throw error;
  }
}

/**
 * The pipeline that is meant where none is named: the only one that has a schedule.
 * @param how the way to name one at this door, for the sentence that asks for it: `with --pipeline broadband or counties`
 * @throws SluiceError `PipelineUnknown` where there are several, or none
 */
export async function onlyScheduled(schedules: Schedules, how: (names: readonly string[]) => string): Promise<string> {
  const all = await scheduledNames(schedules);
  const [only] = all;
  if (only !== undefined && all.length === 1) return only;
  const many = all.length === 0 ? 'No pipeline has a schedule' : 'Several pipelines have a schedule';
  throw new SluiceError('PipelineUnknown', `${many}: say which one is meant, ${how(all)}.`);
}

/**
 * The definition of the schedule of this name.
 * @param missing what is said where there is none: `"broadbnd" is no file, and no schedule has that name`
 * @throws SluiceError `PipelineUnknown`; `DefinitionInvalid` where the schedule holds none that is sound
 */
export async function scheduledPipeline(schedules: Schedules, name: string, missing: string): Promise<Pipeline> {
  try {
    return await schedules.definition(name);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'ScheduleUnknown') throw error;
    const all = await scheduledNames(schedules);
    const there =
      all.length === 0 ? 'there is no schedule' : `there ${all.length === 1 ? 'is' : 'are'} ${all.join(', ')}`;
    throw new SluiceError('PipelineUnknown', `${missing}; ${there}.`);
  }
}
