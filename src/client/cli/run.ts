import type { Pipeline } from '../../definition/pipeline.ts';
import type { ProfiledStage, StartStage } from '../../definition/names.ts';
import type { LaunchResult, RunReport } from '../../workflows/messages.ts';
import type { SluiceClient } from '../sluice-client.ts';
import { follow } from './follow.ts';
import { leavable, stay } from './leaving.ts';
import { withDefinition } from './pipelines.ts';
import { profileLines } from './timing-lines.ts';
import { bold, equationLines, importLines, preparedLines, Screen, staleLines } from './screen.ts';

export interface RunOptions {
  readonly hour?: string;
  readonly force?: boolean;
  readonly refetch?: boolean;
  readonly useCurrent?: boolean;
  readonly startFrom?: StartStage;
  readonly profile?: ProfiledStage;
  readonly detach?: boolean;
  readonly json?: boolean;
  /** Ctrl-C is somebody else's. */
  readonly stopsWithUs?: boolean;
  /** Where the hour runs already, run it once more after that. */
  readonly afterOther?: boolean;
}

/** `sluice run`. @param given a definition's file, or the name of a pipeline that has a schedule. @throws SluiceError what failed the run */
export async function run(given: string, options: RunOptions): Promise<number> {
  return withDefinition(given, (client, pipeline) => runPipeline(client, pipeline, options));
}

/** Runs an hour and follows it. @returns the exit code. @throws SluiceError what failed the run */
export async function runPipeline(client: SluiceClient, pipeline: Pipeline, options: RunOptions): Promise<number> {
  const screen = new Screen();
  let { launched, report } = await launchAndFollow(client, pipeline, options, screen);
  while (options.afterOther && !options.detach && launched.outcome === 'joined') {
    screen.say('That run had begun before; the hour runs once more.');
    ({ launched, report } = await launchAndFollow(client, pipeline, options, screen));
  }
  if (options.afterOther && options.detach && launched.outcome === 'joined')
    screen.say('That run had begun before: what is new here counts from the next run of the hour on.');
  if (options.json) process.stdout.write(`${JSON.stringify(summaryOf(launched, report))}\n`);
  else if (report) {
    const lines = [preparedLines, importLines, equationLines, staleLines].flatMap((linesOf) => linesOf(report));
    const { bottleneck } = report.timing ?? {};
    if (bottleneck) lines.push(bottleneck.sentence);
    lines.push(...profileLines(report));
    for (const line of lines) screen.say(line);
  }
  return 0;
}

/** Starts or joins a run and shows it to its end. */
export async function launchAndFollow(
  client: SluiceClient,
  pipeline: Pipeline,
  options: RunOptions,
  screen: Screen,
): Promise<{ launched: LaunchResult; report?: RunReport }> {
  const { hour, force, refetch, useCurrent, startFrom, profile, json } = options;
  const lookAgain = `npx sluice status ${pipeline.name}`;
  screen.live(`launching ${pipeline.name}; waits for a worker`);
  const asked = client.runs.launch({
    pipeline,
    ...(hour === undefined ? {} : { hour }),
    ...(force ? { force } : {}),
    ...(refetch ? { refetch } : {}),
    ...(useCurrent ? { useCurrent } : {}),
    ...(startFrom === undefined ? {} : { startFrom }),
    ...(profile === undefined ? {} : { profile }),
  });
  const early = { goesOn: 'the launch goes on, and its run begins once a worker takes it up', lookAgain };
  const left = options.stopsWithUs ? stay : leavable;
  const launched = await left(
    screen,
    () => early,
    json,
    () => asked,
  );
  screen.end();
  const { workflowId } = launched;
  if (launched.report) {
    screen.say(`${bold(pipeline.name)} ${launched.hour} is done already (--force runs it again)`);
    return { launched, report: launched.report };
  }
  screen.say(
    `${bold(pipeline.name)} ${launched.hour} ${launched.outcome === 'joined' ? 'runs already; following it' : 'started'}: ${workflowId}`,
  );
  if (options.detach) return { launched };
  const farewell = { goesOn: 'the run goes on', lookAgain, facts: { workflowId, hour: launched.hour } };
  const report = await left(
    screen,
    () => farewell,
    json,
    () => follow(client, workflowId, screen),
  );
  return { launched, report };
}

/** What `--json` prints: the main data set's rows first, then all there is. */
export function summaryOf(launched: LaunchResult, report: RunReport | undefined): Record<string, unknown> {
  const main = report?.equations.find(({ dataset }) => dataset === 'main');
  return {
    ...(main ? { rows: main.rows, holds: report?.equations.every(({ holds }) => holds) } : {}),
    outcome: report?.outcome ?? launched.outcome,
    hour: launched.hour,
    workflowId: launched.workflowId,
    ...(report
      ? {
          runId: report.runId,
          batches: report.batches,
          generations: report.generations,
          equations: report.equations,
          stages: report.stages,
          timing: report.timing,
          prepared: report.prepared,
          source: report.source,
          clean: report.clean,
          madeStale: report.madeStale,
        }
      : {}),
  };
}
