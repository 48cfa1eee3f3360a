import { describe, expect, it } from 'vitest';
import type { Observation } from '../../src/definition/incidents.ts';
import { ids } from '../../src/definition/names.ts';
import { look } from '../../src/stages/watching/outside/look.ts';
import type { WatchMemory } from '../../src/stages/watching/outside/memory.ts';
import { IncidentBook } from '../../src/workflows/incident-state.ts';
import { definitionOf, hourOf, Outside } from '../helpers/outside.ts';

const MINUTE = 60_000;
const noon = Date.parse('2026-11-24T12:00:00Z');

/** Looks each minute, keeps incidents as their workflows do, and says what became of them. */
class Watched {
  readonly outside = new Outside();
  readonly words: string[] = [];
  memory: WatchMemory = {};
  readonly #books = new Map<string, IncidentBook>();

  constructor() {
    this.outside.now = noon;
  }

  async look(minutes: number): Promise<void> {
    for (let minute = 0; minute < minutes; minute += 1) {
      this.outside.now += MINUTE;
      const { told, memory } = await look(this.outside.world, this.memory, this.outside.now, MINUTE);
      this.memory = JSON.parse(JSON.stringify(memory)) as WatchMemory;
      for (const { observations, clearings } of told) {
        for (const clearing of clearings) {
          for (const book of this.#books.values()) {
            const { rule, subject, pipeline } = book.incident;
            if (rule !== clearing.rule || pipeline !== clearing.pipeline) continue;
            if (clearing.subject === undefined || clearing.subject === subject) book.clear(clearing, this.outside.now);
          }
        }
        for (const seen of observations) this.#observe(seen);
      }
      this.#hear();
    }
  }

  /** Somebody ends it, and `sluice serve` starts it again. */
  again(): void {
    this.memory = {};
    this.outside.now += 3 * MINUTE;
  }

  #observe(seen: Observation): void {
    const id = ids.incident(seen.pipeline, seen.rule, seen.subject);
    const book = this.#books.get(id) ?? new IncidentBook(id);
    this.#books.set(id, book);
    book.observe(seen, this.outside.now);
  }

  #hear(): void {
    for (const [id, book] of this.#books) {
      for (const { id: transition, kind } of book.outgoing) {
        this.words.push(`${kind} ${book.incident.rule}`);
        book.handedOn(transition);
      }
      if (book.ended) this.#books.delete(id);
    }
    this.outside.incidents = [...this.#books.values()].map(({ incident }) => incident);
  }
}

type Case = readonly [rule: string, begins: (outside: Outside) => void, ends: (outside: Outside) => void];

const cases: readonly Case[] = [
  ['run-missed', (outside) => outside.lost.add(hourOf('demo', '2026-11-24T13')), (outside) => outside.lost.clear()],
  [
    'schedule-paused',
    (outside) => outside.change('demo', { paused: true }),
    (outside) => outside.change('demo', { paused: false }),
  ],
  // Temporal forgets who has not polled for some minutes.
  ['worker-gone', (outside) => outside.gone('compute', 0), (outside) => outside.gone('compute', undefined)],
  [
    'consumer-stuck',
    (outside) => outside.topics.set('demo', { 0: 30n }),
    (outside) => outside.reads('demo', { positions: { 0: '30' } }),
  ],
  [
    'index-stale',
    (outside) => outside.indices.set('sluice-demo', null),
    (outside) => outside.indices.set('sluice-demo', '2026-11-24T11:00:00Z'),
  ],
];

describe('a watchdog that was ended and started again', () => {
  const watched = (): Watched => {
    const one = new Watched();
    one.outside.schedule(definitionOf('demo', { watch: { schedulePaused: { after: '1h' } } }));
    one.outside.consumer('demo', { positions: { 0: '10' }, next: { 0: '10' } });
    one.outside.topics.set('demo', { 0: 10n });
    one.outside.landedAt.set('demo', { 0: 10n });
    one.outside.indices.set('sluice-demo', '2026-11-24T11:00:00Z');
    one.outside.went.push({ pipeline: 'demo', hour: '2026-11-24T11:00:00Z' });
    return one;
  };

  it.each(cases)('tells that %s is over, where it was over before its first look', async (rule, begins, ends) => {
    const one = watched();
    begins(one.outside);
    await one.look(80);
    expect(one.words).toEqual([`opened ${rule}`]);
    ends(one.outside);
    one.again();
    await one.look(30);
    expect(one.words).toEqual([`opened ${rule}`, `recovered ${rule}`]);
  });

  it.each(cases)('tells nothing twice of %s where it lasts, and that it is over', async (rule, begins, ends) => {
    const one = watched();
    begins(one.outside);
    await one.look(80);
    one.again();
    await one.look(30);
    expect(one.words).toEqual([`opened ${rule}`]);
    ends(one.outside);
    await one.look(30);
    expect(one.words).toEqual([`opened ${rule}`, `recovered ${rule}`]);
  });

  it('looks at nothing before it knows what is open', async () => {
    const one = watched();
    one.outside.broken.add('incidents');
    one.outside.gone('compute', noon);
    const { memory, told, watching } = await look(one.outside.world, {}, noon, MINUTE);
    expect({ memory, told }).toEqual({ memory: {}, told: [] });
    expect(watching.problems).toEqual([{ check: 'all', why: 'it is not known what is open: incidents is broken' }]);
  });
});
