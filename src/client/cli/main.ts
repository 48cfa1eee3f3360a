import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import { jsonOption, type Register } from './arguments.ts';
import { inspectionCommands } from './inspection-commands.ts';
import { maintenanceCommands } from './maintenance-commands.ts';
import { quarantineCommands } from './quarantine-commands.ts';
import { runCommands } from './run-commands.ts';
import { serverCommands } from './server-commands.ts';
import { streamingCommands } from './streaming-commands.ts';

/** All that `sluice` can do, in the order of its help: a file each, loaded with what it needs only when it is asked for. */
const groups: readonly Register[] = [
  serverCommands,
  runCommands,
  inspectionCommands,
  quarantineCommands,
  streamingCommands,
  maintenanceCommands,
];

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The command line. @returns the exit code: 0 done, 1 failed, 2 wrongly called, 130 interrupted */
export async function main(argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command('sluice')
    .description(
      'Takes a CSV on the web to a clean, watched, searchable data set every hour, and accounts for every row.',
    )
    .version(version)
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)');
  for (const register of groups) register(program, jsonOption, (found) => (code = found));

  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (process.env['SLUICE_DEBUG'] === '1') console.error(error);
    process.stderr.write(`${sentenceOf(error)}\n`);
    return error instanceof SluiceError && error.code === 'Cancelled' ? 130 : 1;
  }
}
