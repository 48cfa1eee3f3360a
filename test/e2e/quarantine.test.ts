import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keys } from '../../src/definition/names.ts';
import type { Pipeline, PipelineInput } from '../../src/definition/pipeline.ts';
import { TestApp } from '../helpers/app.ts';
import { steadyHour } from '../helpers/steady-hour.ts';
import { keysBelow, queryHour, readTopic, search } from '../helpers/bystander.ts';
import { noStack } from '../helpers/stack.ts';

interface Reject {
  readonly file: string;
  readonly byteOffset: number;
  readonly column?: string;
  readonly rule: string;
  readonly raw: string;
}

/** Each test goes on where the one before it stopped. */
describe.skipIf(noStack)('rejected rows, from the command line', () => {
  let app: TestApp;
  let input: PipelineInput;
  let pipeline: Pipeline;
  let definition: string;
  let hour: string;

  beforeAll(async () => {
    hour = await steadyHour();
    app = await TestApp.start();
    ({ input, pipeline } = app.define());
    definition = await app.definitionFile(input);
    app.serve(pipeline, { body: 'id,kind,amount\n1,a,1.5\n2,b,x\n3,c\n,d,4\n5,=e,5\n6,f,oops\n' });
  });

  afterAll(async () => {
    await app?.stop();
  });

  const rowsOf = async (sql: string) => queryHour(app.environment, pipeline.name, hour, sql);
  const ids = async (): Promise<unknown[]> => (await rowsOf('SELECT id FROM t ORDER BY id')).map(({ id }) => id);
  const generations = async (): Promise<number> =>
    (await keysBelow(app.environment, `landing/${pipeline.name}/_hours/${hour.slice(0, 13)}/`)).length;
  const indexed = async (): Promise<number> => {
    await search(app.environment, `sluice-${pipeline.name}/_refresh`, {});
    return Number((await search(app.environment, `sluice-${pipeline.name}/_count`))['count']);
  };
  const show = async (...flags: string[]): Promise<{ rejected: number; rows: Reject[] }> => {
    const { code, out, err } = await app.cli(['quarantine', 'show', pipeline.name, '--hour', hour, '--json', ...flags]);
    expect([code, err]).toEqual([0, '']);
    return JSON.parse(out) as { rejected: number; rows: Reject[] };
  };

  it('are listed with their reasons, shown with their places, filtered and taken away', async () => {
    const { code } = await app.cli(['run', definition, '--json']);
    expect(code).toBe(0);
    expect(await ids()).toEqual(['1', '5']);
    const listed = await app.cli(['quarantine', 'list', pipeline.name, '--json']);
    expect(JSON.parse(listed.out)).toMatchObject({
      pipeline: pipeline.name,
      hours: [
        {
          hour,
          rows: { read: 6, clean: 2, rejected: 4 },
          rejectedBy: { 'amount type': 2, 'id required': 1, 'row width': 1 },
        },
      ],
    });
    const plain = await app.cli(['quarantine', 'list', pipeline.name]);
    expect(plain.out).toContain('4 of 6  amount type 2, id required 1, row width 1');
    expect((await show()).rows.map(({ rule, raw }) => [rule, raw])).toEqual([
      ['width', '3,c'],
      ['type', '2,b,x'],
      ['required', ',d,4'],
      ['type', '6,f,oops'],
    ]);
    expect((await show('--column', 'amount', '--limit', '1')).rejected).toBe(2);
    expect((await show('--rule', 'required')).rows).toMatchObject([{ column: 'id', line: 5, value: '' }]);
    const lines = await app.cli(['quarantine', 'show', pipeline.name, '--hour', hour, '--rule', 'required']);
    expect(lines.out).toMatch(/^line 5, byte \d+ of [0-9a-f]{12}…: id breaks "required" with ""\n {4},d,4\n$/);
    const out = join(app.folder, 'rejects.ndjson');
    expect((await app.cli(['quarantine', 'show', pipeline.name, '--hour', hour, '--out', out])).code).toBe(0);
    expect((await readFile(out, 'utf8')).trim().split('\n')).toHaveLength(4);
  });

  it('are mended by an overlay, and each comes in once', async () => {
    const { rows } = await show();
    const fix = ({ file, byteOffset }: Reject, set: object): string => JSON.stringify({ file, byteOffset, set });
    const fixes = join(app.folder, 'fixes.ndjson');
    await writeFile(
      fixes,
      `${fix(rows[0]!, { id: '3', kind: 'c', amount: '3' })}\n${fix(rows[1]!, { amount: '2' })}\n`,
    );
    const replay = () => app.cli(['quarantine', 'replay', definition, '--hour', hour, '--fixes', fixes, '--json']);
    const first = await replay();
    expect(first.code).toBe(0);
    expect(await ids()).toEqual(['1', '2', '3', '5']);
    expect([await generations(), await indexed()]).toEqual([2, 4]);
    // A row that was mended may be mended again; nothing has become other.
    expect((await replay()).code).toBe(0);
    const sound = join(app.folder, 'sound.ndjson');
    await writeFile(sound, fix({ ...rows[0]!, byteOffset: 15 }, { amount: '7' }));
    const other = await app.cli(['quarantine', 'replay', definition, '--hour', hour, '--fixes', sound]);
    expect(other.code).toBe(1);
    expect(other.err).toMatch(/mends byte 15 of [0-9a-f]{12}…, which is no rejected or mended row of/);
    expect((await app.cli(['run', definition, '--hour', hour, '--force', '--json'])).code).toBe(0);
    expect([await ids(), await generations(), await indexed()]).toEqual([['1', '2', '3', '5'], 2, 4]);
    expect((await show()).rejected).toBe(2);
  });

  it('are let in by a mended definition', async () => {
    const mended = { ...input, contract: { types: 'discard_value' } } satisfies PipelineInput;
    definition = await app.definitionFile(mended);
    const { code } = await app.cli(['quarantine', 'replay', definition, '--hour', hour, '--json']);
    expect(code).toBe(0);
    expect(await ids()).toEqual(['1', '2', '3', '5', '6']);
    expect(await rowsOf(`SELECT amount FROM t WHERE id = '6'`)).toEqual([{ amount: null }]);
    expect([await generations(), await indexed()]).toEqual([3, 5]);
  });

  it('that are too many keep the hour back: nothing is published, and the run says which gate and by how much', async () => {
    const { input: gated, pipeline: own } = app.define({ quality: { rejectedPercent: { warn: 10, block: 20 } } });
    app.serve(own, { body: 'id,kind,amount\n1,a,1\n2,b,x\n3,c,y\n' });
    const { code, err } = await app.cli(['run', await app.definitionFile(gated), '--json']);
    expect(code).toBe(3);
    expect(err).toContain('2 of 3 rows were rejected (66.67 %); the bound that blocks is 20 %.');
    expect(await readTopic(app.environment, own.name)).toEqual([]);
    expect(await keysBelow(app.environment, `landing/${own.name}/_hours/`)).toEqual([]);
    // The rows can be looked at all the same.
    const { out } = await app.cli(['quarantine', 'list', own.name, '--json']);
    expect(JSON.parse(out)).toMatchObject({ hours: [{ hour, rows: { rejected: 2 } }] });
  });

  it('find the local stack by themselves, as the other commands do', async () => {
    const { SLUICE_S3_BUCKET } = app.environment;
    const alone = { PATH: process.env['PATH'] ?? '', SLUICE_STACK: process.env['SLUICE_TEST_STACK'] ?? '' };
    const environment = { ...alone, ...(SLUICE_S3_BUCKET === undefined ? {} : { SLUICE_S3_BUCKET }) };
    const { code, out } = await app.cli(['quarantine', 'list', pipeline.name], environment);
    expect([code, out]).toEqual([0, expect.stringContaining(hour)]);
  });

  it('says in one sentence what it cannot do', async () => {
    const unknown = await app.cli(['quarantine', 'show', 'nobody', '--hour', hour]);
    expect([unknown.code, unknown.err]).toEqual([
      1,
      `The hour ${hour} of nobody has not been cleaned: "sluice quarantine list nobody" names those with rejected rows.\n`,
    ]);
    const kept = await keysBelow(app.environment, keys.fixes(pipeline.name, hour));
    const fixes = join(app.folder, 'broken.ndjson');
    await writeFile(fixes, '{"file": "x"}\n');
    const broken = await app.cli(['quarantine', 'replay', definition, '--hour', hour, '--fixes', fixes]);
    expect([broken.code, broken.err.split('\n').length]).toEqual([1, 2]);
    expect(broken.err).toContain('broken.ndjson, line 1: file must be the sha256 of the file');
    // What no run could apply is not kept, or the hour could never run again.
    const [{ file, byteOffset } = { file: '', byteOffset: 0 }] = (await show()).rows;
    for (const [set, why] of [
      [{ amuont: '4' }, 'A fix sets "amuont", and the file has id, kind, amount.'],
      [{ amount: '4\ud800' }, 'is no text that can be stored'],
    ] as const) {
      await writeFile(fixes, `${JSON.stringify({ file, byteOffset, set })}\n`);
      const refused = await app.cli(['quarantine', 'replay', definition, '--hour', hour, '--fixes', fixes]);
      expect([refused.code, refused.err]).toEqual([1, expect.stringContaining(why)]);
    }
    expect((await keysBelow(app.environment, keys.fixes(pipeline.name, hour))).length).toBe(kept.length);
  });

  it('with columns that nobody declared: they are carried to topic, objects and index where the contract evolves', async () => {
    const { input: evolving, pipeline: own } = app.define({ contract: { columns: 'evolve' } });
    app.serve(own, { body: 'id,kind,amount\n1,a,1\n' });
    const file = await app.definitionFile(evolving);
    expect((await app.cli(['run', file, '--json'])).code).toBe(0);
    app.serve(own, { body: 'id,kind,amount,Größe (m²)\n1,a,1,7\n2,b,2,\n' });
    expect((await app.cli(['run', file, '--refetch', '--json'])).code).toBe(0);
    const landed = await queryHour(app.environment, own.name, hour, 'SELECT id, grosse_m2 FROM t ORDER BY id');
    expect(landed).toEqual([
      { id: '1', grosse_m2: '7' },
      { id: '2', grosse_m2: null },
    ]);
    await search(app.environment, `sluice-${own.name}/_refresh`, {});
    const { hits } = (await search(app.environment, `sluice-${own.name}/_search?q=id:1`)) as {
      hits: { hits: { _source: Record<string, unknown> }[] };
    };
    expect(hits.hits.map(({ _source }) => _source['grosse_m2'])).toEqual(['7']);
  });
});
