import type { Command } from 'commander';

/** `sluice dashboards fill`, below the group that is given. */
export function fillCommand(dashboards: Command, json: readonly [string, string], done: (code: number) => void): void {
  dashboards
    .command('fill [pipeline]')
    .description('index the reports of all runs again, of one pipeline or of all; runs do that by themselves')
    .option(...json)
    .action(async (pipeline: string | undefined, options: { json?: boolean }) =>
      done(await (await import('./dashboards-fill.ts')).fill(pipeline, options)),
    );
}
