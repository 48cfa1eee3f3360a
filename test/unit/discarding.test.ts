import { describe, expect, it } from 'vitest';
import { keys } from '../../src/definition/names.ts';
import { unattended } from '../../src/stages/deps.ts';
import { discardPartial } from '../../src/stages/discarding/discard-partial.ts';
import type { DiscardInput } from '../../src/stages/io.ts';
import { Actor, type Fault } from '../model/actor.ts';
import { MemoryBucket, MemoryStore } from '../model/memory-bucket.ts';

const hour = '2026-11-24T03:00:00Z';
const runId = '0b7e5a3c-1111-4222-8333-444455556666';
const other = '0b7e5a3c-9999-4222-8333-444455556666';
const pipeline = 'p';
const aggregate = 'p.kinds';
const made = [
  { stream: pipeline, batchId: 'a'.repeat(16), sha256: 'aa' },
  { stream: aggregate, batchId: 'b'.repeat(16), sha256: 'bb' },
];
const input: DiscardInput = { pipeline, hour, runId, streams: [pipeline, aggregate], made, cleaningCut: false };
const file = (at: 0 | 1, name: string): string => keys.batch(made[at]!.stream, hour, made[at]!.batchId, name);
const cleanFiles = [file(0, 'clean.csv'), file(1, 'clean.csv')];

/** What a run that was cancelled between clean and publish has stored. */
class Cancelled {
  readonly bucket = new MemoryBucket(() => 0);
  readonly store = new MemoryStore(this.bucket, new Actor());

  constructor() {
    for (const at of [0, 1] as const)
      for (const name of ['clean.csv', 'rejects.ndjson', 'report.json']) this.put(file(at, name));
    this.put(file(0, 'cleaned.json'), { cleaned: { batches: made } });
    this.put(keys.quarantine(pipeline, hour));
  }

  put(key: string, content: unknown = key): void {
    this.bucket.put(key, Buffer.from(JSON.stringify(content)));
  }

  discard(what: Partial<DiscardInput> = {}) {
    return discardPartial({ store: this.store }, { ...input, ...what }, unattended);
  }

  get files(): string[] {
    return cleanFiles.filter((key) => this.bucket.has(key));
  }

  get temporary(): string[] {
    return this.bucket.keys('tmp/');
  }
}

describe('discardPartial', () => {
  it('removes the clean.csv of what was never published, and nothing that tells of it', async () => {
    const run = new Cancelled();
    const { tallies } = await run.discard();
    expect(run.files).toEqual([]);
    expect(run.temporary).toEqual([]);
    expect(tallies).toMatchObject([
      { what: 'clean.csv of which nothing had been published', objects: 2, first: cleanFiles.toReversed() },
    ]);
    for (const at of [0, 1] as const)
      for (const name of ['rejects.ndjson', 'report.json']) expect(run.bucket.has(file(at, name))).toBe(true);
    expect(run.bucket.has(keys.quarantine(pipeline, hour))).toBe(true);
    expect((await run.discard()).tallies).toEqual([]);
  });

  it.each([
    ['a plan of one of its data sets', keys.plan(aggregate, hour, made[1]!.batchId, 'e1'), {}],
    ['a later plan of it', keys.plan(pipeline, hour, made[0]!.batchId, 'e1', 2), {}],
    ['a part that has landed', keys.part(pipeline, made[0]!.batchId, 'e1', 0), {}],
    ['the record of a batch', keys.batchRecord(pipeline, made[0]!.batchId, 1), {}],
    ['an hour, though it is another batch now', keys.hourRecord(pipeline, hour, 1), { batch: made[0]!.batchId }],
    [
      'the report of another run that came to the same rows',
      keys.attempt(pipeline, hour, other, 'run.json'),
      { outcome: 'failed', clean: { datasets: { main: { sha256: 'aa' } } } },
    ],
    [
      'its own report: it is over, and another run may be on its way',
      keys.attempt(pipeline, hour, runId, 'run.json'),
      {},
    ],
  ])('keeps what goes by %s', async (_, key, content) => {
    const run = new Cancelled();
    run.put(key, content);
    if (key.includes('_hours')) run.put(keys.hourRecord(pipeline, hour, 2), { batch: 'c'.repeat(16) });
    expect((await run.discard()).tallies).toEqual([]);
    expect(run.files).toEqual(cleanFiles);
  });

  it('takes a run for another one only where that kept what it had', async () => {
    const run = new Cancelled();
    const report = { outcome: 'cancelled', clean: { datasets: { main: { sha256: 'aa' } } } };
    run.put(keys.attempt(pipeline, hour, other, 'run.json'), report);
    await run.discard();
    expect(run.files).toEqual([]);
  });

  it('keeps what the run has not made itself', async () => {
    const run = new Cancelled();
    expect((await run.discard({ made: [] })).tallies).toEqual([]);
    expect(run.files).toEqual(cleanFiles);
  });

  it('removes what a cleaning had stored that was stopped in the middle, and no whole one', async () => {
    const run = new Cancelled();
    const cut = keys.batch(aggregate, hour, 'd'.repeat(16), 'clean.csv');
    const published = keys.batch(pipeline, hour, 'e'.repeat(16), 'clean.csv');
    run.put(cut);
    run.put(published);
    run.put(keys.plan(pipeline, hour, 'e'.repeat(16), 'e1'));
    await run.discard({ made: [], cleaningCut: true });
    expect(run.bucket.has(cut)).toBe(false);
    expect(run.bucket.has(published)).toBe(true);
    expect(run.files).toEqual(cleanFiles);
  });

  it('removes its own temporary objects, and nobody else’s', async () => {
    const run = new Cancelled();
    const session = '7d0c2f51-0000-4000-8000-000000000000';
    const others = [
      `${keys.fetching(pipeline, other)}s/000000/p000000`,
      `${keys.fetching('q', runId)}s/000000/p000000`,
      `${keys.sparkScratch(session, other)}clean/part-0`,
    ];
    for (const key of others) run.put(key);
    run.put(`${keys.fetching(pipeline, runId)}s/000000/p000000`);
    const scratch = `${keys.sparkScratch(session, runId)}clean/part-0`;
    run.put(scratch);
    // Whoever holds the session may go on with what is there: without a Spark to ask it stays.
    const { tallies } = await run.discard({ made: [] });
    expect(tallies).toMatchObject([{ what: 'parts of downloads', objects: 1 }]);
    expect(run.temporary.toSorted()).toEqual([...others, scratch].toSorted());

    const released: string[] = [];
    const spark = {
      session: (id: string) => ({
        release: async () => {
          released.push(id);
          return true;
        },
      }),
    };
    const deps = { store: run.store, spark: spark as never };
    await discardPartial(deps, { ...input, made: [] }, unattended);
    expect(released).toEqual([session]);
    expect(run.temporary.toSorted()).toEqual(others.toSorted());
  });

  /** Every call of the store at which an attempt may be struck. */
  const calls = Array.from({ length: 60 }, (_, at) => at);

  it.each(['fail', 'crash'] as const)('comes to the same where an attempt may %s at any call', async (how) => {
    let struck = 0;
    for (const when of ['before', 'after'] as const) {
      for (const at of calls) {
        const run = new Cancelled();
        const actor = new Actor();
        const deps = { store: new MemoryStore(run.bucket, actor) };
        const first = await actor.run({ at, when, how }, () => discardPartial(deps, input, unattended));
        struck += actor.struck ? 1 : 0;
        if (first.kind !== 'done') await run.discard();
        expect(run.files, `${how} ${when} ${at}`).toEqual([]);
        // What was copied by an attempt that is gone is for gc.
        expect(run.temporary.filter((key) => !key.startsWith(keys.discarded(runId)))).toEqual([]);
      }
    }
    expect(struck).toBeGreaterThan(40);
  });

  it.each(['has a plan', 'is not that far yet'])(
    'leaves what another run made meanwhile that %s, wherever an attempt stood still',
    async (far) => {
      let struck = 0;
      for (const when of ['before', 'after'] as const) {
        for (const at of calls) {
          const run = new Cancelled();
          const actor = new Actor();
          const fault: Fault = { at, when, how: 'pause' };
          const deps = { store: new MemoryStore(run.bucket, actor) };
          const first = await actor.run(fault, () => discardPartial(deps, input, unattended));
          if (first.kind !== 'paused') continue;
          struck += 1;
          // Another attempt took over, the run ended, and the hour is run again: it comes to the same rows.
          await run.discard();
          run.put(keys.attempt(pipeline, hour, runId, 'run.json'), { outcome: 'cancelled' });
          for (const key of cleanFiles) run.put(key);
          if (far === 'has a plan') run.put(keys.plan(pipeline, hour, made[0]!.batchId, 'e1'));
          const rest = await actor.resume();
          expect(run.files, `${when} ${at}: ${rest.kind}`).toEqual(cleanFiles);
        }
      }
      expect(struck).toBeGreaterThan(40);
    },
  );
});
