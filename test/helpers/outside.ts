import { hourKey } from '../../src/definition/hour.ts';
import type { Incident } from '../../src/definition/incidents.ts';
import { pipelineSchema, type Pipeline, type PipelineInput } from '../../src/definition/pipeline.ts';
import { startsIn } from '../../src/definition/scheduled-hours.ts';
import type { SeenConsumer, SeenSchedule } from '../../src/stages/watching/outside/seen.ts';
import type { WatchedQueue } from '../../src/stages/watching/outside/seen-queues.ts';
import type { World } from '../../src/stages/watching/outside/world.ts';

const HOUR = 3_600_000;

export const definitionOf = (name: string, more: Partial<PipelineInput> = {}): Pipeline =>
  pipelineSchema.parse({
    ...{ name, source: { url: `https://example.org/${name}.csv` }, columns: { id: { name: 'id' } }, key: ['id'] },
    alerts: { email: { to: ['a@example.org'] } },
    ...more,
  });

/** How {@link Outside} knows an hour of a pipeline. */
export const hourOf = (pipeline: string, hour: string): string => `${pipeline}/${hour}`;

interface Scheduled {
  readonly definition: Pipeline;
  paused?: boolean;
  note?: string;
  missed?: number;
  skipped?: number;
  changedAt?: number;
  remaining?: number;
  next?: (now: number) => number[];
}

/** What a watchdog looks at, as a test wants it. Every hour starts in time, unless it is `lost`. */
export class Outside {
  now = 0;
  readonly lost = new Set<string>();
  readonly notDone = new Set<string>();
  /** Names of questions that have no answer. */
  readonly broken = new Set<string>();
  /** Pipelines, topics and indices that cannot be asked about, while others can. */
  readonly unsaid = new Set<string>();
  readonly asked = new Map<string, number>();
  readonly topics = new Map<string, Readonly<Record<string, bigint>>>();
  readonly landedAt = new Map<string, Readonly<Record<string, bigint>>>();
  readonly indices = new Map<string, string | null | false>();
  /** That somebody has opened, and are not over. */
  incidents: Incident[] = [];
  /** By when it ended, where a test says so. */
  readonly went: { pipeline: string; hour: string; at?: number }[] = [];
  readonly #schedules = new Map<string, Scheduled>();
  readonly #consumers = new Map<string, SeenConsumer>();
  readonly #gone = new Map<WatchedQueue, number>();
  readonly world: World;

  constructor() {
    const answers = <T>(name: string, answer: () => T): Promise<T> => {
      this.asked.set(name, (this.asked.get(name) ?? 0) + 1);
      return this.broken.has(name) ? Promise.reject(new Error(`${name} is broken`)) : Promise.resolve(answer());
    };
    const mapOf = (offsets: Readonly<Record<string, bigint>> | undefined): ReadonlyMap<string, bigint> =>
      new Map(Object.entries(offsets ?? {}));
    this.world = {
      schedules: (_, unseen) =>
        answers('schedules', () => {
          const [said, unsaid] = [false, true].map((which) =>
            [...this.#schedules.values()].filter(({ definition }) => this.unsaid.has(definition.name) === which),
          );
          for (const { definition } of unsaid ?? []) unseen?.(definition.name, 'nobody can say');
          return (said ?? []).map((one) => this.#seen(one));
        }),
      incidents: () => answers('incidents', () => this.incidents),
      consumers: () =>
        answers('consumers', () =>
          [...this.#consumers.values()].map(
            (one) =>
              ({ ...one, ...(one.reading ? { reading: { beatAt: this.now, ...one.reading } } : {}) }) as SeenConsumer,
          ),
        ),
      runs: () => answers('runs', () => []),
      served: (queue) => answers('served', () => this.#gone.get(queue) ?? this.now),
      ran: (pipeline, hour) => answers('ran', () => !this.lost.has(hourOf(pipeline, hourKey(hour)))),
      wentThrough: (since) =>
        answers('wentThrough', () => this.went.filter(({ at = Infinity }) => at > Date.parse(since))),
      ends: (topics) =>
        answers(
          'ends',
          () =>
            new Map(
              topics.flatMap((topic) =>
                this.topics.has(topic)
                  ? [
                      [
                        topic,
                        this.unsaid.has(topic) ? { why: 'nobody can say' } : mapOf(this.topics.get(topic)),
                      ] as const,
                    ]
                  : [],
              ),
            ),
        ),
      landed: (stream) => answers('landed', () => mapOf(this.landedAt.get(stream))),
      indexed: (aliases) =>
        answers(
          'indexed',
          () =>
            new Map(
              aliases.map((alias) => [
                alias,
                this.unsaid.has(alias) ? { why: 'nobody can say' } : this.#indexed(alias),
              ]),
            ),
        ),
      isDone: (pipeline, hour) => answers('isDone', () => !this.notDone.has(hourOf(pipeline, hourKey(hour)))),
    };
  }

  schedule(definition: Pipeline, how: Omit<Scheduled, 'definition'> = {}): void {
    this.#schedules.set(definition.name, { definition, ...how });
  }

  change(pipeline: string, how: Partial<Scheduled>): void {
    Object.assign(this.#schedules.get(pipeline) ?? {}, how);
  }

  remove(pipeline: string): void {
    this.#schedules.delete(pipeline);
  }

  consumer(stream: string, reading: { positions: Record<string, string>; next: Record<string, string> }): void {
    const [pipeline = ''] = stream.split('.');
    this.#consumers.set(stream, { workflowId: `consumer/${stream}/0`, pipeline, stream, shard: 0, reading });
  }

  reads(stream: string, change: object): void {
    const before = this.#consumers.get(stream);
    if (before?.reading) this.#consumers.set(stream, { ...before, reading: { ...before.reading, ...change } });
  }

  pauseConsumer(stream: string): void {
    const { reading: _, ...rest } = this.#consumers.get(stream) ?? ({} as SeenConsumer);
    this.#consumers.set(stream, rest);
  }

  /** @param since undefined where it is served again */
  gone(queue: WatchedQueue, since: number | undefined): void {
    if (since === undefined) this.#gone.delete(queue);
    else this.#gone.set(queue, since);
  }

  #indexed(alias: string): string | null | false {
    const held = this.indices.get(alias);
    return held === undefined ? false : held;
  }

  #seen({
    definition,
    paused = false,
    note,
    missed = 0,
    skipped = 0,
    changedAt = 0,
    remaining,
    next,
  }: Scheduled): SeenSchedule {
    const from = Math.floor(this.now / HOUR) * HOUR;
    const times =
      next?.(this.now) ?? startsIn(definition.schedule, from, from + 12 * HOUR).filter((time) => time > this.now);
    return {
      ...{ pipeline: definition.name, definition, paused, createdAt: 0, changedAt, counts: { missed, skipped } },
      next: paused ? [] : times.slice(0, 10),
      ...(note === undefined ? {} : { note }),
      ...(remaining === undefined ? {} : { remaining }),
    };
  }
}
