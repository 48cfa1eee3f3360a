import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSluice, type Outcome } from '../helpers/cli.ts';

const home = join(import.meta.dirname, '..', '..');
const broadband = join(home, 'pipelines', 'broadband.yaml');

let folder: string;
let closed: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closed = (server.address() as AddressInfo).port;
  await new Promise((resolve) => server.close(resolve));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** An environment in which nothing answers. */
const nowhere = (): Record<string, string> => ({
  TEMPORAL_ADDRESS: `127.0.0.1:${closed}`,
  SLUICE_KAFKA_BROKERS: `127.0.0.1:${closed}`,
  SLUICE_ZOOKEEPER: `127.0.0.1:${closed}`,
  SLUICE_S3_ENDPOINT: `http://127.0.0.1:${closed}`,
  SLUICE_ELASTICSEARCH_URL: `http://127.0.0.1:${closed}`,
  SLUICE_SMTP_URL: `smtp://127.0.0.1:${closed}`,
});

const sluice = (...args: string[]): Promise<Outcome> =>
  runSluice(args, { PATH: process.env['PATH'], HOME: folder, NO_COLOR: '1', ...nowhere() });

describe('sluice', () => {
  it('says what it can do, and its version', async () => {
    const help = await sluice('--help');
    expect(help.code).toBe(0);
    for (const command of ['start', 'run', 'status', 'worker', 'stack', 'validate', 'check']) {
      expect(help.out).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
    }
    expect(await sluice('--version')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as unknown,
    });
    for (const command of ['start', 'run', 'worker', 'stack', 'validate']) {
      expect(await sluice(command, '--help')).toMatchObject({ code: 0, err: '' });
    }
  });

  it('ends with 2 where the API is told wrongly who may speak to it', async () => {
    const { code, out, err } = await sluice('serve', '--host', '0.0.0.0', '--port', '0');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^At 0\.0\.0\.0 others than this machine can reach the API, so it needs a token: .*\n$/);
  });

  it.each([
    ['an unknown command', ['rnu'], /Did you mean run/],
    ['an unknown option', ['run', 'x.yaml', '--forse'], /Did you mean --force/],
    ['a missing pipeline', ['run'], /pipeline/],
    ['no hour', ['run', 'x.yaml', '--hour', 'yesterday'], /not an hour/],
    [
      'three runs to compare',
      ['run', 'diff', '2026-11-24T03', ...['a', 'b', 'c'].flatMap((id) => ['--run', id])],
      /two runs are compared/,
    ],
    ['no number', ['status', '--limit', 'many'], /number/],
    ['an argument for the worker', ['worker', 'fast'], /too many arguments.*got 1: fast/],
    ['no kind of Kafka', ['stack', 'up', '--kafka', 'raft'], /"raft" is no kind of Kafka: kraft or zookeeper/],
    ['no kind of Kafka to start with', ['start', '--kafka', 'raft'], /kraft, zookeeper/],
    ['no server of the stack', ['stack', 'logs', 'redis'], /"redis" is no server/],
    ['no command of the stack', ['stack', 'upp'], /"upp" is no command/],
    ['an unknown option of the stack', ['stack', 'up', '--fast'], /--fast/],
  ])('answers %s with a sentence and exit code 2', async (_what, args, sentence) => {
    const { code, out, err } = await sluice(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(sentence);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it('validates a definition: sound, or every problem with its place', async () => {
    expect(await sluice('validate', broadband)).toMatchObject({ code: 0, err: '' });
    const file = join(folder, 'bad.yaml');
    await writeFile(
      file,
      'name: p\nsource: { url: "https://example.org" }\ncolumns: { A: { name: a, typ: string } }\nkey: [b]\n',
    );
    const { code, out } = await sluice('validate', file);
    expect(code).toBe(1);
    expect(out).toContain(`${file}:3:26  columns.A.typ: "typ" is not known here. Did you mean "type"?`);
    const json = await sluice('validate', file, '--json');
    expect(JSON.parse(json.out)).toMatchObject({ valid: false, problems: [{ line: 3, column: 26 }] });
    expect(await sluice('validate', join(folder, 'none.yaml'))).toMatchObject({ code: 1, out: '' });
    expect(JSON.parse((await sluice('validate', '--schema')).out)).toMatchObject({ title: 'A Sluice pipeline' });
  });

  it.each([
    ['run', ['run', broadband]],
    ['status', ['status']],
    ['worker', ['worker']],
  ])('%s says in one sentence that no Temporal server answers', async (_what, args) => {
    const { code, out, err } = await sluice(...args);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.trimEnd().split('\n').at(-1)).toMatch(/Temporal|connect/i);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it('checks every server and says of each what to do', async () => {
    const { code, out } = await sluice('check', '--json');
    expect(code).toBe(1);
    const { servers } = JSON.parse(out) as { servers: { server: string; ok: boolean; sentence: string }[] };
    const asked = ['Temporal', 'Kafka', 'ZooKeeper', 'Object store', 'Elasticsearch', 'Mail'];
    expect(servers.map(({ server }) => server)).toEqual(asked);
    for (const { ok, sentence } of servers) {
      expect(ok).toBe(false);
      expect(sentence).toMatch(/npm run stack -- up/);
    }
  });
});
