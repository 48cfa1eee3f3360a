import type { Command } from 'commander';
import { countArgument, hourArgument, hourHelp } from './arguments.ts';
import type { ReplayFlags, ShowFlags } from './quarantine.ts';

/** Rejected rows: looked at, taken away, and let in again by another run of their hour. */
export function quarantineCommands(
  program: Command,
  json: readonly [string, string],
  done: (code: number) => void,
): void {
  const quarantine = program.command('quarantine').description('the rows that cleaning rejected, hour by hour');
  const load = async () => import('./quarantine.ts');
  quarantine
    .command('list <pipeline>')
    .description('hours with rejected rows, and why they were rejected')
    .option('--limit <n>', 'so many hours, the newest', countArgument, 20)
    .option(...json)
    .action(async (pipeline: string, options: { limit: number; json?: boolean }) =>
      done(await (await load()).list(pipeline, options)),
    );
  quarantine
    .command('show <pipeline>')
    .description('the rejected rows of an hour: place, column, rule, value, the row itself')
    .requiredOption('--hour <hour>', hourHelp, hourArgument)
    .option('--column <name>', 'only those of this column')
    .option('--rule <name>', 'only those that broke this rule')
    .option('--limit <n>', 'so many rows', countArgument, 20)
    .option('--out <file>', 'all of them to a file, a line of JSON each, instead of showing some')
    .option(...json)
    .action(async (pipeline: string, options: ShowFlags) => done(await (await load()).show(pipeline, options)));
  quarantine
    .command('replay <definition>')
    .description(
      'run an hour again from what was fetched, with the definition as it is now and rows mended by an overlay',
    )
    .requiredOption('--hour <hour>', hourHelp, hourArgument)
    .option(
      '--fixes <file>',
      'lines like {"file": "<sha256>", "byteOffset": 18, "set": {"COLUMN": "text"}}; kept with the hour',
    )
    .option('--detach', 'start it and leave', false)
    .option(...json)
    .action(async (definition: string, options: ReplayFlags) => done(await (await load()).replay(definition, options)));
}
