import type { Command } from 'commander';
import type { CleanFlags } from './clean.ts';

/** What looks at files and definitions, and needs no server. */
export function inspectionCommands(
  program: Command,
  json: readonly [string, string],
  done: (code: number) => void,
): void {
  program
    .command('validate [definition]')
    .description('check a definition: every problem at once, with line and column')
    .option('--schema', 'print the JSON Schema of a definition', false)
    .option(...json)
    .action(async (definition: string | undefined, options: { schema: boolean; json?: boolean }) =>
      done(await (await import('./validate.ts')).validate(definition, options)),
    );
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
    .action(async (files: string[], options: object) =>
      done(await (await import('./inspect.ts')).inspect(files, options)),
    );
  formatOptions(
    program.command('init <file>').description('write a commented definition from what a file or an address holds'),
  )
    .option('--out <file>', 'where to; <name>.yaml where left out, - for standard output')
    .option('--name <name>', 'of the pipeline; made of the file name where left out')
    .option('--force', 'write over a file that is there', false)
    .option(...json)
    .action(async (file: string, options: { force: boolean; json?: boolean }) =>
      done(await (await import('./init.ts')).init(file, options)),
    );
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
    .action(async (file: string, options: CleanFlags) => done(await (await import('./clean.ts')).clean(file, options)));
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
