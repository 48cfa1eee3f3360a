import fc from 'fast-check';
import type { Fault } from './actor.ts';
import {
  AcceptLoss,
  CommitGoesOn,
  CommitHour,
  ConsumerStarts,
  ConsumerTakes,
  Publish,
  PublisherGoesOn,
} from './commands.ts';
import { addPartition, foreignRecord, lateSendArrives, repeated, timePasses, truncation } from './happenings.ts';
import { EverythingLands, heal, type Ending } from './healing.ts';
import { CollectGarbage, Compact, MaintenanceGoesOn } from './maintenance.ts';
import { Model } from './model.ts';
import { epoch } from './universe.ts';
import { World, type Setup } from './world.ts';

const any = fc.nat({ max: 30 });

function faults(calls: number, hows: readonly Fault['how'][]): fc.Arbitrary<Fault | undefined> {
  const fault = fc.record({
    at: fc.nat({ max: calls }),
    when: fc.constantFrom('before', 'after'),
    how: fc.constantFrom(...hows),
  });
  return fc.option(fault, { nil: undefined, freq: 2 });
}

const publisherFault = faults(10, ['fail', 'crash', 'pause', 'pause', 'late']);
const consumerFault = faults(12, ['fail', 'crash', 'pause', 'pause']);
const slot = fc.constantFrom<(0 | 1)[]>(0, 0, 1);
const rules = fc.record({
  maxRecords: fc.constantFrom(2, 3, 5, 8, 50),
  maxBytes: fc.constantFrom(60, 150, 1_000_000),
  landsForeign: fc.boolean(),
});
const foreignHeaders: Record<string, string>[] = [
  {},
  { batch: 'x', seq: '0', epoch: 'ffffffff', schema: 's', hour: 'h' },
  { batch: 'x', seq: 'none', epoch, schema: 's', hour: 'h' },
];

// Half of them of few batches, so that several attempts at one meet.
const content = fc.oneof(any, fc.constantFrom(2, 3, 6));
const publishing = fc.tuple(content, publisherFault).map(([which, fault]) => new Publish(which, fault));
const goingOn = fc.tuple(any, publisherFault).map(([which, fault]) => new PublisherGoesOn(which, fault));
const starting = fc.tuple(slot, rules, consumerFault).map(([at, given, fault]) => new ConsumerStarts(at, given, fault));
const taking = fc
  .tuple(slot, any, fc.integer({ min: 0, max: 20 }), consumerFault)
  .map(([at, partition, count, fault]) => new ConsumerTakes(at, partition, count, fault));
const committing = fc
  .tuple(any, faults(6, ['fail', 'crash', 'pause']))
  .map(([which, fault]) => new CommitHour(which, fault));
const committingOn = fc.constant(new CommitGoesOn());
const landing = fc.constant(new EverythingLands());
const maintaining = fc.oneof(
  fc
    .tuple(any, fc.constantFrom(20, 60, 1_000_000), faults(15, ['fail', 'crash', 'pause']))
    .map(([which, targetBytes, fault]) => new Compact(which, targetBytes, fault)),
  faults(40, ['fail', 'crash', 'pause']).map((fault) => new CollectGarbage(fault)),
  faults(15, ['fail', 'crash', 'pause']).map((fault) => new MaintenanceGoesOn(fault)),
);
const happening = fc.oneof(
  fc.constant(addPartition),
  fc.constantFrom(0.05, 0.3, 0.6, 1.2).map(timePasses),
  any.map(lateSendArrives),
  fc.tuple(any, fc.boolean()).map(([which, markers]) => repeated(which, markers)),
  fc
    .tuple(any, fc.constantFrom('poison', '{"id":"r1"}'), fc.constantFrom(...foreignHeaders))
    .map(([partition, value, headers]) => foreignRecord(partition, value, headers)),
  fc
    .tuple(any, fc.constantFrom('landed', 'landed', 'unlanded'), fc.constantFrom(0.3, 1))
    .map(([partition, extent, part]) => truncation(partition, extent, part)),
  fc
    .tuple(any, fc.constantFrom(0, 0, 2, 5), faults(8, ['fail', 'crash']))
    .map(([partition, more, fault]) => new AcceptLoss(partition, more, fault)),
);

const setups: fc.Arbitrary<Setup> = fc.record({
  format: fc.oneof(
    { weight: 40, arbitrary: fc.constant('jsonl' as const) },
    { weight: 1, arbitrary: fc.constant('parquet' as const) },
  ),
  partitions: fc.constantFrom(1, 2, 2, 3),
  batchRows: fc.constantFrom(1, 2, 3, 20),
  maintained: fc.constantFrom(false, false, true),
});

/** What a sequence may be made of, each as often as it stands here. */
const commands = [
  ...[publishing, publishing, goingOn, starting, taking, taking, taking],
  ...[committing, committingOn, landing, maintaining, happening, happening],
];

export interface Run {
  readonly sequences: number;
  readonly seed?: number;
  readonly path?: string;
  readonly replayPath?: string;
  /** The first sequence that fails is reported as it is. */
  readonly endOnFailure?: boolean;
}

/**
 * Makes sequences and runs them.
 * @returns sums over all of them, to show that what is looked for did come about
 * @throws where one fails, with the seed and the paths that repeat it
 */
export async function runSequences({ sequences, replayPath, ...rest }: Run): Promise<Ending> {
  let sum: Ending | undefined;
  const steps = fc.commands(commands, {
    ...{ maxCommands: 30, size: 'max' },
    ...(replayPath === undefined ? {} : { replayPath }),
  });
  const property = fc.asyncProperty(setups, steps, async (setup, given) => {
    const ending = await inWorld(setup, (model, world) => fc.asyncModelRun(() => ({ model, real: world }), given));
    sum = sum ? added(sum, ending) : ending;
  });
  await fc.assert(property, { numRuns: sequences, timeout: 20_000, ...rest });
  if (!sum) throw new RangeError('no sequence was run');
  return sum;
}

/** Lets things happen in a world of their own, whose clock is the only one; then everything is healed and checked. */
export async function inWorld(setup: Setup, act: (model: Model, world: World) => Promise<void>): Promise<Ending> {
  const world = new World(setup);
  const model = new Model(world);
  const realNow = Date.now;
  Date.now = () => world.now;
  try {
    await act(model, world);
    return await heal(model, world);
  } finally {
    Date.now = realNow;
  }
}

function added(a: Ending, b: Ending): Ending {
  const sums = Object.entries(a).map(([name, count]) => [name, count + b[name as keyof Ending]] as const);
  return Object.fromEntries(sums) as unknown as Ending;
}
