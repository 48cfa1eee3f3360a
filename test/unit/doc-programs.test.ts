import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/** Every `ts` block of the pages, by the page and the place in it. */
async function programs(): Promise<Map<string, string>> {
  const pages = ['README.md', 'CONTRIBUTING.md', ...(await readdir(join(root, 'docs'))).map((name) => `docs/${name}`)];
  const found = new Map<string, string>();
  for (const page of pages.filter((name) => name.endsWith('.md'))) {
    const text = await readFile(join(root, page), 'utf8');
    for (const [n, [, code = '']] of [...text.matchAll(/^```ts\n(.*?)^```$/gms)].entries())
      found.set(`${page.replaceAll(/\W/g, '-')}-${n}`, code);
  }
  return found;
}

/** With imports that lead there from anywhere. One that is to be a file of the project says which in its first line: `// src/…`. */
function imported(code: string): string {
  const [, place = ''] = /^\/\/ (src\/\S+\.ts)\n/.exec(code) ?? [];
  return code.replaceAll(/from '(\.[^']+)'/g, (_, path: string) => `from '${resolve(root, dirname(place), path)}'`);
}

it('programs in the pages fit the code that they are for', async () => {
  const found = await programs();
  expect([...found.keys()].map((name) => name.replace(/-\d+$/, ''))).toEqual(
    expect.arrayContaining(['README-md', 'docs-operations-md']),
  );
  const folder = await mkdtemp(join(tmpdir(), 'sluice-programs-'));
  try {
    for (const [name, code] of found) await writeFile(join(folder, `${name}.ts`), imported(code));
    const compilerOptions = { typeRoots: [join(root, 'node_modules', '@types')] };
    const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'] };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
    await writeFile(join(folder, 'package.json'), '{"type": "module"}');
    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    const told = await promisify(execFile)(tsc, ['-p', folder]).catch((error: { stdout: string }) => error);
    expect(told.stdout).toBe('');
  } finally {
    await rm(folder, { recursive: true });
  }
});
