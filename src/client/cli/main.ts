import { readFileSync } from 'node:fs';
import { Command, CommanderError, Help, type Option } from 'commander';
import { jsonOption, type Register } from './arguments.ts';
import { alertsCommands } from './alerts-commands.ts';
import { backfillCommands } from './backfill-commands.ts';
import { completionCommands } from './completion-commands.ts';
import { dashboardsCommands } from './dashboards-commands.ts';
import { endOf, exitCodes } from './exit-codes.ts';
import { incidentCommands } from './incident-commands.ts';
import { inspectionCommands } from './inspection-commands.ts';
import { maintenanceCommands } from './maintenance-commands.ts';
import { quarantineCommands } from './quarantine-commands.ts';
import { runCommands } from './run-commands.ts';
import { scheduleCommands } from './schedule-commands.ts';
import { serverCommands } from './server-commands.ts';
import { streamingCommands } from './streaming-commands.ts';

/** All that `sluice` can do, as its help has it: a file each, which loads what it needs only when it is asked for. */
const groups: Readonly<Record<string, readonly Register[]>> = {
  Runs: [runCommands, scheduleCommands, backfillCommands],
  'What is wrong': [incidentCommands],
  'Rows, and the way they go': [quarantineCommands, streamingCommands],
  'Files and definitions': [inspectionCommands],
  'What is stored': [maintenanceCommands],
  'What it looks like': [dashboardsCommands],
  'Who is told': [alertsCommands],
  'Servers and processes': [serverCommands],
};

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The command line. @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = commandTree((found) => (code = found));
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (process.env['SLUICE_DEBUG'] === '1') console.error(error);
    const end = endOf(error);
    // Commander has said its own already.
    if (!(error instanceof CommanderError)) process.stderr.write(`${end.json.error.message}\n`);
    if (end.code !== 0 && argv.includes('--json')) process.stdout.write(`${JSON.stringify(end.json)}\n`);
    return end.code;
  }
}

/** All commands. @param done is told the exit code of the one that ran */
export function commandTree(done: (code: number) => void): Command {
  const program = new Command('sluice')
    .description(
      'Takes a CSV on the web to a clean, watched, searchable data set every hour, and accounts for every row.',
    )
    .version(version)
    .exitOverride()
    .enablePositionalOptions()
    .configureHelp({ optionDescription: withoutNo })
    .showHelpAfterError('(add --help for what there is)')
    .addHelpText('after', () => ['', 'Exit codes:', ...Object.entries(exitCodes).map(exitLine)].join('\n'));
  for (const [title, registers] of Object.entries(groups)) {
    program.commandsGroup(`${title}:`);
    for (const register of registers) register(program, jsonOption, done);
  }
  program.commandsGroup('Help:').helpCommand(true);
  completionCommands(program);
  return program;
}

const exitLine = ([code, what]: readonly [string, string]): string => `  ${code.padStart(3)}  ${what}`;

/** A switch is off unless it is given: that needs no words. */
function withoutNo(option: Option): string {
  if (option.defaultValue === false) option.defaultValue = undefined;
  return new Help().optionDescription(option);
}
