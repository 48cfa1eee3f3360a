import { type Command, Option } from 'commander';
import { logLevels } from '../../definition/log-record.ts';
import { profiledStages, startStages } from '../../definition/names.ts';
import { loggedServers } from '../../definition/server-lines.ts';
import { runOutcomes } from '../run-list.ts';
import { countArgument, hourArgument, hourHelp, runArgument, runHelp, runIds, type NamedRun } from './arguments.ts';
import type { DiffFlags } from './run-diff.ts';
import type { LogsFlags } from './logs.ts';
import type { ReportFlags } from './run-report.ts';
import type { RetryFlags, VerbFlags } from './run-verbs.ts';
import type { StatusFlags } from './status.ts';

const pipelineOption = [
  '--pipeline <pipeline>',
  'its name or its definition; the only one that has a schedule where left out',
] as const;

/** Runs of hours: started, followed, steered, looked at. */
export function runCommands(program: Command, json: readonly [string, string], done: (code: number) => void): void {
  const run = program
    .command('run')
    .enablePositionalOptions()
    .usage('<pipeline> [options]\n       sluice run <verb> <hour> [options]')
    .argument('<pipeline>', 'a definition’s file, or the name of a pipeline that has a schedule')
    .description('run one hour now and follow it, or steer and look at the runs of an hour; a worker must be running')
    .option('--hour <hour>', `${hourHelp}; the current one where left out`, hourArgument)
    .option('--force', 'run the hour although it is done', false)
    .option('--refetch', 'ask the source again although the hour has been imported; implies --force', false)
    .option('--use-current', 'let an hour that is over take what the source holds now', false)
    .addOption(
      new Option('--profile <stage>', 'store a CPU profile of this stage; "sluice report" says where').choices(
        profiledStages,
      ),
    )
    .option('--detach', 'start it and leave', false)
    .option(...json)
    .action(async (pipeline: string, options: object) => done(await (await import('./run.ts')).run(pipeline, options)));
  runVerbs(run, json, done);
  reportCommand(program, json, done);
  program
    .command('status [pipeline]')
    .description('the newest runs and what those that run are at; schedules; consumers')
    .option('--limit <n>', 'so many runs', countArgument, 10)
    .addOption(new Option('--outcome <outcome>', 'only runs that came to this').choices(runOutcomes))
    .option('--from <hour>', 'only hours from this one on', hourArgument)
    .option('--to <hour>', 'only hours up to this one', hourArgument)
    .option('--watch', 'look again every two seconds, until Ctrl-C', false)
    .option(...json)
    .action(async (pipeline: string | undefined, options: StatusFlags) =>
      done(await (await import('./status.ts')).status(pipeline, options)),
    );
  program
    .command('logs')
    .argument('[run]', runHelp, runArgument)
    .description(
      'what happened in a run: stages, attempts, failures, signals from Temporal’s history, and the log of this machine’s workers',
    )
    .option(...pipelineOption)
    .option('--run <id>', 'which run of the hour; the newest where left out')
    .option('--follow', 'go on with what comes, until the run is over; with --json an event a line', false)
    .addOption(
      new Option('--level <level>', 'of the workers’ lines those from this level on')
        .choices(logLevels)
        .default('warn'),
    )
    .addOption(
      new Option(
        '--server <name>',
        'what a server of the local stack warned of meanwhile; of the last day without a run',
      )
        .choices(loggedServers)
        .conflicts('follow'),
    )
    .option(...json)
    .action(async (named: NamedRun | undefined, options: LogsFlags) =>
      done(await (await import('./logs.ts')).logs(named, options)),
    );
}

/** One command by two names: as a verb of runs, and by itself. */
function reportCommand(of: Command, json: readonly [string, string], done: (code: number) => void): void {
  of.command('report')
    .argument('<hour>', hourHelp, hourArgument)
    .description('what a run came to: its stages, its rows, what failed it; --html: as one page that needs no server')
    .option(...pipelineOption)
    .option('--run <id>', 'which run of the hour; the newest where left out')
    .option('--html', 'write it as one HTML file, with the panels of the hour’s data', false)
    .option('--out <file>', 'where to, - for standard output; <pipeline>-<hour>.html where left out')
    .option(...json)
    .action(async (hour: string, options: ReportFlags) =>
      done(await (await import('./run-report.ts')).report(hour, options)),
    );
}

function runVerbs(run: Command, json: readonly [string, string], done: (code: number) => void): void {
  const load = async () => import('./run-verbs.ts');
  const verb = (name: string, what: string): Command =>
    run
      .command(name)
      .argument('<hour>', hourHelp, hourArgument)
      .description(what)
      .option(...pipelineOption)
      .option(...json);
  const words = {
    pause: 'let the stage that is on its way end, and begin no other until "resume"',
    resume: 'let a paused run go on',
    cancel: 'stop a run; what it had begun stays invisible, and the hour may be run again',
  } as const;
  for (const word of ['pause', 'resume', 'cancel'] as const)
    verb(word, words[word]).action(async (hour: string, options: VerbFlags) =>
      done(await (await load()).steer(word, hour, options)),
    );
  verb('retry', 'run an hour again from a stage on, with what it has stored of those before')
    .addOption(new Option('--from <stage>', 'where to begin').choices(startStages).makeOptionMandatory())
    .option('--detach', 'start it and leave', false)
    .action(async (hour: string, options: RetryFlags) => done(await (await load()).retry(hour, options)));
  reportCommand(run, json, done);
  verb('diff', 'what is otherwise in a run than in the one before it, or in one of another hour')
    .argument('[other]', 'the hour to look at beside it: what is otherwise in this one', hourArgument)
    .option('--run <id>', 'which run of the hour; given twice: of the other hour, or another run of the same', runIds)
    .option('--exit-code', 'end with 4 where there is a difference other than in time', false)
    .action(async (hour: string, other: string | undefined, options: DiffFlags) =>
      done(await (await import('./run-diff.ts')).diff(hour, other, options)),
    );
  verb('attempts', 'every run of an hour, the newest first').action(async (hour: string, options: VerbFlags) =>
    done(await (await load()).attempts(hour, options)),
  );
}
