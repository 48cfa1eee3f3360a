import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { acceptDefinition } from '../../src/definition/check-definition.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { cleanFile } from '../../src/inspecting/clean-file.ts';
import type { RejectedRow } from '../../src/inspecting/quarantine.ts';
import { unattended } from '../../src/stages/deps.ts';

/** An example of a page: a definition, a table, and what the page says becomes of it, by the titles of its blocks. */
export interface DocExample {
  readonly name: string;
  /** A part of a definition; name and source are filled in. */
  readonly yaml: string;
  readonly says: Readonly<Record<string, string>>;
}

const BLOCK = /^(?<heading>#{2,} .*)$|^```(?<language>\w+)(?: title=(?<title>\S+))?\n(?<text>[\s\S]*?)^```$/gm;

/** The examples of a page. A `yaml` block begins one; the titled blocks behind it belong to it. */
export function docExamples(markdown: string): DocExample[] {
  const found: { name: string; yaml: string; says: Record<string, string> }[] = [];
  let [heading, nth] = ['', 0];
  for (const { groups } of markdown.matchAll(BLOCK)) {
    if (groups?.['heading'] !== undefined) {
      heading = groups['heading'].replace(/^#+ /, '');
      nth = 0;
      continue;
    }
    const { language, title, text = '' } = groups ?? {};
    if (language === 'yaml') {
      nth += 1;
      found.push({ name: nth === 1 ? heading : `${heading} (${nth})`, yaml: text, says: {} });
    } else if (title !== undefined) {
      const last = found.at(-1);
      if (!last || title in last.says) throw new Error(`${heading}: the block ${title} belongs to no example`);
      last.says[title] = seen(text);
    }
  }
  return found;
}

/** The page writes characters that nobody sees as `\u00a0`. */
const seen = (text: string): string =>
  text.replaceAll(/\\u([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

/**
 * Cleans an example's `in.csv` as `sluice clean` does, with its `fixes.ndjson` and `earlier.csv` where it has them.
 * @param folder Scratch space.
 * @returns what became of it, by the titles that a page may use: the files, `rows`, `rejects` (where there are any),
 *   `fills` and `gates`; or `error` alone.
 */
export async function runExample(
  { yaml, says }: DocExample,
  engine: Pipeline['engine'],
  folder: string,
): Promise<Record<string, string>> {
  const own = await mkdtemp(join(folder, 'example-'));
  const given = async (title: string): Promise<string[]> => {
    if (says[title] === undefined) return [];
    await writeFile(join(own, title), says[title]);
    return [join(own, title)];
  };
  const [path = ''] = await given('in.csv');
  const [fixes] = await given('fixes.ndjson');
  const earlier = await given('earlier.csv');
  const { source, ...rest } = parse(yaml) as { source?: object };
  const filled = { name: 'example', source: { url: 'https://example.org/in.csv', ...source }, ...rest, engine };
  const out = join(own, 'out');
  const input = { path, where: 'in.csv', hour: '2026-01-01T00:00:00Z', fixes, earlier, out, folder: own };
  try {
    const { report, written } = await cleanFile({ ...input, pipeline: acceptDefinition(filled) }, unattended);
    const files = await Promise.all(
      written.map(async (file) => [basename(file), await readFile(file, 'utf8')] as const),
    );
    const made: Record<string, string> = Object.fromEntries(files);
    const rejects = (made['rejects.ndjson'] ?? '').split('\n').filter((line) => line !== '');
    const { read, clean, duplicates, filtered, rejected } = report.rows;
    return {
      ...made,
      ...(rejects.length === 0 ? {} : { rejects: lines(rejects.map(described)) }),
      rows: `${read} read = ${clean} clean + ${duplicates} duplicates + ${filtered} filtered + ${rejected} rejected\n`,
      fills: lines(Object.entries(report.fills).map(([column, value]) => `${column} ${value}`)),
      gates: lines(report.quality.map(({ gate, level, sentence }) => `${level} ${gate}: ${sentence}`)),
    };
  } catch (error) {
    if (error instanceof SluiceError) return { error: `${error.code}: ${error.message}\n` };
    throw error;
  }
}

const lines = (of: readonly string[]): string => of.map((line) => `${line}\n`).join('');

/** `row column rule value`; of a row that was no record its reason. */
function described(line: string): string {
  const { row, column, rule, value, reason } = JSON.parse(line) as RejectedRow;
  return `${row} ${column ?? '-'} ${rule} ${JSON.stringify(value ?? reason)}`;
}

/** The words of a page that stand in code, within a line or as a block. */
export function codeWords(markdown: string): Set<string> {
  const code = [...markdown.matchAll(/^```[\s\S]*?^```$|^ {4}.*$|`[^`\n]+`/gm)].map(([text]) => text);
  return new Set(code.flatMap((text) => text.match(/[\w-]+/g) ?? []));
}
