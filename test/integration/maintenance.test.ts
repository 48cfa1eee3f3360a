import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../src/connectors/object-store.ts';
import { keys } from '../../src/definition/names.ts';
import type { BatchRecord } from '../../src/definition/refs.ts';
import { unattended, type StageDeps } from '../../src/stages/deps.ts';
import { sha256Hex } from '../../src/stages/hashing.ts';
import { importSource } from '../../src/stages/importing/import-source.ts';
import { newestBatchRecord } from '../../src/stages/landing/batch-record.ts';
import { compactStream } from '../../src/stages/maintaining/compact-stream.ts';
import { compactBatch } from '../../src/stages/maintaining/compact.ts';
import { collectGarbage } from '../../src/stages/maintaining/garbage.ts';
import { retain } from '../../src/stages/maintaining/retention.ts';
import { LandingLab } from '../helpers/landing-lab.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noStack, testStack } from '../helpers/stack.ts';

const DAY_MS = 86_400_000;
const today = '2026-11-25';
const [early, late] = ['2026-11-24T03:00:00Z', '2026-11-24T04:00:00Z'];

describe.skipIf(noStack)('maintenance on a real object store', () => {
  let deps: StageDeps;

  beforeAll(async () => {
    deps = stageDeps((await testStack()).environment, `maintenance-${randomBytes(4).toString('hex')}`);
    await deps.store.ensureBucket();
  });

  afterAll(async () => {
    await deps.search.close();
  });

  /** The server's times are now, so a test that lets days pass looks back from a later moment. */
  const inDays = (days: number): number => Date.now() + days * DAY_MS + 60_000;
  const gc = (lab: LandingLab, days: number, dryRun = false, of: Pick<StageDeps, 'store'> = deps) =>
    collectGarbage(of, { pipeline: lab.stream, streams: [lab.stream], dryRun }, unattended, inDays(days));
  const compact = (lab: LandingLab, dryRun = false) =>
    compactStream(deps, { stream: lab.stream, before: today, dryRun }, unattended);
  const data = (lab: LandingLab) => lab.keysBelow(keys.data(lab.stream));
  const removedBy = async (lab: LandingLab, days: number): Promise<number> =>
    (await gc(lab, days)).tallies.filter(({ what }) => what !== 'temporary objects').reduce((n, t) => n + t.objects, 0);

  /** The store, but for what it does before a call, told of it: it may throw, as where a process dies there. */
  function watched(before: (method: string, key: string) => Promise<void>): Pick<StageDeps, 'store'> {
    const store = new Proxy<Store>(deps.store, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        if (name !== 'createOnce' && name !== 'remove' && name !== 'createJson') return member.bind(target) as unknown;
        return async (first: string | readonly string[], ...rest: unknown[]): Promise<unknown> => {
          await before(name, typeof first === 'string' ? first : (first[0] ?? ''));
          return (member as (...args: unknown[]) => Promise<unknown>).call(target, first, ...rest);
        };
      },
    });
    return { store };
  }

  /** Dies at the nth write or removal. */
  const dyingAt = (nth: number): Pick<StageDeps, 'store'> => {
    let left = nth;
    return watched(async () => {
      left -= 1;
      if (left === 0) throw new Error('killed');
    });
  };

  const twoHours = async (overrides: Parameters<typeof LandingLab.make>[1] = {}) => {
    const lab = await LandingLab.make(deps, overrides);
    const batches = [await lab.hour(early, 200), await lab.hour(late, 150)];
    return { lab, batches };
  };

  it.each(['parquet', 'jsonl'] as const)(
    'writes small objects as fewer, and readers see the same rows: %s',
    async (format) => {
      const { lab, batches } = await twoHours({ land: { type: 'kind', maxRecords: 20, format } });
      const before = await lab.read();
      const chains = await lab.keysBelow(`landing/${lab.stream}/_`);
      const report = await compact(lab);
      expect(report).toMatchObject({ batches: 2, lost: 0 });
      expect(await lab.read()).toEqual(before);
      // A null and two values of `kind`.
      for (const batch of batches) {
        const newest = await newestBatchRecord(deps.store, lab.stream, batch);
        expect(newest?.record).toMatchObject({ version: 2 });
        expect(newest?.record.objects).toHaveLength(3);
      }
      const added = (await lab.keysBelow(`landing/${lab.stream}/_`)).filter((key) => !chains.includes(key));
      expect(added).toEqual(batches.map((batch) => keys.batchRecord(lab.stream, batch, 2)).toSorted());
      expect(await compact(lab)).toMatchObject({ batches: 0, tallies: [] });
    },
  );

  it('leaves hours of today alone', async () => {
    const { lab } = await twoHours();
    const report = await compactStream(deps, { stream: lab.stream, before: '2026-11-24', dryRun: false }, unattended);
    expect(report.batches).toBe(0);
  });

  it('closes an object at its target, and no row is cut off', async () => {
    const { lab, batches } = await twoHours();
    const before = await lab.read();
    const done = await compactBatch(deps, { stream: lab.stream, batch: batches[0] ?? '', targetBytes: 1_000 });
    expect(done?.into.length).toBeGreaterThan(6);
    expect(Math.max(...(done?.into.map(({ rows }) => rows) ?? []))).toBeLessThan(40);
    expect(await lab.read()).toEqual(before);
    expect(await compactBatch(deps, { stream: lab.stream, batch: batches[0] ?? '' })).toBeUndefined();
  });

  it('keeps the older version readable for a day, and takes its objects then', async () => {
    const { lab, batches } = await twoHours();
    const before = await lab.read();
    const old = await lab.rowsOf(batches[0] ?? '', 1);
    await compact(lab);
    expect(await removedBy(lab, 0)).toBe(0);
    expect(await lab.rowsOf(batches[0] ?? '', 1)).toEqual(old);
    expect(await removedBy(lab, 1)).toBeGreaterThan(10);
    await expect(lab.rowsOf(batches[0] ?? '', 1)).rejects.toMatchObject({ code: 'ObjectCorrupt' });
    expect(await lab.read()).toEqual(before);
    expect(await data(lab)).toHaveLength(6);
    expect(await removedBy(lab, 9)).toBe(0);
  });

  it('takes objects by when their version was superseded, however old they are', async () => {
    const { lab, batches } = await twoHours();
    const landed = new Set(await data(lab));
    await compact(lab);
    const aged: Pick<StageDeps, 'store'> = {
      store: new Proxy<Store>(deps.store, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name);
          if (typeof member !== 'function') return member;
          if (name !== 'list') return member.bind(target) as unknown;
          return async function* (prefix: string) {
            for await (const object of target.list(prefix)) {
              const old = landed.has(object.key);
              yield old ? { ...object, lastModified: new Date(object.lastModified.getTime() - 40 * DAY_MS) } : object;
            }
          };
        },
      }),
    };
    expect(await gc(lab, 0, true, aged)).toEqual({ tallies: [] });
    await gc(lab, 0, false, aged);
    expect(await lab.rowsOf(batches[0] ?? '', 1)).toEqual(await lab.rowsOf(batches[0] ?? '', 2));
    expect((await gc(lab, 1, true, aged)).tallies).toMatchObject([{ objects: landed.size }]);
  });

  it('has one winner of two compactions, and what the other wrote goes', async () => {
    const { lab, batches } = await twoHours();
    const before = await lab.read();
    const [batch = '', other = ''] = batches;
    const alike = await Promise.all([1, 2].map(async () => compactBatch(deps, { stream: lab.stream, batch })));
    expect(alike.map((done) => done?.outcome)).toEqual(['compacted', 'compacted']);
    expect(alike[0]?.into).toEqual(alike[1]?.into);
    const unlike = await Promise.all(
      [1_000, 2_000].map(async (targetBytes) => compactBatch(deps, { stream: lab.stream, batch: other, targetBytes })),
    );
    expect(new Set(unlike.map((done) => done?.outcome))).toEqual(new Set(['compacted', 'lost']));
    expect(await lab.read()).toEqual(before);
    await gc(lab, 1);
    expect(await lab.read()).toEqual(before);
    const named = await Promise.all(batches.map(async (b) => newestBatchRecord(deps.store, lab.stream, b)));
    expect(await data(lab)).toEqual(
      named.flatMap((newest) => newest?.record.objects.map(({ key }) => key) ?? []).toSorted(),
    );
  });

  it('leaves the old version in force wherever it dies, and what it had written is used or collected', async () => {
    const { lab, batches } = await twoHours();
    const batch = batches[0] ?? '';
    const before = await lab.read();
    let died = 0;
    for (let nth = 1; ; nth++) {
      const done = await compactBatch(dyingAt(nth), { stream: lab.stream, batch }).catch((error: unknown) => error);
      if (!(done instanceof Error)) break;
      died += 1;
      expect(done.message).toBe('killed');
      expect((await newestBatchRecord(deps.store, lab.stream, batch))?.record.version).toBe(1);
      // A week later its objects are there still: the next attempt finds them, and names them.
      await gc(lab, 7);
      expect(await lab.read()).toEqual(before);
    }
    // Three objects and the record.
    expect(died).toBe(4);
    await gc(lab, 7);
    expect(await lab.read()).toEqual(before);
    // The worst moment: collected while a second attempt goes on from the objects that it found to the record.
    const other = batches[1] ?? '';
    await expect(compactBatch(dyingAt(4), { stream: lab.stream, batch: other })).rejects.toThrow('killed');
    const colliding = watched(async (_method, key) => {
      if (key.includes('_batches')) await gc(lab, 7);
    });
    expect(await compactBatch(colliding, { stream: lab.stream, batch: other })).toMatchObject({ version: 2 });
    expect(await lab.read()).toEqual(before);
  });

  it('changes nothing where an object is not what its record says', async () => {
    const { lab, batches } = await twoHours();
    const batch = batches[0] ?? '';
    const newest = await newestBatchRecord(deps.store, lab.stream, batch);
    const [first, ...rest] = newest?.record.objects ?? [];
    if (!newest || !first) throw new Error('the batch has no objects');
    const wrong: BatchRecord = { ...newest.record, version: 2, objects: [{ ...first, rows: first.rows + 1 }, ...rest] };
    await deps.store.createJson(keys.batchRecord(lab.stream, batch, 2), wrong);
    await expect(compactBatch(deps, { stream: lab.stream, batch })).rejects.toMatchObject({ code: 'RowsUnaccounted' });
    expect(await deps.store.exists(keys.batchRecord(lab.stream, batch, 3))).toBe(false);
  });

  it('shows a reader in a loop the same rows while compactions and collections run, die and run again', async () => {
    const lab = await LandingLab.make(deps);
    for (let hour = 10; hour < 16; hour++) await lab.hour(`2026-11-24T${hour}:00:00Z`, 60);
    const before = await lab.read();
    const over = new AbortController();
    let looked = 0;
    const reading = (async () => {
      while (!over.signal.aborted) {
        expect(await lab.read()).toEqual(before);
        looked += 1;
      }
    })();
    const work = async (days: number): Promise<void> => {
      for (let round = 1; round < 12; round += 3) {
        const batches = [...before.keys()];
        const dying = dyingAt(round);
        await Promise.allSettled([
          ...batches.map(async (hour) =>
            compactBatch(dying, { stream: lab.stream, batch: lab.batchOf(hour, lab.rows(hour, 60)) }),
          ),
          gc(lab, days, false, dyingAt(1)),
        ]);
        await Promise.all([compact(lab), compact(lab), gc(lab, 0), gc(lab, 0)]);
      }
    };
    // Within the grace the reader may hold a version that is superseded while it reads.
    await Promise.all([work(0), work(0)]);
    over.abort();
    await reading;
    expect(looked).toBeGreaterThan(2);
    await Promise.all([gc(lab, 2), gc(lab, 2)]);
    expect(await lab.read()).toEqual(before);
    expect(await data(lab)).toHaveLength(18);
  });

  it('keeps what a consumer wrote that died before its manifest, however late it comes back', async () => {
    const lab = await LandingLab.make(deps);
    const batch = lab.publish(early, lab.rows(early, 100));
    const store = deps.store;
    const dying = watched(async (_method, key) => {
      if (key.includes('_manifests')) throw new Error('killed');
    });
    await expect(lab.landOn(dying)).rejects.toThrow('killed');
    const written = await data(lab);
    expect(written.length).toBeGreaterThan(0);
    expect(await removedBy(lab, 9)).toBe(0);
    // The worst moment: it is collected while the consumer that came back goes on from the object to the manifest.
    const colliding = watched(async (_method, key) => {
      if (key.includes('_manifests')) await gc(lab, 9);
    });
    await lab.landOn(colliding);
    await lab.commit(early, batch);
    await gc(lab, 9);
    expect((await lab.read()).get(early)).toHaveLength(100);
    expect(await store.exists(written[0] ?? '')).toBe(true);
  });

  it('takes what a consumer wrote once the chain has gone past it another way', async () => {
    const lab = await LandingLab.make(deps);
    const batch = lab.publish(early, lab.rows(early, 100));
    const dying = watched(async (_method, key) => {
      if (key.includes('_manifests')) throw new Error('killed');
    });
    await expect(lab.landOn(dying)).rejects.toThrow('killed');
    const left = await data(lab);
    await lab.land(10);
    await lab.commit(early, batch);
    const before = await lab.read();
    // A chunk of another length may hold the same rows of one type, and so the same object.
    const { record } = (await newestBatchRecord(deps.store, lab.stream, batch)) ?? {};
    const same = left.filter((key) => record?.objects.some((object) => object.key === key));
    expect(same.length).toBeLessThan(left.length);
    expect(await removedBy(lab, 0)).toBe(0);
    expect(await removedBy(lab, 1)).toBe(left.length - same.length);
    expect((await data(lab)).filter((key) => left.includes(key))).toEqual(same);
    expect(await lab.read()).toEqual(before);
  });

  it('keeps the objects of a batch that is landing, and takes those of one that was abandoned', async () => {
    const lab = await LandingLab.make(deps);
    const rows = lab.rows(early, 100);
    const batch = lab.publish(early, rows, { ends: [0] });
    await lab.land();
    const landing = await data(lab);
    expect(await removedBy(lab, 9)).toBe(0);
    // Two days of record time later the batch is closed in the partitions where it had not ended.
    const other = lab.publish(late, lab.rows(late, 90), { timestamp: Date.now() + 2 * DAY_MS });
    await lab.land();
    await lab.commit(late, other);
    expect(await removedBy(lab, 9)).toBeGreaterThan(0);
    const left = (await data(lab)).filter((key) => landing.includes(key));
    expect(left).toEqual(landing.filter((key) => key.includes('-p0000-')));
    // What ended counts: with the rest sent again the batch is whole.
    lab.publish(early, rows, { timestamp: Date.now() + 2 * DAY_MS });
    await lab.land();
    await lab.commit(early, batch);
    await gc(lab, 9);
    expect((await lab.read()).get(early)).toHaveLength(100);
    expect((await lab.read()).get(late)).toHaveLength(90);
  });

  it('keeps a batch that no hour names: the hour may come back to it', async () => {
    const lab = await LandingLab.make(deps);
    const first = await lab.hour(early, 50);
    await lab.hour(early, 50, 'changed');
    await gc(lab, 9);
    await lab.commit(early, first);
    expect((await lab.read()).get(early)).toHaveLength(50);
  });

  it('says in a dry run what a run then does, and changes nothing', async () => {
    const { lab } = await twoHours();
    const all = await lab.keysBelow('');
    const planned = await compact(lab, true);
    expect(await lab.keysBelow('')).toEqual(all);
    const done = await compact(lab);
    expect(done).toMatchObject({ batches: planned.batches, rows: planned.rows });
    expect(done.tallies[0]).toEqual(planned.tallies[0]);
    const compacted = await lab.keysBelow('');
    const seen = await gc(lab, 1, true);
    expect(await lab.keysBelow('')).toEqual(compacted);
    expect(seen.tallies[0]).toMatchObject({ what: 'objects of older versions of batch records' });
    expect(await gc(lab, 1)).toEqual(seen);
    expect(await gc(lab, 1, true)).toEqual({ tallies: [] });
  });

  describe('retention', () => {
    const old = (lab: LandingLab, hours = '30d') => ({ ...lab.pipeline, keep: { hours } });
    const retained = (lab: LandingLab, dryRun = false) =>
      retain(deps, { pipeline: old(lab), dryRun }, unattended, Date.parse(early) + 31 * DAY_MS);

    it('removes an hour whole: unreadable at once, gone a day later, and it does not come back', async () => {
      const lab = await LandingLab.make(deps);
      const batch = await lab.hour(early, 80);
      const kept = await lab.hour('2026-12-24T00:00:00Z', 30);
      await lab.import(early, 'of the early hour');
      await lab.import('2026-12-24T00:00:00Z', 'of the kept hour');
      const planned = await retained(lab, true);
      expect(planned).toMatchObject({ hours: 1, first: [early], rows: 80, heldBackCount: 0 });
      expect((await lab.read()).size).toBe(2);
      expect(await retained(lab)).toEqual(planned);
      expect([...(await lab.read()).keys()]).toEqual(['2026-12-24T00:00:00Z']);
      await expect(lab.commit(early, batch)).rejects.toMatchObject({ code: 'HourRemoved' });
      const wanted = { pipeline: lab.pipeline, hour: early, refetch: false, useCurrent: true, force: true };
      await expect(importSource(deps, wanted, unattended)).rejects.toMatchObject({ code: 'HourRemoved' });
      expect(await retained(lab)).toMatchObject({ hours: 0 });

      expect(await removedBy(lab, 0)).toBe(0);
      expect(await removedBy(lab, 1)).toBeGreaterThan(5);
      const left = [
        ...(await lab.keysBelow(`landing/${lab.stream}/`)),
        ...(await lab.keysBelow(`runs/${lab.stream}/`)),
      ];
      expect(left.filter((key) => key.includes(batch))).toEqual([]);
      expect(left.filter((key) => key.includes('2026-11-24'))).toEqual([keys.hourRecord(lab.stream, early, 2)]);
      expect(await lab.keysBelow(keys.rawAll(lab.stream))).toEqual([
        keys.raw(lab.stream, sha256Hex('of the kept hour')),
      ]);
      expect(await lab.rowsOf(kept)).toHaveLength(30);
      expect(await removedBy(lab, 9)).toBe(0);
      await expect(lab.commit(early, kept)).rejects.toMatchObject({ code: 'HourRemoved' });
    });

    it('never removes the newest hour', async () => {
      const { lab } = await twoHours();
      expect(await retained(lab)).toMatchObject({ first: [early], heldBack: [{ hour: late }] });
      expect((await lab.read()).get(late)).toHaveLength(150);
    });

    it('takes what a late consumer still lands for a removed hour', async () => {
      const { lab } = await twoHours();
      await retained(lab);
      const batch = lab.publish(early, lab.rows(early, 40, 'late'));
      await lab.land();
      await expect(lab.commit(early, batch)).rejects.toMatchObject({ code: 'HourRemoved' });
      await gc(lab, 1);
      expect((await lab.keysBelow(`landing/${lab.stream}/`)).filter((key) => key.includes(batch))).toEqual([]);
      expect([...(await lab.read()).keys()]).toEqual([late]);
    });

    it('goes on where it died', async () => {
      const { lab } = await twoHours();
      await retained(lab);
      for (let nth = 1; nth < 30; nth++) {
        const done = await gc(lab, 1, false, dyingAt(nth)).catch((error: unknown) => error);
        expect((await lab.read()).get(late)).toHaveLength(150);
        if (!(done instanceof Error)) break;
      }
      const left = (await lab.keysBelow(`landing/${lab.stream}/`)).filter((key) =>
        key.includes(lab.batchOf(early, lab.rows(early, 200))),
      );
      expect(left).toEqual([]);
    });
  });

  describe('fetched files', () => {
    it('go with the last record that names them, and come back where one names them meanwhile', async () => {
      const lab = await LandingLab.make(deps);
      await lab.import(late, 'kept');
      const orphan = keys.raw(lab.stream, sha256Hex('orphan'));
      await deps.store.put(orphan, Buffer.from('orphan'));
      const parsed = `${keys.parsedPrefix(sha256Hex('orphan'), 'f'.repeat(64))}part-00000.parquet`;
      await deps.store.put(parsed, Buffer.from('parsed'));
      // An import that found the file standing there writes its record at the very moment.
      const importing = watched(async (method, key) => {
        if (method !== 'remove' || key !== orphan) return;
        const raw = { uri: deps.store.uri(orphan), sha256: sha256Hex('orphan'), bytes: 6 };
        const record = { pipeline: lab.stream, hour: early, n: 1, source: 'x', fetchedAt: early, raw };
        await deps.store.createJson(keys.importRecord(lab.stream, early, 1), record);
      });
      await gc(lab, 1, false, importing);
      expect((await deps.store.get(orphan)).toString()).toBe('orphan');
      expect(await deps.store.exists(parsed)).toBe(true);
      await deps.store.remove([keys.importRecord(lab.stream, early, 1)]);
      await gc(lab, 1);
      expect(await deps.store.exists(orphan)).toBe(false);
      expect(await deps.store.exists(parsed)).toBe(false);
      expect(await deps.store.exists(keys.raw(lab.stream, sha256Hex('kept')))).toBe(true);
    });

    it('come back where gc died before it could look again', async () => {
      const lab = await LandingLab.make(deps);
      const orphan = keys.raw(lab.stream, sha256Hex('again'));
      await deps.store.put(orphan, Buffer.from('again'));
      let removed = false;
      const dying = watched(async (method, key) => {
        if (removed) throw new Error('killed');
        removed = method === 'remove' && key === orphan;
      });
      await gc(lab, 1, false, dying).catch(() => {});
      expect(await deps.store.exists(orphan)).toBe(false);
      const raw = { uri: deps.store.uri(orphan), sha256: sha256Hex('again'), bytes: 5 };
      const record = { pipeline: lab.stream, hour: early, n: 1, source: 'x', fetchedAt: early, raw };
      await deps.store.createJson(keys.importRecord(lab.stream, early, 1), record);
      await gc(lab, 0);
      expect((await deps.store.get(orphan)).toString()).toBe('again');
    });
  });
});
