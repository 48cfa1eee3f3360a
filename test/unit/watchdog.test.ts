import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptDefinition } from '../../src/definition/check-definition.ts';
import { look } from '../../src/stages/watching/outside/look.ts';
import type { Looked } from '../../src/stages/watching/outside/looked.ts';
import type { WatchMemory } from '../../src/stages/watching/outside/memory.ts';
import { newsOf, type Verdict } from '../../src/stages/watching/outside/problems.ts';
import { recipientsOf, speakersFor } from '../../src/stages/watching/outside/recipients.ts';
import { definitionOf, hourOf, Outside } from '../helpers/outside.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const noon = Date.parse('2026-11-24T12:00:00Z');

/** Looks each minute for so long, and gathers what was told: `opened demo run-missed …`. */
async function watch(
  outside: Outside,
  from: number,
  minutes: number,
  given: WatchMemory = {},
  during: (minute: number) => void = () => {},
  stepMs = MINUTE,
): Promise<{ readonly words: string[]; readonly last: Looked }> {
  let memory = given;
  const words: string[] = [];
  let last: Looked | undefined;
  for (let minute = 0; minute <= minutes; minute += 1) {
    during(minute);
    outside.now = from + minute * stepMs;
    last = await look(outside.world, memory, outside.now, MINUTE);
    // It goes through a workflow's history.
    memory = JSON.parse(JSON.stringify(last.memory)) as WatchMemory;
    for (const { pipeline, observations, clearings } of last.told) {
      words.push(
        ...clearings.map(({ rule, subject }) => ['over', pipeline.name, rule, ...(subject ? [subject] : [])].join(' ')),
      );
      words.push(
        ...observations.map(({ rule, subject, hour }) =>
          ['seen', pipeline.name, rule, ...(subject ? [subject] : []), ...(hour ? [hour.slice(0, 13)] : [])].join(' '),
        ),
      );
    }
  }
  if (!last) throw new Error('it never looked');
  return { words, last };
}

describe('the watchdog', () => {
  it('has nothing to say where all is well', async () => {
    const outside = new Outside();
    outside.schedule(definitionOf('demo'));
    outside.consumer('demo', { positions: { 0: '10' }, next: { 0: '10' } });
    outside.topics.set('demo', { 0: 10n });
    const { words, last } = await watch(outside, noon, 200);
    expect(words).toEqual([]);
    expect(last.watching).toMatchObject({ pipelines: ['demo'], consumers: 1, open: [], problems: [] });
    expect(JSON.stringify(last.memory).length).toBeLessThan(650);
  });

  describe('of a run that did not start', () => {
    it('tells after ten minutes, once, and that it is over as the next hour starts', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo'));
      outside.lost.add(hourOf('demo', '2026-11-24T13'));
      const { words, last } = await watch(outside, noon + 5 * MINUTE, 70);
      expect(words).toEqual(['seen demo run-missed 2026-11-24T13']);
      expect(last.watching.open).toMatchObject([{ pipeline: 'demo', rule: 'run-missed' }]);
      const then = await watch(outside, outside.now + MINUTE, 60, last.memory);
      expect(then.words).toEqual(['over demo run-missed']);
      expect(then.last.watching.open).toEqual([]);
    });

    it('says which hours still lack where it is over, as later ones start', async () => {
      for (const [lost, sentence] of [
        [['13'], 'Not run yet: 2026-11-24T13:00:00Z; run it, or "sluice backfill" does.'],
        [['12', '13'], 'Not run yet: 2026-11-24T12:00:00Z, 2026-11-24T13:00:00Z; run them, or "sluice backfill" does.'],
      ] as const) {
        const outside = new Outside();
        outside.schedule(definitionOf('demo'));
        for (const hour of lost) outside.lost.add(hourOf('demo', `2026-11-24T${hour}`));
        const { last } = await watch(outside, noon - 5 * MINUTE, 135);
        expect(last.told.flatMap(({ clearings }) => clearings)).toMatchObject([
          { rule: 'run-missed', sentence: `The run of 2026-11-24T14:00:00Z has started. ${sentence}` },
        ]);
      }
    });

    it('tells that it is over once somebody has run it', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo'));
      outside.lost.add(hourOf('demo', '2026-11-24T13'));
      const { words } = await watch(outside, noon + 5 * MINUTE, 80, {}, (minute) => {
        if (minute === 75) outside.lost.clear();
      });
      expect(words).toEqual(['seen demo run-missed 2026-11-24T13', 'over demo run-missed']);
    });

    it('says nothing of hours before it began, of those that passed while the schedule was paused, or were left out on purpose', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo'), { paused: true });
      outside.schedule(definitionOf('skips', { schedule: { overlap: 'skip' } }));
      for (const hour of ['11', '12', '13', '14']) outside.lost.add(hourOf('demo', `2026-11-24T${hour}`));
      outside.lost.add(hourOf('skips', '2026-11-24T14'));
      const { words } = await watch(outside, noon + 5 * MINUTE, 240, {}, (minute) => {
        if (minute === 120) outside.change('skips', { skipped: 1 });
        if (minute === 170) outside.change('demo', { paused: false });
      });
      expect(words).toEqual([]);
    });

    it('waits for what may be made up for: after a gap, and while nobody serves the queue that starts need', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo', { watch: { workerGone: { mute: false } } }));
      const before = await watch(outside, noon + 5 * MINUTE, 10);
      // Temporal, and so the watchdog, is away from 12:15 to 14:05; the hours start late, by and by.
      for (const hour of ['13', '14']) outside.lost.add(hourOf('demo', `2026-11-24T${hour}`));
      const after = await watch(outside, noon + 125 * MINUTE, 30, before.last.memory, (minute) => {
        if (minute === 5) outside.lost.clear();
      });
      expect(after.words).toEqual([]);
      outside.lost.add(hourOf('demo', '2026-11-24T15'));
      outside.gone('light', noon + 179 * MINUTE);
      const without = await watch(outside, outside.now + MINUTE, 60, after.last.memory, (minute) => {
        if (minute === 45) outside.gone('light', undefined);
        if (minute === 48) outside.lost.clear();
      });
      expect(without.words).toEqual(['seen demo worker-gone', 'over demo worker-gone']);
    });

    it.each([
      ['often, and waits for a server that does not answer', 5_000, 20_000],
      ['slowly, as all of them hang', MINUTE, 4 * MINUTE],
    ])('judges it though it looks %s', async (_, everyMs, tookMs) => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo'));
      outside.lost.add(hourOf('demo', '2026-11-24T13'));
      let memory: WatchMemory = {};
      const seen: string[] = [];
      for (outside.now = noon; outside.now < noon + 80 * MINUTE; outside.now += everyMs + tookMs) {
        const { told, memory: kept } = await look(outside.world, memory, outside.now, everyMs);
        memory = { ...kept, lookedTo: new Date(outside.now + tookMs).toISOString() };
        seen.push(...told.flatMap(({ observations }) => observations.map(({ rule }) => rule)));
      }
      expect(seen).toEqual(['run-missed']);
    });

    it('tells that it is over once somebody has run all of them, however the schedule stands then', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo'));
      for (const hour of ['13', '14']) outside.lost.add(hourOf('demo', `2026-11-24T${hour}`));
      const { words, last } = await watch(outside, noon + 5 * MINUTE, 180, {}, (minute) => {
        if (minute === 130) outside.change('demo', { paused: true });
        if (minute === 150) outside.lost.delete(hourOf('demo', '2026-11-24T14'));
      });
      expect(words).toEqual(['seen demo run-missed 2026-11-24T13', 'seen demo run-missed 2026-11-24T14']);
      expect(last.watching.open).toMatchObject([{ subject: '2026-11-24T13:00:00Z' }]);
      outside.lost.clear();
      expect((await watch(outside, outside.now + MINUTE, 2, last.memory)).words).toEqual(['over demo run-missed']);
    });

    it('says nothing of one that was left out on purpose while those before it were not judged yet', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo', { schedule: { overlap: 'skip' }, watch: { runMissed: { after: '90m' } } }));
      for (const hour of ['14', '16']) outside.lost.add(hourOf('demo', `2026-11-24T${hour}`));
      const { words } = await watch(outside, noon + 5 * MINUTE, 360, {}, (minute) => {
        if (minute === 116) outside.change('demo', { skipped: 1 });
      });
      // The second one was not left out.
      expect(words).toEqual(['seen demo run-missed 2026-11-24T16']);
    });

    it('waits for those that take turns, until one behind them has begun', async () => {
      for (const overlap of ['bufferAll', 'bufferOne'] as const) {
        const outside = new Outside();
        outside.schedule(definitionOf('demo', { schedule: { overlap } }));
        // 13 is long; 14 waits for it, and is lost; with "bufferOne", 15 is left out as 14 waits.
        for (const hour of ['14', '15', '16']) outside.lost.add(hourOf('demo', `2026-11-24T${hour}`));
        const { words } = await watch(outside, noon + 5 * MINUTE, 260, {}, (minute) => {
          if (minute === 176 && overlap === 'bufferOne') outside.change('demo', { skipped: 1 });
          if (minute === 245) outside.lost.delete(hourOf('demo', '2026-11-24T16'));
        });
        expect(words).toEqual(
          (overlap === 'bufferOne' ? ['14'] : ['14', '15']).map((hour) => `seen demo run-missed 2026-11-24T${hour}`),
        );
      }
    });

    it('tells of each that was lost, once, and of no other one, however many were left out', async () => {
      const hours = fc.array(fc.constantFrom('runs', 'lost', 'left out'), { minLength: 8, maxLength: 8 });
      const settings = fc.record({ after: fc.constantFrom('10m', '60m', '150m'), hours });
      await fc.assert(
        fc.asyncProperty(settings, async ({ after, hours: given }) => {
          const outside = new Outside();
          outside.schedule(definitionOf('demo', { schedule: { overlap: 'skip' }, watch: { runMissed: { after } } }));
          const named = given.map((fate, index) => ({ fate, hour: `2026-11-24T${13 + index}` }));
          for (const { fate, hour } of named) if (fate !== 'runs') outside.lost.add(hourOf('demo', hour));
          const { words } = await watch(outside, noon + 5 * MINUTE, 11 * 60, {}, (minute) => {
            const begun = given.slice(0, Math.max(0, Math.floor((minute + 4) / 60)));
            outside.change('demo', { skipped: begun.filter((fate) => fate === 'left out').length });
          });
          expect(words.filter((word) => word.startsWith('seen'))).toEqual(
            named.filter(({ fate }) => fate === 'lost').map(({ hour }) => `seen demo run-missed ${hour}`),
          );
        }),
        { numRuns: 20 },
      );
    });

    it('does not take it for over by an hour that was due before it was told of', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo'));
      const { last } = await watch(outside, noon + 5 * MINUTE, 10);
      // Temporal, and so the watchdog, is away from 12:15 to 17:05; the last two hours are made up for.
      for (const hour of ['13', '14', '15']) outside.lost.add(hourOf('demo', `2026-11-24T${hour}`));
      const then = await watch(outside, noon + 5 * HOUR + 5 * MINUTE, 55, last.memory);
      expect(then.words).toEqual(['13', '14', '15'].map((hour) => `seen demo run-missed 2026-11-24T${hour}`));
      expect(then.last.watching.open).toHaveLength(3);
      expect((await watch(outside, outside.now + MINUTE, 15, then.last.memory)).words).toEqual([
        'over demo run-missed',
      ]);
    });

    it('tells of it where nobody serves the queue that starts need, and nobody is to be told that', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo', { watch: { workerGone: { mute: true } } }));
      outside.schedule(definitionOf('other'));
      for (const name of ['demo', 'other']) outside.lost.add(hourOf(name, '2026-11-24T13'));
      outside.gone('light', noon + 30 * MINUTE);
      const { words } = await watch(outside, noon + 5 * MINUTE, 80);
      expect(words).toEqual(['seen other worker-gone', 'seen demo run-missed 2026-11-24T13']);
    });

    it('tells of it all the same where a definition is applied meanwhile, unless that has other times', async () => {
      for (const [change, words] of [
        [{ alerts: { email: { to: ['b@example.org'] } } }, ['seen demo run-missed 2026-11-24T13']],
        [{ schedule: { every: '2h', offset: '1h' } }, []],
      ] as const) {
        const outside = new Outside();
        outside.schedule(definitionOf('demo'));
        outside.lost.add(hourOf('demo', '2026-11-24T13'));
        const seen = await watch(outside, noon + 5 * MINUTE, 70, {}, (minute) => {
          if (minute !== 60) return;
          outside.change('demo', {
            changedAt: noon + 65 * MINUTE,
            definition: definitionOf('demo', structuredClone(change) as object),
          });
        });
        expect(seen.words).toEqual(words);
      }
    });

    it('tells of it after as long as its definition says, if that is longer than a day', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo', { watch: { runMissed: { after: '30h' } } }));
      outside.lost.add(hourOf('demo', '2026-11-24T13'));
      const { words } = await watch(outside, noon + 5 * MINUTE, 31 * 60);
      expect(words).toEqual(['seen demo run-missed 2026-11-24T13']);
    });

    it('does not judge by a definition that the schedule does not follow', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo'), { next: (now) => [Math.ceil(now / (24 * HOUR)) * 24 * HOUR] });
      outside.lost.add(hourOf('demo', '2026-11-24T13'));
      const { words, last } = await watch(outside, noon + 5 * MINUTE, 80);
      expect(words).toEqual([]);
      expect(last.watching.problems).toMatchObject([
        { check: 'runMissed', pipeline: 'demo', why: expect.stringContaining('other times') },
      ]);
    });
  });

  describe('of a schedule that is paused', () => {
    it('tells after a day, with the note, and that it is over', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo', { watch: { schedulePaused: { after: '2h' } } }), {
        paused: true,
        note: 'mending the topic',
      });
      outside.schedule(
        definitionOf('meant', { schedule: { paused: true }, watch: { schedulePaused: { after: '1h' } } }),
        { paused: true },
      );
      const { words, last } = await watch(outside, noon, 130);
      expect(words).toEqual(['seen demo schedule-paused']);
      expect(last.watching.open[0]?.sentence).toContain(
        'The note says: mending the topic. "sluice schedule resume demo"',
      );
      outside.change('demo', { paused: false });
      expect((await watch(outside, outside.now + MINUTE, 5, last.memory)).words).toEqual(['over demo schedule-paused']);
    });

    it('tells that it is over where the schedule is removed', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo', { watch: { schedulePaused: { after: '1h' } } }), { paused: true });
      const { words } = await watch(outside, noon, 90, {}, (minute) => {
        if (minute === 80) outside.remove('demo');
      });
      expect(words).toEqual(['seen demo schedule-paused', 'over demo schedule-paused']);
    });
  });

  describe('of workers that are gone', () => {
    it('tells once of all queues, by whom reaches most, and once that they are back', async () => {
      const outside = new Outside();
      const both = { email: { to: ['a@example.org'] }, slack: { url: '${secret:S}' } };
      outside.schedule(definitionOf('one', { alerts: { email: { to: ['a@example.org'] } } }));
      outside.schedule(definitionOf('two', { alerts: both }));
      outside.schedule(definitionOf('other', { alerts: { email: { to: ['b@example.org'] } } }));
      outside.schedule(definitionOf('paused', { alerts: { email: { to: ['c@example.org'] } } }), { paused: true });
      const { words, last } = await watch(outside, noon, 60, {}, (minute) => {
        if (minute === 20)
          for (const queue of ['light', 'compute', 'streaming'] as const) outside.gone(queue, outside.now);
        if (minute === 50)
          for (const queue of ['light', 'compute', 'streaming'] as const) outside.gone(queue, undefined);
      });
      expect(words.toSorted()).toEqual([
        ...['over other worker-gone', 'over two worker-gone', 'seen other worker-gone', 'seen two worker-gone'],
      ]);
      expect(last.watching.open).toEqual([]);
    });

    it('takes no time in which nobody looked, as Temporal was away, for one in which no worker was there', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo'));
      const { last } = await watch(outside, noon, 4);
      for (const queue of ['light', 'compute', 'streaming'] as const) outside.gone(queue, noon + 4 * MINUTE);
      const again = await watch(outside, noon + 7 * MINUTE, 1, last.memory);
      expect(again.words).toEqual([]);
      const { words } = await watch(outside, noon + 9 * MINUTE, 1, again.last.memory);
      expect(words).toEqual(['seen demo worker-gone']);
    });

    it('sees the same problem at each look, though looks are a little further apart than they are to be', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo'));
      const gone = noon + 2 * MINUTE;
      const during = (minute: number): void => void (minute === 2 && outside.gone('compute', gone));
      const { words, last } = await watch(outside, noon, 20, {}, during, MINUTE + 150);
      expect(words).toEqual(['seen demo worker-gone']);
      // Temporal is away for four minutes.
      const then = await watch(outside, outside.now + 4 * MINUTE, 5, last.memory, () => {}, MINUTE + 150);
      expect(then.words).toEqual([]);
      expect(then.last.watching.queues.compute).toBe(new Date(gone).toISOString());
    });

    it('tells as well by one that has no schedule, as nobody else knows whom it reaches', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('one'));
      outside.schedule(definitionOf('two'));
      outside.consumer('bare', { positions: { 0: '10' }, next: { 0: '10' } });
      const { words } = await watch(outside, noon, 10, {}, (minute) => {
        if (minute === 2) outside.gone('light', outside.now);
        if (minute === 8) outside.gone('light', undefined);
      });
      expect(words.toSorted()).toEqual([
        ...['over bare worker-gone', 'over one worker-gone', 'seen bare worker-gone', 'seen one worker-gone'],
      ]);
    });

    it('says nothing of a schedule that starts no more: past its end, or as often as it may', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('ended', { schedule: { endAt: '2026-11-24T13:30:00Z' } }), { next: () => [] });
      outside.schedule(definitionOf('limited'), { remaining: 0, next: () => [] });
      for (const hour of ['13', '14', '15']) outside.lost.add(hourOf('limited', `2026-11-24T${hour}`));
      const { words } = await watch(outside, noon + 5 * MINUTE, 200, {}, (minute) => {
        if (minute === 150) outside.gone('light', outside.now);
      });
      expect(words).toEqual([]);
    });

    it('tells of it past its end while its last hour waits', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('ended', { schedule: { endAt: '2026-11-24T13:30:00Z' } }));
      outside.lost.add(hourOf('ended', '2026-11-24T13'));
      const { words } = await watch(outside, noon + 5 * MINUTE, 200, {}, (minute) => {
        if (minute === 50) outside.gone('light', outside.now);
      });
      expect(words).toEqual(['seen ended worker-gone']);
    });

    it('names the queue, and counts another one as the same problem', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo'));
      const { words, last } = await watch(outside, noon, 30, {}, (minute) => {
        if (minute === 2) outside.gone('compute', outside.now);
        if (minute === 15) outside.gone('streaming', outside.now);
      });
      expect(words).toEqual(['seen demo worker-gone', 'seen demo worker-gone']);
      expect(last.watching.open).toMatchObject([
        { sentence: expect.stringMatching(/^No worker has served the queues compute and streaming for more than 2m/) },
      ]);
    });

    it('is sure of nothing that Temporal does not say', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo'));
      const { last } = await watch(outside, noon, 10, {}, () => outside.gone('compute', noon));
      expect(last.watching.open).toMatchObject([{ rule: 'worker-gone' }]);
      outside.broken.add('served');
      const { words, last: then } = await watch(outside, outside.now + MINUTE, 5, last.memory);
      expect(words).toEqual([]);
      expect(then.watching.open).toMatchObject([{ rule: 'worker-gone' }]);
      expect(then.watching.problems[0]).toMatchObject({ check: 'workerGone', why: 'served is broken' });
    });
  });

  describe('of a consumer that does not move', () => {
    const stuckAt = (outside: Outside): void => {
      outside.schedule(definitionOf('demo'));
      outside.consumer('demo', { positions: { 0: '10', 1: '4' }, next: { 0: '10', 1: '4' } });
      outside.topics.set('demo', { 0: 30n, 1: 4n });
      outside.landedAt.set('demo', { 0: 10n, 1: 4n });
    };

    it('tells after ten minutes, with what it is tried again after, and that it lands again', async () => {
      const outside = new Outside();
      stuckAt(outside);
      outside.reads('demo', { failure: 'The object store is away.', beatAt: undefined });
      const { words, last } = await watch(outside, noon, 15);
      expect(words).toEqual(['seen demo consumer-stuck demo/0']);
      expect(last.watching.open[0]?.sentence).toContain(
        'and 20 wait. It is tried again after: The object store is away.',
      );
      outside.reads('demo', { positions: { 0: '20', 1: '4' } });
      outside.landedAt.set('demo', { 0: 20n, 1: 4n });
      expect((await watch(outside, outside.now + MINUTE, 3, last.memory)).words).toEqual([
        'over demo consumer-stuck demo/0',
      ]);
    });

    it.each<[string, (outside: Outside) => void]>([
      ['is paused', (outside) => outside.pauseConsumer('demo')],
      [
        'has read everything and waits for the end of its chunk',
        (outside) => outside.reads('demo', { next: { 0: '30', 1: '4' } }),
      ],
      ['has landed more than it has said', (outside) => outside.landedAt.set('demo', { 0: 30n, 1: 4n })],
      ['waits for a worker', (outside) => outside.gone('streaming', noon)],
    ])('says nothing of it where one %s', async (_, change) => {
      const outside = new Outside();
      stuckAt(outside);
      change(outside);
      const { words } = await watch(outside, noon, 30);
      expect(words.filter((word) => word.includes('consumer-stuck'))).toEqual([]);
    });

    it('takes no time in which nobody looked, as Temporal was away, for one in which it did not land', async () => {
      const outside = new Outside();
      stuckAt(outside);
      const { last } = await watch(outside, noon, 3);
      outside.reads('demo', { beatAt: undefined });
      const again = await watch(outside, noon + 30 * MINUTE, 2, last.memory);
      expect(again.words).toEqual([]);
      const { words } = await watch(outside, outside.now + MINUTE, 8, again.last.memory);
      expect(words).toEqual(['seen demo consumer-stuck demo/0']);
    });

    it('judges none while nobody knows what definitions say', async () => {
      const outside = new Outside();
      stuckAt(outside);
      outside.schedule(definitionOf('demo', { watch: { consumerStuck: { mute: true } } }));
      outside.reads('demo', { topic: 'demo' });
      const { last } = await watch(outside, noon, 15);
      outside.broken.add('schedules');
      const { words, last: then } = await watch(outside, outside.now + MINUTE, 5, last.memory);
      expect(words).toEqual([]);
      expect(then.memory.lagging).toEqual(last.memory.lagging);
    });

    it('asks the broker once for all, and the store only where one seems to stand still', async () => {
      const outside = new Outside();
      stuckAt(outside);
      outside.reads('demo', { positions: { 0: '30', 1: '4' } });
      await watch(outside, noon, 20);
      expect(outside.asked.get('ends')).toBe(21);
      expect(outside.asked.get('landed')).toBeUndefined();
    });
  });

  describe('of an index', () => {
    it('tells that it lacks an hour that went through, or is not there, and that it has it again', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo'));
      outside.indices.set('sluice-demo', false);
      outside.went.push({ pipeline: 'demo', hour: '2026-11-24T11:00:00Z' });
      const { words, last } = await watch(outside, noon, 20);
      expect(words).toEqual(['seen demo index-stale']);
      expect(last.watching.open[0]?.sentence).toMatch(
        /^The index sluice-demo is not there, though 2026-11-24T11:00:00Z went through/,
      );
      outside.indices.set('sluice-demo', '2026-11-24T11:00:00Z');
      expect((await watch(outside, outside.now + MINUTE, 2, last.memory)).words).toEqual(['over demo index-stale']);
    });

    it('knows an hour that went through while nobody could be asked for those', async () => {
      for (const question of ['schedules', 'wentThrough']) {
        const outside = new Outside();
        outside.schedule(definitionOf('demo'));
        outside.indices.set('sluice-demo', null);
        const { last } = await watch(outside, noon, 5);
        outside.broken.add(question);
        const blind = await watch(outside, outside.now + MINUTE, 10, last.memory, (minute) => {
          if (minute === 2) outside.went.push({ pipeline: 'demo', hour: '2026-11-24T11:00:00Z', at: outside.now });
        });
        outside.broken.clear();
        const { words } = await watch(outside, outside.now + MINUTE, 15, blind.last.memory);
        expect(words).toEqual(['seen demo index-stale']);
      }
    });

    it('says nothing of hours that were removed since, and keeps what it told while the index is away', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('demo'));
      outside.indices.set('sluice-demo', null);
      outside.went.push({ pipeline: 'demo', hour: '2026-11-24T11:00:00Z' });
      outside.notDone.add(hourOf('demo', '2026-11-24T11'));
      expect((await watch(outside, noon, 20)).words).toEqual([]);
      outside.notDone.clear();
      const { last } = await watch(outside, noon, 20);
      outside.broken.add('indexed');
      const { words, last: then } = await watch(outside, outside.now + MINUTE, 5, last.memory);
      expect(words).toEqual([]);
      expect(then.watching.open).toMatchObject([{ rule: 'index-stale' }]);
    });
  });

  it('tells nobody of what is muted, and still knows it', async () => {
    const outside = new Outside();
    outside.schedule(
      definitionOf('demo', { watch: { runMissed: { mute: true }, workerGone: { mute: { until: '2026-11-25' } } } }),
    );
    outside.lost.add(hourOf('demo', '2026-11-24T13'));
    outside.gone('compute', noon);
    const { words, last } = await watch(outside, noon + 5 * MINUTE, 70);
    expect(words).toEqual([]);
    expect(last.watching.open).toMatchObject([{ rule: 'run-missed' }]);
  });

  it('keeps what it has told while it can look at nothing', async () => {
    const outside = new Outside();
    outside.schedule(definitionOf('demo'));
    outside.gone('compute', noon);
    const { last } = await watch(outside, noon, 10);
    for (const name of Object.keys(outside.world)) outside.broken.add(name);
    const blind = await watch(outside, outside.now + MINUTE, 3, last.memory);
    expect(blind.words).toEqual([]);
    expect(blind.last.watching.problems.length).toBeGreaterThan(2);
    outside.broken.clear();
    outside.gone('compute', undefined);
    expect((await watch(outside, outside.now + MINUTE, 1, blind.last.memory)).words).toEqual(['over demo worker-gone']);
  });

  describe('of one of which nothing can be said', () => {
    it('keeps what it has told, and judges all others: by index', async () => {
      const outside = new Outside();
      for (const name of ['one', 'two']) {
        outside.schedule(definitionOf(name));
        outside.indices.set(`sluice-${name}`, false);
        outside.went.push({ pipeline: name, hour: '2026-11-24T11:00:00Z' });
        outside.consumer(name, { positions: { 0: '10' }, next: { 0: '10' } });
        outside.topics.set(name, { 0: 30n });
        outside.landedAt.set(name, { 0: 10n });
      }
      outside.unsaid.add('sluice-one');
      const { last } = await watch(outside, noon, 20);
      expect(last.watching.problems).toEqual([
        { check: 'indexStale', pipeline: 'one', why: 'the index sluice-one cannot be asked: nobody can say' },
      ]);
      expect(last.watching.open.map(({ pipeline, rule }) => `${pipeline} ${rule}`).toSorted()).toEqual([
        ...['one consumer-stuck', 'two consumer-stuck', 'two index-stale'],
      ]);
    });

    it('keeps what it has told, and judges all others: by topic', async () => {
      const outside = new Outside();
      for (const name of ['one', 'two']) {
        outside.schedule(definitionOf(name, { publish: { topic: `topic-of-${name}` } }));
        outside.consumer(name, { positions: { 0: '10' }, next: { 0: '10' } });
        outside.topics.set(`topic-of-${name}`, { 0: 30n });
        outside.landedAt.set(name, { 0: 10n });
      }
      const { last } = await watch(outside, noon, 20);
      outside.unsaid.add('topic-of-one');
      outside.reads('two', { positions: { 0: '30' } });
      const { words, last: then } = await watch(outside, outside.now + MINUTE, 5, last.memory);
      expect(words).toEqual(['over two consumer-stuck two/0']);
      expect(then.watching.open).toMatchObject([{ pipeline: 'one', rule: 'consumer-stuck' }]);
    });

    it('keeps what it has told, and judges all others: by schedule', async () => {
      const outside = new Outside();
      outside.schedule(definitionOf('one', { watch: { schedulePaused: { after: '1h' } } }), { paused: true });
      outside.schedule(definitionOf('two'));
      const { last } = await watch(outside, noon, 70);
      expect(last.watching.open).toMatchObject([{ pipeline: 'one', rule: 'schedule-paused' }]);
      outside.unsaid.add('one');
      outside.lost.add(hourOf('two', '2026-11-24T14'));
      const { words, last: then } = await watch(outside, outside.now + MINUTE, 70, last.memory);
      expect(words).toEqual(['seen two run-missed 2026-11-24T14']);
      expect(then.watching).toMatchObject({ pipelines: ['one', 'two'] });
      expect(then.watching.problems).toEqual([{ check: 'all', pipeline: 'one', why: 'nobody can say' }]);
      outside.unsaid.clear();
      outside.change('one', { paused: false });
      expect((await watch(outside, outside.now + MINUTE, 1, then.memory)).words).toContain('over one schedule-paused');
    });

    it('tells nobody twice of a dead worker, by a pipeline that is seen', async () => {
      const outside = new Outside();
      for (const name of ['one', 'two']) outside.schedule(definitionOf(name));
      outside.gone('compute', noon);
      const { words, last } = await watch(outside, noon, 5);
      expect(words).toEqual(['seen one worker-gone']);
      outside.unsaid.add('one');
      const unseen = await watch(outside, outside.now + MINUTE, 5, last.memory);
      expect(unseen.words).toEqual([]);
      outside.gone('compute', undefined);
      expect((await watch(outside, outside.now + MINUTE, 1, unseen.last.memory)).words).toEqual([
        'over one worker-gone',
      ]);
    });
  });

  it('takes a definition of a version that knew no watching', () => {
    const { watch: _, ...old } = definitionOf('demo', { key: [] });
    expect(acceptDefinition(old).watch.workerGone.after).toBe('2m');
  });
});

describe('what is told', () => {
  const verdict = fc.record({
    subject: fc.constantFrom('a', 'b', undefined),
    standing: fc.constantFrom('wrong' as const, 'well' as const, 'unknown' as const),
    occurrence: fc.constantFrom('1', '2'),
  });

  it('is the beginning and the end of each problem by turns, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.array(verdict, { maxLength: 3 }), { maxLength: 20 }), (looks) => {
        let open: Parameters<typeof newsOf>[1] = [];
        const isOpen = new Set<string>();
        for (const found of looks) {
          const once = new Map(found.map((one) => [one.subject, one]));
          const verdicts = [...once.values()].map(({ subject, standing, occurrence }): Verdict => {
            const key = { rule: 'index-stale' as const, ...(subject === undefined ? {} : { subject }) };
            if (standing === 'wrong')
              return { ...key, standing, occurrence, severity: 'critical', sentence: 's', facts: [] };
            return standing === 'well' ? { ...key, standing, sentence: 's' } : { ...key, standing, why: 'w' };
          });
          const news = newsOf('p', open, verdicts, '2026-11-24T12:00:00Z');
          for (const { subject = '' } of news.clearings) expect(isOpen.delete(subject)).toBe(true);
          for (const { subject = '' } of news.observations) isOpen.add(subject);
          open = news.open;
          expect(new Set(open.map(({ subject = '' }) => subject))).toEqual(isOpen);
          // Told again, it is nothing new.
          expect(newsOf('p', open, verdicts, '2026-11-24T12:01:00Z')).toMatchObject({
            observations: [],
            clearings: [],
          });
        }
      }),
    );
  });

  it('reaches whoever is told of any pipeline, by as few messages as there can be', () => {
    const named = fc.uniqueArray(
      fc.record({ name: fc.string({ minLength: 1 }), recipients: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd')) }),
      { selector: ({ name }) => name, minLength: 1 },
    );
    fc.assert(
      fc.property(named, (pipelines) => {
        const speakers = speakersFor(pipelines);
        const all = new Set(pipelines.flatMap(({ recipients }) => recipients));
        expect(new Set(speakers.flatMap(({ recipients }) => recipients))).toEqual(all);
        expect(speakers.length).toBeLessThanOrEqual(Math.max(1, all.size));
      }),
    );
  });

  it('goes by the routes of a definition', () => {
    const { alerts } = definitionOf('demo', {
      alerts: {
        email: { to: ['a@example.org'] },
        slack: { url: '${secret:S}' },
        routes: [{ when: { rule: ['worker-gone'] }, to: ['slack'] }, { to: ['email'] }],
      },
    });
    const found = { rule: 'worker-gone', severity: 'critical' } as const;
    expect(recipientsOf({ name: 'demo', alerts }, found, '2026-11-24T12:00:00Z')).toEqual(['slack ${secret:S}']);
  });
});
