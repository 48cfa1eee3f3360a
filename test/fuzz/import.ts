import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { bzip2, gzip, samples, zstd } from './samples.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import { look } from '../helpers/inspecting.ts';
import { mutate, seeded } from '../helpers/mutate.ts';

// `npm run fuzz -- [seconds] [seed]`: valid files with bytes changed. Whatever comes of it, every row is parsed or
// rejected, or the file is refused in a sentence; nothing else is ever thrown, and nothing takes long.

const [seconds = '60', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const until = Date.now() + Number(seconds) * 1_000;
const spectrum = join(dirname(createRequire(import.meta.url).resolve('csv-spectrum')), 'csvs');
const plain = [...samples(), ...readdirSync(spectrum).map((name) => readFileSync(join(spectrum, name)))];
const files = [...plain, ...plain.slice(0, 4).flatMap((bytes) => [gzip(bytes), zstd(bytes)]), bzip2];

let rounds = 0;
let refused = 0;
for (let round = 0; Date.now() < until; round++) {
  const random = seeded(Number(seed) + round);
  const bytes = mutate(files[random(files.length)] ?? Buffer.alloc(0), random);
  const startedAt = Date.now();
  try {
    const { rows, texts, rejectedBy } = await look(bytes, {}, {}, 1 + random(4_096));
    const rejected = Object.values(rejectedBy).reduce((sum, n) => sum + n, 0);
    if (rows.read !== rows.parsed + rows.rejected || rejected !== rows.rejected || texts.length !== rows.parsed) {
      throw new Error(`the rows do not add up: ${JSON.stringify({ rows, rejectedBy, texts: texts.length })}`);
    }
  } catch (error) {
    if (!(error instanceof SluiceError)) fail(error, bytes, round);
    refused++;
  }
  if (Date.now() - startedAt > 10_000) fail(new Error('this took more than ten seconds'), bytes, round);
  rounds++;
}
console.log(`${rounds} files with changed bytes, ${refused} of them refused in a sentence; seed ${seed}`);

function fail(error: unknown, bytes: Buffer, round: number): never {
  const path = join(tmpdir(), `sluice-fuzz-${seed}-${round}`);
  writeFileSync(path, bytes);
  console.error(`seed ${seed}, round ${round}; the file is ${path}`);
  throw error;
}
