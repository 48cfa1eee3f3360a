import type { Command } from 'commander';
import type { AlertsTestFlags } from './alerts-test.ts';

/** Who is told of problems. */
export function alertsCommands(program: Command, json: readonly [string, string], done: (code: number) => void): void {
  program
    .command('alerts')
    .description('the channels by which people are told of problems')
    .command('test <pipeline>')
    .description('send a test by each channel of a pipeline, by its name or definition, and say what came of it')
    .option('--channel <name>', 'this one alone')
    .option('--dry-run', 'print what would be sent, and send nothing', false)
    .option(...json)
    .action(async (pipeline: string, options: AlertsTestFlags) =>
      done(await (await import('./alerts-test.ts')).testAlerts(pipeline, options)),
    );
}
