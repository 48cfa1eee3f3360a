import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import { encodings } from '../../definition/format.ts';
import { sourceSchema, type Source } from '../../definition/source.ts';
import { csvHeader, csvRows } from '../../inspecting/csv-text.ts';
import { CsvOutput } from '../../inspecting/csv-output.ts';
import { openInput, type Input } from '../../inspecting/input.ts';
import { inspect as inspectFile, type Inspection } from '../../inspecting/inspect.ts';
import { inspectionJson, inspectionLines } from './inspection.ts';
import { onInterrupt } from './leaving.ts';
import { paced, Screen } from './screen.ts';

/** What a flag says of a file instead of what would be found. */
export interface FormatFlags {
  readonly delimiter?: string;
  readonly quote?: string;
  readonly escape?: string;
  readonly comment?: string;
  readonly encoding?: string;
  readonly compression?: string;
  readonly headerRows?: string;
  readonly skipRows?: string;
  readonly trimSpaces?: boolean;
  readonly invalidBytes?: string;
}

interface InspectFlags extends FormatFlags {
  readonly json?: boolean;
  readonly as?: string;
  readonly out?: string;
}

/** `sluice inspect`. @returns 0; 1 where a file cannot be read; 2 where the call makes no sense */
export async function inspect(files: readonly string[], flags: InspectFlags): Promise<number> {
  const wrong = wrongCall(files, flags);
  if (wrong !== undefined) {
    process.stderr.write(`${wrong}\n`);
    return 2;
  }
  const source = sourceOf(flags);
  const screen = new Screen();
  const written = new Set<string>();
  let code = 0;
  if (flags.out !== undefined) await mkdir(flags.out, { recursive: true });
  for (const file of files) {
    try {
      await looked(file, source, flags, screen, written, files.length > 1);
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'Cancelled') throw error;
      // Whoever read the output has seen enough, as `head` does.
      if (error instanceof SluiceError && error.facts['closed'] === true) return code;
      if (process.env['SLUICE_DEBUG'] === '1') console.error(error);
      code = 1;
      const found = error instanceof SluiceError ? error.code : 'Unexpected';
      const problem = { code: found, message: sentenceOf(error) };
      screen.end();
      if (flags.json) process.stdout.write(`${JSON.stringify({ file, error: problem })}\n`);
      else process.stderr.write(`${problem.message}\n`);
    }
  }
  screen.end();
  return code;
}

function wrongCall(files: readonly string[], { as, out, json }: InspectFlags): string | undefined {
  if (as !== undefined && as !== 'csv') return `--as can be csv, and is "${as}".`;
  if (out !== undefined && as === undefined) return '--out is for --as csv.';
  if (as === 'csv' && files.length > 1 && out === undefined)
    return 'Several files at once go to a folder: add --out DIR.';
  if (as === 'csv' && json && out === undefined)
    return '--json and --as csv both go to standard output: add --out DIR.';
  return undefined;
}

async function looked(
  file: string,
  source: Source,
  { as, out, json }: InspectFlags,
  screen: Screen,
  written: Set<string>,
  several: boolean,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-inspect-'));
  const stop = new AbortController();
  const free = onInterrupt(() => stop.abort(new SluiceError('Cancelled', 'Stopped.')));
  const progress = paced(screen, file);
  let output: CsvOutput | undefined;
  try {
    const common = { source, folder, signal: stop.signal, progress };
    const input = await openInput(file, { ...common, environment: process.env });
    if (as === 'csv') output = new CsvOutput(out === undefined ? undefined : await outputPath(input, out, written));
    let begun = false;
    const found = await inspectFile(input, {
      ...common,
      ...(output === undefined
        ? {}
        : {
            onRows: async (cells, header) => {
              if (!begun && source.format.headerRows > 0) await output?.write(csvHeader(header));
              begun = true;
              await output?.write(csvRows(cells));
            },
          }),
    });
    if (!begun && source.format.headerRows > 0) await output?.write(csvHeader(found.header));
    await output?.finish();
    screen.end();
    tell(file, input, found, { json: json === true, csv: as === 'csv', several });
  } catch (error) {
    await output?.abandon();
    throw error;
  } finally {
    free();
    await rm(folder, { recursive: true, force: true });
  }
}

function tell(
  file: string,
  input: Input,
  found: Inspection,
  { json, csv, several }: { json: boolean; csv: boolean; several: boolean },
): void {
  if (json) process.stdout.write(`${JSON.stringify(inspectionJson(file, input, found))}\n`);
  else if (csv) {
    const { parsed, rejected } = found.rows;
    if (rejected > 0 || several) process.stderr.write(`${file}: ${parsed} rows written, ${rejected} rejected\n`);
  } else process.stdout.write(`${inspectionLines(file, input, found).join('\n')}\n${several ? '\n' : ''}`);
}

/** Never over the file that is read, nor over what this call has written already. */
async function outputPath(input: Input, out: string, written: Set<string>): Promise<string> {
  const path = join(resolve(out), input.name);
  const own =
    input.url.protocol === 'file:' && (await realpath(dirname(path))) === (await realpath(dirname(input.url.pathname)));
  if (own || written.has(path)) {
    const why = own ? 'that is the file itself' : 'another file of this call has that name';
    throw new SluiceError(
      'SettingsInvalid',
      `${input.content.where} would be written to ${path}, and ${why}: choose another folder for --out.`,
    );
  }
  written.add(path);
  return path;
}

const aliases: Readonly<Record<string, string>> = {
  ...{
    utf8: 'utf-8',
    ascii: 'utf-8',
    'us-ascii': 'utf-8',
    utf16le: 'utf-16le',
    utf16be: 'utf-16be',
    'utf-16': 'utf-16le',
  },
  ...{
    'latin-1': 'latin1',
    'iso8859-1': 'latin1',
    sjis: 'shift_jis',
    'shift-jis': 'shift_jis',
    mac: 'macintosh',
    macroman: 'macintosh',
  },
};

/** `cp1252`, `Windows-1252`, `LATIN1`, as the definition names them. */
function encodingOf(text: string): string {
  const lower = text.toLowerCase();
  const known =
    aliases[lower] ??
    lower.replace(/^(?:cp|win(?:dows)?)-?(125\d|874)$/, 'windows-$1').replace(/^iso_?8859[_-]/, 'iso-8859-');
  if ((encodings as readonly string[]).includes(known)) return known;
  throw new SluiceError('SettingsInvalid', `--encoding ${text} is not known; there are ${encodings.join(', ')}.`);
}

const characters: Readonly<Record<string, string>> = {
  ...{ tab: '\t', '\\t': '\t', comma: ',', semicolon: ';', pipe: '|', space: ' ' },
};

/** A source that says no more of its format than the flags do. @throws SluiceError `SettingsInvalid` */
export function sourceOf(flags: FormatFlags): Source {
  const format = {
    ...(flags.delimiter === undefined ? {} : { delimiter: characters[flags.delimiter] ?? flags.delimiter }),
    ...(flags.quote === undefined ? {} : { quote: flags.quote === 'none' ? '' : flags.quote }),
    ...(flags.escape === undefined ? {} : { escape: flags.escape === 'none' ? '' : flags.escape }),
    ...(flags.comment === undefined ? {} : { comment: flags.comment }),
    ...(flags.encoding === undefined ? {} : { encoding: encodingOf(flags.encoding) }),
    ...(flags.compression === undefined ? {} : { compression: flags.compression }),
    ...(flags.invalidBytes === undefined ? {} : { invalidBytes: flags.invalidBytes }),
    ...(flags.headerRows === undefined ? {} : { headerRows: Number(flags.headerRows) }),
    ...(flags.skipRows === undefined ? {} : { skipRows: Number(flags.skipRows) }),
    ...(flags.trimSpaces ? { spaces: 'trim' } : {}),
  };
  const parsed = sourceSchema.safeParse({ url: 'file:///', format });
  if (parsed.success) return parsed.data;
  const said = parsed.error.issues.map(
    ({ path, message }) =>
      `--${String(path.at(-1)).replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}: ${message}`,
  );
  throw new SluiceError('SettingsInvalid', `${said.join('; ')}.`);
}
