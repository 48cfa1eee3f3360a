import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceError } from '../../definition/errors.ts';
import { parseDefinition } from '../../definition/parse.ts';
import { describeProblems } from '../../definition/load.ts';
import { definitionText, pipelineName } from '../../inspecting/definition-text.ts';
import { openInput } from '../../inspecting/input.ts';
import { inspect } from '../../inspecting/inspect.ts';
import { sourceOf, type FormatFlags } from './inspect.ts';
import { onInterrupt } from './leaving.ts';
import { paced, Screen } from './screen.ts';

interface InitFlags extends FormatFlags {
  readonly out?: string;
  readonly name?: string;
  readonly force: boolean;
  readonly json?: boolean;
}

/** `sluice init`: writes a definition of what was found. @returns the exit code */
export async function init(file: string, flags: InitFlags): Promise<number> {
  const screen = new Screen();
  const source = sourceOf(flags);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-init-'));
  const stop = new AbortController();
  const free = onInterrupt(() => stop.abort(new SluiceError('Cancelled', 'Stopped.')));
  try {
    const common = { source, folder, signal: stop.signal, progress: paced(screen, file) };
    const input = await openInput(file, { ...common, environment: process.env });
    const found = await inspect(input, common);
    screen.end();
    const name = flags.name ?? pipelineName(input.name);
    const text = definitionText(found, name, input.url.href, input.content.where);
    const out = flags.out ?? `${name}.yaml`;
    const parsed = parseDefinition(text);
    if ('problems' in parsed) throw new SluiceError('DefinitionInvalid', describeProblems(out, parsed.problems));
    const { header, rows } = found;
    const facts = { name, columns: header.length, rows: rows.read, rejected: rows.rejected };
    if (out === '-') {
      process.stdout.write(flags.json ? `${JSON.stringify({ ...facts, definition: text })}\n` : text);
      return 0;
    }
    await writeNew(out, text, flags.force);
    process.stdout.write(
      flags.json
        ? `${JSON.stringify({ ...facts, out })}\n`
        : `${out}: pipeline ${name}, ${header.length} columns, ${rows.read} rows seen, ${rows.rejected} of them rejected.\n` +
            `Look through it, then: sluice validate ${out} and sluice run ${out}\n`,
    );
    return 0;
  } finally {
    free();
    screen.end();
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeNew(path: string, text: string, force: boolean): Promise<void> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (there && !force)
    throw new SluiceError('SettingsInvalid', `${path} is there already: add --force to write over it, or --out FILE.`);
  await writeFile(path, text);
}
