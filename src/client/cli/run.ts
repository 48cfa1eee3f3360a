import type { Pipeline } from '../../definition/pipeline.ts';
import { loadDefinition } from '../../definition/load.ts';
import type { LaunchResult, RunReport } from '../../workflows/messages.ts';
import { SluiceClient } from '../sluice-client.ts';
import { follow } from './follow.ts';
import { bold, equationLines, importLines, preparedLines, Screen, staleLines } from './screen.ts';

export interface RunOptions {
  readonly hour?: string;
  readonly force?: boolean;
  readonly refetch?: boolean;
  readonly useCurrent?: boolean;
  readonly detach?: boolean;
  readonly json?: boolean;
  /** Where the hour runs already, run it once more after that. */
  readonly afterOther?: boolean;
}

/** `sluice run`. @throws SluiceError what failed the run */
export async function run(file: string, options: RunOptions): Promise<number> {
  const pipeline = await loadDefinition(file);
  const screen = new Screen();
  const client = await SluiceClient.connect();
  try {
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
      for (const line of lines) screen.say(line);
    }
    return 0;
  } finally {
    await client.close();
  }
}

/** Starts or joins a run and shows it to its end. */
export async function launchAndFollow(
  client: SluiceClient,
  pipeline: Pipeline,
  options: RunOptions,
  screen: Screen,
): Promise<{ launched: LaunchResult; report?: RunReport }> {
  const { hour, force, refetch, useCurrent } = options;
  screen.live(`launching ${pipeline.name}; waits for a worker`);
  const launched = await client.runs.launch({
    pipeline,
    ...(hour === undefined ? {} : { hour }),
    ...(force ? { force } : {}),
    ...(refetch ? { refetch } : {}),
    ...(useCurrent ? { useCurrent } : {}),
  });
  screen.end();
  if (launched.report) {
    screen.say(`${bold(pipeline.name)} ${launched.hour} is done already (--force runs it again)`);
    return { launched, report: launched.report };
  }
  screen.say(
    `${bold(pipeline.name)} ${launched.hour} ${launched.outcome === 'joined' ? 'runs already; following it' : 'started'}: ${launched.workflowId}`,
  );
  if (options.detach) return { launched };
  const interrupted = (): void => {
    screen.say(`Left; the run goes on. Look again with: npx sluice status ${pipeline.name}`);
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  try {
    return { launched, report: await follow(client, launched.workflowId, screen) };
  } finally {
    process.off('SIGINT', interrupted);
  }
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
          prepared: report.prepared,
          source: report.source,
          clean: report.clean,
          madeStale: report.madeStale,
        }
      : {}),
  };
}
