import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import { toLogicalHour } from '../../definition/hour.ts';
import type { CleanFlags } from './clean.ts';
import { maintenanceCommands } from './maintenance-commands.ts';
import type { ReplayFlags, ShowFlags } from './quarantine.ts';
import type { ReindexFlags } from './reindex.ts';
import { streamingCommands } from './streaming-commands.ts';

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
  const json = ['--json', 'one JSON object on stdout, everything else on stderr'] as const;

  program
    .command('start [definition]')
    .description('provision and start the local stack, a worker and the schedule, run one hour, show where to look')
    .option('--exit', 'stop everything after the run', false)
    .option('--force', 'run the hour although it is done', false)
    .option('--state <folder>', 'a stack of its own in this folder')
    .option('--free-ports', 'any free ports instead of the usual ones', false)
    .addOption(
      new Option('--kafka <kind>', 'what Kafka keeps its metadata in, for a stack that has none yet').choices([
        ...['kraft', 'zookeeper'],
      ]),
    )
    .option(...json)
    .action(async (definition: string | undefined, options: object) => {
      code = await (await import('./start.ts')).start(definition, options);
    });
  program
    .command('run <definition>')
    .description('run one hour now and follow it; a worker must be running')
    .option('--hour <hour>', 'the hour, like 2026-11-24T03 (UTC); the current one where left out', hourArgument)
    .option('--force', 'run the hour although it is done', false)
    .option('--refetch', 'ask the source again although the hour has been imported; implies --force', false)
    .option('--use-current', 'let an hour that is over take what the source holds now', false)
    .option('--detach', 'start it and leave', false)
    .option(...json)
    .action(async (definition: string, options: object) => {
      code = await (await import('./run.ts')).run(definition, options);
    });
  program
    .command('status [pipeline]')
    .description('the newest runs, and how far those are that run')
    .option('--limit <n>', 'so many', countArgument, 10)
    .option(...json)
    .action(async (pipeline: string | undefined, options: { limit: number; json?: boolean }) => {
      code = await (await import('./status.ts')).status(pipeline, options);
    });
  program
    .command('validate [definition]')
    .description('check a definition: every problem at once, with line and column')
    .option('--schema', 'print the JSON Schema of a definition', false)
    .option(...json)
    .action(async (definition: string | undefined, options: { schema: boolean; json?: boolean }) => {
      code = await (await import('./validate.ts')).validate(definition, options);
    });
  formatOptions(
    program
      .command('inspect <files...>')
      .description(
        'look at a file or an address: encoding, dialect, header, rejected rows, proposed types; needs no server',
      ),
  )
    .option('--as <form>', 'csv: write the parsed rows as plain RFC 4180 in UTF-8')
    .option('--out <folder>', 'where --as csv puts files, under their own names; standard output where left out')
    .option(...json)
    .action(async (files: string[], options: object) => {
      code = await (await import('./inspect.ts')).inspect(files, options);
    });
  formatOptions(
    program.command('init <file>').description('write a commented definition from what a file or an address holds'),
  )
    .option('--out <file>', 'where to; <name>.yaml where left out, - for standard output')
    .option('--name <name>', 'of the pipeline; made of the file name where left out')
    .option('--force', 'write over a file that is there', false)
    .action(async (file: string, options: { force: boolean }) => {
      code = await (await import('./init.ts')).init(file, options);
    });
  program
    .command('clean <file>')
    .description(
      'clean one file by a definition, without a server: clean.csv, rejects.ndjson, report.json and report.html',
    )
    .requiredOption('--pipeline <definition>', 'the definition, a YAML file')
    .requiredOption('--out <folder>', 'where the results go')
    .option('--engine <name>', 'auto, danfojs, duckdb or spark; that of the definition where left out')
    .option('--fixes <file>', 'an overlay that mends rows, as for "quarantine replay"')
    .option(...json)
    .action(async (file: string, options: CleanFlags) => {
      code = await (await import('./clean.ts')).clean(file, options);
    });
  quarantineCommands(program, json, (found) => (code = found));
  streamingCommands(program, json, (found) => (code = found));
  maintenanceCommands(program, json, (found) => (code = found));
  program
    .command('reindex <definition>')
    .description(
      'rebuild the indices of a pipeline from the object store; readers keep the old ones until the new are whole',
    )
    .option('--dry-run', 'say what it comes to, and do nothing', false)
    .option('--keep-old', 'leave the old indices there, under their own names', false)
    .option('--detach', 'start it and leave', false)
    .option(...json)
    .action(async (definition: string, options: ReindexFlags) => {
      code = await (await import('./reindex.ts')).reindex(definition, options);
    });
  program
    .command('check')
    .description('try each server: connect, write, read back, delete')
    .option(...json)
    .action(async (options: { json?: boolean }) => {
      code = await (await import('./check.ts')).check(options);
    });
  program.command('worker').description('serve every task queue until it is stopped');
  program.command('stack').description('the local servers: up, down, status, logs NAME (see "sluice stack --help")');

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

/** Rejected rows: looked at, taken away, and let in again by another run of their hour. */
function quarantineCommands(program: Command, json: readonly [string, string], done: (code: number) => void): void {
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
    .requiredOption('--hour <hour>', 'the hour, like 2026-11-24T03 (UTC)', hourArgument)
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
    .requiredOption('--hour <hour>', 'the hour, like 2026-11-24T03 (UTC)', hourArgument)
    .option(
      '--fixes <file>',
      'lines like {"file": "<sha256>", "byteOffset": 18, "set": {"COLUMN": "text"}}; kept with the hour',
    )
    .option('--detach', 'start it and leave', false)
    .option(...json)
    .action(async (definition: string, options: ReplayFlags) => done(await (await load()).replay(definition, options)));
}

/** What someone knows better than what would be found. */
function formatOptions(command: Command): Command {
  return command
    .option('--delimiter <text>', 'between fields; also: tab, comma, semicolon, pipe')
    .option('--quote <character>', 'around fields; none for no quotes')
    .option('--escape <character>', 'takes the meaning off the next character')
    .option('--comment <text>', 'lines that begin with it are no rows')
    .option('--encoding <name>', 'utf-8, utf-16le, windows-1252, latin1, macintosh …')
    .option('--compression <name>', 'none, gzip, zstd, bzip2, zip')
    .option('--header-rows <n>', '0, 1 or 2')
    .option('--skip-rows <n>', 'lines above the header')
    .option('--trim-spaces', 'take spaces off around fields and quotes')
    .option('--invalid-bytes <policy>', 'reject, replace or fail');
}

function hourArgument(text: string): string {
  try {
    return toLogicalHour(text);
  } catch (error) {
    throw new InvalidArgumentError(sentenceOf(error));
  }
}

function countArgument(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('must be a number from 1 to 9999');
  return Number(text);
}
