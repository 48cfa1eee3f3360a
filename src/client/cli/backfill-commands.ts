import { type Command, InvalidArgumentError, Option } from 'commander';
import { backfillChoices, backfillOrders, DEFAULT_PARALLEL, MAX_PARALLEL } from '../../definition/backfill.ts';
import { startStages } from '../../definition/names.ts';
import { countArgument, hourArgument } from './arguments.ts';
import type { BackfillFlags, BackfillVerbFlags } from './backfill.ts';

/** Many hours in one go. */
export function backfillCommands(
  program: Command,
  json: readonly [string, string],
  done: (code: number) => void,
): void {
  const load = async () => import('./backfill.ts');
  const backfill = program
    .command('backfill')
    .enablePositionalOptions()
    .usage('<pipeline> --from <hour> --to <hour> [options]\n       sluice backfill <verb> [backfill] [options]')
    .argument('<pipeline>', 'a definition’s file, or the name of a pipeline that has a schedule')
    .description(
      'run the hours of a range that are not done and follow it, or steer one that is on its way; a worker must be running',
    )
    .option('--from <hour>', 'the first hour, like 2026-11-24T03 (UTC)', hourArgument)
    .option('--to <hour>', 'the last one, itself among them', hourArgument)
    .addOption(
      new Option(
        '--only <what>',
        'which of its hours; "notDone" where left out, "all" with --refetch and --start-from',
      ).choices(backfillChoices),
    )
    .option(
      '--parallel <n>',
      `so many runs at a time, up to ${MAX_PARALLEL}; ${DEFAULT_PARALLEL} where left out`,
      parallelArgument,
    )
    .addOption(new Option('--order <order>', 'where to begin').choices(backfillOrders).default('oldest'))
    .option('--stop-after <n>', 'start no more once so many hours have failed', countArgument)
    .option('--every-hour', 'every hour, whether the schedule starts one in it or not', false)
    .option('--use-current', 'let hours that are over take what the source holds now', false)
    .option('--refetch', 'ask the source again although an hour has been imported', false)
    .addOption(new Option('--start-from <stage>', 'begin each hour at this stage').choices(startStages))
    .option('--dry-run', 'show how the hours stand and start nothing; exit code 4 where some would be run', false)
    .option('--yes', 'do not ask; without a terminal nobody is asked', false)
    .option('--detach', 'start it and leave', false)
    .option(...json)
    .action(async (pipeline: string, options: BackfillFlags, command: Command) => {
      // Commander asks for required options of a command before its verbs are run, too.
      for (const name of ['from', 'to'] as const)
        if (options[name] === undefined) command.error(`error: required option '--${name} <hour>' not specified`);
      done(await (await load()).backfill(pipeline, options));
    });
  const words = {
    pause: 'start no more hours until "resume"; runs that are on their way go on',
    resume: 'start hours again',
    cancel: 'start no more hours; runs that are on their way go on to their end',
  } as const;
  const which = '[backfill]';
  const whichHelp = 'its id, or its pipeline; the only one that is on its way where left out';
  for (const word of ['pause', 'resume', 'cancel'] as const) {
    const command = backfill.command(word).argument(which, whichHelp).description(words[word]);
    if (word === 'cancel') command.option('--runs', 'cancel the runs that it has started too', false);
    command
      .option(...json)
      .action(async (given: string | undefined, options: BackfillVerbFlags) =>
        done(await (await load()).steer(word, given, options)),
      );
  }
  backfill
    .command('status')
    .argument(which, `${whichHelp}, else the newest`)
    .description('how far a backfill is; once it is over, what it came to')
    .option(...json)
    .action(async (given: string | undefined, options: BackfillVerbFlags) =>
      done(await (await load()).status(given, options)),
    );
  backfill
    .command('list')
    .argument('[pipeline]', 'its name or its definition; all where left out')
    .description('the newest backfills')
    .option('--limit <n>', 'so many', countArgument, 20)
    .option(...json)
    .action(async (given: string | undefined, options: { limit: number; json?: boolean }) =>
      done(await (await load()).list(given, options)),
    );
}

function parallelArgument(text: string): number {
  if (/^[1-9]\d?$/.test(text) && Number(text) <= MAX_PARALLEL) return Number(text);
  throw new InvalidArgumentError(`must be a number from 1 to ${MAX_PARALLEL}`);
}
