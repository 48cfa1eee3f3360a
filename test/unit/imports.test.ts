import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const home = join(import.meta.dirname, '..', '..');

/** Who may import whom, as docs/architecture.md section 2 says it. `type` arrows are for types alone. */
const arrows: Readonly<Record<string, { readonly values: readonly string[]; readonly types?: readonly string[] }>> = {
  definition: { values: [] },
  formats: { values: ['definition'] },
  connectors: { values: ['definition'] },
  stages: { values: ['definition', 'formats', 'connectors'] },
  dashboards: { values: ['definition', 'formats', 'connectors'], types: ['stages'] },
  workflows: { values: ['definition'], types: ['activities'] },
  activities: { values: ['definition', 'stages', 'dashboards'] },
  workers: { values: ['definition', 'connectors', 'stages', 'activities'] },
  inspecting: { values: ['definition', 'formats', 'connectors', 'stages'] },
  client: { values: ['definition', 'workflows', 'connectors', 'inspecting', 'dashboards', 'stack'] },
  stack: { values: ['definition', 'connectors'] },
};

interface Import {
  readonly file: string;
  readonly room: string;
  readonly target: string;
  readonly of: string;
  readonly typesOnly: boolean;
}

const roomOf = (path: string): string => {
  const [first = '', second = ''] = relative(home, path).split('/');
  return first === 'src' ? second : first;
};

const files = ['src', 'stack'].flatMap((folder) =>
  readdirSync(join(home, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('/generated/'))
    .map((name) => join(home, folder, name)),
);

const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(/^(import|export)( type)? [^;]*?from '(\.[^']+)';|import\('(\.[^']+)'\)/gm);
  return [...found].map((match) => {
    const target = resolve(dirname(file), match[3] ?? match[4] ?? '');
    const typesOnly = match[2] !== undefined;
    return { file: relative(home, file), room: roomOf(file), target, of: roomOf(target), typesOnly };
  });
});

describe('imports', () => {
  it('follow the arrows of the architecture', () => {
    const crossing = imports.filter(({ room, of, file }) => room !== of && file !== 'src/main.ts');
    const wrong = crossing.filter(({ room, of, typesOnly }) => {
      const allowed = arrows[room];
      return !(allowed?.values.includes(of) || (typesOnly && allowed?.types?.includes(of)));
    });
    expect(wrong.map(({ file, of, typesOnly }) => `${file} → ${of}${typesOnly ? ' (types)' : ''}`)).toEqual([]);
    expect(crossing.length).toBeGreaterThan(100);
  });

  it('run in no circle', () => {
    const values = new Map<string, string[]>();
    for (const { file, target, typesOnly } of imports) {
      if (!typesOnly) values.set(file, [...(values.get(file) ?? []), relative(home, target)]);
    }
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      else if (!done.has(file)) {
        for (const next of values.get(file) ?? []) visit(next, [...path, file]);
        done.add(file);
      }
    };
    for (const file of values.keys()) visit(file, []);
    expect(circles).toEqual([]);
  });

  it('lead a definition to nothing that reads or writes, its loader excepted', () => {
    const impure = files
      .filter((file) => roomOf(file) === 'definition' && !file.endsWith('/load.ts'))
      .filter((file) => /from 'node:(fs|net|http|child_process)/.test(readFileSync(file, 'utf8')));
    expect(impure).toEqual([]);
  });

  it('keep rooms small: no file above 300 lines', () => {
    const long = files.filter((file) => readFileSync(file, 'utf8').split('\n').length > 300);
    expect(long).toEqual([]);
  });
});
