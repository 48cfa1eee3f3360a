import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../src/connectors/object-store.ts';
import { joinParts } from '../../src/stages/cleaning/spark/joined-parts.ts';
import { unattended } from '../../src/stages/deps.ts';

const job = '0b6f4cf5-1c3b-4c0e-8f0e-1d9c5a4c6b7a';
const part = (n: number): string => `tmp/spark/s/clean/part-0000${n}-${job}-c000.txt`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-joined-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function joined(objects: Readonly<Record<string, string>>): Promise<[number, string]> {
  const store = {
    list: async function* () {
      for (const key of Object.keys(objects).toSorted()) yield { key, bytes: 0, lastModified: new Date() };
    },
    stream: async (key: string) => Readable.from([Buffer.from(objects[key] ?? '')]),
  } as unknown as ObjectStore;
  const path = join(folder, 'clean.csv');
  const records = await joinParts({ store }, 'tmp/spark/s/clean/', path, 'id\n', unattended);
  return [records, await readFile(path, 'utf8')];
}

describe('what Spark wrote', () => {
  it('is joined in order of its partitions; a line end within quotes ends no record', async () => {
    const whole = { 'tmp/spark/s/clean/_SUCCESS': '', [part(1)]: 'c\n', [part(0)]: 'a\n"b\n"\n' };
    expect(await joined(whole)).toEqual([3, 'id\na\n"b\n"\nc\n']);
    expect(await joined({ 'tmp/spark/s/clean/_SUCCESS': '' })).toEqual([0, 'id\n']);
  });

  it('is refused where it is not whole: rows that are not there would count as duplicates', async () => {
    for (const left of [{}, { [part(1)]: 'c\n' }]) {
      await expect(joined(left)).rejects.toMatchObject({ code: 'EngineFailed' });
    }
  });
});
