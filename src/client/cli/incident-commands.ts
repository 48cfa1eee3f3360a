import { type Command, InvalidArgumentError } from 'commander';
import { durationMs } from '../../definition/duration.ts';
import { countArgument } from './arguments.ts';
import type { AckFlags, CloseFlags, ListFlags, SilenceFlags } from './incidents.ts';

/** What is wrong, and who sees to it. */
export function incidentCommands(
  program: Command,
  json: readonly [string, string],
  done: (code: number) => void,
): void {
  program
    .command('watchdog')
    .description(
      'what is watched from outside of runs, and how it stands; exit code 1 where something is wrong, or nobody watches',
    )
    .option(...json)
    .action(async (options: { json?: boolean }) => done(await (await import('./watchdog.ts')).watchdogStatus(options)));
  const load = async () => import('./incidents.ts');
  const incidents = program
    .command('incidents')
    .enablePositionalOptions()
    .description('what is wrong with pipelines: listed, looked at, acknowledged, silenced, closed');
  incidents
    .command('list', { isDefault: true })
    .description('those that are open; exit code 1 where there is one')
    .option('--pipeline <pipeline>', 'its name or its definition; all where left out')
    .option('--all', 'those that are over as well', false)
    .option('--limit <n>', 'so many, the newest', countArgument, 100)
    .option(...json)
    .action(async (options: ListFlags) => done(await (await load()).list(options)));
  const id = '<incident>';
  const idHelp = 'its id, as "list" shows it';
  incidents
    .command('show')
    .argument(id, idHelp)
    .description('all that is known of it')
    .option(...json)
    .action(async (given: string, options: { json?: boolean }) => done(await (await load()).show(given, options)));
  const by = ['--by <name>', 'who does it; whoever is logged in where left out'] as const;
  incidents
    .command('ack')
    .alias('acknowledge')
    .argument(id, idHelp)
    .description('you see to it: no more reminders, and it does not escalate')
    .option('--note <text>', 'what is being done')
    .option(...by)
    .option(...json)
    .action(async (given: string, options: AckFlags) => done(await (await load()).acknowledge(given, options)));
  incidents
    .command('silence')
    .argument(id, idHelp)
    .description('nobody is told of it for a while')
    .option('--until <instant>', 'the end, like 2026-11-24T18:00:00Z')
    .option('--for <duration>', 'how long, like 8h', durationArgument)
    .option(...by)
    .option(...json)
    .action(async (given: string, options: SilenceFlags, command: Command) => {
      if ((options.until === undefined) === (options.for === undefined))
        command.error('error: a silence has an end: give --until <instant> or --for <duration>');
      done(await (await load()).silence(given, options));
    });
  incidents
    .command('close')
    .argument(id, idHelp)
    .description('it is over; seen again, it is a new one')
    .requiredOption('--reason <text>', 'why')
    .option(...by)
    .option(...json)
    .action(async (given: string, options: CloseFlags) => done(await (await load()).close(given, options)));
}

function durationArgument(text: string): number {
  try {
    return durationMs(text);
  } catch {
    throw new InvalidArgumentError('must be a number with a unit: 30m, 8h, 2d');
  }
}
