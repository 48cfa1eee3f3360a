import { SluiceError } from '../../definition/errors.ts';
import { SluiceClient } from '../sluice-client.ts';
import { staleRuns } from './stale-runs.ts';

/** `sluice status`. The newest run of an hour says whether the hour is stale. */
export async function status(
  pipeline: string | undefined,
  options: { limit: number; json?: boolean },
): Promise<number> {
  if (pipeline !== undefined && !/^[a-z][a-z0-9-]*$/.test(pipeline)) {
    throw new SluiceError(
      'DefinitionInvalid',
      `"${pipeline}" is no pipeline's name: lower case letters, digits and "-".`,
    );
  }
  const client = await SluiceClient.connect();
  try {
    const runs = await client.runs.list({ ...(pipeline === undefined ? {} : { pipeline }), limit: options.limit });
    const ids = runs.map(({ workflowId }) => workflowId);
    const stale = await staleRuns(ids, process.env);
    const shown = await Promise.all(
      runs.map(async (run, at) => ({
        ...run,
        ...(stale.has(run.workflowId) && ids.indexOf(run.workflowId) === at
          ? { stale: stale.get(run.workflowId) }
          : {}),
        ...(run.status === 'running' ? { stage: (await client.runs.progress(run.workflowId))?.current ?? '' } : {}),
      })),
    );
    if (options.json) {
      process.stdout.write(`${JSON.stringify({ runs: shown })}\n`);
      return 0;
    }
    if (shown.length === 0)
      process.stdout.write('No run yet: start one with "npx sluice run pipelines/broadband.yaml".\n');
    for (const run of shown) {
      const took = run.closedAt
        ? `${((Date.parse(run.closedAt) - Date.parse(run.startedAt)) / 1000).toFixed(1)} s`
        : 'stage' in run
          ? run.stage
          : '';
      process.stdout.write(
        `${run.status.padEnd(10)} ${run.workflowId.padEnd(48)} ${run.startedAt.slice(0, 19)}Z  ${took}${run.stale ? '  stale' : ''}\n`,
      );
    }
    return 0;
  } finally {
    await client.close();
  }
}
