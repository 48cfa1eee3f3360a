import type { LogicalHour } from '../../definition/hour.ts';
import { ids, type StartStage } from '../../definition/names.ts';
import type { RunProgress } from '../../workflows/messages.ts';
import type { RunAttempt } from '../runs.ts';
import type { SluiceClient } from '../sluice-client.ts';
import { pipelineNameOf, pipelineOf } from './pipelines.ts';
import { runPipeline } from './run.ts';
import { boldOut, count, seconds, styled } from './screen.ts';
import { withClient } from './with-client.ts';

/** Which pipeline's hour, for every verb. */
export interface VerbFlags {
  readonly pipeline?: string;
  readonly json?: boolean;
}

export interface RetryFlags extends VerbFlags {
  readonly from: StartStage;
  readonly detach?: boolean;
}

/** Opens a client and finds out which pipeline is meant. */
export function withPipeline(
  given: string | undefined,
  work: (client: SluiceClient, pipeline: string) => Promise<number>,
): Promise<number> {
  return withClient(async (client) => work(client, await pipelineNameOf(given, client)));
}

/** `sluice run pause`, `resume` and `cancel`. */
export function steer(word: 'pause' | 'resume' | 'cancel', hour: LogicalHour, flags: VerbFlags): Promise<number> {
  return withPipeline(flags.pipeline, async (client, pipeline) => {
    const workflowId = ids.pipeline(pipeline, hour);
    const progress = await client.runs[word](workflowId);
    process.stdout.write(
      flags.json ? `${JSON.stringify({ workflowId, ...progress })}\n` : `${progressLine(progress)}\n`,
    );
    return 0;
  });
}

/** Where a run stands, in a line. */
export function progressLine({ pipeline, hour, mode = 'running', current, waiting, stages }: RunProgress): string {
  const at = current === undefined ? `after ${stages.at(-1)?.stage ?? 'its start'}` : `at ${current}`;
  return `${boldOut(pipeline)} ${hour} is ${mode}, ${at}${waiting === undefined || mode === 'paused' ? '' : `, waits for ${waiting}`}`;
}

/** `sluice run retry`: another run of the hour that begins at a stage, with what the hour has stored of those before. */
export function retry(hour: LogicalHour, { pipeline: given, from, detach, json }: RetryFlags): Promise<number> {
  return withClient(async (client) => {
    const pipeline = await pipelineOf(given ?? (await pipelineNameOf(undefined, client)), client);
    return runPipeline(client, pipeline, {
      ...{ hour, startFrom: from },
      ...(detach ? { detach } : {}),
      ...(json ? { json } : {}),
    });
  });
}

/** `sluice run attempts`. */
export function attempts(hour: LogicalHour, flags: VerbFlags): Promise<number> {
  return withPipeline(flags.pipeline, async (client, pipeline) => {
    const found = await client.runs.attempts(pipeline, hour);
    if (flags.json) process.stdout.write(`${JSON.stringify({ pipeline, hour, attempts: found })}\n`);
    else if (found.length === 0) process.stdout.write(`The hour ${hour} of ${pipeline} has not been run.\n`);
    else process.stdout.write(`${found.map(attemptLine).join('\n')}\n`);
    return 0;
  });
}

function attemptLine({ runId, outcome, startedAt, endedAt, rows, error }: RunAttempt): string {
  const took = endedAt === undefined ? '' : seconds(Date.parse(endedAt) - Date.parse(startedAt));
  const what = [
    ...(rows === undefined ? [] : [`${count(rows)} rows`]),
    ...(error ? [styled('red', `${error.code} in ${error.stage}: ${error.message}`, process.stdout)] : []),
  ];
  return `${startedAt.slice(0, 19)}Z  ${outcome.padEnd(10)} ${took.padStart(9)}  ${runId}  ${what.join('; ')}`.trimEnd();
}
