import { describe, expect, it } from 'vitest';
import { sentenceOf } from '../../src/definition/errors.ts';
import { BatchStates } from '../../src/stages/maintaining/batch-states.ts';
import type { Fault } from './actor.ts';
import { ConsumerStarts, ConsumerTakes, Publish, type Step } from './commands.ts';
import { timePasses } from './happenings.ts';
import { CollectGarbage, Compact, MaintenanceGoesOn } from './maintenance.ts';
import { inWorld } from './sequences.ts';

// Where gc could do harm: whoever is about to name what nothing names yet stands still at each of his calls, gc comes two days later, and
// he goes on. Each is run once more with one protection taken away, and must turn red then.

const rules = { maxRecords: 3, maxBytes: 1_000_000, landsForeign: false };
const CALLS = 24;

/** @returns why it failed at the first call that it failed at, if it did */
async function atEachCall(partitions: number, steps: (pause: Fault) => readonly Step[]): Promise<string> {
  for (let at = 0; at < CALLS; at++) {
    for (const when of ['before', 'after'] as const) {
      try {
        await inWorld({ format: 'jsonl', partitions, batchRows: 20, maintained: true }, async (model, world) => {
          for (const step of steps({ at, when, how: 'pause' })) if (step.check(model)) await step.run(model, world);
        });
      } catch (error) {
        return sentenceOf(error);
      }
    }
  }
  return 'none failed';
}

async function without<K extends 'chain' | 'batch'>(
  method: K,
  flawed: (real: BatchStates[K]) => BatchStates[K],
  work: () => Promise<string>,
): Promise<string> {
  const real = BatchStates.prototype[method];
  BatchStates.prototype[method] = flawed(real);
  try {
    return await work();
  } finally {
    BatchStates.prototype[method] = real;
  }
}

/** Two days later: no age protects anything any more. */
const collected = (): Step[] => [timePasses(2), new CollectGarbage()];

/** 13 rows land while gc comes in between. */
const landing = (pause: Fault): Step[] => [
  new Publish(3),
  new ConsumerStarts(0, rules),
  new ConsumerTakes(0, 0, 20, pause),
  ...collected(),
  new ConsumerTakes(0, 0, 20),
  new ConsumerTakes(0, 1, 20),
  ...collected(),
];

/** Of two partitions of a batch, the first has landed when gc comes. */
const half = (): Step[] => [new Publish(3), new ConsumerStarts(0, rules), new ConsumerTakes(0, 0, 20), ...collected()];

const compacting = (pause: Fault): Step[] => [
  new Publish(3),
  new ConsumerStarts(0, rules),
  new ConsumerTakes(0, 0, 20),
  new Compact(0, 40, pause),
  ...collected(),
  new MaintenanceGoesOn(),
  ...collected(),
];

describe('gc, wherever others stand still', () => {
  it('takes nothing that a consumer goes on to name', async () => {
    expect(await atEachCall(1, landing)).toBe('none failed');
    expect(await atEachCall(2, landing)).toBe('none failed');
  });

  it('does harm where it goes by age, though the chain has not come to an object', async () => {
    const why = await without(
      'chain',
      (real) =>
        function (this: BatchStates, ...of) {
          return { ...real.apply(this, of), position: 1_000_000n };
        },
      async () => atEachCall(1, landing),
    );
    expect(why).toMatch(/should exist and does not|is not there/);
  });

  it('does harm where it forgets what a batch that goes on has landed', async () => {
    const why = await without(
      'chain',
      (real) =>
        function (this: BatchStates, ...of) {
          return { ...real.apply(this, of), begun: new Map<string, bigint>() };
        },
      async () => atEachCall(1, landing),
    );
    expect(why).toMatch(/is not there/);
  });

  it('keeps the partitions of a batch that have landed, and does harm where it forgets them', async () => {
    const twice = () => [...half(), new Publish(7), new ConsumerTakes(0, 0, 20), ...collected()];
    expect(await atEachCall(2, twice)).toBe('none failed');
    const why = await without(
      'batch',
      (real) =>
        async function (this: BatchStates, batch) {
          const state = await real.call(this, batch);
          return state.kind === 'landing' ? { kind: 'landing', named: new Set<string>() } : state;
        },
      async () => atEachCall(2, twice),
    );
    expect(why).toMatch(/is not there/);
  });

  it('takes nothing that a compaction goes on to publish, and does harm where it does', async () => {
    expect(await atEachCall(1, compacting)).toBe('none failed');
    const why = await without(
      'batch',
      (real) =>
        async function (this: BatchStates, batch) {
          const state = await real.call(this, batch);
          return state.kind === 'committed' ? { ...state, version: 99 } : state;
        },
      async () => atEachCall(1, compacting),
    );
    expect(why).toMatch(/is not there|should exist/);
  });
});
