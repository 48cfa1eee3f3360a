import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';
import { cacheFolder } from '../../stack/paths.ts';
import { StackProgress } from '../../stack/progress.ts';
import { provisionInto } from '../../stack/provision.ts';
import type { JsonObject } from '../../src/dashboards/panel.ts';

/** What Kibana 9.1 and 9.2 draw with; 9.0 asks for vega-lite ^5.5. */
const versions = { vega: '5.33.0', 'vega-lite': '5.21.0', 'vega-interpreter': '1.2.1' } as const;

/** The part of Vega’s and Vega-Lite’s interface that is used, whichever version. */
export interface Drawing {
  readonly compile: (spec: never) => { readonly spec: object };
  readonly parse: (spec: never, config?: undefined, options?: { ast: boolean }) => object;
  readonly View: new (runtime: never, options: object) => { toSVG(): Promise<string>; finalize(): void };
  readonly expressionInterpreter: unknown;
}

/** Vega 5 and Vega-Lite 5, with the schema of the latter, beside the project: two versions in one place would share what each has for itself. */
export async function vegaFive(): Promise<Drawing & { readonly fits: ValidateFunction; readonly schema: JsonObject }> {
  const name = Object.entries(versions).map(([one, version]) => `${one}-${version}`);
  const folder = await provisionInto(
    join(cacheFolder(), name.join('-')),
    'vega',
    new StackProgress(() => {}),
    async (partial) => {
      const packages = Object.entries(versions).map(([one, version]) => `${one}@${version}`);
      const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
      await promisify(execFile)('npm', ['install', '--prefix', partial, '--save-exact', ...quiet, ...packages], {
        cwd: partial,
      });
    },
  );
  const load = createRequire(join(folder, 'package.json'));
  const vega = load('vega') as Omit<Drawing, 'compile' | 'expressionInterpreter'>;
  const lite = load('vega-lite') as Pick<Drawing, 'compile'>;
  const { expressionInterpreter } = load('vega-interpreter') as Pick<Drawing, 'expressionInterpreter'>;
  const schema = load('vega-lite/build/vega-lite-schema.json') as JsonObject;
  const quick = { inlineRefs: false, code: { optimize: false }, validateSchema: false };
  const fits = new Ajv({ strict: false, validateFormats: false, ...quick }).compile(schema);
  return { compile: lite.compile, parse: vega.parse, View: vega.View, expressionInterpreter, fits, schema };
}

/** A chart as SVG, drawn as Kibana does it: no code is made of its expressions. */
export async function drawn(
  spec: JsonObject,
  { compile, parse, View, expressionInterpreter }: Drawing,
): Promise<string> {
  const sized = { ...spec, width: 400, height: 300, autosize: { type: 'fit', contains: 'padding' } };
  const runtime = parse(compile(sized as never).spec as never, undefined, { ast: true });
  const view = new View(runtime as never, { renderer: 'none', expr: expressionInterpreter });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
