import { parse, View, type Spec } from 'vega';
import { expressionInterpreter } from 'vega-interpreter';
import { compile, type TopLevelSpec } from 'vega-lite';
import { compileChart } from '../../src/dashboards/compile.ts';
import type { JsonObject } from '../../src/dashboards/panel.ts';

/** What stands behind a mark that a chart draws. */
export type Datum = Readonly<Record<string, unknown>>;

interface SceneItem {
  readonly role?: string;
  readonly marktype?: string;
  readonly items?: readonly SceneItem[];
  readonly datum?: Datum;
}

/** Takes what Vega-Lite would only warn of for an error: a sort that it leaves out, a channel that does not fit. */
const strict = {
  level: () => strict,
  warn: refuse,
  error: refuse,
  info: () => strict,
  debug: () => strict,
};

function refuse(...said: readonly unknown[]): never {
  throw new Error(`Vega-Lite says: ${said.join(' ')}`);
}

/**
 * Draws a chart whose requests are answered as the page does, without eval and without a screen.
 * @returns the data behind its marks, by their type
 * @throws Error where Vega-Lite has anything to say of it
 */
export async function drawn(answered: JsonObject): Promise<Map<string, Datum[]>> {
  compile(answered as unknown as TopLevelSpec, { logger: strict as never });
  const spec: Spec = compileChart(answered, { mode: 'light', width: 600, height: 400 });
  const view = new View(parse(spec, undefined, { ast: true }), { renderer: 'none', expr: expressionInterpreter });
  await view.runAsync();
  const found = new Map<string, Datum[]>();
  const visit = ({ role, marktype, items = [] }: SceneItem): void => {
    if (role?.startsWith('axis') || role?.startsWith('legend')) return;
    for (const item of items) {
      if (role === 'mark' && marktype !== undefined && item.datum)
        found.set(marktype, [...(found.get(marktype) ?? []), item.datum]);
      visit(item);
    }
  };
  visit((view.scenegraph() as unknown as { root: SceneItem }).root);
  view.finalize();
  return found;
}
