import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SearchConnector } from '../../src/connectors/search.ts';
import type { SluiceError } from '../../src/definition/errors.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { unattended, type StageContext } from '../../src/stages/deps.ts';
import { indexBatch } from '../../src/stages/indexing/index-batch.ts';
import { planRebuild, rebuildIndex } from '../../src/stages/indexing/rebuild.ts';
import { swapAlias } from '../../src/stages/indexing/targets.ts';
import { retain } from '../../src/stages/maintaining/retention.ts';
import { FaultySearch } from '../helpers/faulty-search.ts';
import { IndexLab, labRows, nth } from '../helpers/index-lab.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noStack, testStack } from '../helpers/stack.ts';

describe.skipIf(noStack)('an index that takes another’s place', () => {
  let lab: IndexLab;
  let faulty: FaultySearch;
  let harmed: IndexLab;

  beforeAll(async () => {
    const { environment } = await testStack();
    const deps = stageDeps(environment, `reindexing-${randomBytes(4).toString('hex')}`);
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

  const aliasOf = (pipeline: Pipeline): string => streamOf(pipeline, 'main').alias;

  /** A pipeline with so many hours of 50 rows in its index. */
  async function filled(hours: number, mode: 'history' | 'latest' = 'history'): Promise<Pipeline> {
    const pipeline = lab.definition({ index: { mode } });
    for (let n = 1; n <= hours; n += 1) await lab.index(pipeline, nth(n), labRows(50 + n));
    return pipeline;
  }

  async function plan(pipeline: Pipeline, dryRun = false) {
    return planRebuild(lab.deps, { pipeline, dataset: 'main', dryRun }, unattended);
  }

  async function rebuilt(pipeline: Pipeline, keepOld = false, of = lab, ctx: StageContext = unattended) {
    const { from, to = '' } = await plan(pipeline);
    return rebuildIndex(of.deps, { pipeline, dataset: 'main', ...(from ? { from } : {}), to, keepOld }, ctx);
  }

  /** Documents by hour, as a reader of the alias finds them. */
  async function byHour(alias: string): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { hour } of Object.values(await lab.documents(alias))) {
      counts[String(hour)] = (counts[String(hour)] ?? 0) + 1;
    }
    return counts;
  }

  const withType = (pipeline: Pipeline, type: 'string' | 'integer' | 'decimal') =>
    lab.definition(
      { columns: { id: { name: 'id', required: true }, kind: { name: 'kind' }, amount: { name: 'amount', type } } },
      pipeline.name,
    );

  describe('by sluice reindex', () => {
    it('says what it comes to and does nothing in a dry run', async () => {
      const pipeline = await filled(3);
      const alias = aliasOf(pipeline);
      const found = await plan(pipeline, true);
      expect(found).toMatchObject({ alias, from: `${alias}-000001`, hours: 3, rows: 156, resumed: false });
      expect(found).not.toHaveProperty('to');
      expect(found.bytes).toBeGreaterThan(0);
      expect(await lab.indices(alias)).toEqual({ [`${alias}-000001`]: [alias] });
    });

    it.each(['history', 'latest'] as const)(
      'makes the same documents anew in %s, and deletes the old index',
      async (mode) => {
        const pipeline = await filled(3, mode);
        const alias = aliasOf(pipeline);
        const before = await lab.documents(alias);
        const outcome = await rebuilt(pipeline);
        // In latest the older hours find all of their keys there, of the newest.
        const whole = mode === 'history' ? 0 : 2;
        expect(outcome).toMatchObject({
          hours: 3,
          rows: 156,
          whole,
          index: `${alias}-000002`,
          deleted: `${alias}-000001`,
        });
        expect(await lab.indices(alias)).toEqual({ [`${alias}-000002`]: [alias] });
        expect(await lab.documents(alias)).toEqual(before);
        expect(Object.keys(before)).toHaveLength(mode === 'history' ? 156 : 53);
      },
    );

    it('brings back what an index lost, and what a deleted one held', async () => {
      const pipeline = await filled(2);
      const alias = aliasOf(pipeline);
      const before = await lab.documents(alias);
      await lab.deps.search.client.indices.delete({ index: `${alias}-000001` });
      expect(await plan(pipeline, true)).not.toHaveProperty('from');
      expect((await lab.prepare(pipeline)).changes).toEqual([
        `created index ${alias}-000001 behind ${alias}; hours committed before are not in it, "sluice reindex" brings them`,
      ]);
      await rebuilt(pipeline);
      expect(await lab.documents(alias)).toEqual(before);
    });

    it('leaves the old index where it is told to', async () => {
      const pipeline = await filled(1);
      const alias = aliasOf(pipeline);
      expect(await rebuilt(pipeline, true)).not.toHaveProperty('deleted');
      expect(await lab.indices(alias)).toEqual({ [`${alias}-000001`]: [], [`${alias}-000002`]: [alias] });
    });

    it('goes on in the unfinished index after it was stopped, and readers see the old one until then', async () => {
      const pipeline = await filled(6);
      const alias = aliasOf(pipeline);
      const stop = new AbortController();
      const ctx: StageContext = {
        signal: stop.signal,
        progress: ({ note }) => {
          if (/hour 4 of 6/.test(note ?? '')) stop.abort();
        },
      };
      await expect(rebuilt(pipeline, false, lab, ctx)).rejects.toThrow(/abort/i);
      expect(await lab.indices(alias)).toEqual({
        [`${alias}-000001`]: [alias],
        [`${alias}-000002`]: [`${alias}@next`],
      });
      expect(await plan(pipeline)).toMatchObject({ to: `${alias}-000002`, resumed: true });
      expect(await rebuilt(pipeline)).toMatchObject({ hours: 6, rows: 321, whole: 3 });
      expect(await lab.indices(alias)).toEqual({ [`${alias}-000002`]: [alias] });
      expect(await lab.count(alias)).toBe(321);
    });

    it('finishes what was killed between the swap and the end', async () => {
      const pipeline = await filled(2);
      const alias = aliasOf(pipeline);
      const { from, to = '' } = await plan(pipeline);
      const input = { pipeline, dataset: 'main', from: from ?? '', to, keepOld: true };
      await rebuildIndex(lab.deps, input, unattended);
      // As the next attempt at the same activity: the other has swapped, and was killed before it deleted.
      expect(await rebuildIndex(lab.deps, { ...input, keepOld: false }, unattended)).toMatchObject({
        whole: 2,
        deleted: from,
      });
      expect(await lab.indices(alias)).toEqual({ [to]: [alias] });
    });

    it('misses no hour that is committed, indexed or replaced while it runs; readers see every hour throughout', async () => {
      const pipeline = await filled(5);
      const alias = aliasOf(pipeline);
      const { client } = lab.deps.search;
      let running = true;
      const seen = new Set<number>();
      const reading = (async () => {
        while (running) {
          const { count } = await client.count({ index: alias, query: { range: { hour: { lte: nth(4) } } } });
          seen.add(count);
        }
      })();
      // Each request of the rebuild is followed by another hour's whole index stage.
      const others: Promise<unknown>[] = [];
      let n = 6;
      faulty.before = async () => {
        if (n > 10) return;
        const hour = n++;
        others.push(lab.index(pipeline, nth(hour), labRows(30)));
        if (hour === 8) others.push(lab.index(pipeline, nth(5), labRows(20)));
        if (hour % 2 === 0) await Promise.all(others);
      };
      let outcome;
      const failures: string[] = [];
      for (let attempt = 0; attempt < 4 && !outcome; attempt += 1) {
        // A generation that was replaced under its hands is worth a retry, as Temporal makes it.
        outcome = await rebuilt(pipeline, false, harmed).catch((error: unknown) => {
          failures.push((error as SluiceError).code);
          return undefined;
        });
      }
      faulty.before = async () => {};
      const results = await Promise.all(others);
      running = false;
      await reading;
      expect(outcome).toMatchObject({ index: `${alias}-000002` });
      expect(failures.filter((code) => code !== 'ElasticsearchUnavailable')).toEqual([]);
      expect(results.length).toBeGreaterThan(3);
      expect([...seen]).toEqual([51 + 52 + 53 + 54]);
      const all = { 1: 51, 2: 52, 3: 53, 4: 54, 5: 20, 6: 30, 7: 30, 8: 30, 9: 30, 10: 30 };
      const wanted = Object.entries(all).filter(([hour]) => Number(hour) < n);
      expect(await byHour(alias)).toEqual(
        Object.fromEntries(wanted.map(([hour, count]) => [nth(Number(hour)), count])),
      );
      expect(await lab.indices(alias)).toEqual({ [`${alias}-000002`]: [alias] });
    });

    it('lets two at once end in one alias on one whole index', async () => {
      const pipeline = await filled(4);
      const alias = aliasOf(pipeline);
      await Promise.all([rebuilt(pipeline), rebuilt(pipeline)]);
      const indices = await lab.indices(alias);
      expect(Object.values(indices).filter((aliases) => aliases.length > 0)).toEqual([[alias]]);
      expect(await lab.count(alias)).toBe(51 + 52 + 53 + 54);
    });

    it.each(['history', 'latest'] as const)(
      'has no hour in %s that retention removed, neither in the index that stands nor in the one that is filled',
      async (mode) => {
        const pipeline = await filled(3, mode);
        const alias = aliasOf(pipeline);
        // A key that only the first hour has: in "latest" its document is that hour's.
        await lab.index(pipeline, nth(1), [...labRows(51), { id: 'old', kind: null, amount: null }]);
        const { to = '' } = await plan(pipeline);
        await lab.index(pipeline, nth(1), [...labRows(51), { id: 'older', kind: null, amount: null }]);
        expect(Object.keys(await byHour(to))).toEqual([nth(1)]);
        const removed = await retain(lab.deps, { pipeline, before: nth(2), dryRun: false }, unattended);
        expect(removed).toMatchObject({ hours: 1, documents: mode === 'history' ? 52 : 2 });
        expect(await lab.count(to)).toBe(0);
        expect(await byHour(alias)).not.toHaveProperty(nth(1));
        const before = await lab.documents(alias);
        expect(await rebuilt(pipeline)).toMatchObject({ hours: 2, index: to });
        expect(await lab.documents(alias)).toEqual(before);
      },
    );

    it('swaps once: who comes second, or holds another index, does not', async () => {
      const pipeline = await filled(1);
      const alias = aliasOf(pipeline);
      const { from, to = '' } = await plan(pipeline);
      expect(await swapAlias(lab.deps.search, alias, `${alias}-000009`, to)).toBe(false);
      expect(await lab.indices(alias)).toEqual({ [`${from}`]: [alias], [to]: [`${alias}@next`] });
      expect(await swapAlias(lab.deps.search, alias, from, to)).toBe(true);
      expect(await swapAlias(lab.deps.search, alias, from, to)).toBe(true);
      expect(await lab.indices(alias)).toEqual({ [`${from}`]: [], [to]: [alias] });
      // Somebody who still takes the first for the one that stands would make two of one alias.
      const third = (await plan(pipeline)).to ?? '';
      expect(await swapAlias(lab.deps.search, alias, from, third)).toBe(false);
      expect(await lab.indices(alias)).toEqual({ [`${from}`]: [], [to]: [alias], [third]: [`${alias}@next`] });
    });

    it('has an hour that was indexed between its last look and the swap, from the swap on', async () => {
      const pipeline = await filled(2);
      const alias = aliasOf(pipeline);
      const { to = '' } = await plan(pipeline);
      faulty.fault = () => undefined;
      faulty.beforeOther = async (path) => {
        if (path.startsWith('/_aliases')) await lab.index(pipeline, nth(3), labRows(9));
      };
      const stop = new AbortController();
      const ctx: StageContext = {
        signal: stop.signal,
        progress: ({ note }) => {
          if (note === `${alias} is ${to} now`) stop.abort();
        },
      };
      await expect(rebuilt(pipeline, false, harmed, ctx)).rejects.toThrow(/abort/i);
      faulty.beforeOther = async () => {};
      expect((await lab.indices(alias))[to]).toEqual([alias]);
      expect(await byHour(alias)).toEqual({ [nth(1)]: 51, [nth(2)]: 52, [nth(3)]: 9 });
    });
  });

  describe('as the columns changed', () => {
    it('is filled by the next run with all hours, and takes over; readers see the old one until then', async () => {
      const pipeline = await filled(3);
      const alias = aliasOf(pipeline);
      const now = withType(pipeline, 'string');
      const prepared = await lab.prepare(now);
      expect(prepared.index).toBe(`${alias}-000002`);
      expect(prepared.changes).toContain(
        `created index ${alias}-000002, which takes the place of ${alias}-000001 once it is filled: amount is double there and keyword here`,
      );
      expect((await lab.prepare(now)).changes).toEqual([]);
      expect(await lab.count(alias)).toBe(156);
      const indexed = await lab.index(now, nth(4), labRows(10));
      expect(indexed).toMatchObject({ index: `${alias}-000002`, indexed: 10 });
      expect(await lab.indices(alias)).toEqual({ [`${alias}-000002`]: [alias] });
      expect(await byHour(alias)).toEqual({ [nth(1)]: 51, [nth(2)]: 52, [nth(3)]: 53, [nth(4)]: 10 });
      const found = await lab.deps.search.client.count({ index: alias, query: { term: { amount: '3.5' } } });
      expect(found.count).toBe(3);
      expect((await lab.prepare(now)).changes).toEqual([]);
    });

    it('leaves out values that do not fit the new type, counts them, and keeps columns that the definition has no more', async () => {
      const texts = withType(lab.definition(), 'string');
      const alias = aliasOf(texts);
      await lab.index(
        texts,
        nth(1),
        labRows(6, (at) => ({ amount: ['7', '-3', '4.000', 'many', '', '9'][at] ?? null })),
      );
      const numbers = lab.definition(
        { columns: { id: { name: 'id', required: true }, amount: { name: 'amount', type: 'integer' } } },
        texts.name,
      );
      const prepared = await lab.prepare(numbers);
      const { from, to = '' } = await plan(numbers);
      expect(to).toBe(prepared.index);
      const outcome = await rebuildIndex(
        lab.deps,
        { pipeline: numbers, dataset: 'main', ...(from ? { from } : {}), to, keepOld: false },
        unattended,
      );
      expect(outcome).toMatchObject({ hours: 1, rows: 6, misfits: { amount: 2 } });
      const documents = Object.values(await lab.documents(alias)).toSorted((a, b) =>
        String(a['id']) < String(b['id']) ? -1 : 1,
      );
      expect(documents.map(({ amount }) => amount)).toEqual([7, -3, 4, undefined, undefined, 9]);
      expect(documents.map(({ kind }) => kind)).toEqual(['k0', 'k1', 'k2', 'k0', 'k1', 'k2']);
    });

    it('is made for another number of shards, and for another mode', async () => {
      const pipeline = await filled(2);
      const alias = aliasOf(pipeline);
      const wider = lab.definition({ index: { shards: 2 } }, pipeline.name);
      await lab.index(wider, nth(3), labRows(5));
      const latest = lab.definition({ index: { shards: 2, mode: 'latest' } }, pipeline.name);
      expect(await lab.index(latest, nth(4), labRows(6))).toMatchObject({ index: `${alias}-000003`, indexed: 6 });
      expect(await lab.indices(alias)).toEqual({ [`${alias}-000003`]: [alias] });
      expect(await lab.count(alias)).toBe(52);
      const { count } = await lab.deps.search.client.count({ index: alias, query: { term: { present: true } } });
      expect(count).toBe(6);
    });

    it('ends in one alias on one whole index where two runs do it at once', async () => {
      const pipeline = await filled(4);
      const alias = aliasOf(pipeline);
      const now = withType(pipeline, 'string');
      const results = await Promise.all([lab.index(now, nth(5), labRows(10)), lab.index(now, nth(6), labRows(11))]);
      expect(results.map(({ index }) => index)).toEqual([`${alias}-000002`, `${alias}-000002`]);
      expect(await lab.indices(alias)).toEqual({ [`${alias}-000002`]: [alias] });
      expect(await lab.count(alias)).toBe(51 + 52 + 53 + 54 + 10 + 11);
    });

    it('gives up an index that was begun for columns which are not wanted any more', async () => {
      const pipeline = await filled(1);
      const alias = aliasOf(pipeline);
      await lab.prepare(withType(pipeline, 'string'));
      const { changes, index } = await lab.prepare(pipeline);
      expect(index).toBe(`${alias}-000001`);
      expect(changes).toContain(`gave up index ${alias}-000002, which was to have other columns`);
      expect(await lab.indices(alias)).toEqual({ [`${alias}-000001`]: [alias] });
    });

    it('takes the rows of a run that began before, whose index is gone', async () => {
      const pipeline = await filled(1);
      const alias = aliasOf(pipeline);
      const before = await lab.prepare(pipeline);
      const input = await lab.input(pipeline, before, await lab.commit(pipeline, nth(2), labRows(7)));
      await lab.index(
        withType(pipeline, 'integer'),
        nth(3),
        labRows(8, (at) => ({ amount: String(at) })),
      );
      expect(await indexBatch(lab.deps, input, unattended)).toMatchObject({ index: `${alias}-000002`, indexed: 7 });
      expect(await byHour(alias)).toEqual({ [nth(1)]: 51, [nth(2)]: 7, [nth(3)]: 8 });
    });

    it('says so where somebody deleted the index under a run', async () => {
      const pipeline = lab.definition();
      const prepared = await lab.prepare(pipeline);
      const input = await lab.input(pipeline, prepared, await lab.commit(pipeline, nth(1), labRows(7)));
      await lab.deps.search.client.indices.delete({ index: prepared.index });
      await expect(indexBatch(lab.deps, input, unattended)).rejects.toMatchObject({
        code: 'IndexMismatch',
        message: expect.stringContaining('sluice reindex') as unknown,
      });
    });
  });
});
