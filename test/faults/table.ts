import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import type { Result } from './results.ts';

const order = [
  'Process killed',
  'Worker killed, through Temporal',
  'Server',
  'Network and zombies',
  'Must stop',
  'Soak',
];

/** The results of a run as tables of Markdown: what must be whole, then the negative controls. */
export function tableOf(results: readonly Result[]): string {
  const whole = order.flatMap((group) => results.filter((result) => result.group === group));
  const controls = results.filter(({ red }) => red !== undefined);
  const sum = (of: (result: Result) => number): number => whole.reduce((total, result) => total + of(result), 0);
  const lines = whole.map(({ group, scenario, runs, rows, lost, doubled, recoverySeconds }) =>
    row([`${group}: ${scenario}`, runs, rows, lost, doubled, recoverySeconds === undefined ? '–' : recoverySeconds]),
  );
  return [
    row(['Scenario', 'Runs', 'Rows', 'Lost', 'Doubled', 'Seconds to recover']),
    row(['---', '--:', '--:', '--:', '--:', '--:']),
    ...lines,
    row([
      '**All**',
      sum(({ runs }) => runs),
      sum(({ rows }) => rows),
      sum(({ lost }) => lost),
      sum(({ doubled }) => doubled),
      '',
    ]),
    '',
    row([
      'Protection taken away; fault',
      'Rows',
      'Lost',
      'Doubled',
      'What the checker found, and what the pipeline said',
    ]),
    row(['---', '--:', '--:', '--:', '---']),
    ...controls.map(({ scenario, rows, lost, doubled, red }) => row([scenario, rows, lost, doubled, red ?? ''])),
    '',
  ].join('\n');
}

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;

const BEGIN = '<!-- faults:begin -->';
const END = '<!-- faults:end -->';

/** Puts the table between its marks in docs/guarantees.md. @throws Error where these are gone */
export async function writeDocs(table: string): Promise<void> {
  const file = join(import.meta.dirname, '..', '..', 'docs', 'guarantees.md');
  const text = await readFile(file, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${file} has lost the marks between which the table stands`);
  const written = `${text.slice(0, from + BEGIN.length)}\n\n${table}\n\n${text.slice(to)}`;
  await writeFile(file, await format(written, { ...(await resolveConfig(file)), parser: 'markdown' }));
}
