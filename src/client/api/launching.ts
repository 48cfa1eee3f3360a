import type { FastifyRequest } from 'fastify';
import { acceptDefinition } from '../../definition/check-definition.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { LaunchInput } from '../../workflows/messages.ts';
import { onlyScheduled, scheduledPipeline } from '../schedules/scheduled.ts';
import type { SluiceClient } from '../sluice-client.ts';
import type { ApiContext } from './context.ts';
import type { Links } from './schemas.ts';

/** So long a launch may wait for a worker; the answer comes within seven times that. */
const PATIENCE_MS = 10_000;
export const LAUNCH_MS = 7 * PATIENCE_MS + 10_000;

export type Asked = Omit<LaunchInput, 'pipeline' | 'wait'>;

export interface Launched {
  readonly pipeline: string;
  readonly hour: string;
  readonly outcome: 'started' | 'joined';
  readonly workflowId: string;
  readonly runId?: string;
  readonly links: Links;
}

/**
 * Starts a run of an hour, or joins the one there is, and says where it can be looked at.
 * @param given a pipeline's name, or its definition; undefined for the one that this API has, or the only one that has a schedule
 * @throws SluiceError `PipelineUnknown`, `DefinitionInvalid`, `KeyReused`, `NoWorker`, `LaunchPending`
 */
export function launchRun(
  { session, links, pipeline: own }: ApiContext,
  request: FastifyRequest,
  given: string | object | undefined,
  asked: Asked,
  key?: string,
): Promise<Launched> {
  return session.use(async (client) => {
    const pipeline = await pipelineOf(client, given, own);
    const options = { patienceMs: PATIENCE_MS, ...(key === undefined ? {} : { key }) };
    const { hour, outcome, workflowId, report } = await client.runs.launch({ pipeline, ...asked }, options);
    const runId = report?.runId ?? (await client.runs.find(pipeline.name, hour))?.runId;
    return {
      ...{ pipeline: pipeline.name, hour, outcome, workflowId },
      ...(runId === undefined ? {} : { runId }),
      links: links.of(request, workflowId, runId),
    };
  }, LAUNCH_MS);
}

/**
 * The definition that is meant. The schedule's goes before the one that this API was started with: it is what hours are run by.
 * @throws SluiceError `PipelineUnknown`, `DefinitionInvalid`
 */
export async function pipelineOf(
  { schedules }: SluiceClient,
  given: string | object | undefined,
  own: Pipeline | undefined,
): Promise<Pipeline> {
  if (typeof given === 'object') return acceptDefinition(given);
  const name =
    given ??
    own?.name ??
    (await onlyScheduled(schedules, (all) => `with {"pipeline": "${all.join('"} or {"pipeline": "') || '<name>'}"}`));
  try {
    return await scheduledPipeline(schedules, name, `No schedule has the name "${name}"`);
  } catch (error) {
    if (own?.name === name) return own;
    throw error;
  }
}
