import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeWhole } from '../../src/client/cli/whole-files.ts';

describe('a file that is there only once it is whole', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-whole-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('takes away what was begun of it by processes that are no more, or long ago, and nothing else', async () => {
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    const there = process.ppid;
    const named = {
      dead: `page.html.${gone}.partial`,
      old: 'page.html.1.partial',
      alive: `page.html.${there}.partial`,
      others: `other.html.${gone}.partial`,
      longer: `page.html.svg.${gone}.partial`,
      mine: 'page.html.partial',
      notes: 'page.html.notes.partial',
    };
    for (const name of Object.values(named)) await writeFile(join(folder, name), 'begun');
    const yesterday = new Date(Date.now() - 25 * 3_600_000);
    await utimes(join(folder, named.old), yesterday, yesterday);
    await writeWhole(join(folder, 'page.html'), 'whole');
    const { alive, others, longer, mine, notes } = named;
    expect((await readdir(folder)).toSorted()).toEqual([alive, others, longer, mine, notes, 'page.html'].toSorted());
    expect(await readFile(join(folder, 'page.html'), 'utf8')).toBe('whole');
  });

  it('says in a sentence where it cannot be written', async () => {
    const path = join(folder, 'no', 'page.html');
    await expect(writeWhole(path, '')).rejects.toThrow(`${path} cannot be written: ENOENT`);
  });
});
