import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/client/run-events.ts';
import { ObjectStore } from '../../src/connectors/object-store.ts';
import { readSettings } from '../../src/connectors/settings.ts';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { ids, keys } from '../../src/definition/names.ts';
import { TestApp } from '../helpers/app.ts';
import { steadyHour } from '../helpers/steady-hour.ts';
import { launcher } from '../helpers/cli.ts';
import { noStack } from '../helpers/stack.ts';

const home = join(import.meta.dirname, '..', '..');
const csv = 'id,kind,amount\n1,a,1.5\n2,b,2.5\n3,a,3.5\n';

describe.skipIf(noStack)('the verbs of runs', () => {
  let app: TestApp;
  let hour: string;

  beforeAll(async () => {
    hour = await steadyHour();
    app = await TestApp.start();
  });

  afterAll(async () => app.stop());

  const json = async (...args: string[]) => {
    const { code, out, err } = await app.cli([...args, '--json']);
    expect(out).toMatch(/^\{.*\}\n$/s);
    return { code, found: JSON.parse(out) as Record<string, unknown>, err };
  };

  it('show an hour that was run, by name or file, and run it again from a stage', async () => {
    const { input, pipeline } = app.define({ schedule: { paused: true } });
    app.serve(input, { body: csv });
    const file = await app.definitionFile(input);
    const run = await json('run', file, '--hour', hour);
    expect([run.code, run.found]).toMatchObject([0, { outcome: 'completed', hour, rows: { indexed: 3 }, holds: true }]);
    expect(run.err).toMatch(/^ {2}import +\d+\.\d s/m);

    const runs = (await json('status', input.name)).found['runs'] as object[];
    expect(runs).toMatchObject([{ pipeline: input.name, hour, status: 'completed', outcome: 'completed', rows: 3 }]);
    expect((await json('status', input.name, '--outcome', 'failed')).found['runs']).toEqual([]);
    const outside = await json('status', input.name, '--to', '2020-01-01T00');
    expect(outside.found['runs']).toEqual([]);

    const report = await json('run', 'report', hour, '--pipeline', input.name);
    expect(report.found).toMatchObject({ pipeline: input.name, hour, outcome: 'completed', runId: run.found['runId'] });

    // The definition of its schedule.
    await app.client.schedules.apply(pipeline);
    const again = await json('run', 'retry', hour, '--from', 'publish', '--pipeline', input.name);
    await app.client.schedules.delete(input.name);
    expect([again.code, again.found]).toMatchObject([0, { outcome: 'completed', rows: { indexed: 3 } }]);
    const { attempts } = (await json('run', 'attempts', hour, '--pipeline', input.name)).found;
    expect(attempts).toMatchObject([
      { runId: again.found['runId'], outcome: 'completed', rows: 3 },
      { runId: run.found['runId'], outcome: 'completed', rows: 3 },
    ]);
    const first = await json('run', 'report', hour, '--pipeline', file, '--run', String(run.found['runId']));
    expect(first.found).toEqual(report.found);

    const logs = await json('logs', hour, '--pipeline', input.name);
    const events = logs.found['events'] as { kind: string; name: string; text: string }[];
    expect(events[0]).toMatchObject({
      kind: 'run',
      name: 'begun',
      text: expect.stringMatching(/by launch\/.*publish/) as string,
    });
    expect(events.filter(({ kind }) => kind === 'stage').map(({ name }) => name)).toContain('publish');
    expect(events.at(-1)).toMatchObject({ kind: 'run', name: 'completed' });
    const text = await app.cli(['logs', hour, '--pipeline', input.name, '--follow'], {
      ...app.environment,
      NO_COLOR: '1',
    });
    expect(text.out).toContain(`${hour.slice(0, 10)}\n`);
    expect(text.out).toMatch(/run {6}completed\n$/);
  });

  it('say what is otherwise in a run than in another: of its hour, or of an earlier one', async () => {
    const { input } = app.define();
    input.source = { ...input.source, onUnchanged: 'snapshot' };
    const before = toLogicalHour(Date.parse(hour) - 3_600_000);
    app.serve(input, { body: csv });
    const file = await app.definitionFile(input);
    const diff = (...args: string[]) => json('run', 'diff', ...args, '--pipeline', input.name);
    const earlier = await json('run', file, '--hour', before, '--use-current');
    const first = await json('run', file, '--hour', hour);
    expect(await diff(before)).toMatchObject({ code: 1, found: { error: { code: 'HourUnknown' } } });
    // The first run of its hour is compared with the hour before.
    expect(await diff(hour, '--exit-code')).toMatchObject({
      code: 0,
      found: {
        ...{ old: { hour: before, runId: earlier.found['runId'] }, new: { hour }, differs: [], notCompared: [] },
        batches: [{ dataset: 'main', sameContent: true, sameKeys: true }],
      },
    });

    app.serve(input, { body: `${csv}4,a,x\n5,c,5.5\n` });
    const kind = { name: 'kind', type: 'string', required: true } as const;
    await app.definitionFile({
      ...input,
      columns: { ...input.columns, kind, other: { name: 'other', required: false } },
      quality: { rejectedPercent: { warn: 10 } },
    } as never);
    const second = await json('run', file, '--hour', hour, '--refetch');
    expect(second.code).toBe(1);
    expect(await diff(hour, '--exit-code')).toMatchObject({
      code: 4,
      found: { differs: ['outcome', 'definition', 'schema'], new: { error: { code: 'SourceColumnMissing' } } },
    });

    await app.definitionFile({
      ...input,
      columns: { ...input.columns, kind },
      quality: { rejectedPercent: { warn: 10 } },
    });
    const third = await json('run', file, '--hour', hour, '--refetch');
    expect([third.code, third.found]).toMatchObject([0, { outcome: 'completed' }]);
    const ids = [first, third].map(({ found }) => String(found['runId']));
    const whole = await diff(hour, '--run', ids[0] ?? '', '--run', ids[1] ?? '');
    expect(whole.found).toMatchObject({
      differs: ['definition', 'source', 'rows', 'quality', 'batches'],
      notCompared: [],
      rows: [{ dataset: 'main', old: { read: 3, indexed: 3 }, new: { read: 5, rejected: 1, indexed: 4 } }],
      rejectedBy: [{ rule: 'amount type', new: 1 }],
      quality: [{ gate: 'rejectedPercent', new: { level: 'warn' } }],
      batches: [{ dataset: 'main', generation: { old: 1, new: 2 }, sameContent: false, sameKeys: false }],
    });
    const text = await app.cli(['run', 'diff', before, hour, '--pipeline', input.name], {
      ...app.environment,
      NO_COLOR: '1',
    });
    expect(text.out).toMatch(/^ {4}read +3 +5 +\+2$/m);
    expect(text.out).toMatch(/^ {2}total +[\d.]+ s +[\d.]+ s {2}× [\d.]+$/m);
  });

  it('answer what an hour came to that Temporal has forgotten', async () => {
    const { input, pipeline } = app.define();
    app.serve(input, { body: csv });
    const { workflowId } = await app.client.runs.launch({ pipeline, hour });
    const newest = await app.client.runs.wait(workflowId);
    // What an hour of last year has left: Temporal keeps a run for days, its own clean-up takes minutes.
    const report = { ...newest, hour: '2025-11-24T03:00:00Z' };
    const store = new ObjectStore(readSettings(app.environment).store);
    await store.put(
      keys.attempt(input.name, report.hour, report.runId, 'run.json'),
      Buffer.from(JSON.stringify(report)),
    );
    expect(await app.client.runs.report(input.name, report.hour)).toEqual(report);
    expect(await app.client.runs.attempts(input.name, report.hour)).toMatchObject([{ outcome: 'completed', rows: 3 }]);
    const logs = await json('logs', report.hour, '--pipeline', input.name);
    expect([logs.code, logs.found]).toMatchObject([1, { error: { code: 'HourUnknown' } }]);
    expect(logs.err).toContain(`sluice run report 2025-11-24T03 --pipeline ${input.name}`);
  });

  it('tell programs what happens meanwhile, from a launch that a key makes one of', async () => {
    const { input, pipeline } = app.define();
    app.serve(input, { body: csv });
    const key = `k / ${input.name}`;
    const [one, two] = await Promise.all([1, 2].map(() => app.client.runs.launch({ pipeline, hour }, { key })));
    expect(one).toMatchObject({ outcome: 'started', hour, workflowId: ids.pipeline(input.name, hour) });
    expect(two).toEqual(one);
    const events: RunEvent[] = [];
    const report = await app.client.runs.wait(one?.workflowId ?? '', { onProgress: (event) => events.push(event) });
    expect(report.outcome).toBe('completed');
    const done = events.flatMap((event) => (event.type === 'stage-done' ? [event.stage] : []));
    expect(done).toEqual(expect.arrayContaining(['prepare', 'import', 'clean', 'publish', 'land', 'commit', 'index']));
    expect(events.at(-1)).toMatchObject({ type: 'ended', outcome: 'completed' });
    // Long over, and the launch is answered as it was.
    expect(await app.client.runs.launch({ pipeline, hour }, { key })).toEqual(one);
    await expect(app.client.runs.launch({ pipeline, hour, force: true }, { key })).rejects.toMatchObject({
      code: 'KeyReused',
    });
    expect(await app.client.runs.attempts(input.name, hour)).toHaveLength(1);
  });

  it('leave a run to itself on Ctrl-C, and say so', async () => {
    const { input } = app.define();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    app.serve(input, { body: '', handler: (_, response) => void held.then(() => response.end(csv)) });
    const file = await app.definitionFile(input);
    const child = spawn(process.execPath, [launcher, 'run', file, '--hour', hour, '--json'], { env: app.environment });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    await expect.poll(() => err, { timeout: 60_000 }).toContain(' started: ');
    // From the terminal, and handed on by the launcher.
    child.kill('SIGINT');
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(130);
    expect(err).toContain(`Left; the run goes on. Look again with: npx sluice status ${input.name}\n`);
    const workflowId = ids.pipeline(input.name, hour);
    expect(JSON.parse(out)).toEqual({ left: true, workflowId, hour });
    const shown = (await json('status', input.name)).found['runs'];
    expect(shown).toMatchObject([{ status: 'running', progress: { current: 'import' } }]);
    release();
    expect((await app.client.runs.wait(workflowId)).outcome).toBe('completed');
  });

  it('fail with a code of their own where the quality gate blocks, and with sentences where there is nothing', async () => {
    const { input } = app.define({ quality: { minRows: { block: 10 } } });
    app.serve(input, { body: csv });
    const file = await app.definitionFile(input);
    const blocked = await json('run', file, '--hour', hour);
    expect([blocked.code, blocked.found]).toMatchObject([3, { error: { code: 'QualityBlocked' } }]);
    expect(blocked.err).toMatch(/^ {2}quality +\d+\.\d s {2}failed$/m);
    expect((await json('run', 'report', hour, '--pipeline', input.name)).found).toMatchObject({
      ...{ outcome: 'failed', error: { code: 'QualityBlocked', stage: 'quality' } },
    });
    expect(await json('run', 'pause', hour, '--pipeline', input.name)).toMatchObject({
      ...{ code: 1, found: { error: { code: 'NotRunning' } } },
    });
    expect(await json('run', 'report', '2020-01-01T00', '--pipeline', input.name)).toMatchObject({
      ...{ code: 1, found: { error: { code: 'HourUnknown' } } },
    });
    expect(await json('run', 'no-such-pipeline')).toMatchObject({
      code: 1,
      found: { error: { code: 'PipelineUnknown' } },
    });
  });

  it('are there for programs as docs/operations.md shows', async () => {
    const page = await readFile(join(home, 'docs', 'operations.md'), 'utf8');
    const [, example = ''] = /^## Programs$.*?```ts\n(.*?)```/ms.exec(page) ?? [];
    const { input } = app.define();
    app.serve(input, { body: csv });
    const program = example
      .replace('./src/client/index.ts', join(home, 'src', 'client', 'index.ts'))
      .replace('pipelines/broadband.yaml', await app.definitionFile(input));
    const file = join(app.folder, 'program.ts');
    await writeFile(file, program);
    const { stdout: out } = await promisify(execFile)(process.execPath, [file], { env: app.environment });
    expect(out).toMatch(/^import done in \d+ ms$/m);
    expect(out).toMatch(/completed: 3 rows are indexed\n$/);
  });
});
