import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
 * Cleans an example's `in.csv` as `sluice clean` does.
 * @param folder Scratch space.
 * @returns what became of it, by the titles that a page may use: every file of CSV, `rows`, `rejects` (where there are any),
 *   `fills` and `gates`; or `error` alone.
 */
export async function runExample(
  { yaml, says }: DocExample,
  engine: Pipeline['engine'],
  folder: string,
): Promise<Record<string, string>> {
  const own = await mkdtemp(join(folder, 'example-'));
  const path = join(own, 'in.csv');
  await writeFile(path, says['in.csv'] ?? '');
  const earlier = says['earlier.csv'] === undefined ? [] : [join(own, 'earlier.csv')];
  for (const one of earlier) await writeFile(one, says['earlier.csv'] ?? '');
  const { source, ...rest } = parse(yaml) as { source?: object };
  try {
    const pipeline = acceptDefinition({
      name: 'example',
      source: { url: 'https://example.org/in.csv', ...source },
      ...rest,
      engine,
    });
    const out = join(own, 'out');
    const hour = '2026-01-01T00:00:00Z' as Parameters<typeof cleanFile>[0]['hour'];
    const { report } = await cleanFile(
      { path, where: 'in.csv', pipeline, hour, earlier, out, folder: own },
      unattended,
    );
    const rejects = (await readFile(join(out, 'rejects.ndjson'), 'utf8')).split('\n').filter((line) => line !== '');
    const tables = ['clean', ...pipeline.aggregate.map(({ name }) => name)].map((name) => `${name}.csv`);
    const { read, clean, duplicates, filtered, rejected } = report.rows;
    return {
      ...Object.fromEntries(
        await Promise.all(tables.map(async (name) => [name, await readFile(join(out, name), 'utf8')])),
      ),
      ...(rejects.length === 0
        ? {}
        : { rejects: lines(rejects.map((line) => described(JSON.parse(line) as RejectedRow))) }),
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
function described({ row, column, rule, value, reason }: RejectedRow): string {
  return `${row} ${column ?? '-'} ${rule} ${JSON.stringify(value ?? reason)}`;
}
