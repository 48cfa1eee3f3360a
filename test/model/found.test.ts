import { describe, expect, it } from 'vitest';
import type { Fault } from './actor.ts';
import { AcceptLoss, ConsumerStarts, ConsumerTakes, Publish, PublisherGoesOn, type Step } from './commands.ts';
import { timePasses, truncation } from './happenings.ts';
import type { Ending } from './healing.ts';
import { inWorld } from './sequences.ts';

// What the model found, each as the shortest sequence that showed it. Contents by number: 0 is empty, 1 has 2 rows, 2 has 6, 3 has 13.

const setup = { format: 'jsonl', partitions: 1, batchRows: 1, maintained: true } as const;
const rules = { maxRecords: 2, maxBytes: 60, landsForeign: false };

const fault = (how: Fault['how'], when: Fault['when'], at: number): Fault => ({ at, when, how });

function after(...steps: readonly Step[]): Promise<Ending> {
  return inWorld(setup, async (model, world) => {
    for (const step of steps) await step.run(model, world);
  });
}

describe('found by the model', () => {
  it('a batch that is sent anew after a long silence is not closed as abandoned in the middle of that', async () => {
    const ending = await after(new Publish(2, fault('fail', 'before', 8)), timePasses(1.2));
    expect(ending).toMatchObject({ batches: 1, halted: 0, abandoned: 0 });
  });

  it('an attempt goes on from the one that began again, not from what was sent before the silence', async () => {
    const ending = await after(
      new Publish(2, fault('fail', 'after', 5)),
      timePasses(1.2),
      new Publish(0),
      new Publish(2, fault('fail', 'before', 7)),
    );
    expect(ending).toMatchObject({ batches: 2, halted: 0, abandoned: 1 });
  });

  it('a marker does not end a partition whose first rows the broker has deleted', async () => {
    const ending = await after(new Publish(1), truncation(0, 'unlanded', 0.3));
    expect(ending).toMatchObject({ batches: 1, truncated: 1, publishedAnew: 0 });
  });

  it('a publisher that stood still until its batch was closed sends nothing more of it', async () => {
    const ending = await after(
      new Publish(1, fault('pause', 'after', 4)),
      timePasses(1.2),
      new Publish(0),
      new PublisherGoesOn(0),
    );
    expect(ending).toMatchObject({ batches: 2, halted: 0, wentOn: 1 });
  });

  it('a consumer that starts while another one lands does not take its topic for another', async () => {
    const ending = await after(
      new ConsumerStarts(0, rules),
      new ConsumerStarts(1, rules, fault('pause', 'after', 0)),
      new Publish(0),
      new ConsumerTakes(0, 0, 1),
      new ConsumerTakes(1, 0, 1),
    );
    expect(ending).toMatchObject({ batches: 1, halted: 0 });
  });

  it('a batch that had ended when its consumer died lands though a loss comes behind it', async () => {
    const ending = await after(
      new Publish(0),
      new ConsumerStarts(0, rules),
      new ConsumerTakes(0, 0, 1, fault('fail', 'before', 6)),
      new Publish(1),
      new AcceptLoss(0, 3),
    );
    expect(ending).toMatchObject({ batches: 2, halted: 0 });
  });

  it('a loss whose answer was lost is told to runs though another one comes behind it', async () => {
    const ending = await after(
      new Publish(2),
      new AcceptLoss(0, 7, fault('fail', 'after', 2)),
      new Publish(0),
      new AcceptLoss(0, 2, fault('fail', 'after', 3)),
    );
    expect(ending).toMatchObject({ batches: 2, halted: 0 });
  });
});
