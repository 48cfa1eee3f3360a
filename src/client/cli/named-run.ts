import { SluiceError } from '../../definition/errors.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import { hourOfRun } from '../../definition/names.ts';
import type { SluiceClient } from '../sluice-client.ts';
import { isRunId, type NamedRun } from './arguments.ts';
import { oneLine } from './one-line.ts';
import { pipelineNameOf } from './pipelines.ts';

/**
 * Which run is meant: of an hour the newest, where none is named.
 * @param given the pipeline, by its name or its definition's file
 * @throws SluiceError `HourUnknown` where there is none, or Temporal knows it no more; `SettingsInvalid` where the id is
 * none; as `pipelineNameOf`
 */
export async function runMeant(
  client: SluiceClient,
  named: NamedRun,
  given: string | undefined,
): Promise<{ readonly pipeline: string; readonly hour: LogicalHour; readonly runId: string }> {
  if (named.runId !== undefined && !isRunId(named.runId)) {
    const like = '01a21946-3079-7ede-afc1-0c4048d5e24c';
    throw new SluiceError('SettingsInvalid', `"${oneLine(named.runId)}" is no id of a run: they are like ${like}.`);
  }
  if (named.hour === undefined) return runOf(client, named.runId ?? '');
  const { hour } = named;
  const pipeline = named.pipeline ?? (await pipelineNameOf(given, client));
  const runId = named.runId ?? (await client.runs.find(pipeline, hour))?.runId;
  if (runId !== undefined) return { pipeline, hour, runId };
  const known = await client.runs.attempts(pipeline, hour);
  throw new SluiceError(
    'HourUnknown',
    known.length === 0
      ? `The hour ${hour} of ${pipeline} has not been run.`
      : `Temporal has no history of ${pipeline} ${hour} any more; what it came to says: sluice run report ${hour.slice(0, 13)} --pipeline ${pipeline}`,
  );
}

async function runOf(client: SluiceClient, runId: string) {
  for await (const { workflowId } of client.temporal.workflow.list({ query: `RunId = '${runId}'` })) {
    const found = hourOfRun(workflowId);
    if (found) return { ...found, runId };
  }
  throw new SluiceError('HourUnknown', `Temporal knows no run ${runId} of an hour: name the hour, and its pipeline.`);
}
