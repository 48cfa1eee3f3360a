import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeclaredFormat } from '../../src/definition/format.ts';
import { sourceSchema } from '../../src/definition/source.ts';
import { inspect, type Inspection } from '../../src/inspecting/inspect.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-inspecting-'));

export interface Looked extends Inspection {
  readonly texts: readonly (readonly string[])[];
}

/** Looks at bytes as `sluice inspect` looks at a file. @param size Bytes of a chunk. */
export async function look(
  bytes: Buffer,
  format: Partial<DeclaredFormat> = {},
  limits: object = {},
  size = 65_536,
): Promise<Looked> {
  const texts: string[][] = [];
  const found = await inspect(
    {
      content: {
        stream: async () => chunks(bytes, size),
        copyTo: async (path) => writeFileSync(path, bytes),
        where: 'the file',
      },
      url: new URL('file:///the/file'),
      name: 'file',
      bytes: bytes.length,
      notes: [],
    },
    {
      source: sourceSchema.parse({ url: 'file:///the/file', format, limits }),
      folder,
      signal: new AbortController().signal,
      progress: () => {},
      onRows: async (cells) => {
        for (let row = 0; row < cells.rows; row++) texts.push(cells.texts(row));
      },
    },
  );
  return { ...found, texts };
}

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
