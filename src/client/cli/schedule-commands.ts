import type { Command } from 'commander';
import { hourArgument, hourHelp } from './arguments.ts';
import type { ApplyFlags, DeleteFlags, ToggleFlags, TriggerFlags } from './schedule.ts';

/** When pipelines run by themselves. */
export function scheduleCommands(
  program: Command,
  json: readonly [string, string],
  done: (code: number) => void,
): void {
  const schedule = program
    .command('schedule')
    .description('when pipelines run by themselves: Temporal schedules, by the pipeline’s name or its definition');
  const load = async () => import('./schedule.ts');
  schedule
    .command('apply <definition>')
    .description('create a pipeline’s schedule and that of its maintenance, or bring them up to the definition')
    .option('--dry-run', 'show what would change and change nothing; exit code 4 where something would', false)
    .option('--yes', 'do not ask; without a terminal nobody is asked', false)
    .option(...json)
    .action(async (file: string, options: ApplyFlags) => done(await (await load()).apply(file, options)));
  const words = {
    pause: 'start no more hours until "resume"; runs that are on their way go on',
    resume: 'start hours again, from the next one on',
  } as const;
  for (const word of ['pause', 'resume'] as const) {
    schedule
      .command(`${word} <pipeline>`)
      .description(words[word])
      .option('--note <text>', 'why; everybody sees it')
      .option(...json)
      .action(async (name: string, options: ToggleFlags) => done(await (await load()).toggle(word, name, options)));
  }
  schedule
    .command('trigger <pipeline>')
    .description('have the schedule start an hour now, paused or not; one that runs or is done is joined')
    .option('--hour <hour>', `${hourHelp}; the current one where left out`, hourArgument)
    .option(...json)
    .action(async (name: string, options: TriggerFlags) => done(await (await load()).trigger(name, options)));
  schedule
    .command('describe <pipeline>')
    .description('times, policies, what comes next, the newest starts and what became of them')
    .option(...json)
    .action(async (name: string, options: { json?: boolean }) => done(await (await load()).describe(name, options)));
  schedule
    .command('list')
    .description('all schedules, maintenance too')
    .option(...json)
    .action(async (options: { json?: boolean }) => done(await (await load()).list(options)));
  schedule
    .command('delete <pipeline>')
    .description('delete a pipeline’s schedule and that of its maintenance; runs go on, what is stored stays')
    .option('--yes', 'do not ask; without a terminal nobody is asked', false)
    .option(...json)
    .action(async (name: string, options: DeleteFlags) => done(await (await load()).remove(name, options)));
}
