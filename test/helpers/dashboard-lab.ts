import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { View, parse, type Spec } from 'vega';
import { expressionInterpreter } from 'vega-interpreter';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { recordId } from '../../src/stages/identity.ts';
import { generatorsOf } from '../../src/stages/publishing/generate.ts';
import type { LabRow } from './index-lab.ts';

const data = join(import.meta.dirname, '..', '..', 'pipelines', 'data');

/** Rows of a file of `pipelines/data` without quotes, as the definition has them in the index; read plainly, to compare with. */
export function shippedRows(pipeline: Pipeline, file: string, hour: string, more: LabRow = {}): LabRow[] {
  const [head = '', ...lines] = readFileSync(join(data, file), 'utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/);
  const columns = head.split(',').map((name) => pipeline.columns[name.trim()]);
  const stream = streamOf(pipeline, 'main');
  const generators = [...generatorsOf(stream, hour)];
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const row: Record<string, string | null> = { ...more };
      for (const [at, text] of line.split(',').entries()) {
        const column = columns[at];
        if (column === undefined) continue;
        const value = text.trim();
        row[column.name] = value === '' || value === '-' ? null : value.padStart(column.pad ?? 0, '0');
      }
      const id = recordId(stream.key.map((name) => row[name] ?? null));
      const made = generators.map(([name, generate]) => [name, generate(id, row)] as const);
      return { ...row, ...Object.fromEntries(made), id };
    });
}

/** A view of a chart as the page makes it: without eval, and without a screen. */
export async function viewOf(spec: Spec): Promise<View> {
  const view = new View(parse(spec, undefined, { ast: true }), { renderer: 'none', expr: expressionInterpreter });
  return view.runAsync();
}

/** How many items a view draws, other than axes and legends. */
export function marksOf(view: View): number {
  const count = (item: SceneItem): number => {
    if (item.role?.startsWith('axis') || item.role?.startsWith('legend')) return 0;
    const own = item.marktype === undefined || item.marktype === 'group' ? 0 : (item.items?.length ?? 0);
    return own + (item.items ?? []).reduce((sum, each) => sum + count(each), 0);
  };
  return count((view.scenegraph() as unknown as { root: SceneItem }).root);
}

interface SceneItem {
  readonly role?: string;
  readonly marktype?: string;
  readonly items?: readonly SceneItem[];
}
