import type { Command } from 'commander';
import { dayArgument } from './arguments.ts';
import type { MaintainFlags } from './maintain.ts';
import type { ReindexFlags } from './reindex.ts';

/** Work on what a pipeline has stored. */
export function maintenanceCommands(
  program: Command,
  json: readonly [string, string],
  done: (code: number) => void,
): void {
  const commands = {
    compact: 'write the small data objects of past days as fewer; readers see the same rows',
    gc: 'remove what no record reaches, after a day of grace',
    retain: 'remove whole hours that are older than keep.hours',
  } as const;
  for (const [task, what] of Object.entries(commands) as [keyof typeof commands, string][]) {
    const command = program.command(`${task} <definition>`).description(`${what}; a worker must be running`);
    if (task !== 'gc')
      command.option('--before <day>', 'hours of days before this one, like 2026-11-24 (UTC)', dayArgument);
    command
      .option('--dry-run', 'say what would be done and change nothing', false)
      .option(...json)
      .action(async (definition: string, options: MaintainFlags) =>
        done(await (await import('./maintain.ts')).maintain(task, definition, options)),
      );
  }
  program
    .command('reindex <definition>')
    .description(
      'rebuild the indices of a pipeline from the object store; readers keep the old ones until the new are whole',
    )
    .option('--dry-run', 'say what it comes to, and do nothing', false)
    .option('--keep-old', 'leave the old indices there, under their own names', false)
    .option('--detach', 'start it and leave', false)
    .option(...json)
    .action(async (definition: string, options: ReindexFlags) =>
      done(await (await import('./reindex.ts')).reindex(definition, options)),
    );
}
