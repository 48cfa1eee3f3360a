import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SearchConnector } from '../../src/connectors/search.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import { keys } from '../../src/definition/names.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { reconcile } from '../../src/stages/accounting/reconcile.ts';
import { unattended, type StageContext } from '../../src/stages/deps.ts';
import { indexBatch } from '../../src/stages/indexing/index-batch.ts';
import { planRebuild } from '../../src/stages/indexing/rebuild.ts';
import { sendBulk } from '../../src/stages/indexing/bulk-sender.ts';
import { FaultySearch } from '../helpers/faulty-search.ts';
import { IndexLab, labRows, nth, recordOf, type LabRow } from '../helpers/index-lab.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noStack, testStack } from '../helpers/stack.ts';

describe.skipIf(noStack)('indexing on a real Elasticsearch', () => {
  let lab: IndexLab;
  let faulty: FaultySearch;
  /** The same behind a proxy that does harm. */
  let harmed: IndexLab;

  beforeAll(async () => {
    const { environment } = await testStack();
    const deps = stageDeps(environment, `indexing-${randomBytes(4).toString('hex')}`);
    await deps.store.ensureBucket();
    lab = new IndexLab(deps);
    faulty = await FaultySearch.start(environment['SLUICE_ELASTICSEARCH_URL'] ?? '');
    harmed = new IndexLab({ ...deps, search: new SearchConnector({ url: faulty.url }) });
  });

  afterAll(async () => {
    await harmed.deps.search.close();
    await lab.deps.search.close();
    await faulty.stop();
  });

  /** A context that keeps what a stage says of itself. */
  function noting(): { ctx: StageContext; notes: string[] } {
    const notes: string[] = [];
    return { notes, ctx: { ...unattended, progress: ({ note }) => void notes.push(note ?? '') } };
  }

  const wide = (count: number): LabRow[] => labRows(count, (at) => ({ kind: `${at} `.padEnd(2_000, 'x') }));

  describe('faults on the way', () => {
    it.each([
      ['an overloaded server refuses whole requests', { kind: 'refuse' }, /did not take .*429 es_rejected.*waits/],
      [
        'an overloaded server refuses some documents',
        { kind: 'refuse-some', every: 3 },
        /did not take .*429 circuit_breaking.*waits/,
      ],
      ['the answer is lost after all was written', { kind: 'lose-answer' }, /did not take .*waits/],
      ['a proxy takes smaller bodies only', { kind: 'limit', bytes: 700_000 }, /indexed/],
    ] as const)('indexes each row once where %s', async (_, fault, said) => {
      const pipeline = lab.definition();
      const prepared = await lab.prepare(pipeline);
      const hourRecord = await lab.commit(pipeline, nth(1), wide(2_500));
      const { ctx, notes } = noting();
      faulty.bulks = 0;
      // More than one request in a row: a single try again would not do.
      faulty.fault = (bulk) => (fault.kind === 'limit' || bulk < 4 ? fault : undefined);
      const indexed = await indexBatch(harmed.deps, await lab.input(pipeline, prepared, hourRecord), ctx);
      expect(indexed).toMatchObject({ indexed: 2_500, index: `${prepared.alias}-000001` });
      expect(faulty.bulks).toBeGreaterThan(4);
      expect(notes.some((note) => said.test(note))).toBe(true);
      expect(await lab.count(prepared.alias)).toBe(2_500);
    });

    it('sends again what was applied before the answer timed out', async () => {
      const pipeline = lab.definition();
      const { index } = await lab.prepare(pipeline);
      faulty.bulks = 0;
      faulty.fault = (bulk) => (bulk === 0 ? { kind: 'hold-answer' } : undefined);
      const operations = ['a', 'b'].map((id) => ({
        action: JSON.stringify({ index: { _id: id, version: 7, version_type: 'external_gte' } }),
        document: JSON.stringify({ id, generation: 1 }),
      }));
      const outcome = await sendBulk(harmed.deps.search, index, operations, unattended, { requestTimeoutMs: 500 });
      expect(outcome).toEqual({ written: 2, newer: 0, refused: 0 });
      const found = await lab.deps.search.client.get({ index, id: 'a' });
      // Written twice under the same version, so it is one document.
      expect(found).toMatchObject({ _version: 7, _seq_no: 2 });
    });

    it('stops at once where it is told to, though the server refuses everything', async () => {
      const pipeline = lab.definition();
      const prepared = await lab.prepare(pipeline);
      const input = await lab.input(pipeline, prepared, await lab.commit(pipeline, nth(1), labRows(10)));
      const stop = new AbortController();
      faulty.fault = () => ({ kind: 'refuse' });
      const ctx: StageContext = {
        signal: stop.signal,
        progress: ({ note }) => {
          if (/waits/.test(note ?? '')) stop.abort();
        },
      };
      await expect(indexBatch(harmed.deps, input, ctx)).rejects.toThrow(/abort/i);
      expect(await lab.count(prepared.alias)).toBe(0);
    });

    it('tells of a full disk, and goes on once the block is off', async () => {
      const pipeline = lab.definition();
      const prepared = await lab.prepare(pipeline);
      const input = await lab.input(pipeline, prepared, await lab.commit(pipeline, nth(1), labRows(10)));
      const block = (on: boolean | null) =>
        lab.deps.search.client.indices.putSettings({
          index: prepared.index,
          settings: { 'index.blocks.read_only_allow_delete': on } as object,
        });
      await block(true);
      await expect(indexBatch(lab.deps, input, unattended)).rejects.toMatchObject({
        code: 'ElasticsearchUnavailable',
        message: expect.stringContaining('its disk is nearly full') as unknown,
      });
      await block(null);
      expect(await indexBatch(lab.deps, input, unattended)).toMatchObject({ indexed: 10 });
    });
  });

  it('keeps documents that the index refuses, with the reasons, and indexes the others', async () => {
    const pipeline = lab.definition({
      columns: {
        id: { name: 'id', required: true },
        lat: { name: 'lat', type: 'decimal' },
        lon: { name: 'lon', type: 'decimal' },
      },
      dashboards: { location: { latitude: 'lat', longitude: 'lon' } },
    });
    const rows = Array.from({ length: 900 }, (_, at) => ({
      id: `r${at}`,
      lat: at % 300 === 7 ? '200' : '48.5',
      lon: '9.25',
    }));
    const failure = await lab.index(pipeline, nth(1), rows).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SluiceError);
    const { code, message, facts } = failure as SluiceError;
    expect(code).toBe('DocumentsRefused');
    expect(message).toMatch(
      /refused 3 documents of .* 2026-11-24T01; the first, record \["r(7|307|607)"\]: 400 document_parsing_exception/,
    );
    const { store } = lab.deps;
    const stored = (await store.get(store.keyOf(String(facts['rejects'])))).toString().trimEnd().split('\n');
    expect(facts).toMatchObject({ refused: 3 });
    expect(message).toContain(String(facts['rejects']));
    const rejects = stored.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rejects.map(({ record }) => String(record)).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      '["r307"]',
      '["r607"]',
      '["r7"]',
    ]);
    for (const { status, type, object, document, index } of rejects) {
      expect({ status, type, index }).toEqual({
        status: 400,
        type: 'document_parsing_exception',
        index: `sluice-${pipeline.name}-000001`,
      });
      expect(await store.exists(String(object))).toBe(true);
      expect(document).toMatchObject({ lat: 200, location: { lat: 200, lon: 9.25 } });
    }
    expect(await lab.count(`sluice-${pipeline.name}`)).toBe(897);
  });

  describe('latest', () => {
    const latest = () => lab.definition({ index: { mode: 'latest' } });
    const row = (id: string, kind: string): LabRow => ({ id, kind, amount: '1.000000' });

    /** What the index has to hold: each key as the newest hour that has it says, and whether the newest hour of all has it. */
    function expected(hours: Readonly<Record<string, readonly LabRow[]>>): Record<string, unknown> {
      const documents: Record<string, unknown> = {};
      const ascending = Object.keys(hours).toSorted();
      for (const hour of ascending) {
        for (const one of hours[hour] ?? []) {
          documents[recordOf(one)] = { kind: one['kind'], hour, present: hour === ascending.at(-1) };
        }
      }
      return documents;
    }

    async function found(alias: string): Promise<Record<string, unknown>> {
      const documents = Object.values(await lab.documents(alias));
      return Object.fromEntries(
        documents.map(({ id, kind, hour, present }) => [JSON.stringify([id]), { kind, hour, present }]),
      );
    }

    const hours: Readonly<Record<string, readonly LabRow[]>> = {
      [nth(1)]: [row('a', 'a1'), row('b', 'b1'), row('c', 'c1')],
      [nth(2)]: [row('a', 'a2'), row('b', 'b2'), row('d', 'd2')],
      [nth(3)]: [row('a', 'a3'), row('c', 'c3'), row('e', 'e3')],
      [nth(4)]: [row('a', 'a4'), row('e', 'e4')],
    };

    it.each([[[1, 2, 3, 4]], [[4, 3, 2, 1]], [[2, 4, 1, 3]], [[3, 1, 4, 2]]])(
      'comes to the same documents in the order %j, and again in a replay of it',
      async (order) => {
        const pipeline = latest();
        const { alias } = streamOf(pipeline, 'main');
        const so: Record<string, readonly LabRow[]> = {};
        for (const n of [...order, ...order]) {
          const rows = hours[nth(n)] ?? [];
          so[nth(n)] = rows;
          expect(await lab.index(pipeline, nth(n), rows)).toMatchObject({
            indexed: rows.length,
            vanished: expect.any(Number) as unknown,
          });
          expect(await found(alias)).toEqual(expected(so));
        }
      },
    );

    it('proves an older hour by the newer documents that it finds, and its equation holds', async () => {
      const pipeline = latest();
      await lab.index(pipeline, nth(5), labRows(1_000));
      const prepared = await lab.prepare(pipeline);
      const hourRecord = await lab.commit(pipeline, nth(2), labRows(1_200));
      const input = await lab.input(pipeline, prepared, hourRecord);
      const indexed = await indexBatch(lab.deps, input, unattended);
      const { rows, checksum } = input.landed;
      expect(indexed).toMatchObject({ indexed: 1_200, checksum });
      const given = { ...input, batch: clean(rows, checksum), published: published(rows, checksum), indexed };
      expect(await reconcile(lab.deps, given, unattended)).toMatchObject({ holds: true });
      // One of its own and one of the newer hour's: both are missed.
      const documents = Object.entries(await lab.documents(prepared.alias));
      for (const id of ['r1100', 'r10']) {
        const [of] = documents.find(([, document]) => document['id'] === id) ?? [];
        await lab.deps.search.client.delete({ index: prepared.index, id: of ?? '', refresh: true });
      }
      expect(await reconcile(lab.deps, given, unattended)).toMatchObject({ holds: false, rows: { indexed: 1_198 } });
    });

    it('takes what an hour no longer has out, where it is run again with other rows', async () => {
      const pipeline = latest();
      const { alias } = streamOf(pipeline, 'main');
      await lab.index(pipeline, nth(1), [row('a', 'a1'), row('b', 'b1')]);
      await lab.index(pipeline, nth(2), [row('a', 'a2'), row('b', 'b2')]);
      expect(await lab.index(pipeline, nth(2), [row('b', 'b2x')])).toMatchObject({ indexed: 1, vanished: 1 });
      expect(await found(alias)).toEqual({
        '["a"]': { kind: 'a2', hour: nth(2), present: false },
        '["b"]': { kind: 'b2x', hour: nth(2), present: true },
      });
    });

    it('does not let an hour that writes late say that its keys are there', async () => {
      const pipeline = latest();
      const { alias } = streamOf(pipeline, 'main');
      const prepared = await lab.prepare(pipeline);
      const input = await lab.input(pipeline, prepared, await lab.commit(pipeline, nth(1), hours[nth(1)] ?? []));
      // Its documents are on their way when the next hour is committed and indexed.
      let once = false;
      faulty.fault = () => undefined;
      faulty.before = async () => {
        if (once) return;
        once = true;
        await lab.index(pipeline, nth(2), hours[nth(2)] ?? []);
      };
      await indexBatch(harmed.deps, input, unattended);
      faulty.before = async () => {};
      const two = { [nth(1)]: hours[nth(1)] ?? [], [nth(2)]: hours[nth(2)] ?? [] };
      expect(await found(alias)).toEqual(expected(two));
    });

    it('keeps the newest hour’s rows where that repeats an hour below a late one', async () => {
      const pipeline = latest();
      const { alias } = streamOf(pipeline, 'main');
      const { deps } = lab;
      await lab.index(pipeline, nth(1), [row('a', 'a1'), row('b', 'b1')]);
      const { name: stream } = streamOf(pipeline, 'main');
      const same = { stream, hour: nth(3), rawSha: 'r', definitionSha: 'd', content: { sameAs: nth(1) } };
      await (await import('../../src/stages/landing/hour-record.ts')).commitHour(deps, same);
      await lab.index(pipeline, nth(2), [row('a', 'a2'), row('c', 'c2')]);
      expect(await found(alias)).toEqual({
        '["a"]': { kind: 'a1', hour: nth(3), present: true },
        '["b"]': { kind: 'b1', hour: nth(3), present: true },
        '["c"]': { kind: 'c2', hour: nth(2), present: false },
      });
    });
  });

  it('gives the template to an index that somebody else makes under the name', async () => {
    const pipeline = lab.definition();
    const { alias, changes } = await lab.prepare(pipeline);
    expect(changes).toContain(`created index template sluice.${alias}`);
    expect((await lab.prepare(pipeline)).changes).toEqual([]);
    const other = `${alias}-other`;
    const { client } = lab.deps.search;
    await client.indices.create({ index: other });
    await expect(client.index({ index: other, document: { unheard: 1 } })).rejects.toThrow(/strict_dynamic_mapping/);
    await client.index({ index: other, document: { amount: 1.5, hour: nth(1) } });
    await client.indices.delete({ index: other });
    const wider = lab.definition(
      { index: { replicas: 1 }, columns: { ...columnsOf(pipeline), more: { name: 'more' } } },
      pipeline.name,
    );
    expect((await lab.prepare(wider)).changes).toEqual([
      `index template sluice.${alias}: more added`,
      `index ${alias}-000001: added more`,
      `index ${alias}-000001: replicas 0 → 1`,
    ]);
  });

  it('says so where the alias’s name is taken by an index', async () => {
    const pipeline = lab.definition();
    const { alias } = streamOf(pipeline, 'main');
    await lab.deps.search.client.indices.create({ index: alias });
    await expect(lab.prepare(pipeline)).rejects.toMatchObject({ code: 'IndexMismatch' });
    await lab.deps.search.client.indices.delete({ index: alias });
  });

  it('lets no second pipeline behind an alias, nor rebuild it', async () => {
    const first = lab.definition();
    await lab.index(first, nth(1), labRows(3));
    const alias = `sluice-${first.name}`;
    const second = lab.definition({ index: { name: alias } });
    await expect(lab.prepare(second)).rejects.toMatchObject({
      code: 'IndexMismatch',
      message: expect.stringContaining(`belongs to ${first.name}`),
    });
    const rebuild = { pipeline: second, dataset: 'main', dryRun: false };
    await expect(planRebuild(lab.deps, rebuild, unattended)).rejects.toMatchObject({ code: 'IndexMismatch' });
    expect(await lab.count(alias)).toBe(3);
    await lab.prepare(first);
  });

  it('tells of rejects in the place that names.ts says', () => {
    expect(keys.indexRejects('s', nth(1), 'b', 2)).toBe('runs/s/2026-11-24T01/batches/b/index-rejects-000002.ndjson');
  });
});

const columnsOf = ({ columns }: { columns: object }) => columns as Record<string, { name: string }>;

type Sums = readonly [number, number, number, number];

function clean(rows: number, checksum: Sums) {
  const ref = { uri: '', sha256: '', bytes: 0 };
  const counts = { read: rows, clean: rows, duplicates: 0, filtered: 0, rejected: 0 };
  return { dataset: 'main', batchId: 'b', clean: ref, rows: counts, checksum, rejects: ref, report: ref };
}

const published = (rows: number, checksum: Sums) => ({
  batchId: 'b',
  rows,
  checksum,
  resumedAfter: 0,
  committedBefore: false,
});
