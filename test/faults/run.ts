import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { down, up } from '../../stack/index.ts';
import { tableOf, writeDocs } from './table.ts';
import type { Result } from './results.ts';

// `npm run test:faults`: the whole suite on a stack of its own. With --write-docs the table of docs/guarantees.md becomes that of this run.

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string', default: '1' },
    fast: { type: 'boolean', default: false },
    only: { type: 'string' },
    'write-docs': { type: 'boolean', default: false },
  },
});
const folder = await mkdtemp(join(tmpdir(), 'sluice-faults-run-'));
const state = join(folder, 'stack');
const results = join(folder, 'results.jsonl');
const started = new Date();
try {
  await up({ state, freePorts: true, only: ['kafka', 'minio', 'elasticsearch', 'temporal'] });
  const files = values.only === undefined ? [] : values.only.split(',').map((name) => `test/faults/${name}.test.ts`);
  process.exitCode = await vitest(['run', '--project', 'faults', ...files]);
  const lines = (await readFile(results, 'utf8').catch(() => '')).trim();
  const found = lines === '' ? [] : lines.split('\n').map((line) => JSON.parse(line) as Result);
  const minutes = Math.round((Date.now() - started.getTime()) / 60_000);
  const command = `npm run test:faults -- ${process.argv.slice(2).join(' ')}`.trimEnd();
  const about = `From a run of ${started.toISOString().slice(0, 10)}, seed ${values.seed}, ${minutes} minutes: \`${command}\`.`;
  const table = `${about}\n\n${tableOf(found)}`;
  process.stdout.write(`\n${table}\n`);
  if (values['write-docs'] && process.exitCode === 0) await writeDocs(table);
} finally {
  await down({ state, remove: true });
  await rm(folder, { recursive: true, force: true });
}

function vitest(args: readonly string[]): Promise<number> {
  const environment = {
    SLUICE_FAULTS_STACK: state,
    SLUICE_FAULTS_RESULTS: results,
    SLUICE_FAULTS_SEED: values.seed,
    SLUICE_FAULTS_MINUTES: values.minutes ?? (values.fast ? '2' : '10'),
    ...(values.fast ? {} : { SLUICE_FAULTS_WHOLE: '1' }),
  };
  const ended = Promise.withResolvers<number>();
  const child = spawn('vitest', args, { stdio: 'inherit', env: { ...process.env, ...environment } });
  child.on('error', ended.reject);
  child.on('exit', (code) => ended.resolve(code ?? 1));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return ended.promise;
}
