import type { Command } from 'commander';
import { countArgument, hourArgument } from './arguments.ts';

/** Runs of hours: started, followed, looked at. */
export function runCommands(program: Command, json: readonly [string, string], done: (code: number) => void): void {
  program
    .command('run <definition>')
    .description('run one hour now and follow it; a worker must be running')
    .option('--hour <hour>', 'the hour, like 2026-11-24T03 (UTC); the current one where left out', hourArgument)
    .option('--force', 'run the hour although it is done', false)
    .option('--refetch', 'ask the source again although the hour has been imported; implies --force', false)
    .option('--use-current', 'let an hour that is over take what the source holds now', false)
    .option('--detach', 'start it and leave', false)
    .option(...json)
    .action(async (definition: string, options: object) =>
      done(await (await import('./run.ts')).run(definition, options)),
    );
  program
    .command('status [pipeline]')
    .description('the newest runs, and how far those are that run')
    .option('--limit <n>', 'so many', countArgument, 10)
    .option(...json)
    .action(async (pipeline: string | undefined, options: { limit: number; json?: boolean }) =>
      done(await (await import('./status.ts')).status(pipeline, options)),
    );
}
