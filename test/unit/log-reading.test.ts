import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runArgument } from '../../src/client/cli/arguments.ts';
import { runMeant } from '../../src/client/cli/named-run.ts';
import { WorkerLog, workerLines } from '../../src/client/worker-lines.ts';
import { ServerLogs, warningsIn } from '../../src/connectors/server-logs.ts';
import type { LoggedServer } from '../../src/definition/server-lines.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-reading-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** What this machine's clock says at that time, as ISO 8601. */
const local = (text: string): string => new Date(text).toISOString();

describe('the logs of servers', () => {
  it.each<[LoggedServer, string, string, string, string]>([
    [
      'elasticsearch',
      '[2026-11-26T18:34:18,686][WARN ][o.e.b.BootstrapChecks    ] [sluice-1] max file descriptors is too low',
      '2026-11-26T18:34:18.686',
      'warn',
      '[o.e.b.BootstrapChecks ] [sluice-1] max file descriptors is too low',
    ],
    [
      'temporal',
      'time=2026-11-26T18:43:02.954 level=ERROR msg="Slow gRPC call" wf-id=pipeline/p/2026-11-26T18:00:00Z',
      '2026-11-26T18:43:02.954',
      'error',
      '"Slow gRPC call" wf-id=pipeline/p/2026-11-26T18:00:00Z',
    ],
    [
      'spark',
      '26/11/26 18:37:46 WARN NativeCodeLoader: Unable to load native-hadoop library',
      '2026-11-26T18:37:46.000',
      'warn',
      'NativeCodeLoader: Unable to load native-hadoop library',
    ],
    [
      'kafka',
      '[2026-11-26 18:37:46,120] WARN Error in disk (kafka.server.LogDirFailureChannel)',
      '2026-11-26T18:37:46.120',
      'warn',
      'Error in disk (kafka.server.LogDirFailureChannel)',
    ],
  ])('of %s are read as it writes them', (server, line, at, level, text) => {
    const log = `${line.replace(/WARN|ERROR/, 'INFO')}\n${line}\n\tat a.stack.Trace\n`;
    expect(warningsIn(server, log)).toEqual([{ server, at: local(at), level, text }]);
  });

  it('of MinIO are blocks, in UTC', () => {
    const log = [
      'INFO: IAM load took 1s\n',
      'API: SYSTEM.storage',
      'Time: 10:20:30 UTC 11/26/2026',
      'DeploymentID: 1',
      'Error: write /data: no space left on device (*fs.PathError)',
      '       4: internal/logger/logger.go:268',
    ].join('\n');
    expect(warningsIn('minio', log)).toEqual([
      {
        ...{ server: 'minio', at: '2026-11-26T10:20:30.000Z', level: 'error' },
        text: 'write /data: no space left on device (*fs.PathError)',
      },
    ]);
  });

  it('of MinIO end where the next one begins, and tell of nothing at a time that never was', () => {
    const block = (time: string, text: string): string => `API: SYSTEM.storage\n${time}\nDeploymentID: 1\n${text}\n`;
    const log = [
      block('Time: 10:20:30 UTC 11/26/2026', 'it says no more'),
      block('  Time: 10:20:31 UTC 13/45/2026', 'Error: of no day'),
      block('  Time: 25:61:00 UTC 11/26/2026', 'Error: of no hour'),
      block('Time: 10:20:32 UTC 11/26/2026', 'Error: its own'),
    ].join('\n');
    expect(warningsIn('minio', log)).toEqual([
      { server: 'minio', at: '2026-11-26T10:20:32.000Z', level: 'error', text: 'its own' },
    ]);
  });

  it('are read two MiB back', async () => {
    const line = '[2026-11-26 10:00:10,000] ERROR a (a)\n';
    const own = await mkdtemp(join(folder, 'long-'));
    await writeFile(join(own, 'kafka.log'), line.repeat(Math.ceil((3 * 1024 * 1024) / line.length)));
    const window = { from: Date.parse(local('2026-11-26T10:00:00')), to: Date.parse(local('2026-11-26T11:00:00')) };
    const { left } = await new ServerLogs(own, String).warnings('kafka', window, 0);
    expect(left).toBe(Math.floor((2 * 1024 * 1024) / line.length));
  });

  it('are asked for a stretch of time, bounded, without secrets; one that writes none says nothing', async () => {
    const lines = Array.from(
      { length: 30 },
      (_, n) => `[2026-11-26 10:00:${10 + n},000] ERROR key hunter2 of ${n} (a)`,
    );
    await writeFile(join(folder, 'kafka.log'), `${lines.join('\n')}\n`);
    const logs = new ServerLogs(folder, (text) => text.replaceAll('hunter2', '***'));
    const window = { from: Date.parse(local('2026-11-26T10:00:15')), to: Date.parse(local('2026-11-26T11:00:00')) };
    const [found, ...others] = await logs.all(window, 20);
    expect(others).toEqual([]);
    expect(found).toMatchObject({ server: 'kafka', left: 5 });
    expect(found?.lines).toHaveLength(20);
    expect(found?.lines[0]?.text).toBe('key *** of 5 (a)');
    expect((await logs.warnings('kafka', window, 1, 'last')).lines[0]?.text).toBe('key *** of 29 (a)');
    expect(await new ServerLogs(join(folder, 'nowhere'), String).all(window, 20)).toEqual([]);
  });
});

describe('the lines of workers about a run', () => {
  it('are those of the run, from a level on, of all files of its days, by time', async () => {
    const line = (second: number, level: string, run: string, msg: string): string =>
      `${JSON.stringify({ level, time: `2026-11-26T10:00:0${second}.000Z`, run, msg })}\n`;
    const write = (name: string, ...lines: string[]): Promise<void> => writeFile(join(folder, name), lines.join(''));
    await write('worker-2026-11-26-1.jsonl', line(3, 'warn', 'a', 'third'), line(1, 'info', 'a', 'first'));
    await write('worker-2026-11-26-2.jsonl', line(2, 'info', 'a', 'second'), line(2, 'error', 'b', 'a'), '{"run":"a');
    await write('worker-2026-11-24-1.jsonl', line(0, 'error', 'a', 'another day'));
    await write('else.jsonl', line(0, 'error', 'a', 'none of ours'));
    const wanted = { runId: 'a', workflowId: 'w', from: '2026-11-25T23:00:00Z', to: '2026-11-26T10:01:00Z' };
    const said = async (level: 'info' | 'warn'): Promise<string[]> =>
      (await workerLines(folder, { ...wanted, level })).map(({ msg }) => msg);
    expect(await said('info')).toEqual(['first', 'second', 'third']);
    expect(await said('warn')).toEqual(['third']);
    expect(await workerLines(join(folder, 'nowhere'), { ...wanted, level: 'info' })).toEqual([]);
  });
});

describe('the lines of workers as they grow', () => {
  it('are read on from where they were, in files that come meanwhile too, each once it is whole', async () => {
    const own = await mkdtemp(join(folder, 'grows-'));
    const line = (msg: string, run = 'a'): string =>
      `${JSON.stringify({ level: 'info', time: `2026-11-26T10:00:00.${msg.length}00Z`, run, msg })}\n`;
    const wanted = { runId: 'a', workflowId: 'w', from: '2026-11-26T09:00:00Z', level: 'info' } as const;
    const skipped: string[] = [];
    const log = new WorkerLog(own, wanted, (file) => skipped.push(basename(file)));
    const next = async (): Promise<string[]> => (await log.next()).map(({ msg }) => msg);
    expect(await next()).toEqual([]);
    const first = join(own, 'worker-2026-11-26-1.jsonl');
    const [half, rest] = [line('ab\u2028c').slice(0, 20), line('ab\u2028c').slice(20)];
    await writeFile(first, line('a') + line('of another', 'b') + half);
    expect(await next()).toEqual(['a']);
    expect(await next()).toEqual([]);
    await appendFile(first, rest + line('ab'));
    await writeFile(join(own, 'worker-2026-11-27-2.jsonl'), line('abc'));
    await mkdir(join(own, 'worker-2026-11-27-3.jsonl'));
    expect(await next()).toEqual(['ab', 'abc', 'ab\u2028c']);
    expect(await next()).toEqual([]);
    // It is said once.
    expect(skipped).toEqual(['worker-2026-11-27-3.jsonl']);
  });
});

describe('a file of the workers that cannot be read', () => {
  it('is skipped, and said', async () => {
    const own = await mkdtemp(join(folder, 'unreadable-'));
    await mkdir(join(own, 'worker-2026-11-26-1.jsonl'));
    const record = { level: 'warn', time: '2026-11-26T10:00:00.000Z', run: 'a', msg: 'said' };
    await writeFile(join(own, 'worker-2026-11-26-2.jsonl'), `${JSON.stringify(record)}\n`);
    const skipped: string[] = [];
    const wanted = { runId: 'a', workflowId: 'w', from: '2026-11-26T09:00:00Z', level: 'info' } as const;
    const lines = await workerLines(own, wanted, (file, why) => skipped.push(`${basename(file)}: ${why}`));
    expect(lines).toEqual([record]);
    expect(skipped).toEqual([expect.stringMatching(/^worker-2026-11-26-1\.jsonl: EISDIR/)]);
  });
});

describe('a run as it is named', () => {
  it('is asked for by an id alone', async () => {
    const client = {} as Parameters<typeof runMeant>[0];
    await expect(runMeant(client, { runId: "x' OR RunId != '" }, undefined)).rejects.toMatchObject({
      code: 'SettingsInvalid',
      message: `"x' OR RunId != '" is no id of a run: they are like 01a21946-3079-7ede-afc1-0c4048d5e24c.`,
    });
  });

  it('is its hour, its workflow or its id', () => {
    expect(runArgument('2026-11-24T03')).toEqual({ hour: '2026-11-24T03:00:00Z' });
    expect(runArgument('pipeline/p/2026-11-24T03:00:00Z')).toEqual({ pipeline: 'p', hour: '2026-11-24T03:00:00Z' });
    const id = '01a21946-3079-7ede-afc1-0c4048d5e24c';
    expect(runArgument(id)).toEqual({ runId: id });
    for (const wrong of ['soon', 'consumer/p/0', 'pipeline/p/soon']) expect(() => runArgument(wrong)).toThrow(/hour/);
  });
});
