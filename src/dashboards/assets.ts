import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shapeNames, shapes } from './us.ts';

/** A file that the built-in page is made of. */
export interface Asset {
  /** Media type, as a header says it. */
  readonly type: string;
  readonly body: Buffer;
  /** Of its bytes. */
  readonly hash: string;
}

/** Everything that the built-in page is made of, by name. Nothing else is ever given out. */
export interface PageAssets {
  readonly page: Asset;
  readonly files: ReadonlyMap<string, Asset>;
  /** Stands in the address of each, which is another one where any has changed. */
  readonly version: string;
}

/** What the page’s addresses of assets begin with. */
export const ASSETS = '/dashboard/assets/';

const pageFolder = fileURLToPath(new URL('./page/', import.meta.url));

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
};

let loading: Promise<PageAssets> | undefined;

/** Reads them, once a process. @throws Error where a library’s file is not what it was when this was written */
export function pageAssets(): Promise<PageAssets> {
  return (loading ??= load());
}

async function load(): Promise<PageAssets> {
  const own = await ownFiles();
  const texts = new Map([...(await libraries()), ...own]);
  texts.set('index.html', withModules(texts.get('index.html') ?? '', own));
  const sum = createHash('sha256');
  for (const [name, text] of [...texts].toSorted(([a], [b]) => (a < b ? -1 : 1))) sum.update(`${name}\0${text}\0`);
  const version = sum.digest('hex').slice(0, 16);
  const names = [...texts.keys()];
  const assets = [...texts].map(([name, text]) => [name, assetOf(name, versioned(text, names, version))] as const);
  const files = new Map(assets);
  const page = files.get('index.html');
  if (page === undefined) throw new Error(`the page is not in ${pageFolder}`);
  files.delete('index.html');
  return { page, files, version };
}

function assetOf(name: string, text: string): Asset {
  const body = Buffer.from(text);
  const type = types[extname(name)] ?? 'application/octet-stream';
  return { type, body, hash: createHash('sha256').update(body).digest('base64url').slice(0, 22) };
}

/** With the version in each address of an asset that stands in it as a whole. */
function versioned(text: string, names: readonly string[], version: string): string {
  const pattern = new RegExp(`(${ASSETS})([\\w.-]+)(?=["'\`)])`, 'g');
  return text.replaceAll(pattern, (whole: string, _start: string, name: string) =>
    names.includes(name) ? `${whole}?v=${version}` : whole,
  );
}

/** TypeScript as JavaScript, whose imports of each other name what is served. */
async function ownFiles(): Promise<[string, string][]> {
  const names = (await readdir(pageFolder)).filter((name) => /^[\w-]+\.(html|css|ts|svg)$/.test(name));
  return Promise.all(
    names.map(async (name): Promise<[string, string]> => {
      const text = await readFile(join(pageFolder, name), 'utf8');
      if (!name.endsWith('.ts')) return [name, text];
      const script = stripTypeScriptTypes(text).replaceAll(
        /(\bfrom|\bimport|\bimport\() *'\.\/([\w-]+)\.ts'/g,
        (_all, word: string, module: string) => `${word} '${ASSETS}${module}.js'`,
      );
      return [name.replace(/\.ts$/, '.js'), script];
    }),
  );
}

async function libraries(): Promise<[string, string][]> {
  const { resolve } = createRequire(import.meta.url);
  const vega = dirname(resolve('vega'));
  const read = (path: string): Promise<string> => readFile(path, 'utf8');
  const [library, interpreter] = await Promise.all([
    read(join(vega, 'vega.min.js')),
    read(resolve('vega-interpreter')),
  ]);
  return [
    ['vega.min.js', withoutMap(library)],
    ['vega-interpreter.js', withoutMap(overVega(interpreter))],
    ...shapeNames.map((name): [string, string] => [`${name}.json`, JSON.stringify(shapes(name))]),
  ];
}

/** The page names its modules: a browser would find them one behind another. */
function withModules(page: string, own: readonly (readonly [string, string])[]): string {
  const modules = own.filter(([name, text]) => name.endsWith('.js') && /^export /m.test(text));
  const links = modules.map(([name]) => `  <link rel="modulepreload" href="${ASSETS}${name}" />\n  `);
  return page.replace('</head>', `${links.join('')}</head>`);
}

const withoutMap = (script: string): string => script.replace(/^\/\/# sourceMappingURL=.*$/m, '');

/** The interpreter takes its helpers from the Vega that the page has already. */
function overVega(script: string): string {
  const imports = [...script.matchAll(/^import .*;$/gm)];
  const [, names] = /^import (\{[^}]+\}) from 'vega-util';$/.exec(imports[0]?.[0] ?? '') ?? [];
  if (imports.length !== 1 || names === undefined)
    throw new Error('vega-interpreter imports otherwise than it did: src/dashboards/assets.ts has to follow');
  return script.replace(imports[0]?.[0] ?? '', `const ${names} = globalThis.vega;`);
}
